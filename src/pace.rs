//! Chapter 18: when a turn may leave out its wait.
//!
//! Steps 2 to 4 of a turn cost a system call and a look at the clock, some 300 to 500 ns. A turn that polls
//! one task which wakes another costs 20. A loop that asked the system at every turn would spend
//! nineteen parts in twenty asking. One that never asked while it has work would let sockets and timers
//! starve. So a busy loop leaves the steps out for a while, within three bounds:
//!
//! 1. not after 256 entries of the queue: 256 × 20 ns = 5 µs;
//! 2. not when a timer is due within a tick (1 ms) of the last look, or was armed in the past;
//! 3. not when more than a tick has passed since the last look. Asking the clock costs 20 ns too, so that
//!    is done every 32nd turn; after a look that came too late, every turn, and then every second, fourth
//!    and so on up to the 32nd again as long as turns stay short.
//!
//! ```text
//!   a program of short turns:     look · · · · · · · ·(clock) … 256 entries … look
//!   turns of 10 ms each:          look · · · … · · ·(clock: 320 ms!) look ·(clock: 10 ms) look …
//! ```
//!
//! The second line shows the worst case: a loop that was fast and becomes slow is late once, by 32 of
//! its turns, and by one from then on.
//!
//! Before: `remote.rs`. Next chapter: `main_future.rs`, the future a run is for.

use std::cell::Cell;

use crate::timer::wheel::TICK;

/// The most entries run between two looks at timers and I/O.
const ENTRIES: usize = 256;

/// The most turns between two looks at the clock.
const TURNS: u32 = 32;

/// When to look at the world, in a loop that has work to do.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Entries run since the last look.
    entries: Cell<usize>,
    /// Turns until the clock is asked again.
    turns: Cell<u32>,
    /// From where `turns` counts down: 1 in a loop of long turns, `TURNS` in one of short ones.
    every: Cell<u32>,
    /// When the last look was.
    looked: Cell<u64>,
}

impl Pace {
    /// The first turn looks.
    pub(crate) fn new() -> Pace {
        Pace { entries: Cell::new(ENTRIES), turns: Cell::new(1), every: Cell::new(1), looked: Cell::new(0) }
    }

    /// Whether this turn may leave out steps 2 to 4. `timer_is_near`: one is due within a tick of the last look;
    /// `now` asks the clock.
    #[inline]
    pub(crate) fn may_skip(&self, timer_is_near: bool, now: impl FnOnce() -> u64) -> bool {
        if self.entries.get() >= ENTRIES || timer_is_near {
            return false;
        }
        let turns = self.turns.get() - 1;
        if turns > 0 {
            self.turns.set(turns);
            return true;
        }
        let in_time = now() <= self.looked.get().saturating_add(TICK);
        self.every.set(if in_time { TURNS.min(self.every.get() * 2) } else { 1 });
        self.turns.set(self.every.get());
        in_time
    }

    /// So many entries were run.
    #[inline]
    pub(crate) fn ran(&self, entries: usize) {
        self.entries.set(self.entries.get() + entries);
    }

    /// Steps 2 to 4 were done, at `now`.
    pub(crate) fn looked(&self, now: u64) {
        self.entries.set(0);
        self.looked.set(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_256_entries_run_between_two_looks() {
        let pace = Pace::new();
        assert!(!pace.may_skip(false, || 0), "the first turn looks");
        pace.looked(0);
        pace.ran(255);
        assert!(pace.may_skip(false, || 0));
        pace.ran(1);
        assert!(!pace.may_skip(false, || 0));
    }

    #[test]
    fn a_timer_due_within_a_tick_is_never_left_out() {
        let pace = Pace::new();
        pace.looked(0);
        assert!(!pace.may_skip(true, || 0));
        assert!(pace.may_skip(false, || 0));
    }

    #[test]
    fn long_turns_are_noticed_after_thirty_two_and_then_at_once() {
        let pace = Pace::new();
        pace.looked(0);
        let skipped = (0..).take_while(|_| pace.may_skip(false, || 0)).take(100).count();
        assert_eq!(skipped, 100, "short turns: only the entries count");
        let late = 10 * TICK;
        let skipped = (0..).take_while(|_| pace.may_skip(false, || late)).take(100).count();
        assert!(skipped < 32, "{skipped} turns went by before the clock was asked");
        pace.looked(late);
        assert!(!pace.may_skip(false, || 2 * late), "once late, the clock is asked every turn");
    }
}
