//! Chapter 8, part 4: what is known of a source.
//!
//! Whether an attempt is worth its system call is asked at every read and write, and by the socket itself. So that is
//! kept in a place that socket and reactor share ([`Registered`]), and no table has to be searched for it. Beside it
//! lies who waits ([`Lines`]).
//!
//! Before: `reactor/lines.rs`. Next: `delivery.rs`.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;

use super::lines::{Interest, Lines};
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
/// order, what a wait to read touches is 64 bytes in a row, which are in one or two of the pieces in which the processor
/// fetches its memory: where many sockets take turns, most of what they need has to be fetched again.
#[repr(C)]
pub(crate) struct Registered {
    id: SourceId,
    /// Its place in the reactor's table. A token has no more than half a word for it.
    slot: u32,
    readiness: Readiness,
    /// Whether tasks that wait for it keep virtual time from jumping.
    counted: bool,
    /// The next interest's number.
    next_interest: Cell<NonZeroU64>,
    lines: RefCell<Lines>,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Registered>() == 88);

impl Registered {
    pub(super) fn new(id: SourceId, slot: usize, counted: bool) -> Registered {
        let (readiness, slot) = (Readiness::new(), slot as u32);
        let (next_interest, lines) = (Cell::new(NonZeroU64::MIN), RefCell::default());
        Registered { id, slot, readiness, counted, next_interest, lines }
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
    /// That is returned, to be dropped. Takes the readiness back: to who waits without having tried, as for a signal, the
    /// next edge has to be news.
    #[inline]
    pub(crate) fn wait_for(
        &self,
        direction: Direction,
        target: Target,
        interest: Option<&mut Interest>,
    ) -> Option<Target> {
        self.readiness.of(direction).set(false);
        let next = || self.next_interest.replace(self.next_interest.get().saturating_add(1));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ready::Entry;

    fn source() -> Registered {
        Registered::new(SourceId(1), 0, true)
    }

    fn task(number: usize) -> Target {
        Target::Entry(Entry::task(number, 0))
    }

    /// The tasks that an edge wakes, by their numbers.
    fn edge(source: &Registered, direction: Direction) -> Vec<usize> {
        let mut woken = Vec::new();
        let count = source.edge(direction, |target| match target {
            Target::Entry(entry) => woken.push(entry.key()),
            Target::Waker(_) => unreachable!("no waker waits"),
        });
        assert_eq!(count, woken.len());
        woken
    }

    #[test]
    fn tasks_that_share_a_source_are_woken_in_the_order_in_which_they_came() {
        let (source, mut interests): (_, [Interest; 5]) = (source(), Default::default());
        let order = [Direction::Read, Direction::Read, Direction::Write, Direction::Read, Direction::Write];
        for (number, (direction, interest)) in order.into_iter().zip(&mut interests).enumerate() {
            assert!(source.wait_for(direction, task(number), Some(interest)).is_none());
        }
        assert_eq!(edge(&source, Direction::Read), [0, 1, 3]);
        assert!(source.is_waited_for());
        assert_eq!(edge(&source, Direction::Write), [2, 4]);
        assert!(!source.is_waited_for());
    }

    #[test]
    fn whoever_gives_up_leaves_the_others_in_their_order() {
        let (source, mut interests): (_, [Interest; 4]) = (source(), Default::default());
        for (number, interest) in interests.iter_mut().enumerate() {
            assert!(source.wait_for(Direction::Read, task(number), Some(interest)).is_none());
        }
        assert!(source.forget(Direction::Write, &interests[1]).is_none(), "it waits in the other direction");
        assert!(source.forget(Direction::Read, &interests[0]).is_some_and(|left| left.is_same(&task(0))));
        assert!(source.forget(Direction::Read, &interests[2]).is_some_and(|left| left.is_same(&task(2))));
        assert!(source.forget(Direction::Read, &interests[2]).is_none(), "it has left before");
        assert_eq!(edge(&source, Direction::Read), [1, 3]);
    }

    #[test]
    fn who_is_polled_again_keeps_its_place() {
        let (source, mut interests): (_, [Interest; 2]) = (source(), Default::default());
        for number in [0, 1] {
            assert!(source.wait_for(Direction::Read, task(number), Some(&mut interests[number])).is_none());
        }
        let left = source.wait_for(Direction::Read, task(2), Some(&mut interests[0]));
        assert!(left.is_some_and(|left| left.is_same(&task(0))));
        let left = source.wait_for(Direction::Read, task(3), Some(&mut interests[1]));
        assert!(left.is_some_and(|left| left.is_same(&task(1))));
        assert_eq!(edge(&source, Direction::Read), [2, 3]);
    }

    #[test]
    fn who_is_not_taken_back_waits_once_in_each_direction() {
        let source = source();
        for number in [0, 1, 0, 1] {
            let known = source.wait_for(Direction::Read, task(number), None);
            assert!(known.is_none_or(|known| known.is_same(&task(number))));
        }
        assert!(source.wait_for(Direction::Write, task(0), None).is_none());
        assert_eq!(edge(&source, Direction::Read), [0, 1]);
        assert_eq!(edge(&source, Direction::Write), [0]);
    }

    #[test]
    fn of_a_peer_that_has_closed_the_end_is_still_to_be_read_after_the_last_bytes() {
        let source = source();
        source.readiness().closed();
        assert_eq!(edge(&source, Direction::Read), [0; 0]);
        source.readiness().drained(Direction::Read, true);
        assert!(source.readiness().is_ready(Direction::Read));
        source.readiness().drained(Direction::Read, false);
        assert!(!source.readiness().is_ready(Direction::Read));
    }

    /// As those do who wait for signals: they look at something else.
    #[test]
    fn who_waits_without_an_attempt_is_woken_as_well() {
        let source = source();
        assert!(source.readiness().is_ready(Direction::Read));
        assert!(source.wait_for(Direction::Read, task(0), None).is_none());
        assert_eq!(edge(&source, Direction::Read), [0]);
        assert_eq!(edge(&source, Direction::Read), [0; 0], "that is no news");
        assert!(source.wait_for(Direction::Read, task(1), None).is_none());
        assert_eq!(edge(&source, Direction::Read), [1]);
    }
}
