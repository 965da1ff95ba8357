//! Programs run by `oneloop record` and `oneloop step`: what they write has its place among their events, and a second loop
//! is as good as the first. The programs are this test, so it has a `main` of its own.

#[path = "support/harness.rs"]
mod harness;

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};

use oneloop::trace::EventKind;
use oneloop::trace::read::Recording;
use oneloop::{EventLoop, run, spawn, yield_now};
use tempfile::tempdir;

/// So many lines are written, one in each poll.
const LINES: usize = 2_000;

/// The programs.
fn play(role: &str) {
    match role {
        "lines" => run(async {
            for number in 0..LINES {
                println!("{number}");
                yield_now().await;
            }
        }),
        "twice" => {
            run(async { println!("one") });
            run(async {
                println!("two");
                spawn(async {}).await.expect("it returns");
            });
        }
        "both at once" => {
            let loops = [(); 2].map(|()| EventLoop::new().expect("there are descriptors"));
            for (event_loop, word) in loops.iter().zip(["one", "two"]) {
                event_loop.run_until_complete(async { println!("{word}") });
            }
        }
        unknown => panic!("no program is called {unknown}"),
    }
}

/// Has the command `oneloop` run one of the programs.
fn oneloop(folder: &Path, arguments: &[&str], role: &str, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
    command.args(arguments).arg(env::current_exe().expect("a test has a path")).env(harness::ROLE, role);
    command.current_dir(folder).env_remove("ONELOOP");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it is built");
    // It may end before it has read everything.
    _ = child.stdin.take().expect("it is a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it is a child");
    assert!(output.status.success(), "{output:?}");
    output
}

fn text(recording: &Recording) -> String {
    recording.output.iter().map(|output| &*output.text).collect()
}

fn what_each_poll_writes_is_recorded_at_that_very_poll() {
    let folder = tempdir().expect("there is room");
    oneloop(folder.path(), &["record", "--level", "leaf", "-o", "run.trace"], "lines", "");
    let recording = Recording::open(folder.path().join("run.trace")).expect("it was made");
    let ends = recording.events.iter().enumerate();
    let ends = ends.filter(|(_, event)| matches!(event.kind, EventKind::PollEnd { .. }));
    for (number, (index, _)) in ends.take(LINES).enumerate() {
        let there = recording.output.iter().filter(|output| output.after == index);
        let there: Vec<&str> = there.map(|output| &*output.text).collect();
        assert_eq!(there, [format!("{number}\n")], "before event {index}");
    }
    assert!(recording.output.len() == LINES && recording.output.iter().all(|output| output.exact));
}

/// Often, since the second loop may come before it was noticed that the first has gone.
fn a_second_loop_is_recorded_with_what_it_writes() {
    let folder = tempdir().expect("there is room");
    for level in ["task", "leaf"].into_iter().cycle().take(20) {
        let told = oneloop(folder.path(), &["record", "-l", level, "-o", "run.trace"], "twice", "");
        assert_eq!(told.stdout, b"one\ntwo\n");
        let told = String::from_utf8_lossy(&told.stderr);
        assert!(told.contains("run.trace, and of its next loop ") && told.contains("run.trace.2"), "{told}");
        for (file, word) in [("run.trace", "one\n"), ("run.trace.2", "two\n")] {
            let recording = Recording::open(folder.path().join(file)).expect("it was made");
            assert_eq!((text(&recording), recording.warnings()), (word.into(), Vec::new()));
        }
    }
}

fn two_loops_at_once_are_recorded_and_the_first_hears_of_what_is_written() {
    let folder = tempdir().expect("there is room");
    let told = oneloop(folder.path(), &["record", "-o", "run.trace"], "both at once", "");
    assert_eq!(told.stdout, b"one\ntwo\n");
    let texts = ["run.trace", "run.trace.2"].map(|file| {
        let recording = Recording::open(folder.path().join(file)).expect("it was made");
        assert!(recording.events.last().is_some_and(|last| !matches!(last.kind, EventKind::PollEnd { .. })));
        text(&recording)
    });
    assert_eq!(texts, ["one\ntwo\n", ""]);
}

fn what_an_earlier_program_left_is_not_taken_for_this_ones() {
    let folder = tempdir().expect("there is room");
    oneloop(folder.path(), &["record", "-o", "run.trace"], "twice", "");
    let told = oneloop(folder.path(), &["record", "-o", "run.trace"], "lines", "");
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(!told.contains("next loop") && !folder.path().join("run.trace.2").exists(), "{told}");
}

/// Often, for the same reason.
fn a_second_loop_is_stepped_after_the_first() {
    for _ in 0..20 {
        let told = oneloop(Path::new("."), &["step", "--plain"], "twice", "c\nc\nc\n");
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let (first, second) = told.split_once("The program made another loop").expect(&told);
        assert!(first.contains("output│ one") && second.contains("output│ two"), "{told}");
        assert!(second.contains("spawn(async {}).await"), "{told}");
    }
}

fn main() -> ExitCode {
    let tests = harness::tests! {
        what_each_poll_writes_is_recorded_at_that_very_poll
        a_second_loop_is_recorded_with_what_it_writes
        two_loops_at_once_are_recorded_and_the_first_hears_of_what_is_written
        what_an_earlier_program_left_is_not_taken_for_this_ones
        a_second_loop_is_stepped_after_the_first
    };
    harness::play_or_run(play, &tests)
}
