//! Chapter 8, part 3: one direction of a source, and who waits for it.
//!
//! Whether an attempt is worth its system call is asked at every read and write, and by the socket itself. So that is
//! kept in a place that socket and reactor share ([`Registered`]), and no table has to be searched for it. Beside it
//! lies who waits: a [`Line`] in each direction, which holds the usual case, one task, without a list.
//!
//! Before: `reactor/alarm.rs`. Next: `delivery.rs`.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;

use super::{Direction, Target};
use crate::trace::event::SourceId;

/// What is known of a source without asking the system.
#[derive(Debug)]
pub(crate) struct Readiness {
    /// Whether an attempt to read may succeed. If so, nobody waits.
    read: Cell<bool>,
    /// The same of writing.
    write: Cell<bool>,
    /// The peer has closed its side, or the socket failed: reads are worth trying for ever.
    read_closed: Cell<bool>,
}

impl Readiness {
    /// Of a new source, of which nothing is known: try.
    pub(super) fn new() -> Readiness {
        Readiness { read: Cell::new(true), write: Cell::new(true), read_closed: Cell::new(false) }
    }

    #[inline]
    fn of(&self, direction: Direction) -> &Cell<bool> {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }

    /// Whether an attempt may succeed.
    #[inline]
    pub(crate) fn is_ready(&self, direction: Direction) -> bool {
        self.of(direction).get()
    }

    /// An attempt has shown that there is no more for now: it would have blocked, or (`short`) moved less than
    /// was asked for. After a short read the end of the stream may still be there to read.
    #[inline]
    pub(crate) fn drained(&self, direction: Direction, short: bool) {
        let end_to_come = short && direction == Direction::Read && self.read_closed.get();
        self.of(direction).set(end_to_come);
    }

    /// An edge has come.
    #[inline]
    pub(super) fn edge(&self, direction: Direction) {
        self.of(direction).set(true);
    }

    /// The peer has closed its side.
    #[inline]
    pub(super) fn closed(&self) {
        self.read_closed.set(true);
    }
}

/// A registered source, as the socket and the reactor share it.
///
/// So an operation that has to wait leaves word here, at the socket's own hand, and no table is searched for it.
pub(crate) struct Registered {
    id: SourceId,
    /// Its place in the reactor's table.
    slot: usize,
    readiness: Readiness,
    /// Whether tasks that wait for it keep virtual time from jumping.
    counted: bool,
    /// The latest interest's number.
    interests: Cell<u64>,
    readers: RefCell<Line>,
    writers: RefCell<Line>,
}

impl Registered {
    pub(super) fn new(id: SourceId, slot: usize, counted: bool) -> Registered {
        let (readers, writers) = Default::default();
        let (readiness, interests) = (Readiness::new(), Cell::new(0));
        Registered { id, slot, readiness, counted, interests, readers, writers }
    }

    pub(crate) fn id(&self) -> SourceId {
        self.id
    }

    pub(super) fn slot(&self) -> usize {
        self.slot
    }

    #[inline]
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(super) fn is_counted(&self) -> bool {
        self.counted
    }

    pub(super) fn is_waited_for(&self) -> bool {
        !self.readers.borrow().is_empty() || !self.writers.borrow().is_empty()
    }

    #[inline]
    fn line(&self, direction: Direction) -> &RefCell<Line> {
        match direction {
            Direction::Read => &self.readers,
            Direction::Write => &self.writers,
        }
    }

    /// Remembers `target` for the next edge in `direction`, in place of what the same `interest` had left there.
    /// That is returned, to be dropped.
    #[inline]
    pub(crate) fn wait_for(
        &self,
        direction: Direction,
        target: Target,
        interest: Option<&mut Interest>,
    ) -> Option<Target> {
        let next = || {
            self.interests.set(self.interests.get() + 1);
            NonZeroU64::new(self.interests.get())
        };
        self.line(direction).borrow_mut().join(target, interest, next)
    }

    /// Takes an interest back; what it had left is returned, to be dropped.
    pub(crate) fn forget(&self, direction: Direction, interest: &Interest) -> Option<Target> {
        self.line(direction).borrow_mut().leave(interest)
    }

    /// Gives whoever waits to `each`, which may not come back here; returns how many there were.
    #[inline]
    pub(super) fn drain(&self, direction: Direction, each: impl FnMut(Target)) -> usize {
        self.line(direction).borrow_mut().drain(each)
    }

    /// Shows whoever waits to `see`.
    pub(super) fn each_wait(&self, mut see: impl FnMut(Direction, &Target)) {
        for direction in [Direction::Read, Direction::Write] {
            self.line(direction).borrow().targets().for_each(|target| see(direction, target));
        }
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

impl Waiting {
    /// One who waits from now on. If it has an interest, that is numbered by `next`.
    #[inline]
    fn new(
        target: Target,
        interest: Option<&mut Interest>,
        next: impl FnOnce() -> Option<NonZeroU64>,
    ) -> Waiting {
        let interest = interest.and_then(|interest| {
            interest.0 = next();
            interest.0
        });
        Waiting { target, interest }
    }
}

/// Whom the next edge in one direction wakes, in the order in which they came.
#[derive(Default)]
pub(super) struct Line {
    /// Usually nobody or one.
    first: Option<Waiting>,
    /// Several if tasks share a listener. Empty if `first` is.
    more: Vec<Waiting>,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Who waits here.
    pub(super) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.first.iter().chain(&self.more).map(|waiting| &waiting.target)
    }

    /// Adds `target`, in place of what the same `interest` had left here, which is returned, to be dropped with the
    /// borrow given back. A new interest is numbered by `next`.
    #[inline]
    pub(super) fn join(
        &mut self,
        target: Target,
        interest: Option<&mut Interest>,
        next: impl FnOnce() -> Option<NonZeroU64>,
    ) -> Option<Target> {
        if !self.is_empty() {
            return self.join_others(target, interest, next);
        }
        self.first = Some(Waiting::new(target, interest, next));
        None
    }

    /// The same where somebody waits already.
    #[cold]
    #[inline(never)]
    fn join_others(
        &mut self,
        target: Target,
        interest: Option<&mut Interest>,
        next: impl FnOnce() -> Option<NonZeroU64>,
    ) -> Option<Target> {
        if let Some(known) = self.known(&interest, &target) {
            return Some(std::mem::replace(&mut known.target, target));
        }
        self.more.push(Waiting::new(target, interest, next));
        None
    }

    /// What the same interest has left here, or without one the same target.
    fn known(&mut self, interest: &Option<&mut Interest>, target: &Target) -> Option<&mut Waiting> {
        match interest {
            Some(Interest(None)) => None,
            Some(Interest(number)) => self.iter_mut().find(|known| known.interest == *number),
            None => self.iter_mut().find(|known| known.interest.is_none() && known.target.is_same(target)),
        }
    }

    /// Takes an interest back; what it had left is returned.
    #[inline]
    pub(super) fn leave(&mut self, interest: &Interest) -> Option<Target> {
        let index =
            self.iter_mut().position(|known| known.interest == interest.0 && interest.is_waiting())?;
        let left = match index {
            0 => {
                let next = (!self.more.is_empty()).then(|| self.more.remove(0));
                std::mem::replace(&mut self.first, next)
            }
            more => Some(self.more.remove(more - 1)),
        };
        left.map(|waiting| waiting.target)
    }

    /// Empties the line; returns how many there were.
    #[inline]
    pub(super) fn drain(&mut self, mut each: impl FnMut(Target)) -> usize {
        let Some(first) = self.first.take() else { return 0 };
        each(first.target);
        if self.more.is_empty() { 1 } else { 1 + self.drain_more(&mut each) }
    }

    #[cold]
    fn drain_more(&mut self, each: &mut dyn FnMut(Target)) -> usize {
        let more = std::mem::take(&mut self.more);
        let count = more.len();
        more.into_iter().map(|waiting| waiting.target).for_each(each);
        count
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.first.iter_mut().chain(&mut self.more)
    }
}
