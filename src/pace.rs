//! Chapter 11: when a turn may leave out its wait.
//!
//! Steps 2 to 4 of a turn cost a system call and a look at the clock, some 300 to 500 ns. A turn that polls
//! one task which wakes another costs 20. A loop that asked the system at every turn would spend
//! nineteen parts in twenty asking. One that never asked while it has work would let sockets and timers
//! starve. So a busy loop leaves the steps out for a while, within three bounds:
//!
//! 1. not after 512 entries of the queue: 512 × 20 ns = 10 µs;
//! 2. not when a timer is due within a tick (1 ms) of the last look, or was armed in the past;
//! 3. not when more than a tick has passed since the last look. Asking the clock costs 20 ns too, so that
//!    is done after every 64th entry; after a look that came too late, after every turn, and then after 2, 4 and so on
//!    up to 64 entries again as long as turns stay short.
//!
//! (The same bounds hold for a loop that is about to wait, and finds that another thread has sent something: it sees to that
//! first.)
//!
//! All three are one number, the entries that may be run before anything has to be asked: a turn that may hurry pays
//! for one comparison and one subtraction.
//!
//! ```text
//!   a program of short turns:     look · · · · · · · ·(clock) … 512 entries … look
//!   turns of 10 ms each:          look · · · … · · ·(clock: 640 ms!) look ·(clock: 10 ms) look …
//! ```
//!
//! The second line shows the worst case: a loop that was fast and becomes slow is late once, by 64 of
//! its turns, and by one from then on.
//!
//! Before: `pool.rs`. Next: `state.rs`, all that a loop owns.

use std::cell::Cell;

use crate::timer::wheel::TICK;

/// The most entries run between two looks at timers and I/O.
const ENTRIES: isize = 512;

/// The most entries run between two looks at the clock.
const SLICE: isize = 64;

/// When to look at the world, in a loop that has work to do.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Entries that may be run before the clock is asked; 0 or less if it is time to ask it, or to look.
    credit: Cell<isize>,
    /// Entries that may be run before the next look, beyond `credit`; 0 or less if a look is due.
    rest: Cell<isize>,
    /// What `credit` is set to: 1 in a loop of long turns, `SLICE` in one of short ones.
    slice: Cell<isize>,
    /// A tick after the last look.
    soon: Cell<u64>,
}

impl Pace {
    /// The first turn looks.
    pub(crate) fn new() -> Pace {
        Pace { credit: Cell::new(0), rest: Cell::new(0), slice: Cell::new(1), soon: Cell::new(0) }
    }

    /// Whether this turn may leave out steps 2 to 4. `now` asks the clock.
    #[inline]
    pub(crate) fn may_skip(&self, now: impl FnOnce() -> u64) -> bool {
        self.credit.get() > 0 || self.more(now)
    }

    /// The credit is used up: more of it, if the last look is not long ago.
    #[cold]
    fn more(&self, now: impl FnOnce() -> u64) -> bool {
        // The last turn may have run more than it had credit for.
        let rest = self.rest.get() + self.credit.get();
        if rest <= 0 {
            return false;
        }
        let in_time = now() <= self.soon.get();
        self.slice.set(if in_time { SLICE.min(self.slice.get() * 2) } else { 1 });
        self.grant(rest);
        in_time
    }

    /// Takes a slice from `rest`.
    fn grant(&self, rest: isize) {
        let slice = self.slice.get().min(rest);
        self.credit.set(slice);
        self.rest.set(rest - slice);
    }

    /// A turn is about to run so many entries.
    #[inline]
    pub(crate) fn ran(&self, entries: usize) {
        self.credit.set(self.credit.get() - entries as isize);
    }

    /// A timer was armed for `at`.
    #[inline]
    pub(crate) fn armed(&self, at: u64) {
        if at <= self.soon.get() {
            self.look_next();
        }
    }

    /// The next turn is to look.
    pub(crate) fn look_next(&self) {
        self.credit.set(0);
        self.rest.set(0);
    }

    /// Steps 2 to 4 were done, at `now`, and the wheel wants to be looked at again at `next` (`None`: it is empty).
    pub(crate) fn looked(&self, now: u64, next: Option<u64>) {
        let soon = now.saturating_add(TICK);
        self.soon.set(soon);
        match next {
            Some(at) if at <= soon => self.look_next(),
            _ => self.grant(ENTRIES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One turn of so many entries, if it may hurry.
    fn hurry(pace: &Pace, entries: usize, now: u64) -> bool {
        let may = pace.may_skip(|| now);
        pace.ran(entries);
        may
    }

    #[test]
    fn no_more_than_512_entries_run_between_two_looks() {
        let pace = Pace::new();
        assert!(!pace.may_skip(|| 0), "the first turn looks");
        for entries in [1, 3, 64, 100] {
            pace.looked(0, None);
            let turns = (0..).take_while(|_| hurry(&pace, entries, 0)).count();
            assert_eq!(turns, (ENTRIES as usize).div_ceil(entries), "{entries} entries a turn");
        }
        pace.looked(0, None);
        pace.ran(2_000);
        assert!(!pace.may_skip(|| 0), "one turn of 2,000 is enough");
    }

    #[test]
    fn a_timer_due_within_a_tick_is_never_left_out() {
        let pace = Pace::new();
        pace.looked(0, Some(TICK));
        assert!(!pace.may_skip(|| 0));
        pace.looked(0, Some(TICK + 1));
        assert!(pace.may_skip(|| 0));
        pace.armed(TICK);
        assert!(!pace.may_skip(|| 0));
    }

    #[test]
    fn long_turns_are_noticed_after_sixty_four_and_then_at_once() {
        let pace = Pace::new();
        for _ in 0..10 {
            pace.looked(0, None);
            assert_eq!((0..).take_while(|_| hurry(&pace, 1, 0)).count(), ENTRIES as usize, "short turns");
        }
        let late = 10 * TICK;
        pace.looked(0, None);
        let skipped = (0..).take_while(|_| hurry(&pace, 1, late)).count();
        assert_eq!(skipped, SLICE as usize, "turns went by before the clock was asked");
        pace.looked(late, None);
        assert!(hurry(&pace, 1, 2 * late));
        assert!(!hurry(&pace, 1, 2 * late), "once late, the clock is asked every turn");
    }
}
