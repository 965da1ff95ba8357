//! Chapter 24, part 2: how does one task wait for many?
//!
//! `gather` makes a task of each future, and waits for all. The tasks run side by side from the next turn
//! on; the waiting is done in order. That needs no counting and no list of who is ready:
//!
//! ```text
//!   children         A (3 s)    B (1 s)    C (2 s)
//!   0 s   poll A: pending; the gather sleeps on A alone
//!   1 s              B ends: nobody is woken, its result stays in its task
//!   2 s              C ends: the same
//!   3 s   A ends and wakes the gather: take A, poll B: ready, poll C: ready; three results
//! ```
//!
//! A child can wake the gather only while it is the one being awaited, so for n children there are at most
//! n wakes and 2n polls of handles, whatever the order in which they end. (Polling all handles at each wake
//! would be n².)
//!
//! Before: `combine/mod.rs`. Next: `combine/try_gather.rs`, where the first error must be heard at once.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::current;
use crate::join::{JoinHandle, spawn};
use crate::task::JoinError;
use crate::trace::event::Wait;

/// Starts a task for each future, and waits until all have ended. The results are in the order of the
/// futures, not of the ends; a child that panicked or was cancelled has an error in its place and does not
/// disturb the others.
///
/// asyncio's `gather(…, return_exceptions=True)`; [`try_gather`](crate::try_gather) is the other setting. As in asyncio
/// the tasks start whether this is awaited or not.
///
/// # Cancellation
/// Dropping it cancels all children that have not ended, as asyncio cancels them when it is cancelled; results
/// that were there are dropped.
///
/// # Panics
/// If no loop is running on this thread. When polled again after it has returned.
///
/// ```
/// let squares = oneloop::run(async {
///     oneloop::gather((1..=3).map(|n| async move { n * n })).await
/// });
/// let squares: Vec<i32> = squares.into_iter().map(Result::unwrap).collect();
/// assert_eq!(squares, [1, 4, 9]);
/// ```
#[track_caller]
pub fn gather<I>(futures: I) -> Gather<<I::Item as Future>::Output>
where
    I: IntoIterator,
    I::Item: Future + 'static,
    <I::Item as Future>::Output: 'static,
{
    let mut children = Vec::new();
    for future in futures {
        children.push(spawn(future));
    }
    let results = Vec::with_capacity(children.len());
    Gather { children: Some(children), results }
}

/// The future of [`gather`].
#[must_use = "dropping a gather cancels its children: await it"]
pub struct Gather<T> {
    /// All children, in order; `None` once this has returned.
    children: Option<Vec<JoinHandle<T>>>,
    /// The results so far: those of the first children. The next child is the one that is awaited.
    results: Vec<Result<T, JoinError>>,
}

/// Results are moved, never pinned.
impl<T> Unpin for Gather<T> {}

impl<T: 'static> Future for Gather<T> {
    type Output = Vec<Result<T, JoinError>>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { children: slot, results } = &mut *self;
        let Some(children) = slot else {
            panic!("a gather was polled again after it had returned: await it once");
        };
        while let Some(child) = children.get_mut(results.len()) {
            let Poll::Ready(result) = Pin::new(child).poll(cx) else {
                current::suspended(Wait::Gather, Location::caller());
                return Poll::Pending;
            };
            results.push(result);
        }
        *slot = None;
        Poll::Ready(std::mem::take(results))
    }
}

impl<T> Drop for Gather<T> {
    fn drop(&mut self) {
        // Said to each: a handle cancels by itself only if it is the one that is awaited.
        for child in self.children.iter().flatten() {
            child.cancel();
        }
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.children.iter().flatten()).finish()
    }
}
