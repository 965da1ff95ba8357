//! Chapter 24, part 5: how is a task kept from being cancelled together with whoever awaits it?
//!
//! A handle that is dropped while it is awaited cancels its task, since mostly nobody else wants the result. Where
//! the task must go on, a shield stands between the two:
//!
//! ```text
//!   request cancelled ──▶ handle dropped ──▶ task cancelled
//!   request cancelled ──▶ shield dropped ──▶ task goes on, detached
//! ```
//!
//! Before: `combine/race.rs`. Next: `combine/several.rs`, which of many tasks have ended.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::join::JoinHandle;
use crate::task::JoinError;

/// Waits for a task, and leaves it alone when dropped. asyncio's `shield`.
///
/// Cancelling the task itself still cancels it, and the shield gives [`JoinError::Cancelled`]. A panic of the task
/// after the shield was dropped is reported, as that of any detached task.
///
/// # Cancellation
/// Dropping it detaches the task. Awaited by `&mut`, it can be awaited again:
///
/// ```
/// use oneloop::{shield, sleep, spawn, wait_for};
/// use std::time::Duration;
///
/// oneloop::run(async {
///     let mut saving = shield(spawn(async {
///         sleep(Duration::from_millis(20)).await;
///         "saved"
///     }));
///     assert!(wait_for(&mut saving, Duration::from_millis(1)).await.is_err(), "too early");
///     assert_eq!(saving.await.unwrap(), "saved");
/// });
/// ```
pub fn shield<T>(handle: JoinHandle<T>) -> Shield<T> {
    Shield { handle }
}

/// The future of [`shield`].
#[must_use = "a shield protects a task from its being awaited: await it"]
#[derive(Debug)]
pub struct Shield<T> {
    handle: JoinHandle<T>,
}

impl<T> Shield<T> {
    /// The task's handle, to cancel it or ask how it stands.
    pub fn handle(&self) -> &JoinHandle<T> {
        &self.handle
    }
}

impl<T: 'static> Future for Shield<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// When awaited again after it gave the result.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.handle).poll(cx)
    }
}

impl<T> Drop for Shield<T> {
    fn drop(&mut self) {
        self.handle.forget_awaited();
    }
}
