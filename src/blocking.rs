//! Chapter 25: a call that blocks, awaited.
//!
//! The loop's thread must not block, and some calls do nothing else: files, names, most libraries. Such a
//! call goes to the pool (`pool.rs`), and the task that awaits it is suspended like any other:
//!
//! ```text
//!   task: spawn_blocking(call).await ──▶ suspended
//!   pool thread:        call() ──▶ Delivery ──▶ wake ──▶ remote queue ──▶ notify
//!   loop:                                                 step 3: the task is queued ──▶ resumed
//! ```
//!
//! Before: `sync/`. Next part: `net/`, sockets.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::current;
use crate::pool::Delivery;
use crate::state::State;
use crate::task::JoinError;
use crate::trace::event::{EventKind, JobId, Wait};

/// Calls `call` on a thread of the loop's blocking pool. It is queued at once, awaited or not.
///
/// asyncio's `run_in_executor(None, …)` and `to_thread`. The number of threads is set by
/// [`Builder::pool_threads`](crate::Builder::pool_threads).
///
/// # Errors
/// The result is [`JoinError::Panicked`] if `call` panicked, and [`JoinError::Cancelled`] if the loop was
/// closed before it started.
///
/// # Cancellation
/// Dropping the handle abandons the job: one that has started runs on to its end, and its result is dropped.
/// A thread cannot be stopped from outside.
///
/// # Panics
/// If no loop is running on this thread.
///
/// ```
/// let sum: u64 = oneloop::run(async {
///     oneloop::spawn_blocking(|| (1..=1000).sum()).await.expect("adding does not panic")
/// });
/// assert_eq!(sum, 500_500);
/// ```
///
/// What stays on its thread cannot go there:
///
/// ```compile_fail,E0277
/// oneloop::run(async {
///     let here = std::rc::Rc::new(1);
///     oneloop::spawn_blocking(move || drop(here)).await
/// });
/// ```
#[track_caller]
pub fn spawn_blocking<F, T>(call: F) -> BlockingHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let state = current::state();
    let (job, delivery) = state.spawn_job(call, Location::caller());
    BlockingHandle { state, job, delivery, delivered: false }
}

/// A job of the blocking pool: await it for the result of the call.
#[must_use = "a job abandoned at once still runs, and nobody learns of its result or its panic"]
pub struct BlockingHandle<T> {
    state: Rc<State>,
    job: JobId,
    delivery: Delivery<T>,
    /// Whether the result was handed over.
    delivered: bool,
}

impl<T> BlockingHandle<T> {
    /// Whether the call has returned or panicked.
    pub fn is_finished(&self) -> bool {
        self.delivery.is_finished()
    }
}

impl<T> Future for BlockingHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// When awaited again after it gave its result.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = self.delivery.poll(cx);
        if result.is_pending() {
            self.state.note_suspended(Wait::Job, Location::caller());
        } else {
            self.delivered = true;
            self.state.tell_job_over(EventKind::JobDeliver { job: self.job }, self.job);
        }
        result
    }
}

impl<T> Drop for BlockingHandle<T> {
    fn drop(&mut self) {
        if !self.delivered {
            self.state.tell_job_over(EventKind::JobAbandon { job: self.job }, self.job);
        }
    }
}

impl<T> fmt::Debug for BlockingHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}{}>", self.job, if self.is_finished() { " finished" } else { "" })
    }
}
