//! `oneloop check` and `oneloop why` on recordings; and no false alarm on any example.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use oneloop::sync::Mutex;
use oneloop::trace::Level;
use oneloop::trace::export;
use oneloop::trace::findings::{Limits, check, check_recording};
use oneloop::trace::read::Recording;
use oneloop::{EventLoop, sleep, spawn_named};
use tempfile::TempDir;

/// The examples that have in them what a rule looks for, and those rules. Whether it is seen may depend on the time that
/// things take, so these findings may come and need not.
const SHOW: [(&str, &[&str]); 4] = [
    // A task counts its turns, and does nothing else in them, for as long as the disk takes.
    ("files", &["polls_without_progress"]),
    ("frozen_spinner", &["slow_poll"]),
    ("starvation", &["slow_poll"]),
    // `try_gather` leaves the others to themselves, as its opening comment says.
    ("gather", &["left_at_exit"]),
];

/// Those that run no loop, or none without arguments of theirs; and one that serves until it is stopped, so that its
/// recording has no end.
const LEFT_OUT: [&str; 5] = ["hello_sync", "hello_threads", "http_server", "lessons", "spinner_thread"];

fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let mut names: Vec<String> =
        files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The program of an example; `None`: these features leave it out.
fn program(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples").join(name);
    path.exists().then_some(path)
}

/// What the rules find in a recording.
fn found(recording: &Recording) -> Vec<&'static str> {
    check_recording(recording, Limits::default()).found().iter().map(|finding| finding.rule).collect()
}

#[test]
fn in_no_part_of_a_recording_is_found_what_is_not_in_the_whole() {
    let lessons = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lessons");
    let folders = fs::read_dir(lessons).unwrap().map(|entry| entry.unwrap().path());
    let mut files = 0;
    for file in folders.map(|folder| folder.join("run.trace")).filter(|file| file.exists()) {
        files += 1;
        let whole = Recording::open(&file).unwrap();
        let (all, last) = (found(&whole), whole.events.len() - 1);
        for from in (0..=last).step_by(1 + last / 40) {
            for to in [last, from + (last - from) / 2] {
                let (from, to) = (whole.events[from].seq, whole.events[to].seq);
                let mut part = Vec::new();
                export::part(&whole, from..=to, &mut part).unwrap();
                // A part of a part, or one made by hand, may lack the state of the loop at its begin.
                let bare = String::from_utf8(part.clone()).unwrap();
                let bare: Vec<&str> =
                    bare.lines().filter(|line| !line.starts_with("{\"k\":\"snapshot")).collect();
                for text in [part, bare.join("\n").into_bytes()] {
                    let part = Recording::read(&text[..]).unwrap();
                    let new: Vec<_> = found(&part).into_iter().filter(|rule| !all.contains(rule)).collect();
                    assert!(new.is_empty(), "{}, events {from} to {to}: {new:?}", file.display());
                }
            }
        }
    }
    assert!(files >= 30, "only {files} lessons have a recording");
}

/// The rules that find something in the recordings of an example's loops.
fn rules(example: &str) -> Option<Vec<String>> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("trace");
    let mut command = Command::new(program(example)?);
    let word = format!("virtual,level=leaf,record={}", file.display());
    let program = command.env("ONELOOP", word).env_remove("RUST_LOG").current_dir(&folder);
    let output = program.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    let (mut rules, mut events) = (Vec::new(), 0);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("trace") {
            let recording = Recording::open(&path).unwrap();
            events += recording.events.len();
            let found = check(&recording.events, Limits::default());
            rules.extend(found.found().iter().map(|finding| finding.rule.to_owned()));
        }
    }
    assert!(events > 0, "nothing of {example} was recorded");
    rules.dedup();
    Some(rules)
}

#[test]
fn no_example_raises_a_false_alarm() {
    let mut checked = 0;
    for example in examples().iter().filter(|name| !LEFT_OUT.contains(&name.as_str())) {
        let Some(rules) = rules(example) else { continue };
        let shown = SHOW.iter().find(|(name, _)| name == example).map_or(&[][..], |(_, rules)| *rules);
        // In virtual time a poll takes none, so what is slow there does not show; in real time it may.
        let other: Vec<_> = rules.iter().filter(|rule| !shown.contains(&rule.as_str())).collect();
        assert!(other.is_empty(), "{example}: {other:?}");
        checked += 1;
    }
    assert!(checked >= 20, "only {checked} examples are there: build them");
}

/// A recording of two tasks that lock in different orders, or in the same.
fn recorded(folder: &TempDir, crossed: bool) -> PathBuf {
    let file = folder.path().join("locks.trace");
    let builder = EventLoop::builder().virtual_time().record(&file).record_level(Level::Leaf);
    let event_loop = builder.build().unwrap();
    let second = std::time::Duration::from_secs(1);
    let lock_both = async move |a: Mutex<()>, b: Mutex<()>| {
        let _a = a.lock().await;
        sleep(second).await;
        let _b = b.lock().await;
    };
    let locks = async {
        let (one, two) = (Mutex::new(()), Mutex::new(()));
        let (a, b) = if crossed { (two.clone(), one.clone()) } else { (one.clone(), two.clone()) };
        let other = spawn_named("other", async move { lock_both(a, b).await });
        lock_both(one, two).await;
        other.await.unwrap();
    };
    let run = std::panic::AssertUnwindSafe(|| event_loop.run_until_complete(locks));
    assert_eq!(std::panic::catch_unwind(run).is_err(), crossed);
    file
}

fn oneloop(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oneloop")).args(args).env_remove("ONELOOP").output().unwrap()
}

#[test]
fn check_shows_the_findings_and_says_by_its_status_whether_all_is_well() {
    let folder = TempDir::new().unwrap();
    let file = recorded(&folder, true);
    let output = oneloop(&["check", file.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error[wait_cycle] 2 tasks wait for each other and can never go on: "), "{text}");
    assert!(text.contains("error[deadlock] The loop can never go on"), "{text}");
    assert!(text.contains("tests/check.rs:") && text.contains("\n  do: "), "{text}");
    let one = oneloop(&["check", "--rule", "wait_cycle", file.to_str().unwrap()]);
    assert!(!String::from_utf8(one.stdout).unwrap().contains("deadlock"), "only the rule that was asked for");
    let folder = TempDir::new().unwrap();
    let file = recorded(&folder, false);
    let output = oneloop(&["check", file.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("nothing found in "), "{text}");
}

#[test]
fn why_follows_who_waits_for_whom_at_any_event() {
    let folder = TempDir::new().unwrap();
    let file = recorded(&folder, true);
    let path = file.to_str().unwrap();
    let recording = Recording::open(&file).unwrap();
    let stuck =
        recording.events.iter().find(|event| format!("{:?}", event.kind).starts_with("Stuck")).unwrap();
    let output = oneloop(&["why", path, "other", "--at", &stuck.seq.to_string()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("task 1 (other), spawned at "), "{text}");
    assert!(lines[1].contains("when task 0 (main) gives back a mutex"), "{text}");
    assert!(lines[3].contains("when task 1 (other) gives back a mutex"), "{text}");
    assert_eq!(lines[4], "task 1 (other): see above, which closes the circle.", "{text}");
    let unknown = oneloop(&["why", path, "otter", "--at", &stuck.seq.to_string()]);
    let text = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text.contains("no task `otter`") && text.contains("task 1 (other)"), "{text}");
}

#[test]
fn a_file_that_is_no_recording_is_refused_with_its_name() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("rubbish");
    fs::write(&file, "{\"k\":").unwrap();
    for (command, file) in [("check", &file), ("why", &file), ("check", &folder.path().join("absent"))] {
        let output = oneloop(&[command, file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(file.to_str().unwrap()));
    }
}
