//! This program as a worker process: started again by a measurement, it does one small thing.

use std::env;
use std::hint::black_box;
use std::io::{Read, Write, stdin, stdout};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::child;

/// The first argument of a worker.
const FLAG: &str = "--worker";

/// What a worker does; each is also what a thread or a task does in the same measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Ends at once.
    Nothing,
    /// Waits until standard input ends.
    Wait,
    /// Returns each byte until standard input ends.
    Return,
    /// Waits for so many milliseconds.
    Sleep(u64),
    /// Keeps a core busy.
    Compute,
}

/// If this process was started as a worker, does the job and returns true.
pub fn work_if_asked_to() -> bool {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() != Some(FLAG) {
        return false;
    }
    let job = arguments.next().unwrap_or_default();
    match job.as_str() {
        "nothing" => {}
        "wait" => drop(stdin().read_to_end(&mut Vec::new())),
        "return" => return_bytes(),
        "compute" => compute(),
        millis => thread::sleep(Duration::from_millis(millis.parse().expect("a job or milliseconds"))),
    }
    true
}

/// Starts a worker.
pub fn start(job: Job) -> Child {
    let word = match job {
        Job::Nothing => "nothing".to_string(),
        Job::Wait => "wait".to_string(),
        Job::Return => "return".to_string(),
        Job::Sleep(millis) => millis.to_string(),
        Job::Compute => "compute".to_string(),
    };
    let program = child::this_program().expect("it has a path");
    let mut command = Command::new(program);
    command.args([FLAG, &word]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().expect("a worker starts")
}

/// Closes a worker's standard input, and waits for its end.
pub fn end(mut worker: Child) {
    let status = worker.wait().expect("a worker can be waited for");
    assert!(status.success(), "a worker ended with {status}");
}

fn return_bytes() {
    let mut byte = [0];
    while stdin().read_exact(&mut byte).is_ok() {
        stdout().write_all(&byte).and_then(|()| stdout().flush()).expect("the other side reads");
    }
}

/// About a fifth of a second of arithmetic.
pub fn compute() {
    let sum = (0..200_000_000_u64).fold(1, |sum: u64, n| black_box(sum.rotate_left(5) ^ n));
    black_box(sum);
}
