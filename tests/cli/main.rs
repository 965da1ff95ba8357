//! The command `oneloop`, as somebody uses it: programs are recorded, and recordings gone through by command.

mod export;
mod hostile;
mod play;
mod record;
mod summary;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A recording of a small program: two tasks sleep, one of them for ever.
pub const LINES: &[&str] = &[
    r#"{"k":"oneloop","v":1,"program":"target/small","args":["--fast"],"level":"task","folder":"FOLDER"}"#,
    r#"{"k":"site","id":1,"file":"src/small.rs","line":3,"col":5}"#,
    r#"{"k":"site","id":2,"file":"src/small.rs","line":4,"col":24}"#,
    r#"{"k":"site","id":3,"file":"src/small.rs","line":8,"col":9}"#,
    r#"{"k":"spawn","n":0,"t":0,"task":0,"name":"main","by":"loop","site":1,"future":"small::main","size":96}"#,
    r#"{"k":"turn_begin","n":1,"t":1000,"turn":0,"ready":1,"timers":0,"sources":0,"jobs":0}"#,
    r#"{"k":"poll_begin","n":2,"t":2000,"c":0,"task":0,"poll":1,"waited":2000}"#,
    r#"{"k":"spawn","n":3,"t":2500,"c":2,"task":1,"name":"waiter","by":{"task":0},"site":1,"future":"small::wait","size":8}"#,
    r#"{"k":"timer_arm","n":4,"t":3000,"c":2,"timer":0,"by":{"task":0},"at":1000003000,"place":[1,15]}"#,
    r#"{"k":"poll_end","n":5,"t":4000,"c":2,"task":0,"poll":1,"took":2000,"suspended":["sleep",2],"wakers":0}"#,
    r#"{"k":"turn_end","n":6,"t":5000,"turn":0,"ready":1}"#,
    r#"{"k":"turn_begin","n":7,"t":6000,"turn":1,"ready":1,"timers":1,"sources":0,"jobs":0}"#,
    r#"{"k":"poll_begin","n":8,"t":7000,"c":3,"task":1,"poll":1,"waited":4500}"#,
    r#"{"k":"poll_end","n":9,"t":8000,"c":8,"task":1,"poll":1,"took":1000,"suspended":["event",3],"wakers":1}"#,
    r#"{"k":"turn_end","n":10,"t":9000,"turn":1,"ready":0}"#,
    r#"{"k":"turn_begin","n":11,"t":10000,"turn":2,"ready":0,"timers":1,"sources":0,"jobs":0}"#,
    r#"{"k":"wait_begin","n":12,"t":11000,"timeout":999992000,"why":"next_timer"}"#,
    r#"{"k":"wait_end","n":13,"t":1000100000,"sources":0,"by":"timeout"}"#,
    r#"{"k":"timer_fire","n":14,"t":1000103000,"c":4,"timer":0,"late":100000}"#,
    r#"{"k":"wake","n":15,"t":1000103000,"c":14,"task":0,"by":{"timer":0},"effect":"queued"}"#,
    r#"{"k":"poll_begin","n":16,"t":1000104000,"c":15,"task":0,"poll":2,"waited":1000}"#,
    r#"{"k":"poll_end","n":17,"t":1000204000,"c":16,"task":0,"poll":2,"took":100000,"wakers":0}"#,
    r#"{"k":"task_end","n":18,"t":1000205000,"c":16,"task":0,"outcome":"done"}"#,
    r#"{"k":"turn_end","n":19,"t":1000206000,"turn":2,"ready":1}"#,
    r#"{"k":"loop_end","n":20,"t":1000207000,"why":"main_done"}"#,
];

/// A folder with the recording `small.trace` and its source.
pub fn small() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lines = LINES.join("\n").replace("FOLDER", folder.path().to_str().unwrap());
    std::fs::write(folder.path().join("small.trace"), lines + "\n").unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    let source = "//! Small.\nfn main() {\n    run(async {\n        sleep(second).await;\n    })\n}\nasync fn wait() {\n    event.wait().await;\n}\n";
    std::fs::write(folder.path().join("src/small.rs"), source).unwrap();
    folder
}

/// Runs the command with these arguments and this on its standard input.
pub fn oneloop(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
    command.args(args).current_dir(folder).env_remove("ONELOOP");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read everything.
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The same, which must go well: what it wrote to standard output.
pub fn said(folder: &Path, args: &[&str], input: &str) -> String {
    let output = oneloop(folder, args, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// An example of this crate, built along with the tests.
pub fn example(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_oneloop")).parent().unwrap();
    target.join("examples").join(name)
}

#[test]
fn every_subcommand_has_its_help() {
    let here = Path::new(".");
    let help = said(here, &["--help"], "");
    for command in ["record", "play", "summary", "export"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        let own = said(here, &[command, "--help"], "");
        assert!(own.contains(&format!("Usage: oneloop {command}")), "{own}");
    }
}

#[test]
fn a_wrong_subcommand_gets_a_suggestion() {
    let output = oneloop(Path::new("."), &["plya"], "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("play"), "{error}");
}

#[test]
fn a_rule_that_does_not_exist_gets_a_suggestion() {
    let output = oneloop(Path::new("."), &["check", "--rule", "slow_pol", "run.trace"], "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("'slow_poll'"), "{error}");
}

#[test]
fn a_file_that_is_no_recording_is_refused_with_its_name_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "milk, bread\n").unwrap();
    std::fs::write(folder.path().join("newer.trace"), "{\"k\":\"oneloop\",\"v\":7}\n").unwrap();
    for command in [&["play"][..], &["summary"], &["export", "--chrome"]] {
        for (file, why) in
            [("notes.txt", "no recording"), ("missing", "cannot be read"), ("newer.trace", "version 7")]
        {
            let output = oneloop(folder.path(), &[command, &[file]].concat(), "n\n");
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{error}");
            assert!(error.starts_with(&format!("oneloop: {file}: ")) && error.contains(why), "{error}");
        }
    }
}
