//! The limit of the rows `blocking` and `wake_remote`: a thread that does what it is given, and a loop that is blocked
//! in epoll until the thread rings.

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use mio::{Events, Poll, Token, Waker};

use crate::measure::{Stopwatch, pin_to_one_core};

/// A desk with room for one thing, at which a thread waits. A channel of the standard library would give up the core a
/// few times before it waits, which costs more than all else here.
pub struct Desk<T> {
    /// `None` in it: the end.
    thing: Mutex<Option<Option<T>>>,
    put: Condvar,
}

impl<T> Desk<T> {
    pub fn new() -> Arc<Desk<T>> {
        Arc::new(Desk { thing: Mutex::new(None), put: Condvar::new() })
    }

    /// Puts a thing there, or `None`: there will be no more.
    pub fn put(&self, thing: Option<T>) {
        *self.thing.lock().expect("nobody panics with the desk locked") = Some(thing);
        self.put.notify_one();
    }

    /// Waits until there is one.
    pub fn take(&self) -> Option<T> {
        let thing = self.thing.lock().expect("nobody panics with the desk locked");
        let mut thing = self.put.wait_while(thing, |thing| thing.is_none()).expect("as above");
        thing.take().flatten()
    }
}

/// Nanoseconds for one job that does nothing, to the thread and back.
pub fn there_and_back(ops: u64) -> io::Result<f64> {
    pin_to_one_core();
    let mut poll = Poll::new()?;
    let bell = Waker::new(poll.registry(), Token(0))?;
    let (jobs, results) = (Desk::<fn() -> u64>::new(), Desk::new());
    let (given, done) = (Arc::clone(&jobs), Arc::clone(&results));
    let worker = thread::spawn(move || {
        while let Some(job) = given.take() {
            done.put(Some(job()));
            bell.wake()?;
        }
        io::Result::Ok(())
    });
    let mut events = Events::with_capacity(1);
    let watch = Stopwatch::start();
    let mut sum = 0;
    for _ in 0..ops {
        jobs.put(Some(|| 1));
        poll.poll(&mut events, None)?;
        sum += results.take().expect("the thread answers before it rings");
    }
    let nanos = watch.nanos_each(ops);
    assert_eq!(sum, ops, "every job ran");
    jobs.put(None);
    worker.join().expect("the thread does not panic")?;
    Ok(nanos)
}
