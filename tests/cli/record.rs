//! `oneloop record`, with real programs.

use std::fs;

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
