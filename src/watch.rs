//! Chapter 29: a callback for a descriptor.
//!
//! Sockets can be served with no future at all, by plain functions: `add_reader` has one called whenever there is
//! something to read. Callbacks are called as long as the descriptor **is** ready (*level-triggered*, as asyncio's
//! are), so that one that reads a line and leaves the rest is called again. The reactor, though, reports that a
//! descriptor **becomes** ready, once (*edges*, `reactor.rs`). The bridge is a question to the
//! operating system, `poll` with a timeout of zero, before each call and after it:
//!
//! ```text
//!              ┌────────── not ready: leave word with the reactor ◀──────────┐
//!              ▼                                                             │
//!   edge ──▶ call_soon ──▶ ready? ── yes ──▶ call the callback ──▶ ready? ───┤
//!              ▲                                                             │
//!              └───────────────────────── yes ───────────────────────────────┘
//! ```
//!
//! No edge is lost in between: edges are taken in step 3 of a turn, and what is drawn here happens within one
//! callback of step 5. Each call goes through the ready queue, so a descriptor that is always ready
//! does not keep the loop from anything else.
//!
//! The descriptor is duplicated. So it cannot be closed under the loop: closing the original leaves the
//! watch as it is, and the socket open, until the watch is removed.
//!
//! Before: `net/tls/failure.rs`. Next: `signal.rs`, signals.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use rustix::event::{PollFd, PollFlags, Timespec};
use slab::Slab;

use crate::current;
use crate::net::source::Descriptor;
use crate::reactor::{Direction, Interest, Registered};
use crate::state::State;
use crate::trace::event::Site;

/// Has the loop call `callback` as long as there is something to read from `source`: bytes, a connection to
/// accept, the end of the stream, or an error that reading would tell.
///
/// asyncio's `loop.add_reader`. There a second callback for a descriptor takes the place of the first; here
/// each call is a watch of its own, removed by its own [`Watch`], and both are called.
///
/// The callback may read with no fear of blocking if nobody else reads from the same socket. It is to take
/// something away, or to remove its watch: otherwise it is called for ever. It is called from the ready queue, at most
/// once a turn. A panic in it is reported, and it stays.
///
/// A watch counts as waiting for I/O: it keeps virtual time from jumping.
///
/// # Errors
///
/// What the operating system says, with the descriptor: for instance that a regular file cannot be watched (it
/// is always ready; see [`fs`](crate::fs)), or that there are no descriptors left.
///
/// # Panics
///
/// If no loop is running on this thread.
///
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// oneloop::run(async {
///     let (mut here, mut there) = UnixStream::pair()?;
///     let (tell, told) = oneloop::sync::oneshot::channel();
///     let mut tell = Some(tell);
///     let watch = oneloop::add_reader(&here.try_clone()?, move || {
///         let mut bytes = [0; 16];
///         let length = here.read(&mut bytes).expect("there is something to read");
///         let _ = tell.take().expect("it is removed after the first call").send(bytes[..length].to_vec());
///     })?;
///     there.write_all(b"hello")?;
///     assert_eq!(told.await.expect("it is told"), b"hello");
///     assert!(watch.remove());
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[track_caller]
pub fn add_reader(source: impl AsFd, callback: impl FnMut() + 'static) -> io::Result<Watch> {
    Watches::add(&source, Direction::Read, Box::new(callback), Location::caller())
}

/// Has the loop call `callback` as long as there is room to write to `source`, or an error that writing would tell.
///
/// Most of the time there is room: add a writer when there is something to write, and remove it when all is
/// written. asyncio's `loop.add_writer`; otherwise as [`add_reader`].
///
/// # Errors
///
/// As [`add_reader`].
///
/// # Panics
///
/// If no loop is running on this thread.
#[track_caller]
pub fn add_writer(source: impl AsFd, callback: impl FnMut() + 'static) -> io::Result<Watch> {
    Watches::add(&source, Direction::Write, Box::new(callback), Location::caller())
}

/// The ticket of a reader or writer: remove it with this. Dropping the ticket changes nothing.
#[derive(Clone)]
pub struct Watch {
    /// Weak, since callbacks may keep their own tickets.
    watches: Weak<Watches>,
    state: Weak<State>,
    key: Key,
}

impl Watch {
    /// Ends the watch: the callback is not called any more, and dropped. Returns whether there was anything to
    /// remove: `false` if it was removed before, or the loop is closed.
    ///
    /// asyncio's `remove_reader` and `remove_writer`. To be called on the loop's thread, also from the callback
    /// itself.
    pub fn remove(&self) -> bool {
        match (self.watches.upgrade(), self.state.upgrade()) {
            (Some(watches), Some(state)) => watches.remove(&state, self.key),
            _ => false,
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<watch {}>", self.key.number)
    }
}

/// Which watch: its slot, and its number, since slots are used again.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    slot: usize,
    number: u64,
}

/// A descriptor with its callback.
struct Watched {
    number: u64,
    descriptor: Descriptor,
    source: Rc<Registered>,
    direction: Direction,
    /// `None` while it is being called.
    callback: Option<Box<dyn FnMut()>>,
    /// What the reactor is to wake.
    edge: Waker,
    interest: Interest,
    /// Where it was added.
    site: Site,
}

impl Watched {
    /// Whether it is ready now, by the operating system.
    fn is_ready(&self) -> bool {
        let wanted = match self.direction {
            Direction::Read => PollFlags::IN,
            Direction::Write => PollFlags::OUT,
        };
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut asked = [PollFd::new(&self.descriptor.0, wanted)];
        let ready = rustix::io::retry_on_intr(|| rustix::event::poll(&mut asked, Some(&now)));
        ready.is_ok_and(|ready| ready > 0)
    }
}

/// All watches of a loop.
#[derive(Default)]
struct Watches {
    watched: RefCell<Slab<Watched>>,
    /// The next watch's number.
    next: Cell<u64>,
}

/// What the reactor wakes on an edge. It is plain data, as a waker must be; the callback is found by it.
struct Edge(Key);

impl Wake for Edge {
    /// Called in step 3, on the loop's own thread: nobody but its reactor has this waker.
    fn wake(self: Arc<Edge>) {
        if let Some(state) = current::try_with(Rc::clone) {
            state.fixture::<Watches>().queue(&state, self.0);
        }
    }
}

impl Watches {
    #[track_caller]
    fn add(
        source: &impl AsFd,
        direction: Direction,
        callback: Box<dyn FnMut()>,
        site: Site,
    ) -> io::Result<Watch> {
        let (state, original) = (current::state(), source.as_fd());
        let explained = |error: io::Error| {
            let number = original.as_raw_fd();
            io::Error::new(error.kind(), format!("cannot watch descriptor {number}: {error}"))
        };
        let mut descriptor = Descriptor(original.try_clone_to_owned().map_err(explained)?);
        let source = state.register(&mut descriptor, "watched descriptor", true, site).map_err(explained)?;
        let watches = state.fixture::<Watches>();
        let number = watches.next.replace(watches.next.get() + 1);
        let key = Key { slot: watches.watched.borrow().vacant_key(), number };
        let (edge, interest) = (Waker::from(Arc::new(Edge(key))), Interest::default());
        let callback = Some(callback);
        let watched = Watched { number, descriptor, source, direction, callback, edge, interest, site };
        watches.watched.borrow_mut().insert(watched);
        watches.leave_word(&state, key);
        Ok(Watch { watches: Rc::downgrade(&watches), state: Rc::downgrade(&state), key })
    }

    fn with<R>(&self, key: Key, f: impl FnOnce(&mut Watched) -> R) -> Option<R> {
        let mut watched = self.watched.borrow_mut();
        watched.get_mut(key.slot).filter(|watched| watched.number == key.number).map(f)
    }

    /// The next edge queues the callback. Registering counts as one, if the descriptor is ready by then.
    fn leave_word(&self, state: &State, key: Key) {
        self.with(key, |watched| {
            let cx = Context::from_waker(&watched.edge);
            watched.interest.over();
            state.io_wait(&watched.source, watched.direction, &cx, Some(&mut watched.interest), None);
        });
    }

    /// Has the callback called in the next step 5.
    fn queue(self: &Rc<Watches>, state: &Rc<State>, key: Key) {
        let Some(site) = self.with(key, |watched| watched.site) else { return };
        let (watches, loops) = (Rc::downgrade(self), Rc::downgrade(state));
        let call = move || {
            if let (Some(watches), Some(state)) = (watches.upgrade(), loops.upgrade()) {
                watches.call(&state, key);
            }
        };
        state.call_soon(Box::new(call), site);
    }

    /// Calls the callback, if the descriptor is ready, and sees to the next call.
    fn call(self: &Rc<Watches>, state: &Rc<State>, key: Key) {
        // Somebody else may have taken what there was, or the edge was a false one.
        let callback =
            self.with(key, |watched| watched.is_ready().then(|| watched.callback.take()).flatten());
        let Some(Some(mut callback)) = callback else { return self.leave_word(state, key) };
        let result = catch_unwind(AssertUnwindSafe(&mut callback));
        let mut callback = Some(callback);
        let ready = self.with(key, |watched| {
            watched.callback = callback.take();
            watched.is_ready()
        });
        match ready {
            Some(true) => self.queue(state, key),
            Some(false) => self.leave_word(state, key),
            None => drop(callback), // it has removed itself
        }
        if let Err(payload) = result {
            resume_unwind(payload); // it is reported like that of any callback
        }
    }

    fn remove(&self, state: &State, key: Key) -> bool {
        if self.with(key, |_| ()).is_none() {
            return false;
        }
        let mut removed = self.watched.borrow_mut().remove(key.slot);
        state.deregister(&mut removed.descriptor, &removed.source);
        true
    }
}
