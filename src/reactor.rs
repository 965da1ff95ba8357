//! Chapter 8: which sockets can go on.
//!
//! The operating system can watch many sockets at once (epoll on Linux, kqueue on the BSDs and macOS; the
//! crate mio gives both one face). A socket is *registered* once, for both directions, and the
//! system reports *edges*: that it has become readable or writable. It says so once, so everyone who
//! uses a socket keeps this rule:
//!
//! ```text
//!       ┌──────────▶ try the operation ── done, or an error ──▶ return
//!       │                 │ would block, or it moved less than was asked for
//!       │                 ▼
//!     wake            not ready: remember who waits
//!       │                 │
//!       └── edge ◀────────┘ suspend
//! ```
//!
//! `Readiness` is that memory: it starts as "try it", is taken back when an attempt shows there is no
//! more, and is given again by an edge. A read that returned less than the buffer holds has
//! emptied the socket, so the attempt that would only say "would block" is left out. The exception is the
//! end of the stream, which comes with no edge of its own if it arrived together with the last bytes:
//! once the peer has closed, a socket counts as readable for ever.
//!
//! An edge may be false (mio says so): "ready" means "may succeed now", never "has data".
//!
//! Before: `callback.rs`. Next: `reactor/alarm.rs`, a wait that ends exactly.

mod alarm;
mod lines;
mod side;

use std::io;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use mio::{Events, Token};
use slab::Slab;

use crate::ready::Entry;
use crate::trace::event::{SourceId, Wait};

use alarm::Alarm;
pub(crate) use lines::Interest;
pub(crate) use side::Registered;

/// Readiness events fetched by one system call; more wait for the next turn.
const EVENTS_PER_WAIT: usize = 1024;

/// The token of the notifier. No slot has this number.
const NOTIFIER: Token = Token(usize::MAX);

/// The token of the alarm. No slot has this number either.
const ALARM: Token = Token(usize::MAX - 1);

/// What to make ready when something has come: an entry of this loop's queue, or anybody's waker.
///
/// Most often it is the task being polled right now, and then its entry will do, which is plain data: no
/// reference is counted up at each wait and down at each wake.
#[derive(Debug)]
pub(crate) enum Target {
    /// A task or callback of the same loop.
    Entry(Entry),
    /// A waker of some other kind: of a combinator, or of another loop.
    Waker(Waker),
}

/// Nobody.
impl Default for Target {
    fn default() -> Target {
        Target::Entry(Entry::default())
    }
}

impl Target {
    fn is_same(&self, other: &Target) -> bool {
        match (self, other) {
            (Target::Entry(entry), Target::Entry(other)) => entry == other,
            (Target::Waker(waker), Target::Waker(other)) => waker.will_wake(other),
            _ => false,
        }
    }

    /// Whether it is this entry.
    pub(crate) fn is_of(&self, entry: Entry) -> bool {
        match self {
            Target::Entry(own) => *own == entry,
            Target::Waker(_) => false,
        }
    }
}

/// A direction of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// One source that became ready, as the observers are told.
pub(crate) struct Edge {
    pub(crate) id: SourceId,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) closed: bool,
    /// How many targets it added.
    pub(crate) targets: usize,
}

/// mio behind one door: register, wait, and learn who can go on.
pub(crate) struct Reactor {
    poll: mio::Poll,
    /// Filled by `wait`, emptied by `edges`.
    events: Events,
    sources: Slab<Rc<Registered>>,
    alarm: Alarm,
    /// The next source's number.
    next_id: u64,
}

impl Reactor {
    /// A reactor, and what ends its wait from another thread.
    ///
    /// # Errors
    /// When the operating system gives no more descriptors.
    pub(crate) fn new() -> io::Result<(Reactor, mio::Waker)> {
        let poll = mio::Poll::new()?;
        let notifier = mio::Waker::new(poll.registry(), NOTIFIER)?;
        let events = Events::with_capacity(EVENTS_PER_WAIT);
        let (sources, alarm) = (Slab::new(), Alarm::default());
        Ok((Reactor { poll, events, sources, alarm, next_id: 0 }, notifier))
    }

    /// Registers `source` for both directions, once for its life. `counted`: whether a task that waits for
    /// it counts as waiting for I/O.
    pub(crate) fn register(
        &mut self,
        source: &mut impl mio::event::Source,
        counted: bool,
    ) -> io::Result<Rc<Registered>> {
        let id = SourceId(self.next_id);
        let slot = self.sources.vacant_key();
        let interest = mio::Interest::READABLE | mio::Interest::WRITABLE;
        self.poll.registry().register(source, token(slot, id), interest)?;
        self.next_id += 1;
        let registered = Rc::new(Registered::new(id, slot, counted));
        self.sources.insert(Rc::clone(&registered));
        Ok(registered)
    }

    /// Takes a source out. Whoever waits for it is returned, to be woken: there is nothing to wait for.
    pub(crate) fn deregister(
        &mut self,
        source: &mut impl mio::event::Source,
        registered: &Rc<Registered>,
    ) -> Vec<Target> {
        // Fails only for a source that is not registered, and then there is nothing to take out.
        let _ = self.poll.registry().deregister(source);
        let slot = registered.slot();
        if self.sources.get(slot).is_some_and(|known| Rc::ptr_eq(known, registered)) {
            self.sources.remove(slot);
        }
        let mut waiting = Vec::new();
        for direction in [Direction::Read, Direction::Write] {
            registered.drain(direction, |target| waiting.push(target));
        }
        waiting
    }

    /// Whether a task waits for I/O.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.sources.iter().any(|(_, source)| source.is_counted() && source.is_waited_for())
    }

    /// Whether anybody waits for any source, counted or not.
    pub(crate) fn anybody_waits(&self) -> bool {
        self.sources.iter().any(|(_, source)| source.is_waited_for())
    }

    /// Whether the next edge of any source wakes this task.
    pub(crate) fn keeps(&self, entry: Entry) -> bool {
        let mut keeps = false;
        self.each_wait(|_, _, target| keeps |= target.is_of(entry));
        keeps
    }

    /// Everybody who waits: for which source, in which direction.
    pub(crate) fn each_wait(&self, mut see: impl FnMut(SourceId, Direction, &Target)) {
        for (_, source) in &self.sources {
            source.each_wait(|direction, target| see(source.id(), direction, target));
        }
    }

    /// Sources registered.
    pub(crate) fn len(&self) -> usize {
        self.sources.len()
    }

    /// Blocks until a source is ready, the notifier was used, or `timeout` is over (`None`: no limit).
    /// A signal that arrives meanwhile ends it early, with nothing ready. `exactly`: the time on the loop's clock at
    /// which `timeout` is over, if it is to end then and not up to a millisecond later.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, exactly: Option<u64>) -> io::Result<()> {
        let timeout = self.alarm.limit(timeout, exactly, self.poll.registry());
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }

    /// The alarm may ring at another time than it seems to: the next exact wait sets it anew.
    pub(crate) fn forget_alarm(&mut self) {
        self.alarm.rang(None);
    }

    /// Notes what the last `wait` brought: whom to wake is given to `target`, and then the edge to `edge`. Neither may
    /// come back here. `now`: when that wait ended; `None` if it is not to be learnt from. Returns whether the notifier
    /// was used.
    #[inline]
    pub(crate) fn edges(
        &mut self,
        now: Option<u64>,
        mut target: impl FnMut(Target),
        mut edge: impl FnMut(Edge),
    ) -> bool {
        let mut notified = false;
        for event in &self.events {
            // An event may be of a source that was taken out since: its number tells.
            let slot = event.token().0 & SLOT_MASK;
            let known = self.sources.get(slot).filter(|source| token(slot, source.id()) == event.token());
            let Some(source) = known else {
                match event.token() {
                    NOTIFIER => notified = true,
                    ALARM => self.alarm.rang(now),
                    _ => {}
                }
                continue;
            };
            let closed = event.is_read_closed() || event.is_error();
            let readable = event.is_readable() || closed;
            let writable = event.is_writable() || event.is_write_closed() || event.is_error();
            if closed {
                source.readiness().closed();
            }
            let mut added = 0;
            for (direction, ready) in [(Direction::Read, readable), (Direction::Write, writable)] {
                if ready {
                    added += source.edge(direction, &mut target);
                }
            }
            edge(Edge { id: source.id(), readable, writable, closed, targets: added });
        }
        self.events.clear();
        notified
    }
}

/// The lower half of a token is the slot.
const SLOT_MASK: usize = (1 << (usize::BITS / 2)) - 1;

/// A source's token: its slot, and the low bits of its number to tell it from others that had the slot.
fn token(slot: usize, id: SourceId) -> Token {
    Token((id.0 as usize) << (usize::BITS / 2) | (slot & SLOT_MASK))
}

/// What a task waits for in a direction, for the observers.
pub(crate) fn wait_of(direction: Direction) -> Wait {
    match direction {
        Direction::Read => Wait::Readable,
        Direction::Write => Wait::Writable,
    }
}
