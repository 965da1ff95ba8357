//! `oneloop record`, with real programs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use oneloop::trace::EventKind;
use oneloop::trace::read::{Output, Recording};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{example, oneloop, said};

#[test]
fn a_program_runs_as_ever_and_its_recording_can_be_played() {
    let folder = tempfile::tempdir().unwrap();
    let program = example("hello");
    let alone = std::process::Command::new(&program).output().unwrap();
    let output = oneloop(folder.path(), &["record", "-o", "run.trace", program.to_str().unwrap()], "");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&alone.stdout));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("events recorded in ") && told.contains("run.trace"), "{told}");
    let played = said(folder.path(), &["play", "run.trace"], "c\ntask 1\n");
    assert!(played.contains("The run ended: the main future returned."), "{played}");
    assert!(played.contains("examples/hello.rs:28"), "{played}");
}

#[test]
fn options_after_the_program_are_the_programs_own() {
    let folder = tempfile::tempdir().unwrap();
    let output = oneloop(folder.path(), &["record", "/bin/echo", "-o", "--help"], "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "-o --help\n");
}

#[test]
fn a_program_without_a_loop_is_said_to_have_left_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = oneloop(folder.path(), &["record", "/bin/true"], "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("nothing was recorded"), "{error}");
}

#[test]
fn what_is_no_regular_file_is_left_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    symlink("pipe", folder.path().join("run.trace.2")).unwrap();
    for (name, refused) in [("pipe", "pipe"), ("run.trace", "run.trace.2")] {
        let _ = fs::write(folder.path().join("run.trace"), "");
        let output = oneloop(folder.path(), &["record", "-o", name, "/bin/true"], "");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(
            error.contains(&format!("{refused}: it is no regular file; name another one with -o")),
            "{error}"
        );
    }
    assert!(pipe.exists() && folder.path().join("run.trace.2").exists());
}

#[test]
fn the_exit_status_is_the_programs() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("fails");
    let trace = "{\\\"k\\\":\\\"oneloop\\\",\\\"v\\\":1}";
    fs::write(&script, format!("#!/bin/sh\necho \"{trace}\" > fails.trace\nexit 7\n")).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let output = oneloop(folder.path(), &["record", "./fails"], "");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_not_there_is_named_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let output = oneloop(folder.path(), &["record", "./nothing"], "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("there is no program ./nothing"), "{error}");
    let output = oneloop(folder.path(), &["record", "nothing"], "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("write ./nothing"), "{error}");
    let output = oneloop(folder.path(), &["record", "-o", "a,b", "/bin/true"], "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("comma"));
}

/// What the example `chain` writes: all but the last line in its one poll, and that when its loop is closed.
const CHAIN: [&str; 2] = [
    "perform_task: first, result1\nsubtask1: here it is\n\
     perform_task: now result2, made of it\nsubtask2: here it is\n",
    "('result1', 'result2 relies on result1')\n",
];

/// A recording of `chain` in a folder.
fn chain(folder: &Path, options: &[&str]) -> Recording {
    let program = example("chain");
    let args = [&["record", "-o", "run.trace"], options, &[program.to_str().unwrap()]].concat();
    let output = oneloop(folder, &args, "");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), CHAIN.concat(), "it is shown as it was written");
    Recording::open(folder.join("run.trace")).unwrap()
}

fn text<'a>(output: impl IntoIterator<Item = &'a Output>) -> String {
    output.into_iter().map(|output| output.text.to_string()).collect()
}

#[test]
fn what_a_poll_writes_is_recorded_just_there_at_the_level_leaf() {
    let folder = tempfile::tempdir().unwrap();
    let Recording { events, output, .. } = chain(folder.path(), &["--level", "leaf"]);
    let (within, after): (Vec<_>, Vec<_>) = output.iter().partition(|output| output.after < events.len());
    assert_eq!((text(within.clone()), text(after.clone())), (CHAIN[0].into(), CHAIN[1].into()), "{output:?}");
    for output in within {
        let next = &events[output.after].kind;
        assert!(output.exact && matches!(next, EventKind::PollEnd { .. }), "{output:?}, then {next:?}");
    }
    assert!(after.iter().all(|output| !output.exact), "{after:?}");
    let played = said(folder.path(), &["play", "run.trace"], "p\nn\nc\n");
    let lines: Vec<&str> = played.lines().collect();
    let at = lines.iter().position(|line| *line == "output│ subtask2: here it is").expect(&played);
    assert!(lines[at + 1].contains("The 1st poll of task 0 (main) was its last"), "{played}");
    assert!(played.contains("output│ ('result1', 'result2 relies on result1')"), "{played}");
}

#[test]
fn at_the_level_task_output_has_its_place_by_time_and_that_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let recording = chain(folder.path(), &[]);
    assert_eq!(text(&recording.output), CHAIN.concat());
    assert!(recording.output.iter().all(|output| !output.exact && !output.stderr), "{:?}", recording.output);
    assert!(said(folder.path(), &["play", "run.trace"], "c\noutput\n").contains("known only roughly"));
}

#[test]
fn output_that_is_left_alone_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(chain(folder.path(), &["--no-output"]).output, []);
}

#[test]
fn what_a_program_wrote_before_it_was_killed_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo one; echo two >&2; printf three; kill -9 $$";
    let output = oneloop(folder.path(), &["record", "/bin/sh", "-c", script], "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one\nthree");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("two\n"), "{output:?}");
}

#[test]
fn more_output_than_a_pipe_holds_is_shown_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let script = "seq 1 200000; seq 1 20 >&2";
    let output = oneloop(folder.path(), &["record", "/bin/sh", "-c", script], "");
    let numbers: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(output.stdout == numbers.as_bytes(), "{} bytes", output.stdout.len());
}
