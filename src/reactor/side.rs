//! Chapter 8, part 3: one direction of a source, and who waits for it.
//!
//! Whether an attempt is worth its system call is asked at every read and write, and by the socket itself. So that is
//! kept in a place that socket and reactor share ([`Registered`]), and no table has to be searched for it. Beside it
//! lies who waits: [`Lines`], one for each direction, which hold the usual case, one task, without a list.
//!
//! Before: `reactor/alarm.rs`. Next: `delivery.rs`.

use std::cell::{Cell, RefCell};
use std::mem;
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

    /// An edge has come; whether that is news.
    #[inline]
    fn edge(&self, direction: Direction) -> bool {
        !self.of(direction).replace(true)
    }

    /// The peer has closed its side.
    #[inline]
    pub(super) fn closed(&self) {
        self.read_closed.set(true);
    }
}

/// A registered source, as the socket and the reactor share it.
///
/// So an operation that has to wait leaves word here, at the socket's own hand, and no table is searched for it. In this
/// order, what a wait to read touches are 64 bytes in a row: the processor fetches its memory in such pieces, and where
/// many sockets take turns, most of what they need has to be fetched again.
#[repr(C)]
pub(crate) struct Registered {
    id: SourceId,
    /// Its place in the reactor's table. A token has no more than half a word for it.
    slot: u32,
    readiness: Readiness,
    /// Whether tasks that wait for it keep virtual time from jumping.
    counted: bool,
    /// The latest interest's number.
    interests: Cell<u64>,
    lines: RefCell<Lines>,
}

impl Registered {
    pub(super) fn new(id: SourceId, slot: usize, counted: bool) -> Registered {
        let (readiness, slot) = (Readiness::new(), slot as u32);
        Registered { id, slot, readiness, counted, interests: Cell::default(), lines: RefCell::default() }
    }

    pub(crate) fn id(&self) -> SourceId {
        self.id
    }

    pub(super) fn slot(&self) -> usize {
        self.slot as usize
    }

    #[inline]
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(super) fn is_counted(&self) -> bool {
        self.counted
    }

    pub(super) fn is_waited_for(&self) -> bool {
        !self.lines.borrow().are_empty()
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
        self.readiness.of(direction).set(false);
        let next = || {
            self.interests.set(self.interests.get() + 1);
            NonZeroU64::new(self.interests.get())
        };
        self.lines.borrow_mut().join(direction, target, interest, next)
    }

    /// Takes an interest back; what it had left is returned, to be dropped.
    pub(crate) fn forget(&self, direction: Direction, interest: &Interest) -> Option<Target> {
        self.lines.borrow_mut().leave(direction, interest)
    }

    /// An edge has come: whoever waits for it is given to `each`, which may not come back here. Returns how many there
    /// were.
    #[inline]
    pub(super) fn edge(&self, direction: Direction, each: impl FnMut(Target)) -> usize {
        // While an attempt may succeed nobody waits; edges bring both directions, and mostly one of them is no news.
        if self.readiness.edge(direction) { self.drain(direction, each) } else { 0 }
    }

    /// Gives whoever waits to `each`, which may not come back here; returns how many there were.
    #[inline]
    pub(super) fn drain(&self, direction: Direction, each: impl FnMut(Target)) -> usize {
        self.lines.borrow_mut().drain(direction, each)
    }

    /// Shows whoever waits to `see`.
    pub(super) fn each_wait(&self, mut see: impl FnMut(Direction, &Target)) {
        let lines = self.lines.borrow();
        for direction in [Direction::Read, Direction::Write] {
            lines.targets(direction).for_each(|target| see(direction, target));
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

/// Those who are not the first, in their order.
type Others = Vec<(Direction, Waiting)>;

/// Whom the next edge in each direction wakes, in the order in which they came.
#[derive(Default)]
#[repr(C)]
struct Lines {
    /// All but the first, if tasks share a listener. `None`: so far none ever did. Nobody is behind a first one that is
    /// not there.
    more: Option<Box<Others>>,
    /// Of those who read, and of those who write, the first: usually there is nobody else.
    first: [Option<Waiting>; 2],
}

impl Lines {
    fn are_empty(&self) -> bool {
        self.first.iter().all(Option::is_none)
    }

    #[inline]
    fn first(&mut self, direction: Direction) -> &mut Option<Waiting> {
        &mut self.first[direction as usize]
    }

    /// Who waits in one direction.
    fn targets(&self, direction: Direction) -> impl Iterator<Item = &Target> {
        let others = self.more.iter().flat_map(|more| more.iter());
        let others = others.filter(move |(of, _)| *of == direction).map(|(_, waiting)| waiting);
        self.first[direction as usize].iter().chain(others).map(|waiting| &waiting.target)
    }

    /// Adds `target`, in place of what the same `interest` had left here, which is returned, to be dropped with the
    /// borrow given back. A new interest is numbered by `next`.
    #[inline]
    fn join(
        &mut self,
        direction: Direction,
        target: Target,
        interest: Option<&mut Interest>,
        next: impl FnOnce() -> Option<NonZeroU64>,
    ) -> Option<Target> {
        let first = self.first(direction);
        if first.is_some() {
            return self.join_others(direction, target, interest, next);
        }
        *first = Some(Waiting::new(target, interest, next));
        None
    }

    /// The same where somebody waits already.
    #[cold]
    #[inline(never)]
    fn join_others(
        &mut self,
        direction: Direction,
        target: Target,
        interest: Option<&mut Interest>,
        next: impl FnOnce() -> Option<NonZeroU64>,
    ) -> Option<Target> {
        if let Some(known) = self.known(direction, &interest, &target) {
            return Some(mem::replace(&mut known.target, target));
        }
        self.more.get_or_insert_default().push((direction, Waiting::new(target, interest, next)));
        None
    }

    /// What the same interest has left here, or without one the same target.
    fn known(
        &mut self,
        direction: Direction,
        interest: &Option<&mut Interest>,
        target: &Target,
    ) -> Option<&mut Waiting> {
        let others = self.more.iter_mut().flat_map(|more| more.iter_mut());
        let others = others.filter(|(of, _)| *of == direction).map(|(_, waiting)| waiting);
        let mut all = self.first[direction as usize].iter_mut().chain(others);
        match interest {
            Some(Interest(None)) => None,
            Some(Interest(number)) => all.find(|known| known.interest == *number),
            None => all.find(|known| known.interest.is_none() && known.target.is_same(target)),
        }
    }

    /// Takes an interest back; what it had left is returned.
    fn leave(&mut self, direction: Direction, interest: &Interest) -> Option<Target> {
        let is_it = |waiting: &Waiting| interest.is_waiting() && waiting.interest == interest.0;
        let left = if self.first(direction).as_ref().is_some_and(is_it) {
            let next = self.take_other(direction, |_| true);
            mem::replace(self.first(direction), next)
        } else {
            self.take_other(direction, is_it)
        };
        left.map(|waiting| waiting.target)
    }

    fn take_other(&mut self, direction: Direction, is_it: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let more = self.more.as_mut()?;
        let index = more.iter().position(|(of, waiting)| *of == direction && is_it(waiting))?;
        Some(more.remove(index).1)
    }

    /// Empties one direction's line; returns how many there were.
    #[inline]
    fn drain(&mut self, direction: Direction, mut each: impl FnMut(Target)) -> usize {
        let Some(first) = self.first(direction).take() else { return 0 };
        each(first.target);
        if self.more.is_none() { 1 } else { 1 + self.drain_more(direction, &mut each) }
    }

    #[cold]
    fn drain_more(&mut self, direction: Direction, each: &mut dyn FnMut(Target)) -> usize {
        let Some(more) = &mut self.more else { return 0 };
        let others = more.extract_if(.., |(of, _)| *of == direction);
        others.map(|(_, waiting)| each(waiting.target)).count()
    }
}
