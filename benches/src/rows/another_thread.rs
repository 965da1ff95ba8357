//! The limit of the rows `blocking` and `wake_remote`: a thread that does what it is sent, and a loop that is blocked
//! in epoll until the thread rings.

use std::io;
use std::sync::mpsc;
use std::thread;

use mio::{Events, Poll, Token, Waker};

use crate::measure::{Stopwatch, pin_to_one_core};

/// Nanoseconds for one job that does nothing, to the thread and back.
pub fn there_and_back(ops: u64) -> io::Result<f64> {
    pin_to_one_core();
    let mut poll = Poll::new()?;
    let bell = Waker::new(poll.registry(), Token(0))?;
    let (jobs, taken) = mpsc::channel::<fn() -> u64>();
    let (results, done) = mpsc::channel();
    let worker = thread::spawn(move || {
        for job in taken {
            if results.send(job()).is_err() {
                return Ok(());
            }
            bell.wake()?;
        }
        io::Result::Ok(())
    });
    let mut events = Events::with_capacity(1);
    let watch = Stopwatch::start();
    let mut sum = 0;
    for _ in 0..ops {
        jobs.send(|| 1).expect("the thread waits for jobs");
        poll.poll(&mut events, None)?;
        sum += done.recv().expect("the thread answers before it rings");
    }
    let nanos = watch.nanos_each(ops);
    assert_eq!(sum, ops, "every job ran");
    drop(jobs);
    worker.join().expect("the thread does not panic")?;
    Ok(nanos)
}
