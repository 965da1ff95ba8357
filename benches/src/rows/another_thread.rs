//! What the rows with another thread share: a desk at which that thread is given work; and, for their limits, a loop that
//! is blocked in epoll until the thread rings.
//!
//! Both sides first give way (`thread::yield_now`), and neither wakes one that is not blocked. So where they share a core
//! a round costs two switches, and hardly ever a system call that wakes:
//!
//! ```text
//!   loop:    puts a job · gives way ▌                           ▌ finds the result · puts a job · gives way ▌
//!   thread:                         ▐ the job · result · gives way ▐                                       ▐ …
//! ```

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::{mem, thread};

use mio::{Events, Poll, Token, Waker};

/// A desk with room for one thing, at which a thread waits. A channel of the standard library would give up the core a
/// few times before it waits, which costs more than all else here.
pub struct Desk<T> {
    place: Mutex<Place<T>>,
    put: Condvar,
}

struct Place<T> {
    /// `None` in it: the end.
    thing: Option<Option<T>>,
    /// Whether a thread is blocked until there is one.
    awaited: bool,
}

impl<T> Desk<T> {
    pub fn new() -> Arc<Desk<T>> {
        Arc::new(Desk { place: Mutex::new(Place { thing: None, awaited: false }), put: Condvar::new() })
    }

    /// Puts a thing there, or `None`: there will be no more.
    pub fn put(&self, thing: Option<T>) {
        let mut place = self.lock();
        place.thing = Some(thing);
        if mem::take(&mut place.awaited) {
            self.put.notify_one();
        }
    }

    /// Waits until there is one.
    pub fn take(&self) -> Option<T> {
        if let Some(thing) = self.look() {
            return thing;
        }
        thread::yield_now();
        let mut place = self.lock();
        loop {
            if let Some(thing) = place.thing.take() {
                return thing;
            }
            place.awaited = true;
            place = self.put.wait(place).expect("nobody panics with the desk locked");
        }
    }

    /// What is there now.
    pub fn look(&self) -> Option<Option<T>> {
        self.lock().thing.take()
    }

    fn lock(&self) -> MutexGuard<'_, Place<T>> {
        self.place.lock().expect("nobody panics with the desk locked")
    }
}

/// A loop by hand: it waits for one thing.
pub struct Waiting {
    poll: Poll,
    events: Events,
    pub bell: Arc<Bell>,
}

/// How another thread ends the wait of such a loop.
pub struct Bell {
    waker: Waker,
    /// Whether the loop is blocked, or about to be.
    blocked: AtomicBool,
}

impl Bell {
    /// To be called when there is something to be found.
    pub fn ring(&self) -> io::Result<()> {
        if self.blocked.swap(false, Ordering::SeqCst) { self.waker.wake() } else { Ok(()) }
    }
}

impl Waiting {
    pub fn new() -> io::Result<Waiting> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), Token(0))?;
        let bell = Arc::new(Bell { waker, blocked: AtomicBool::new(false) });
        Ok(Waiting { poll, events: Events::with_capacity(1), bell })
    }

    /// Waits until `look` finds something, which it does at the latest when the bell has rung.
    pub fn until<T>(&mut self, look: impl Fn() -> Option<T>) -> io::Result<T> {
        thread::yield_now();
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            // Whoever comes from here on sees that it must ring.
            self.bell.blocked.store(true, Ordering::SeqCst);
            if let Some(found) = look() {
                self.bell.blocked.store(false, Ordering::SeqCst);
                return Ok(found);
            }
            self.poll.poll(&mut self.events, None)?;
        }
    }
}
