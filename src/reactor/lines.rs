//! Chapter 8, part 3: who waits for a source, in which order.
//!
//! Mostly that is one task, or nobody, and then no list is needed. Several tasks may share a listener: the next edge
//! wakes all of them, in the order in which they came. Who gives up leaves the line.
//!
//! ```text
//!   first:  [ task 7, nobody ]              read: 7, 9, 8      write: nobody
//!   more:   (Read, task 9), (Read, task 8)
//! ```
//!
//! What it is for is tested where it is used, in `reactor/side.rs`.
//!
//! Before: `reactor/alarm.rs`. Next: `reactor/side.rs`, what is known of a source.

use std::mem;
use std::num::NonZeroU64;

use super::{Direction, Target};

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

/// The number of an interest that nobody takes back: a `poll_` function's.
const NOT_TAKEN_BACK: NonZeroU64 = NonZeroU64::MAX;

/// Who waits for an edge.
struct Waiting {
    target: Target,
    /// The number of the interest.
    interest: NonZeroU64,
}

// No number is 0, so a place where nobody waits is no larger.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Option<Waiting>>() == 24);

impl Waiting {
    /// One who waits from now on. If it has an interest, that is numbered by `next`.
    #[inline]
    fn new(target: Target, interest: Option<&mut Interest>, next: impl FnOnce() -> NonZeroU64) -> Waiting {
        let interest = interest.map_or(NOT_TAKEN_BACK, |interest| *interest.0.insert(next()));
        Waiting { target, interest }
    }
}

/// Those who are not the first, in their order.
type Others = Vec<(Direction, Waiting)>;

/// Whom the next edge in each direction wakes, in the order in which they came.
#[derive(Default)]
#[repr(C)]
pub(super) struct Lines {
    /// All but the first, if tasks share a listener. `None`: so far none ever did. Nobody is behind a first one that is
    /// not there.
    more: Option<Box<Others>>,
    /// Of those who read, and of those who write, the first: usually there is nobody else.
    first: [Option<Waiting>; 2],
}

impl Lines {
    pub(super) fn are_empty(&self) -> bool {
        self.first.iter().all(Option::is_none)
    }

    #[inline]
    fn first(&mut self, direction: Direction) -> &mut Option<Waiting> {
        &mut self.first[direction as usize]
    }

    /// Who waits in one direction.
    pub(super) fn targets(&self, direction: Direction) -> impl Iterator<Item = &Target> {
        let others = self.more.iter().flat_map(|more| more.iter());
        let others = others.filter(move |(of, _)| *of == direction).map(|(_, waiting)| waiting);
        self.first[direction as usize].iter().chain(others).map(|waiting| &waiting.target)
    }

    /// Adds `target`, in place of what the same `interest` had left here, which is returned, to be dropped with the
    /// borrow given back. A new interest is numbered by `next`.
    #[inline]
    pub(super) fn join(
        &mut self,
        direction: Direction,
        target: Target,
        interest: Option<&mut Interest>,
        next: impl FnOnce() -> NonZeroU64,
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
        next: impl FnOnce() -> NonZeroU64,
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
            Some(Interest(Some(number))) => all.find(|known| known.interest == *number),
            None => all.find(|known| known.interest == NOT_TAKEN_BACK && known.target.is_same(target)),
        }
    }

    /// Takes an interest back; what it had left is returned.
    pub(super) fn leave(&mut self, direction: Direction, interest: &Interest) -> Option<Target> {
        let is_it = |waiting: &Waiting| interest.0 == Some(waiting.interest);
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
    pub(super) fn drain(&mut self, direction: Direction, mut each: impl FnMut(Target)) -> usize {
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
