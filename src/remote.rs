//! Chapter 19: a loop reached from another thread.
//!
//! Nothing of a loop may be touched from elsewhere, except through a [`Remote`]: it sends a function
//! across, which the loop calls on its own thread. What the function makes there, a future for instance,
//! need not be `Send`; only what crosses must.
//!
//! Before: `join/told.rs`. Next: `main_future.rs`, the future that may borrow.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use crate::current;
use crate::delivery::{Delivery, delivery};
use crate::join::{JoinHandle, spawn_at};
use crate::ready::Entry;
use crate::sent::{RemoteQueue, Sent};
use crate::task::JoinError;
use crate::trace::event::{Site, Wait};
use crate::wake::this_thread;

/// A way to a loop from any thread. Cheap to clone.
///
/// As long as there is one, a loop with nothing to do expects something from it: it is not taken for one that can
/// never go on (see [`Builder::debug`](crate::Builder::debug)).
#[derive(Debug)]
pub struct Remote(Arc<RemoteQueue>);

impl Clone for Remote {
    fn clone(&self) -> Remote {
        Remote::new(Arc::clone(&self.0))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.0.remove_remote();
    }
}

/// The loop is closed, and takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopClosed;

impl fmt::Display for LoopClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event loop is closed")
    }
}

impl std::error::Error for LoopClosed {}

impl Remote {
    pub(crate) fn new(remote: Arc<RemoteQueue>) -> Remote {
        remote.add_remote();
        Remote(remote)
    }

    /// Has `function` called on the loop's thread, in one of its next turns; functions sent by one thread
    /// are called in the order they were sent. asyncio's `call_soon_threadsafe`.
    ///
    /// # Errors
    /// If the loop is closed. A loop that is closed later drops what it has not called yet.
    ///
    /// What does not leave its thread cannot be sent:
    ///
    /// ```compile_fail,E0277
    /// # let event_loop = oneloop::EventLoop::new().unwrap();
    /// let here = std::rc::Rc::new(1);
    /// event_loop.remote().call_soon(move || drop(here));
    /// ```
    #[track_caller]
    pub fn call_soon(&self, function: impl FnOnce() + Send + 'static) -> Result<(), LoopClosed> {
        self.send(Box::new(function), Location::caller())
    }

    fn send(&self, function: Box<dyn FnOnce() + Send>, site: Site) -> Result<(), LoopClosed> {
        let by = self.0.is_watched().then(this_thread);
        self.0.push(Sent::Call(function, site, by)).map_err(|_| LoopClosed)
    }

    /// Starts a task on the loop: `make` is called there and makes its future, which need not be `Send`.
    /// asyncio's `run_coroutine_threadsafe`.
    ///
    /// If the loop is closed, before or after, the handle gives [`JoinError::Cancelled`].
    #[track_caller]
    pub fn spawn<M, F>(&self, make: M) -> RemoteHandle<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let (deliver, delivery) = delivery();
        let task: Arc<OnceLock<Entry>> = Arc::default();
        let started = Arc::clone(&task);
        let site = Location::caller();
        let start = move || {
            let task = async move { make().await };
            let handle = spawn_at::<F, _>(current::state(), None, site, task);
            let _ = started.set(handle.entry());
            let send = async move { deliver.send(handle.await) };
            drop(spawn_at::<JoinHandle<F::Output>, _>(current::state(), None, site, send));
        };
        // If it was not taken, `deliver` has been dropped with it, and says so.
        let _ = self.send(Box::new(start), site);
        RemoteHandle { remote: self.clone(), delivery, task }
    }
}

/// The handle of a task on another thread's loop.
///
/// It can be awaited on any executor, this crate's loops included, or waited for with
/// [`wait`](RemoteHandle::wait). Dropping it detaches the task.
#[must_use = "a handle dropped at once leaves its task to itself"]
pub struct RemoteHandle<T> {
    remote: Remote,
    delivery: Delivery<T>,
    /// The task, once the loop has started it.
    task: Arc<OnceLock<Entry>>,
}

impl<T> RemoteHandle<T> {
    /// Blocks this thread until the task has ended. Not to be called on a loop's thread, which would stop.
    ///
    /// # Errors
    /// If the task panicked or was cancelled.
    ///
    /// # Panics
    /// If a loop is running on this thread, or if the handle was awaited before and gave its result then.
    pub fn wait(self) -> Result<T, JoinError> {
        assert!(
            current::try_with(|_| ()).is_none(),
            "RemoteHandle::wait would block this thread's event loop: await the handle instead"
        );
        self.delivery.wait()
    }

    /// Asks the task to end, as [`JoinHandle::cancel`] does; the loop gets to it in one of its next turns.
    #[track_caller]
    pub fn cancel(&self) {
        let task = Arc::clone(&self.task);
        let cancel = move || {
            if let Some(entry) = task.get() {
                current::with(|state| state.cancel(*entry));
            }
        };
        let _ = self.remote.send(Box::new(cancel), Location::caller());
    }

    /// Whether the task has ended and its result has arrived.
    pub fn is_finished(&self) -> bool {
        self.delivery.is_finished()
    }
}

impl<T> Future for RemoteHandle<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = self.delivery.poll(cx);
        if result.is_pending() {
            current::suspended(Wait::Join, Location::caller());
        }
        result
    }
}

impl<T> fmt::Debug for RemoteHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// A [`Remote`] to the current loop, for other threads.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn remote() -> Remote {
    current::with(|state| Remote::new(Arc::clone(&state.remote)))
}

/// The rule that makes it useful, checked by the compiler.
const _: () = {
    const fn crosses_threads<T: Send + Sync>() {}
    crosses_threads::<Remote>();
    crosses_threads::<RemoteHandle<Vec<u8>>>();
};
