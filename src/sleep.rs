//! Chapter 23: the first future that waits.
//!
//! A future is something that can be polled. Asked before it can answer, it must do two things: see to it
//! that it will be woken, and return `Pending`. `Sleep` is the smallest honest example. Written by hand, it
//! is the state machine that the compiler makes of every `async fn`:
//!
//! ```text
//!   sleep(1 s) ──▶ Sleep { Until(deadline) }
//!                     │ polled too early: arm a timer that wakes this task
//!                     ▼
//!                  Sleep { Armed(timer) } ◀─┐ polled too early again (another future of the same task
//!                     │               └─────┘ was ready): the timer now wakes whoever polled last
//!                     │ polled at or after the deadline
//!                     ▼
//!                   Ready
//! ```
//!
//! Dropped half way, it takes its timer out of the wheel. That is all there is to cancelling a sleep.
//!
//! Before: `event_loop.rs`. Next: `combine/mod.rs`, several futures at once.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::current;
use crate::state::State;
use crate::timer::wheel::TimerKey;
use crate::trace::event::Wait;

/// Waits for `delay`, from this call on and not from the first poll: never less, and more if the loop is
/// busy. asyncio's `sleep`, except that asyncio counts from the `await`.
///
/// A delay of zero is over at once (to give way, there is [`yield_now`]); one that has passed before the sleep is
/// first awaited is over in the next turn. A delay too long for the loop's clock (584 years) never ends.
///
/// How late it ends in a loop that is not busy: on Linux by some microseconds, as long as no more than eight timers share
/// its millisecond; in a crowd by up to two milliseconds, for less CPU time. (kqueue counts in nanoseconds as well, but
/// nothing is done there about the time that a core takes to wake up.)
///
/// # Cancellation
/// Dropping it takes the timer out of the wheel; nothing is lost.
///
/// # Panics
/// If no loop is running on this thread.
///
/// ```
/// use std::time::Duration;
///
/// oneloop::run(async {
///     oneloop::sleep(Duration::from_millis(1)).await;
/// });
/// ```
#[track_caller]
pub fn sleep(delay: Duration) -> Sleep {
    let state = current::state();
    let deadline = if delay.is_zero() { state.fired_until() } else { state.clock.after(delay) };
    Sleep { state, stage: Stage::Until(deadline) }
}

/// Waits until `deadline`, on the loop's clock ([`time`](crate::time)). A deadline in the past is over at once.
///
/// # Cancellation
/// Dropping it takes the timer out of the wheel; nothing is lost.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let state = current::state();
    let deadline = state.clock.at(deadline);
    Sleep { state, stage: Stage::Until(deadline) }
}

/// The future of [`sleep`] and [`sleep_until`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    /// The loop whose clock and wheel it uses.
    state: Rc<State>,
    stage: Stage,
}

enum Stage {
    /// Before the first poll that came too early, and at the end: the deadline, in nanoseconds of the loop's clock.
    Until(u64),
    /// In between: the timer, whose key has the deadline.
    Armed(TimerKey),
}

// A million sleeping tasks are a million of these.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Sleep>() == 24);

impl Sleep {
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.state.clock.instant(match self.stage {
            Stage::Until(deadline) => deadline,
            Stage::Armed(timer) => timer.deadline(),
        })
    }

    #[inline]
    fn has_fired(&self, timer: TimerKey) -> bool {
        timer.deadline() <= self.state.fired_until()
    }
}

impl Future for Sleep {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.stage {
            // All timers due by then have fired, so there is no need to look this one up, or to ask the clock.
            Stage::Armed(timer) if self.has_fired(timer) || !self.state.retarget(timer, cx) => {
                self.stage = Stage::Until(timer.deadline());
                return Poll::Ready(());
            }
            Stage::Armed(_) => {}
            Stage::Until(deadline) if deadline <= self.state.fired_until() => return Poll::Ready(()),
            Stage::Until(deadline) => {
                let target = self.state.target(cx);
                self.stage = Stage::Armed(self.state.arm(deadline, target));
            }
        }
        self.state.note_suspended(Wait::Sleep, Location::caller());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        match self.stage {
            Stage::Armed(timer) if !self.has_fired(timer) => self.state.disarm(timer),
            _ => {}
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline()).finish_non_exhaustive()
    }
}

/// Gives way to everything else that is ready, once: the task goes to the end of the queue. asyncio's
/// `sleep(0)`.
///
/// A computation that would keep the loop for long calls it now and then. (One that takes longer than a few
/// milliseconds in all belongs on the pool: [`spawn_blocking`](crate::spawn_blocking).)
///
/// # Cancellation
/// Nothing is lost.
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    /// Whether it has given way already.
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        current::suspended(Wait::Yield, Location::caller());
        Poll::Pending
    }
}
