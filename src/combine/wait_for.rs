//! Chapter 24, part 8: how long will it wait?
//!
//! `wait_for` puts a limit of time on a future. Three rules decide the close cases:
//!
//! * The future is asked before the timer. If both are ready at the same poll, it has made it in time.
//! * So even with a limit of zero the future is polled once, and may return.
//! * A future that is too late is dropped before the error is returned: it does not run on behind one's back.
//!
//! Before: `combine/wait.rs`. Next: `combine/as_completed.rs`, results as they come.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::current;
use crate::sleep::{Sleep, sleep};
use crate::trace::event::Wait;

/// Waits for a future, but not longer than `limit` from this call on.
///
/// asyncio's `wait_for`. One difference: asyncio cancels a task that is too late and waits until it has
/// ended; here a [`JoinHandle`](crate::JoinHandle) that is too late cancels its task, which ends at its next turn.
///
/// # Errors
/// [`TimedOut`] if the time is over first.
///
/// # Cancellation
/// Dropping it drops the future, and so does running out of time: what the future had begun is lost, unless it
/// says that it loses nothing.
///
/// # Panics
/// If no loop is running on this thread. When polled again after it has returned.
///
/// ```
/// use std::time::Duration;
///
/// let result = oneloop::run(async {
///     oneloop::wait_for(std::future::pending::<()>(), Duration::from_millis(5)).await
/// });
/// assert_eq!(result.unwrap_err().to_string(), "not finished within 5ms");
/// ```
#[track_caller]
pub fn wait_for<F: Future>(future: F, limit: Duration) -> WaitFor<F> {
    WaitFor { future: Some(future), sleep: sleep(limit), limit }
}

pin_project! {
    /// The future of [`wait_for`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct WaitFor<F> {
        // `None` once this has returned.
        #[pin]
        future: Option<F>,
        #[pin]
        sleep: Sleep,
        limit: Duration,
    }
}

impl<F: Future> Future for WaitFor<F> {
    type Output = Result<F::Output, TimedOut>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("a wait_for was polled again after it had returned: await it once");
        };
        let result = if let Poll::Ready(output) = future.poll(cx) {
            Ok(output)
        } else if this.sleep.poll(cx).is_ready() {
            Err(TimedOut::after(*this.limit))
        } else {
            current::suspended(Wait::Timeout, Location::caller());
            return Poll::Pending;
        };
        this.future.set(None);
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for WaitFor<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// The time was over before the future was ready. asyncio's `TimeoutError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    limit: Duration,
}

impl TimedOut {
    pub(super) fn after(limit: Duration) -> TimedOut {
        TimedOut { limit }
    }

    /// How long was waited.
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not finished within {:?}", self.limit)
    }
}

impl Error for TimedOut {}
