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
//! `ready` below is that memory: it starts as "try it", is taken back when an attempt shows there is no
//! more, and is given again by an edge. A read that returned less than the buffer holds has
//! emptied the socket, so the attempt that would only say "would block" is left out. The exception is the
//! end of the stream, which comes with no edge of its own if it arrived together with the last bytes:
//! once the peer has closed, a socket counts as readable for ever.
//!
//! An edge may be false (mio says so): "ready" means "may succeed now", never "has data".
//!
//! Before: `callback.rs`. Next: `delivery.rs`, a value from another thread.

use std::io;
use std::mem;
use std::num::NonZeroU64;
use std::task::Waker;
use std::time::Duration;

use mio::{Events, Token};
use slab::Slab;

use crate::ready::Entry;
use crate::trace::event::{SourceId, Wait};

/// Readiness events fetched by one system call; more wait for the next turn.
const EVENTS_PER_WAIT: usize = 1024;

/// The token of the notifier. No slot has this number.
const NOTIFIER: Token = Token(usize::MAX);

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

/// A registered source: slot and number, since slots are used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceKey {
    slot: usize,
    id: SourceId,
}

impl SourceKey {
    pub(crate) fn id(self) -> SourceId {
        self.id
    }
}

/// A future's wait for an edge, by which it takes the wait back when it is dropped. Empty before it waits.
///
/// Without it the source would remember everyone who ever gave up waiting for it, until the next edge.
#[derive(Debug, Default)]
pub(crate) struct Interest(Option<NonZeroU64>);

impl Interest {
    /// Forgets a wait that an edge has ended.
    #[inline]
    pub(crate) fn over(&mut self) {
        self.0 = None;
    }

    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.is_some()
    }
}

/// Who waits for an edge.
struct Waiting {
    target: Target,
    /// The number of the interest; `None` if a `poll_` function waits, which nobody takes back.
    interest: Option<NonZeroU64>,
}

/// One direction of a source.
struct Side {
    /// Whether an attempt may succeed. If so, nobody waits.
    ready: bool,
    /// Whom the next edge wakes. Usually nobody or one; several if tasks share a listener.
    waiting: Vec<Waiting>,
}

/// A registered source.
struct Source {
    id: SourceId,
    read: Side,
    write: Side,
    /// The peer has closed its side, or the socket failed: reads are worth trying for ever.
    read_closed: bool,
    /// Whether tasks that wait for it keep virtual time from jumping.
    counted: bool,
}

impl Source {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
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
    sources: Slab<Source>,
    /// The next source's number.
    next_id: u64,
    /// The latest interest's number.
    interests: u64,
    /// Tasks waiting for a counted source.
    waiting: usize,
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
        Ok((Reactor { poll, events, sources: Slab::new(), next_id: 0, interests: 0, waiting: 0 }, notifier))
    }

    /// Registers `source` for both directions, once for its life. `counted`: whether a task that waits for
    /// it counts as waiting for I/O.
    pub(crate) fn register(
        &mut self,
        source: &mut impl mio::event::Source,
        counted: bool,
    ) -> io::Result<SourceKey> {
        let id = SourceId(self.next_id);
        let slot = self.sources.vacant_key();
        let interest = mio::Interest::READABLE | mio::Interest::WRITABLE;
        self.poll.registry().register(source, token(slot, id), interest)?;
        self.next_id += 1;
        let side = || Side { ready: true, waiting: Vec::new() };
        self.sources.insert(Source { id, read: side(), write: side(), read_closed: false, counted });
        Ok(SourceKey { slot, id })
    }

    /// Takes a source out. Whoever waits for it is returned, to be woken: there is nothing to wait for.
    pub(crate) fn deregister(&mut self, source: &mut impl mio::event::Source, key: SourceKey) -> Vec<Target> {
        // Fails only for a source that is not registered, and then there is nothing to take out.
        let _ = self.poll.registry().deregister(source);
        if self.source(key).is_none() {
            return Vec::new();
        }
        let mut removed = self.sources.remove(key.slot);
        let mut waiting = mem::take(&mut removed.read.waiting);
        waiting.append(&mut removed.write.waiting);
        if removed.counted {
            self.waiting -= waiting.len();
        }
        waiting.into_iter().map(|waiting| waiting.target).collect()
    }

    fn source(&mut self, key: SourceKey) -> Option<&mut Source> {
        self.sources.get_mut(key.slot).filter(|source| source.id == key.id)
    }

    /// Whether an attempt may succeed.
    #[inline]
    pub(crate) fn is_ready(&mut self, key: SourceKey, direction: Direction) -> bool {
        self.source(key).is_none_or(|source| source.side(direction).ready)
    }

    /// An attempt has shown that there is no more for now: it would have blocked, or (`short`) moved less than
    /// was asked for. After a short read the end of the stream may still be there to read.
    #[inline]
    pub(crate) fn drained(&mut self, key: SourceKey, direction: Direction, short: bool) {
        if let Some(source) = self.source(key) {
            let end_to_come = short && direction == Direction::Read && source.read_closed;
            source.side(direction).ready = end_to_come;
        }
    }

    /// Remembers `target` for the next edge in `direction`, in place of what the same `interest` had left there.
    /// That is returned, to be dropped with the borrow given back.
    pub(crate) fn wait_for(
        &mut self,
        key: SourceKey,
        direction: Direction,
        target: Target,
        interest: Option<&mut Interest>,
    ) -> Option<Target> {
        let Some(source) = self.sources.get_mut(key.slot).filter(|source| source.id == key.id) else {
            return Some(target);
        };
        let counted = source.counted;
        let waiting = &mut source.side(direction).waiting;
        let number = interest.as_ref().and_then(|interest| interest.0);
        let known = match (&interest, number) {
            (None, _) => {
                waiting.iter_mut().find(|known| known.interest.is_none() && known.target.is_same(&target))
            }
            (Some(_), Some(_)) => waiting.iter_mut().find(|known| known.interest == number),
            (Some(_), None) => None,
        };
        if let Some(known) = known {
            return Some(mem::replace(&mut known.target, target));
        }
        let interest = interest.and_then(|interest| {
            self.interests += 1;
            interest.0 = NonZeroU64::new(self.interests);
            interest.0
        });
        waiting.push(Waiting { target, interest });
        if counted {
            self.waiting += 1;
        }
        None
    }

    /// Takes an interest back; what it had left is returned, to be dropped.
    pub(crate) fn forget(
        &mut self,
        key: SourceKey,
        direction: Direction,
        interest: &Interest,
    ) -> Option<Target> {
        let source = self.source(key)?;
        let counted = source.counted;
        let waiting = &mut source.side(direction).waiting;
        let index = waiting.iter().position(|known| known.interest == interest.0 && interest.is_waiting())?;
        let forgotten = waiting.remove(index);
        if counted {
            self.waiting -= 1;
        }
        Some(forgotten.target)
    }

    /// Tasks that wait for I/O.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether anybody waits for any source, counted or not.
    pub(crate) fn anybody_waits(&self) -> bool {
        let waits = |source: &Source| !source.read.waiting.is_empty() || !source.write.waiting.is_empty();
        self.waiting > 0 || self.sources.iter().any(|(_, source)| waits(source))
    }

    /// Whether the next edge of any source wakes this task.
    pub(crate) fn keeps(&self, entry: Entry) -> bool {
        let keeps = |side: &Side| side.waiting.iter().any(|waiting| waiting.target.is_of(entry));
        self.sources.iter().any(|(_, source)| keeps(&source.read) || keeps(&source.write))
    }

    /// Sources registered.
    pub(crate) fn len(&self) -> usize {
        self.sources.len()
    }

    /// Blocks until a source is ready, the notifier was used, or `timeout` is over (`None`: no limit).
    /// A signal that arrives meanwhile ends it early, with nothing ready.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }

    /// Notes what the last `wait` brought: whom to wake is appended to `targets`, and each edge is given
    /// to `edge`. Returns whether the notifier was used.
    pub(crate) fn edges(&mut self, targets: &mut Vec<Target>, mut edge: impl FnMut(Edge)) -> bool {
        let mut notified = false;
        for event in &self.events {
            if event.token() == NOTIFIER {
                notified = true;
                continue;
            }
            // An event may be of a source that was taken out since: its number tells.
            let slot = event.token().0 & SLOT_MASK;
            let Some(source) = self.sources.get_mut(slot) else { continue };
            if token(slot, source.id) != event.token() {
                continue;
            }
            let closed = event.is_read_closed() || event.is_error();
            let readable = event.is_readable() || closed;
            let writable = event.is_writable() || event.is_write_closed() || event.is_error();
            let before = targets.len();
            source.read_closed |= closed;
            for (is, side) in [(readable, &mut source.read), (writable, &mut source.write)] {
                if is {
                    side.ready = true;
                    targets.extend(side.waiting.drain(..).map(|waiting| waiting.target));
                }
            }
            let added = targets.len() - before;
            if source.counted {
                self.waiting -= added;
            }
            edge(Edge { id: source.id, readable, writable, closed, targets: added });
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
