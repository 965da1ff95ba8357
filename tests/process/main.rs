//! Child processes: real ones, such as `cat` and `sh`.
#![cfg(unix)]

mod commands;
mod endings;
mod pipes;

use std::path::PathBuf;

use oneloop::EventLoop;
use oneloop::process::{Child, Command, Stdio};

fn virtual_loop() -> EventLoop {
    EventLoop::builder().virtual_time().build().unwrap()
}

/// A shell with this line to run, and pipes for its stdin and stdout.
fn shell(line: &str) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

/// Reads a line, byte by byte, from what the child writes.
async fn line(child: &Child) -> String {
    let (mut line, mut byte) = (String::new(), [0]);
    loop {
        assert_eq!(child.stdout.as_ref().unwrap().read(&mut byte).await.unwrap(), 1, "{line}");
        match byte[0] {
            b'\n' => return line,
            letter => line.push(letter as char),
        }
    }
}

async fn say(child: &Child, line: &str) {
    child.stdin.as_ref().unwrap().write_all(line.as_bytes()).await.unwrap();
}

/// The process's entry in the system's table, which a zombie has, too.
fn entry(id: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{id}"))
}
