//! Chapter 26, part 5: the group, and the future that runs its body.
//!
//! The body is polled by the task that awaits the scope, as if it stood there without a group. So it may borrow
//! what is around it, and a failure reaches it in the simplest way there is: it is dropped at the `.await` where it
//! is suspended. The tasks are tasks like any other, and may not borrow.
//!
//! Before: `group/handle.rs`. Next: `blocking.rs`, a thread's result awaited.

use std::fmt::{self, Debug};
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::error::{GroupError, GroupFailure};
use super::handle::{Child, GroupHandle};
use super::members::{Members, Stage};
use crate::current;
use crate::join::spawn_wrapped;
use crate::sync::oneshot;
use crate::task::{Panic, report_panic};
use crate::trace::event::Wait;

/// Tasks that end together. asyncio's `TaskGroup`.
///
/// [`TaskGroup::scope`] makes one, for as long as its body and its tasks take:
///
/// ```
/// use oneloop::{GroupError, TaskGroup, sleep};
/// use std::time::Duration;
///
/// async fn price(shop: &str, delay: u64) -> Result<u32, String> {
///     sleep(Duration::from_millis(delay)).await;
///     if shop == "closed" { Err(format!("{shop}: no answer")) } else { Ok(10) }
/// }
///
/// oneloop::run(async {
///     let sum = TaskGroup::scope(async |group| {
///         let near = group.spawn(price("near", 10));
///         let far = group.spawn(price("far", 20));
///         Ok(near.await + far.await)
///     });
///     assert_eq!(sum.await.unwrap(), 20);
///
///     let sum = TaskGroup::scope(async |group| {
///         let slow = group.spawn(price("slow", 60_000)); // cancelled at once when the other fails
///         let closed = group.spawn(price("closed", 10));
///         Ok(slow.await + closed.await)
///     });
///     let error: GroupError<String> = sum.await.unwrap_err();
///     assert_eq!(error.to_string(), "1 failure in a task group: closed: no answer");
/// });
/// ```
///
/// A clone is the same group; a task that has one can spawn more.
pub struct TaskGroup<E> {
    members: Rc<Members<E>>,
}

impl<E: Debug + 'static> TaskGroup<E> {
    /// Runs `body` with a new group, and returns its value when it and all tasks of the group have ended.
    ///
    /// The first failure, of a task or of the body, by an error or by a panic, cancels all tasks that have not ended,
    /// and the body at its current `.await`; that happens in the next turn, so a second failure in the same turn is
    /// reported too. The cancelled tasks are waited for. A task that is cancelled by itself is no failure.
    ///
    /// # Errors
    /// All failures, in the order in which they happened. The body's value is dropped then.
    ///
    /// # Cancellation
    /// Dropping it drops the body and cancels all tasks, which end at their next turn: unlike asyncio's, it cannot
    /// wait for them. Failures there were are reported through `log` and to the observer, as is whatever fails later.
    ///
    /// # Panics
    /// If no loop is running on this thread. When polled again after it has returned.
    #[track_caller]
    pub fn scope<T, B, F>(body: B) -> GroupScope<F, T, E>
    where
        B: FnOnce(TaskGroup<E>) -> F,
        F: Future<Output = Result<T, E>>,
    {
        let members = Rc::new(Members::new(current::state()));
        let body = body(TaskGroup { members: Rc::clone(&members) });
        GroupScope { body: Some(body), value: None, members }
    }

    /// Starts a task in the group. asyncio's `create_task`.
    ///
    /// Its value goes to the handle, its error to the group.
    ///
    /// # Panics
    /// If the group is shutting down after a failure, or was left: it takes no new tasks then. Only a drop guard,
    /// and a task that does not belong to the group, can come so late; they may ask [`is_open`](TaskGroup::is_open).
    #[track_caller]
    pub fn spawn<T, F>(&self, future: F) -> GroupHandle<T>
    where
        T: 'static,
        F: Future<Output = Result<T, E>> + 'static,
    {
        self.start(None, future)
    }

    /// As [`spawn`](TaskGroup::spawn), with a name for the task instead of `task-N`.
    ///
    /// # Panics
    /// As `spawn`.
    #[track_caller]
    pub fn spawn_named<T, F>(&self, name: &str, future: F) -> GroupHandle<T>
    where
        T: 'static,
        F: Future<Output = Result<T, E>> + 'static,
    {
        self.start(Some(name), future)
    }

    #[track_caller]
    fn start<T, F>(&self, name: Option<&str>, future: F) -> GroupHandle<T>
    where
        T: 'static,
        F: Future<Output = Result<T, E>> + 'static,
    {
        match self.members.stage() {
            Stage::Open => {}
            Stage::ShuttingDown => panic!(
                "this task group is shutting down after a failure, and takes no new tasks: ask is_open before, or \
                 spawn the task outside of the group"
            ),
            Stage::Left => panic!(
                "this task group was left: its scope has ended or was dropped, so spawn the task in another one, or \
                 outside of any"
            ),
        }
        let (sender, receiver) = oneshot::channel();
        let child = Child::new(future, sender, Rc::clone(&self.members));
        let task = spawn_wrapped::<F, _>(Rc::clone(&self.members.state), name, child);
        let handle = GroupHandle::new(task.task(), receiver);
        self.members.join(task);
        handle
    }
}

impl<E> TaskGroup<E> {
    /// Whether the group takes new tasks: nothing has failed, and its scope has not ended.
    pub fn is_open(&self) -> bool {
        self.members.stage() == Stage::Open
    }

    /// How many tasks of the group have not ended.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether all tasks of the group have ended.
    pub fn is_empty(&self) -> bool {
        self.members.len() == 0
    }
}

impl<E> Clone for TaskGroup<E> {
    fn clone(&self) -> TaskGroup<E> {
        TaskGroup { members: Rc::clone(&self.members) }
    }
}

impl<E> Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.members.fmt(f)
    }
}

pin_project! {
    /// The future of [`TaskGroup::scope`].
    #[must_use = "the body does nothing unless the scope is awaited"]
    pub struct GroupScope<F, T, E>
    where
        E: Debug,
        E: 'static,
    {
        // `None` once it is over.
        #[pin]
        body: Option<F>,
        // What the body returned; `None` before, and if it failed.
        value: Option<T>,
        members: Rc<Members<E>>,
    }

    impl<F, T, E> PinnedDrop for GroupScope<F, T, E>
    where
        E: Debug,
        E: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            if this.members.stage() != Stage::Left {
                this.members.abandon();
            }
        }
    }
}

impl<F, T, E> Future for GroupScope<F, T, E>
where
    F: Future<Output = Result<T, E>>,
    E: Debug + 'static,
{
    type Output = Result<T, GroupError<E>>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let members = &**this.members;
        assert!(
            members.stage() != Stage::Left,
            "a task group was polled again after it was left: await it once"
        );
        if members.stage() == Stage::Open && !members.is_failing() {
            poll_body(this.body.as_mut(), this.value, members, cx);
        }
        if members.is_failing() {
            members.shut_down();
            drop_body(this.body.as_mut());
            members.body_ended();
        }
        if this.body.is_none()
            && let Some(failures) = members.leave()
        {
            return Poll::Ready(match this.value.take() {
                Some(value) if failures.is_empty() => Ok(value),
                _ => Err(GroupError::new(failures)),
            });
        }
        members.wake_later(cx);
        // A body that is suspended has said at which line of it.
        if this.body.is_none() || current::noted().is_none() {
            current::suspended(Wait::Group, Location::caller());
        }
        Poll::Pending
    }
}

/// Polls the body if there still is one.
fn poll_body<F, T, E>(
    mut slot: Pin<&mut Option<F>>,
    value: &mut Option<T>,
    members: &Members<E>,
    cx: &mut Context<'_>,
) where
    F: Future<Output = Result<T, E>>,
    E: Debug + 'static,
{
    let Some(body) = slot.as_mut().as_pin_mut() else { return };
    let failure = match catch_unwind(AssertUnwindSafe(|| body.poll(cx))) {
        Ok(Poll::Pending) => return,
        Ok(Poll::Ready(Ok(returned))) => {
            *value = Some(returned);
            None
        }
        Ok(Poll::Ready(Err(error))) => Some(GroupFailure::Error(error)),
        Err(payload) => Some(GroupFailure::Panicked(Panic::new(payload))),
    };
    drop_body(slot);
    members.body_ended();
    if let Some(failure) = failure {
        members.failed(failure);
    }
}

/// Drops the body where it is suspended, and its guards run. A panic of theirs is reported, and goes no further, as
/// for a task that is cancelled.
fn drop_body<F>(mut slot: Pin<&mut Option<F>>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| slot.set(None))) {
        report_panic(format_args!("dropping the body of a task group"), payload);
    }
}

impl<F, T, E: Debug> Debug for GroupScope<F, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.members.fmt(f)
    }
}
