//! Chapter 24, part 7: how is some of the work awaited, and the rest kept?
//!
//! `gather` and `try_gather` own their children: what they do not need any more they cancel. `wait` only looks
//! on. It takes handles and gives all of them back, those of ended tasks apart from the others:
//!
//! ```text
//!   wait([a, b, c]).return_when(FirstCompleted)     b ends ──▶ done: [b]    pending: [a, c]
//!   wait([a, c]).timeout(1 s)                       1 s    ──▶ done: []     pending: [a, c]
//!   wait([a, c])                                    c, a   ──▶ done: [c, a] pending: []
//! ```
//!
//! Before: `combine/several.rs`. Next: `combine/wait_for.rs`, a limit of time.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::several::Several;
use crate::current;
use crate::join::JoinHandle;
use crate::sleep::{Sleep, sleep};
use crate::trace::event::Wait;

/// Waits until tasks have ended: all of them, unless [`return_when`](WaitTasks::return_when),
/// [`first_error`](WaitTasks::first_error) or [`timeout`](WaitTasks::timeout) say otherwise. No task is cancelled, and
/// no result is taken.
///
/// asyncio's `wait`. It refuses an empty list; here that returns at once, with nothing.
///
/// # Cancellation
/// Dropping it drops the handles, and the tasks go on by themselves, as asyncio's do.
///
/// # Panics
/// When polled again after it has returned.
///
/// ```
/// use oneloop::{ReturnWhen, sleep, spawn, wait};
/// use std::time::Duration;
///
/// oneloop::run(async {
///     let tasks = [30, 1].map(|delay| spawn(sleep(Duration::from_millis(delay))));
///     let waited = wait(tasks).return_when(ReturnWhen::FirstCompleted).await;
///     assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
///     waited.pending.iter().for_each(|task| _ = task.cancel());
/// });
/// ```
pub fn wait<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> WaitTasks<T> {
    WaitTasks {
        several: Some(Several::new(handles)),
        return_when: ReturnWhen::AllCompleted,
        failed: |_| false,
        timeout: None,
        suspended: false,
    }
}

/// When a [`wait`] returns, if its time is not up before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReturnWhen {
    /// When the first task has ended, in whichever way. asyncio's `FIRST_COMPLETED`.
    FirstCompleted,
    /// When the first task has panicked, or all have ended. asyncio's `FIRST_EXCEPTION`. A task that was cancelled
    /// does not count. Neither does an `Err` that a task returned: it is a value like any other here. Where it is
    /// to count, say [`first_error`](WaitTasks::first_error) instead.
    FirstException,
    /// When all have ended. asyncio's `ALL_COMPLETED`.
    #[default]
    AllCompleted,
}

/// What a [`wait`] found.
#[derive(Debug)]
pub struct Waited<T> {
    /// The handles of tasks that have ended, in the order of their ends; [`JoinHandle::result`] has what they
    /// returned. Those that had ended before the wait come first.
    pub done: Vec<JoinHandle<T>>,
    /// The others, in the order in which they were given.
    pub pending: Vec<JoinHandle<T>>,
}

/// The future of [`wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitTasks<T> {
    /// `None` once this has returned.
    several: Option<Several<T>>,
    return_when: ReturnWhen,
    /// Whether an output counts as a failure.
    failed: fn(&T) -> bool,
    /// `None`: without limit.
    timeout: Option<Sleep>,
    /// Whether it was suspended before.
    suspended: bool,
}

impl<T> WaitTasks<T> {
    /// Waits no longer than `limit`, from this call on. Even one of zero lets tasks that are ready have their turn.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn timeout(mut self, limit: Duration) -> WaitTasks<T> {
        self.timeout = Some(sleep(limit));
        self
    }

    /// Returns earlier than when all have ended.
    pub fn return_when(mut self, return_when: ReturnWhen) -> WaitTasks<T> {
        self.return_when = return_when;
        self
    }
}

impl<T, E> WaitTasks<Result<T, E>> {
    /// Returns when the first task has failed, by a panic or by returning `Err`, or all have ended. For tasks that
    /// return a `Result`, this is what asyncio's `FIRST_EXCEPTION` means.
    pub fn first_error(mut self) -> WaitTasks<Result<T, E>> {
        self.return_when = ReturnWhen::FirstException;
        self.failed = Result::is_err;
        self
    }
}

impl<T: 'static> Future for WaitTasks<T> {
    type Output = Waited<T>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Waited<T>> {
        let Self { several: slot, return_when, failed, timeout, suspended } = &mut *self;
        let Some(several) = slot else {
            panic!("a wait was polled again after it had returned: await it once");
        };
        let enough = several.running() == 0
            || match return_when {
                ReturnWhen::FirstCompleted => several.unread() > 0,
                ReturnWhen::FirstException => any_failed(several, *failed),
                ReturnWhen::AllCompleted => false,
            };
        let late = !enough && timeout.as_mut().is_some_and(|sleep| Pin::new(sleep).poll(cx).is_ready());
        if enough || (late && *suspended) {
            let (done, pending) = several.split();
            *slot = None;
            return Poll::Ready(Waited { done, pending });
        }
        if late {
            // What is in the ready queue comes first, even if there is no time at all.
            cx.waker().wake_by_ref();
        }
        *suspended = true;
        let each = *return_when != ReturnWhen::AllCompleted;
        several.wake_at(if each { usize::MAX } else { 0 }, cx);
        current::suspended(Wait::Gather, Location::caller());
        Poll::Pending
    }
}

/// Whether one of the tasks that ended since the last call has failed.
fn any_failed<T: 'static>(several: &mut Several<T>, failed: fn(&T) -> bool) -> bool {
    while let Some(number) = several.read() {
        let handle = several.handle(number);
        if handle.is_some_and(|handle| handle.has_panicked() || handle.look(failed) == Some(true)) {
            return true;
        }
    }
    false
}

impl<T> fmt::Debug for WaitTasks<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("WaitTasks");
        fields.field("return_when", &self.return_when).field("tasks", &self.several).finish_non_exhaustive()
    }
}
