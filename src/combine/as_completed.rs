//! Chapter 24, part 9: how are results had as they come?
//!
//! A page that takes long need not keep back those that are there. `as_completed` is a stream of results in the
//! order in which the tasks end. It is the first `Stream` here: to a future what an iterator is to a value.
//!
//! ```text
//!   a (3 s)  b (1 s)  c (2 s)        next ──▶ b's result at 1 s, c's at 2 s, a's at 3 s, None
//!   the same, .timeout(2500 ms)      next ──▶ Ok(b's), Ok(c's), at 2.5 s Err(TimedOut), None
//! ```
//!
//! Before: `combine/wait_for.rs`. Next: `combine/timeout.rs`, a limit that moves.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use super::several::Several;
use super::wait_for::TimedOut;
use crate::current;
use crate::join::JoinHandle;
use crate::sleep::{Sleep, sleep};
use crate::task::JoinError;
use crate::trace::event::Wait;

/// The results of tasks, in the order in which the tasks end. A task that panicked or was cancelled has an error
/// in its place.
///
/// asyncio's `as_completed`. It can be used with [`next`](AsCompleted::next) alone, and as a [`Stream`] with the
/// combinators of `futures-lite` or `futures`.
///
/// # Cancellation
/// Dropping it drops the handles that are left, and their tasks go on by themselves, as asyncio's do. Dropping a
/// `next` half way loses nothing.
///
/// ```
/// use oneloop::{as_completed, sleep, spawn};
/// use std::time::Duration;
///
/// oneloop::run(async {
///     let tasks = [30, 10, 20].map(|delay| {
///         spawn(async move {
///             sleep(Duration::from_millis(delay)).await;
///             delay
///         })
///     });
///     let mut completed = as_completed(tasks);
///     let mut order = Vec::new();
///     while let Some(delay) = completed.next().await {
///         order.push(delay.expect("it neither panics nor is cancelled"));
///     }
///     assert_eq!(order, [10, 20, 30]);
/// });
/// ```
pub fn as_completed<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> AsCompleted<T> {
    AsCompleted { several: Several::new(handles) }
}

/// The stream of [`as_completed`].
#[must_use = "streams do nothing unless asked for what is next"]
#[derive(Debug)]
pub struct AsCompleted<T> {
    several: Several<T>,
}

impl<T: 'static> AsCompleted<T> {
    /// Waits for the next task to end, and gives its result; `None` when all results were given.
    #[expect(clippy::should_implement_trait, reason = "a stream's next is called next")]
    pub fn next(&mut self) -> NextCompleted<'_, AsCompleted<T>> {
        NextCompleted { stream: self }
    }

    /// Gives results for so long, from this call on; then [`TimedOut`], once, if tasks are left. They are not
    /// cancelled.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn timeout(self, limit: Duration) -> AsCompletedWithin<T> {
        AsCompletedWithin { results: self, sleep: Some(sleep(limit)), limit }
    }

    /// The handles of the tasks whose results were not given, in the order in which they were.
    pub fn into_rest(mut self) -> Vec<JoinHandle<T>> {
        let (mut done, mut pending) = self.several.split();
        done.append(&mut pending);
        done
    }

    /// Results not given yet.
    fn left(&self) -> usize {
        self.several.running() + self.several.unread()
    }
}

impl<T: 'static> Stream for AsCompleted<T> {
    type Item = Result<T, JoinError>;

    #[track_caller]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let several = &mut self.several;
        if let Some(number) = several.read() {
            let handle = several.take(number);
            return Poll::Ready(handle.and_then(|mut handle| handle.result()));
        }
        if several.running() == 0 {
            return Poll::Ready(None);
        }
        several.wake_at(usize::MAX, cx);
        current::suspended(Wait::NextEnd, Location::caller());
        Poll::Pending
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left(), Some(self.left()))
    }
}

/// The stream of [`AsCompleted::timeout`].
#[must_use = "streams do nothing unless asked for what is next"]
#[derive(Debug)]
pub struct AsCompletedWithin<T> {
    results: AsCompleted<T>,
    /// `None` once the time was up.
    sleep: Option<Sleep>,
    limit: Duration,
}

impl<T: 'static> AsCompletedWithin<T> {
    /// Waits for the next task to end, and gives its result. `None` when all results were given, and after the
    /// error.
    ///
    /// # Errors
    /// The result is [`TimedOut`] if the time is up first. A result that is there already comes first.
    #[expect(clippy::should_implement_trait, reason = "a stream's next is called next")]
    pub fn next(&mut self) -> NextCompleted<'_, AsCompletedWithin<T>> {
        NextCompleted { stream: self }
    }

    /// The handles of the tasks whose results were not given: after the error, of those that were too late.
    pub fn into_rest(self) -> Vec<JoinHandle<T>> {
        self.results.into_rest()
    }
}

impl<T: 'static> Stream for AsCompletedWithin<T> {
    type Item = Result<Result<T, JoinError>, TimedOut>;

    #[track_caller]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { results, sleep, limit } = &mut *self;
        let Some(timer) = sleep else { return Poll::Ready(None) };
        if let Poll::Ready(result) = Pin::new(results).poll_next(cx) {
            return Poll::Ready(result.map(Ok));
        }
        if Pin::new(timer).poll(cx).is_ready() {
            *sleep = None;
            return Poll::Ready(Some(Err(TimedOut::after(*limit))));
        }
        current::suspended(Wait::NextEnd, Location::caller());
        Poll::Pending
    }
}

/// The future of [`AsCompleted::next`] and [`AsCompletedWithin::next`].
#[must_use = "futures do nothing unless awaited"]
pub struct NextCompleted<'a, S> {
    stream: &'a mut S,
}

impl<S: Stream + Unpin> Future for NextCompleted<'_, S> {
    type Output = Option<S::Item>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.stream).poll_next(cx)
    }
}

impl<S: fmt::Debug> fmt::Debug for NextCompleted<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NextCompleted").field(&self.stream).finish()
    }
}
