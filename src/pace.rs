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
//!    is done after every 64th entry; after the loop has waited, after the 8th, and then after 16, 32 and so on;
//!    after a look that came too late, after every turn, and then after 2, 4 and so on, as long as turns stay short.
//!
//! What another thread has sent is fetched when the clock was asked, and there is time. (And before the loop waits:
//! it sees to that first, within the same bounds.)
//!
//! All of it comes to one comparison for each turn. The ready queue counts the entries that it has ever given out, and
//! here stands up to which count nothing has to be asked: after a look at count 3,000 that is 3,064, then 3,128, and
//! with 3,512 the next look is due.
//!
//! ```text
//!   a program of short turns:     look · · · · · · · ·(clock) … 512 entries … look
//!   turns of 10 ms each:          look · · · … · · ·(clock: 640 ms!) look ·(clock: 10 ms) look …
//! ```
//!
//! The second line shows the worst case: a loop that was busy with short turns, and becomes slow, is late once, by
//! 64 of its turns, and by one from then on. One that has waited in between is late by 8.
//!
//! Before: `pool.rs`. Next: `state.rs`, all that a loop owns.

use std::cell::Cell;

use crate::timer::wheel::TICK;

/// The most entries run between two looks at timers and I/O.
const ENTRIES: u64 = 512;

/// The most entries run between two looks at the clock.
const SLICE: u64 = 64;

/// The same, where the loop has just waited.
const FIRST_SLICE: u64 = 8;

/// When to look at the world, in a loop that has work to do. `ran` is always the ready queue's count of entries run.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The count at which the clock is to be asked, or the next look is due; 0 if something is to be asked already.
    ask_at: Cell<u64>,
    /// The count at which the next look is due; 0 if it is due already.
    look_at: Cell<u64>,
    /// How far `ask_at` lies ahead: 1 in a loop of long turns, `SLICE` in one of short ones.
    slice: Cell<u64>,
    /// A tick after the last look.
    soon: Cell<u64>,
}

impl Pace {
    /// The first turn looks.
    pub(crate) fn new() -> Pace {
        Pace { ask_at: Cell::new(0), look_at: Cell::new(0), slice: Cell::new(1), soon: Cell::new(0) }
    }

    /// Whether the next turn may leave out steps 2 to 4 without asking anything.
    #[inline]
    pub(crate) fn asks_nothing(&self, ran: u64) -> bool {
        ran < self.ask_at.get()
    }

    /// Whether the next turn may leave out steps 2 to 4. `now` asks the clock, if need be.
    pub(crate) fn may_skip(&self, ran: u64, now: impl FnOnce() -> u64) -> bool {
        self.asks_nothing(ran) || self.more(ran, now)
    }

    /// The count has come to `ask_at`. If no look is due, the clock is asked whether the last one was less than a
    /// tick ago.
    #[cold]
    fn more(&self, ran: u64, now: impl FnOnce() -> u64) -> bool {
        if ran >= self.look_at.get() {
            return false;
        }
        let in_time = now() <= self.soon.get();
        self.slice.set(if in_time { SLICE.min(self.slice.get() * 2) } else { 1 });
        self.ask_after(ran);
        in_time
    }

    /// Nothing is to be asked from here on for a slice, or until the next look.
    fn ask_after(&self, ran: u64) {
        self.ask_at.set(self.look_at.get().min(ran + self.slice.get()));
    }

    /// Something was seen to that may have put nothing into the queue. It counts as an entry, or a look might never
    /// be due. The count is the queue's: so it is the bounds that move.
    pub(crate) fn count_one(&self) {
        for at in [&self.ask_at, &self.look_at] {
            at.set(at.get().saturating_sub(1));
        }
    }

    /// `asks_nothing` is to say no at the end of this turn; the next one may hurry all the same. For what is not
    /// asked of the clock: there may be more slots, or some to be mended.
    #[inline]
    pub(crate) fn ask_next(&self) {
        self.ask_at.set(0);
    }

    /// A timer was armed for `at`.
    #[inline]
    pub(crate) fn armed(&self, at: u64) {
        if at <= self.soon.get() {
            self.look_next();
        }
    }

    /// The loop has waited, and what wakes it may be slow: the clock is asked soon.
    #[inline]
    pub(crate) fn waited(&self) {
        self.slice.set(self.slice.get().min(FIRST_SLICE));
    }

    /// The next turn is to look.
    pub(crate) fn look_next(&self) {
        self.ask_at.set(0);
        self.look_at.set(0);
    }

    /// Steps 2 to 4 were done, at `now`, and the wheel wants to be looked at again at `next` (`None`: it is empty).
    pub(crate) fn looked(&self, ran: u64, now: u64, next: Option<u64>) {
        let soon = now.saturating_add(TICK);
        self.soon.set(soon);
        if next.is_some_and(|at| at <= soon) {
            return self.look_next();
        }
        self.look_at.set(ran + ENTRIES);
        self.ask_after(ran);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns of so many entries each, from `ran` on, until one may not hurry; how many.
    fn hurried(pace: &Pace, ran: u64, entries: u64, now: u64) -> u64 {
        (0..).take_while(|turn| pace.may_skip(ran + turn * entries, || now)).count() as u64
    }

    #[test]
    fn no_more_than_512_entries_run_between_two_looks() {
        let pace = Pace::new();
        assert!(!pace.may_skip(0, || 0), "the first turn looks");
        for (ran, entries) in [(0, 1), (512, 3), (2_000, 64), (9_999, 100)] {
            pace.looked(ran, 0, None);
            let turns = hurried(&pace, ran, entries, 0);
            assert_eq!(turns, ENTRIES.div_ceil(entries), "{entries} entries a turn");
        }
        pace.looked(20_000, 0, None);
        assert!(!pace.may_skip(22_000, || 0), "one turn of 2,000 is enough");
    }

    #[test]
    fn what_comes_to_no_entry_counts_as_one() {
        let pace = Pace::new();
        pace.looked(7, 0, None);
        let seen_to = (0..).take_while(|_| {
            let may = pace.may_skip(7, || 0);
            pace.count_one();
            may
        });
        assert_eq!(seen_to.count() as u64, ENTRIES);
    }

    #[test]
    fn to_ask_takes_nothing_from_what_may_be_run_before_the_next_look() {
        let pace = Pace::new();
        pace.looked(0, 0, None);
        let asked = (0..).take_while(|&ran| {
            pace.ask_next();
            assert!(!pace.asks_nothing(ran));
            pace.may_skip(ran, || 0)
        });
        assert_eq!(asked.count() as u64, ENTRIES);
    }

    #[test]
    fn a_timer_due_within_a_tick_is_never_left_out() {
        let pace = Pace::new();
        pace.looked(0, 0, Some(TICK));
        assert!(!pace.may_skip(0, || 0));
        pace.looked(0, 0, Some(TICK + 1));
        assert!(pace.may_skip(0, || 0));
        pace.armed(TICK);
        assert!(!pace.may_skip(0, || 0));
    }

    #[test]
    fn after_a_wait_long_turns_are_noticed_after_eight() {
        let pace = Pace::new();
        for _ in 0..10 {
            pace.looked(0, 0, None);
            hurried(&pace, 0, 1, 0);
        }
        pace.waited();
        pace.looked(0, 0, None);
        assert_eq!(hurried(&pace, 0, 1, 10 * TICK), FIRST_SLICE);
    }

    #[test]
    fn long_turns_are_noticed_after_sixty_four_and_then_at_once() {
        let pace = Pace::new();
        for _ in 0..10 {
            pace.looked(0, 0, None);
            assert_eq!(hurried(&pace, 0, 1, 0), ENTRIES, "short turns");
        }
        let late = 10 * TICK;
        pace.looked(0, 0, None);
        assert_eq!(hurried(&pace, 0, 1, late), SLICE, "turns went by before the clock was asked");
        pace.looked(0, late, None);
        assert!(pace.may_skip(0, || 2 * late));
        assert!(!pace.may_skip(1, || 2 * late), "once late, the clock is asked every turn");
    }
}
