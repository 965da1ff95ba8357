//! The commands that ask a running program how its tasks stand.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};

/// A running example that can be asked, and the folder of its socket.
struct Program {
    child: Child,
    folder: TempDir,
}

impl Program {
    fn start(example: &str, words: &str) -> Program {
        let folder = tempdir().expect("there is room for a folder");
        let test = std::env::current_exe().expect("a test has a path");
        let target = test.ancestors().nth(2).expect("it lies in target/PROFILE/deps");
        let mut command = Command::new(target.join("examples").join(example));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env("ONELOOP", words);
        command.env("XDG_RUNTIME_DIR", folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("cargo test builds the examples");
        Program { child, folder }
    }

    fn ask(&self, args: &[&str]) -> Output {
        let pid = self.child.id().to_string();
        let args = args.iter().map(|arg| arg.replace("PID", &pid));
        ask(self.folder.path(), args)
    }

    /// Asks until the answer has this in it.
    fn ask_until(&self, args: &[&str], piece: &str) -> String {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let output = self.ask(args);
            let text = String::from_utf8(output.stdout.clone()).expect("it is text");
            if text.contains(piece) {
                return text;
            }
            assert!(Instant::now() < until, "{piece:?} never came: {output:?}");
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(folder: &Path, args: impl IntoIterator<Item = String>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
    command.args(args).env("XDG_RUNTIME_DIR", folder).output().expect("it is built")
}

#[test]
fn the_tree_of_a_running_program() {
    let program = Program::start("hello", "attach");
    // For two and a half seconds the main task waits for the other one, and that for its sleep.
    let text = program.ask_until(&["tree", "PID"], "waiting for a task to end");
    assert_eq!(
        text,
        "2 tasks: 2 suspended, 0 ready\n\
         task 0 (main) suspended at examples/hello.rs:41, waiting for a task to end\n\
         └── task 1 suspended at examples/hello.rs:28, waiting for a sleep\n"
    );
}

#[test]
fn why_a_task_does_not_go_on() {
    let program = Program::start("hello", "attach");
    let text = program.ask_until(&["why", "PID"], "waiting for a task to end");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[0],
        "Task 0 (main) is suspended at examples/hello.rs:41, waiting for a task to end. What wakes it: the end of task 1."
    );
    assert!(lines[1].starts_with(
        "Task 1 is suspended at examples/hello.rs:28, waiting for a sleep. What wakes it: timer 1, in "
    ));
    let one = program.ask(&["why", "PID", "1"]);
    assert_eq!(String::from_utf8_lossy(&one.stdout).lines().count(), 1);
    let none = program.ask(&["why", "PID", "77"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("has no task `77`"));
}

#[test]
fn whoever_cannot_be_asked_is_said_to_be() {
    let folder = tempdir().expect("there is room");
    let said = |pid: &str| {
        let output = ask(folder.path(), ["tree".to_owned(), pid.to_owned()]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let here = std::process::id().to_string();
    assert!(said(&here).contains("was not started with ONELOOP=attach"), "{}", said(&here));
    assert!(said("hello").contains("invalid"), "{}", said("hello"));
}

#[test]
fn an_answer_that_is_rubbish_is_said_to_be() {
    use std::io::{Read, Write};
    let folder = tempdir().expect("there is room");
    std::fs::create_dir(folder.path().join("oneloop")).expect("it is new");
    let path = folder.path().join("oneloop").join("1.sock");
    let listener = std::os::unix::net::UnixListener::bind(path).expect("the folder is new");
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"{\"k\":\"task\",\"task\":\"x\",\"name\":7,\"awaits\":{},\"timers\":[[],{}],\"at\":3}\n",
        b"{\"k\":\"task\",\"task\":1,\"name\":\"\\u001b[2J\",\"awaits\":[1,2]}\n{\"k\":\"later\"}\n",
        b"",
    ];
    let peer = std::thread::spawn(move || {
        for answer in answers.into_iter().flat_map(|answer| [answer; 2]) {
            let (mut socket, _) = listener.accept().expect("somebody asks");
            socket.read_exact(&mut [0; 6]).expect("the question");
            socket.write_all(answer).expect("it is read");
        }
    });
    for number in 0..answers.len() {
        for command in ["tree", "why"] {
            let output = ask(folder.path(), [command.to_owned(), "1".to_owned()]);
            assert!(
                output.status.code().is_some_and(|code| code == if number == 0 { 2 } else { 0 }),
                "{output:?}"
            );
            assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{output:?}");
        }
    }
    peer.join().expect("it was asked as often");
}
