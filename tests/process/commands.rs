//! What a command is given, and what comes of it.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;

use oneloop::process::{Command, Stdio};

use crate::virtual_loop;

#[test]
fn output_gathers_both_streams_and_the_status() {
    virtual_loop().run_until_complete(async {
        let mut command = Command::new("sh");
        let output = command.args(["-c", "echo out; echo err >&2; exit 7"]).output().await.unwrap();
        assert_eq!((output.stdout, output.stderr), (b"out\n".to_vec(), b"err\n".to_vec()));
        assert_eq!(output.status.code(), Some(7));
        // The same command again, now with streams as it likes.
        let output = command.stderr(Stdio::null()).output().await.unwrap();
        assert_eq!((output.stdout, output.stderr), (b"out\n".to_vec(), Vec::new()));
    });
}

#[test]
fn output_without_input_does_not_wait_for_any() {
    virtual_loop().run_until_complete(async {
        assert_eq!(Command::new("cat").output().await.unwrap().stdout, b"");
    });
}

#[test]
fn status_says_how_it_ended() {
    virtual_loop().run_until_complete(async {
        assert!(Command::new("true").status().await.unwrap().success());
        assert_eq!(Command::new("false").status().await.unwrap().code(), Some(1));
        let killed = Command::new("sh").args(["-c", "kill -TERM $$"]).status().await.unwrap();
        assert_eq!((killed.code(), killed.signal()), (None, Some(15)));
    });
}

#[test]
fn arguments_environment_and_folder_arrive_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    virtual_loop().run_until_complete(async {
        let odd = OsStr::from_bytes(b"$HOME * \xff");
        let output = Command::new("printf").arg("%s|").arg(odd).arg("").output().await.unwrap();
        assert_eq!(output.stdout, b"$HOME * \xff||");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo $ONE $TWO $THREE; pwd"]).env_clear().envs([("ONE", "1"), ("TWO", "2")]);
        command.env("THREE", "3").env_remove("TWO").current_dir(folder.path());
        let output = command.output().await.unwrap();
        let real = folder.path().canonicalize().unwrap();
        assert_eq!(output.stdout, format!("1 3\n{}\n", real.display()).as_bytes());
    });
}

#[test]
fn a_program_that_is_not_there_is_named() {
    virtual_loop().run_until_complete(async {
        let error = Command::new("no-such-program").spawn().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("cannot run \"no-such-program\""), "{error}");
        assert_eq!(Command::new("no-such-program").status().await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(Command::new("no-such-program").output().await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(Command::new("/").spawn().unwrap_err().kind(), ErrorKind::PermissionDenied);
        let nowhere = Command::new("true").current_dir("/no/such/folder").spawn().unwrap_err();
        assert_eq!(nowhere.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn more_output_than_allowed_is_an_error() {
    virtual_loop().run_until_complete(async {
        let mut command = Command::new("yes");
        let error = command.most_output(100_000).kill_on_drop(true).output().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let text = error.to_string();
        assert!(text.contains("\"yes\"") && text.contains("longer than 100000 bytes"), "{text}");
        let exact = Command::new("printf").arg("12345").most_output(5).output().await.unwrap();
        assert_eq!(exact.stdout, b"12345");
    });
}

#[test]
#[should_panic(expected = "no event loop is running on this thread")]
fn a_child_needs_a_loop() {
    let _ = Command::new("true").spawn();
}
