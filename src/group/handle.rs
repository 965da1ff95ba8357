//! Chapter 26, part 4: what does a task of a group give to whom?
//!
//! ```text
//!   the task returns Ok(value)    ──▶ value to whoever awaits its GroupHandle
//!   the task returns Err(error)   ──▶ error to the group; who awaits the handle is about to be cancelled
//!   the task panics               ──▶ the same with the panic
//! ```
//!
//! So awaiting a handle needs no `?`: in the group's body and in its tasks, there is either a value or no more turn
//! to take it in.
//!
//! Before: `group/members.rs`. Next: `group/scope.rs`.

use std::fmt::{self, Debug};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::error::GroupFailure;
use super::members::Members;
use crate::current;
use crate::sync::oneshot::{Receiver, Sender};
use crate::task_ref::Task;
use crate::trace::event::Wait;

pin_project! {
    /// The user's future, and where its end is told.
    pub(super) struct Child<F, T, E> {
        #[pin]
        future: F,
        // `None` once the value was sent.
        sender: Option<Sender<T>>,
        members: Rc<Members<E>>,
    }
}

impl<F, T, E> Child<F, T, E> {
    pub(super) fn new(future: F, sender: Sender<T>, members: Rc<Members<E>>) -> Child<F, T, E> {
        Child { future, sender: Some(sender), members }
    }
}

impl<F, T, E> Future for Child<F, T, E>
where
    F: Future<Output = Result<T, E>>,
    E: Debug + 'static,
{
    type Output = ();

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let Poll::Ready(result) = this.future.poll(cx) else { return Poll::Pending };
        match (result, this.sender.take()) {
            // Nobody may want the value: the handle is dropped.
            (Ok(value), Some(sender)) => drop(sender.send(value)),
            (Ok(_), None) => {}
            (Err(error), _) => this.members.failed(GroupFailure::Error(error)),
        }
        Poll::Ready(())
    }
}

/// A task of a [`TaskGroup`](crate::TaskGroup): await it for the value. The task belongs to the group, not to the
/// handle, which may be dropped at once.
///
/// # Cancellation
/// Dropped while it is awaited, it cancels its task, as a [`JoinHandle`](crate::JoinHandle) does; the group does not
/// count that as a failure.
pub struct GroupHandle<T> {
    task: Task,
    receiver: Receiver<T>,
    /// Whether it was awaited and has not given the value.
    awaited: bool,
    /// Whether the task has ended without a value.
    gone: bool,
}

impl<T> GroupHandle<T> {
    pub(super) fn new(task: Task, receiver: Receiver<T>) -> GroupHandle<T> {
        GroupHandle { task, receiver, awaited: false, gone: false }
    }

    /// The task itself: its name, how it stands, where it waits.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Cancels this task alone. The group goes on.
    pub fn cancel(&self) -> bool {
        self.task.cancel()
    }

    /// Whether the task has ended, in whichever way.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// The task's value, without waiting: `None` if it has not ended, if it ended without one, or if the value was
    /// had before.
    pub fn result(&mut self) -> Option<T> {
        self.receiver.try_recv().ok().flatten()
    }
}

impl<T> Future for GroupHandle<T> {
    type Output = T;

    /// # Panics
    /// If the task was cancelled by itself, or the handle was carried out of a group that failed: there is no value
    /// to return then. [`result`](GroupHandle::result) is for these cases. When awaited again after it gave the value.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        assert!(
            !self.gone,
            "{} was cancelled, or failed and told its group, so the value awaited here will never come: ask `result` \
             instead of awaiting the handle",
            self.task.name()
        );
        match self.receiver.poll_for(cx, Wait::Join, Location::caller()) {
            Poll::Ready(Ok(value)) => {
                self.awaited = false;
                return Poll::Ready(value);
            }
            Poll::Ready(Err(_)) => {
                // If the task failed, the group cancels whoever awaits it here, in this turn; if nobody does, the
                // next poll comes.
                self.gone = true;
                cx.waker().wake_by_ref();
                current::suspended(Wait::Join, Location::caller());
            }
            Poll::Pending => {}
        }
        self.awaited = true;
        Poll::Pending
    }
}

impl<T> Drop for GroupHandle<T> {
    fn drop(&mut self) {
        if self.awaited {
            self.task.cancel();
        }
    }
}

impl<T> Debug for GroupHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}
