//! Chapter 33, part 4: the life of a worker.
//!
//! A worker is the program itself, started with one argument that no program has otherwise. Its standard input is
//! its end of the socket pair, which is how a descriptor is handed to a child in safe Rust: as one of its three
//! standard streams. Two threads share the work:
//!
//! ```text
//!   main thread     Ready ─▶ … next job ─▶ call it ─▶ answer ─▶ …
//!                                 ▲
//!   reading thread  read a job ───┘     the end of the stream: the program has gone, or wants this worker no
//!                                       more: exit at once, job or no job
//! ```
//!
//! Since somebody always reads, a worker never outlives the program by longer than the system needs to close its
//! sockets, however the program ended and however busy the worker is.
//!
//! Before: `process_pool/error.rs`. Next: `process_pool/worker.rs`, the program's side.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;

use super::frame::{self, Frame, Kind};
use crate::task::panic_text;

/// The first and only argument of a worker.
pub(super) const MARK: &str = "--oneloop-worker";

/// A function that workers can call.
pub(super) type Job = fn(&[u8]) -> Vec<u8>;

/// The exit code of a worker whose job panicked, which is that of a program that panicked.
const PANICKED: i32 = 101;

/// The names of the jobs; empty until `serve` was called.
static SERVED: OnceLock<Vec<String>> = OnceLock::new();

/// The names given to `serve`; `None`: it was not called.
pub(super) fn served() -> Option<&'static [String]> {
    SERVED.get().map(Vec::as_slice)
}

/// Whether this process was started as a worker.
pub(super) fn is_worker() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == MARK)
}

/// See [`ProcessPool::serve`](super::ProcessPool::serve).
#[track_caller]
pub(super) fn serve(jobs: &[(&str, Job)]) {
    for (index, (name, _)) in jobs.iter().enumerate() {
        let twice = jobs[..index].iter().any(|(other, _)| other == name);
        assert!(!twice, "two jobs are called {name:?}: give each a name of its own");
    }
    if is_worker() {
        work(jobs);
    }
    let names = jobs.iter().map(|(name, _)| String::from(*name)).collect();
    assert!(SERVED.set(names).is_ok(), "ProcessPool::serve was called before: give it all jobs in one call");
}

/// Answers jobs until the program goes away.
fn work(jobs: &[(&str, Job)]) -> ! {
    let stream = match own_end() {
        Ok(stream) => Arc::new(stream),
        Err(error) => panic!(
            "{MARK} is for workers of a ProcessPool, and this process has no socket to one ({error}): \
             leave the argument out"
        ),
    };
    let (give, jobs_to_do) = mpsc::channel();
    let reader = Arc::clone(&stream);
    // Without the thread a worker could outlive the program: better none at all.
    if thread::Builder::new().name("oneloop-worker".into()).spawn(move || read_jobs(&reader, &give)).is_err()
    {
        exit(1);
    }
    answer(&stream, Kind::Ready, b"");
    for (name, input) in jobs_to_do {
        match jobs.iter().find(|(known, _)| known.as_bytes() == name) {
            Some((_, job)) => call(&stream, *job, &input),
            None => answer(&stream, Kind::Unknown, b""),
        }
    }
    exit(0)
}

/// Standard input, if it is a socket that somebody holds the other end of.
fn own_end() -> io::Result<UnixStream> {
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    stream.peer_addr()?;
    Ok(stream)
}

/// Hands over one job after the other; ends the process when there will be no more.
fn read_jobs(mut stream: &UnixStream, give: &mpsc::Sender<(Vec<u8>, Vec<u8>)>) {
    // What the program sends it has measured against its own limit.
    let mut next = |kind| match frame::read(&mut stream, usize::MAX) {
        Ok(Frame { kind: read, bytes }) if read == kind => bytes,
        _ => exit(0),
    };
    while give.send((next(Kind::Name), next(Kind::Input))).is_ok() {}
}

fn call(stream: &UnixStream, job: Job, input: &[u8]) {
    match catch_unwind(AssertUnwindSafe(|| job(input))) {
        Ok(output) => {
            // A worker may be killed when it has answered; what it printed is not lost with it.
            let _ = io::stdout().flush();
            answer(stream, Kind::Done, &output);
        }
        Err(payload) => {
            answer(stream, Kind::Panicked, panic_text(&*payload).as_bytes());
            exit(PANICKED);
        }
    }
}

/// Sends a message; if nobody is there to read it, the worker is no longer needed.
fn answer(mut stream: &UnixStream, kind: Kind, bytes: &[u8]) {
    if frame::write(&mut stream, kind, bytes).is_err() {
        exit(0);
    }
}
