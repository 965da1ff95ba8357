//! Child processes: real ones, such as `cat` and `sh`.
#![cfg(unix)]

mod commands;
mod endings;
mod pipes;

use std::time::{Duration, Instant};

use oneloop::EventLoop;
use oneloop::process::{Child, Command, Stdio};
use rustix::process::Pid;

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

/// Whether the system still has an entry of the process, as it has of a zombie, too.
fn exists(id: u32) -> bool {
    let id = Pid::from_raw(id.try_into().unwrap()).unwrap();
    rustix::process::test_kill_process(id).is_ok()
}

/// Waits until the process is gone.
fn wait_until_gone(id: u32) {
    let began = Instant::now();
    while exists(id) {
        assert!(began.elapsed() < Duration::from_secs(60), "process {id} is still there");
        std::thread::yield_now();
    }
}
