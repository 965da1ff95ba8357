//! Chapter 6, part 4: how the timers of one millisecond fire.
//!
//! By deadline, then by arming order. A tick of the [wheel](super::wheel) is a million nanoseconds long, so
//! its timers leave their slots for the *front*, which is sorted once, when the tick is entered:
//!
//! ```text
//! run   [ 5.1 ms, 5.2 ms, 5.2 ms, 5.9 ms ]   sorted; fired from its start, extended at its end
//! late  { 5.3 ms, 5.4 ms }                   a heap: inserted since, and out of order
//! ```
//!
//! A timer that fits at the end of the run is appended, as are all those of a program that arms many for
//! "now". Others go to a heap: in the middle of a run of a million they would move half a million. The first
//! timer is the smaller one of the two heads.
//!
//! A cancelled timer gives back its value and its entry at once, but its [`Due`] stays until it is met, or
//! until such remains are the larger part. That is asyncio's rule too (`_MIN_SCHEDULED_TIMER_HANDLES`), which
//! needs it for every timer; here it concerns those of a single tick.
//!
//! Left out on purpose: the timers. The front knows their order and asks the wheel whether they still wait.
//!
//! Before: `timer/slots.rs`. Next: `timer/wheel.rs`, the whole.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The timers of the current tick and overdue ones, by order of firing.
#[derive(Debug, Default)]
pub struct Front {
    /// What the tick brought when it was entered, and later timers that happened to come in order. Sorted.
    run: VecDeque<Due>,
    /// Timers inserted out of order.
    late: BinaryHeap<Reverse<Due>>,
    /// How many of all these still wait. When it is 0, both are empty.
    waiting: usize,
    /// How many the tick brought when it was entered.
    brought: usize,
}

/// A timer in the front. The order of the fields is the order of firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When to fire.
    pub deadline: u64,
    /// The whole arming number, so that order needs no thought about wrapping.
    pub armed: u64,
    /// Where the timer is in the entries.
    pub index: u32,
}

impl Front {
    /// The most of them that were known to share the tick at once: a crowd stays one until its tick is over, though most
    /// of it has fired.
    pub fn crowd(&self) -> usize {
        self.brought.max(self.waiting)
    }

    /// All timers here, and what is left of cancelled ones, in no order.
    pub fn all(&self) -> impl Iterator<Item = Due> {
        self.run.iter().copied().chain(self.late.iter().map(|late| late.0))
    }

    /// Another tick begins, and has brought nothing so far. What waits here, if anything, is overdue.
    pub fn begin_tick(&mut self) {
        self.brought = 0;
    }

    /// Adds a timer.
    pub fn push(&mut self, due: Due) {
        self.waiting += 1;
        match self.run.back() {
            Some(last) if due < *last => self.late.push(Reverse(due)),
            _ => self.run.push_back(due),
        }
    }

    /// Adds a timer of a tick just entered, or (`overdue`) of one that was passed over, in any order; `sort` must follow.
    pub fn bring(&mut self, due: Due, overdue: bool) {
        self.waiting += 1;
        self.brought += usize::from(!overdue);
        self.run.push_back(due);
    }

    /// Sorts what was brought.
    pub fn sort(&mut self) {
        self.run.make_contiguous().sort_unstable();
    }

    /// The first waiting timer. Drops the remains of cancelled ones before it.
    pub fn first(&mut self, waits: impl Fn(&Due) -> bool) -> Option<Due> {
        if self.waiting == 0 {
            return None;
        }
        loop {
            let due = match (self.run.front(), self.late.peek()) {
                (Some(due), Some(Reverse(late))) => *due.min(late),
                (Some(due), None) | (None, Some(Reverse(due))) => *due,
                (None, None) => return None,
            };
            if waits(&due) {
                return Some(due);
            }
            self.pop();
        }
    }

    /// Takes out the first waiting timer, which `first` has just returned. `waits` no longer holds for it.
    pub fn fired(&mut self, waits: impl Fn(&Due) -> bool) {
        self.pop();
        self.cancelled(waits);
    }

    /// Says that a timer here no longer waits. Forgets such timers when they are the larger part, so that a
    /// program that arms and cancels without end in one tick keeps bounded memory. A sweep reads no more
    /// timers than about twice those that left since the last one, so it costs each of them a fixed share.
    pub fn cancelled(&mut self, waits: impl Fn(&Due) -> bool) {
        self.waiting -= 1;
        if self.waiting == 0 {
            self.run.clear();
            self.late.clear();
        } else if self.run.len() + self.late.len() > 2 * self.waiting + REMAINS_MIN {
            self.run.retain(|due| waits(due));
            self.late.retain(|due| waits(&due.0));
        }
    }

    /// Drops the first timer, waiting or not.
    fn pop(&mut self) {
        match (self.run.front(), self.late.peek()) {
            (Some(due), Some(Reverse(late))) if late < due => drop(self.late.pop()),
            (None, _) => drop(self.late.pop()),
            _ => drop(self.run.pop_front()),
        }
    }
}

/// How many remains of cancelled timers are always allowed, so that a small front is not swept all the time.
const REMAINS_MIN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arming_and_cancelling_without_end_in_one_tick_keeps_memory_bounded() {
        let mut front = Front::default();
        front.push(Due { deadline: 300, armed: 0, index: 0 });
        for armed in 1..100_000 {
            // Every other one out of order, so that both the run and the heap are under test.
            let deadline = if armed % 2 == 0 { 500 } else { 100 };
            front.push(Due { deadline, armed, index: 1 });
            front.cancelled(|due| due.armed == 0);
            assert!(front.run.len() + front.late.len() <= 2 + REMAINS_MIN);
        }
        assert_eq!(front.first(|due| due.armed == 0).map(|due| due.deadline), Some(300));
        front.cancelled(|_| false);
        assert!(front.run.is_empty() && front.late.is_empty());
    }

    #[test]
    fn late_timers_fire_when_all_of_the_run_was_cancelled() {
        let mut front = Front::default();
        (0..200).for_each(|armed| front.push(Due { deadline: 500, armed, index: 0 }));
        front.push(Due { deadline: 100, armed: 200, index: 1 });
        front.push(Due { deadline: 50, armed: 201, index: 2 });
        (0..200).for_each(|_| front.cancelled(|due| due.armed >= 200));
        assert_eq!(front.run.len(), 0);
        for index in [2, 1] {
            assert_eq!(front.first(|due| due.index <= index).map(|due| due.index), Some(index));
            front.fired(|due| due.index < index);
        }
        assert_eq!(front.first(|_| true), None);
    }

    #[test]
    fn what_comes_in_order_is_appended_to_the_run() {
        let mut front = Front::default();
        (0..1000).for_each(|armed| front.push(Due { deadline: 7, armed, index: 0 }));
        assert_eq!((front.run.len(), front.late.len()), (1000, 0));
    }
}
