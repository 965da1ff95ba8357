//! Chapter 4, part 2: giving way before blocking.
//!
//! A loop and a thread of its pool that share a core pass work to and fro. If each blocks as soon as it has nothing to
//! do, the other pays for waking it, with a system call, and is often put aside by the kernel in favour of the thread
//! it has just woken, which finds one piece of work and blocks again:
//!
//! ```text
//!   loop:  a job · futex ▌               ▌ takes 1 result · a job · epoll_wait ▌
//!   pool:                ▐ calls · write ▐                                     ▐ calls · write …
//! ```
//!
//! Or it first *gives way* (`sched_yield`): the other goes on until it has nothing left to do, and nobody pays for
//! waking a thread that is not blocked:
//!
//! ```text
//!   loop:  64 jobs · gives way ▌                       ▌ takes 64 results · 64 jobs · gives way ▌
//!   pool:                      ▐ 64 calls · gives way ▐                                        ▐ 64 calls …
//! ```
//!
//! It is a bet. Lost, where the other works on another core or does not work at all, it costs a system call. And where
//! a stranger wants the core, that one is let in as well, for as long as the kernel thinks fit. So a thread that has
//! given way for nothing, or for long, does so ever more rarely; and the loop does so only if another thread has just
//! sent it something and no timer is due soon.
//!
//! No wake can be lost by it: whoever has given way looks at its queue again, and blocks by the same rules as ever,
//! the loop by those of `sent.rs`, a thread of the pool under the lock of its queue.
//!
//! Before: `sent.rs`. Next: `tasks.rs`, a task as the loop sees it.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// Longer than a thread and its loop need for each other; shorter than the time for which a kernel gives the core to a
/// stranger, a millisecond or some more.
pub(crate) const SOON: Duration = Duration::from_micros(500);

/// The most chances to give way that are let go by between two.
const MOST_SKIPPED: u32 = 1024;

/// Whether it is worth a thread's while to give way before it blocks.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// Chances to be let go by from now on.
    skip: Cell<u32>,
    /// Chances that were let go by after the last bet; 0: it was won.
    skipped: Cell<u32>,
}

impl Patience {
    /// Whether to give way now; asked at each chance.
    pub(crate) fn is_worth_it(&self) -> bool {
        let skip = self.skip.get();
        self.skip.set(skip.saturating_sub(1));
        skip == 0
    }

    /// Lets the other threads of this core go first. `look` looks for what this thread waits for, and says whether it
    /// has come.
    pub(crate) fn give_way<T>(&self, look: impl FnOnce() -> (T, bool)) -> T {
        let began = Instant::now();
        thread::yield_now();
        let (found, has_come) = look();
        self.learn(has_come && began.elapsed() < SOON);
        found
    }

    fn learn(&self, won: bool) {
        let skip = if won { 0 } else { (2 * self.skipped.get()).clamp(1, MOST_SKIPPED) };
        self.skip.set(skip);
        self.skipped.set(skip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chances let go by until the next bet.
    fn skipped(patience: &Patience) -> usize {
        (0..).take_while(|_| !patience.is_worth_it()).count()
    }

    #[test]
    fn a_bet_that_is_won_is_made_again_and_one_that_is_lost_ever_more_rarely() {
        let patience = Patience::default();
        assert_eq!(skipped(&patience), 0, "the first chance is taken");
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024] {
            assert_eq!(patience.give_way(|| (expected, false)), expected);
            assert_eq!(skipped(&patience), expected);
        }
        patience.learn(true);
        assert_eq!(skipped(&patience), 0);
        patience.learn(false);
        assert_eq!(skipped(&patience), 1, "one that is won makes good for all that were lost");
    }
}
