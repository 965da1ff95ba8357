//! Chapter 18: starting a task, and waiting for its end.
//!
//! `spawn` gives a future to the loop and returns a handle at once; nothing of the future runs before the
//! next turn. The handle is itself a future: awaiting it suspends until the task has ended and gives its
//! result, its panic or its cancellation.
//!
//! What dropping a handle does depends on whether anybody was waiting with it:
//!
//! | the handle is dropped | the task |
//! |---|---|
//! | before it was ever awaited | goes on by itself, detached |
//! | while it is awaited (the awaiting task was cancelled, or lost a race) | is cancelled |
//! | after it gave its result | has ended already |
//!
//! The second row is asyncio's rule that cancelling a task cancels what it waits for; `shield` is for where that
//! is not wanted.
//!
//! Before: `task_ref.rs`. Next: `join/told.rs`, who is told of a task's end.

mod told;

use std::any::{Any, type_name};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pub use told::DoneCallback;

use crate::current;
use crate::ready::Entry;
use crate::state::{Origin, State, task_id};
use crate::task::{self, BoxedCell, JoinError};
use crate::task_ref::{Task, describe};
use crate::tasks::{Joining, take_output};
use crate::trace::event::{Actor, EventKind, Outcome, Site, TaskId, Wait};

/// Starts a task on the current loop. Nothing of it runs before the loop's next turn.
///
/// asyncio's `create_task` and `ensure_future`. The future need not be `Send`: it never leaves the thread.
///
/// # Panics
/// If no loop is running on this thread.
///
/// ```
/// let answer = oneloop::run(async {
///     let task = oneloop::spawn(async { 6 * 7 });
///     task.await.expect("neither panics nor is cancelled")
/// });
/// assert_eq!(answer, 42);
/// ```
///
/// A handle stays on its thread:
///
/// ```compile_fail,E0277
/// oneloop::run(async {
///     let task = oneloop::spawn(async {});
///     std::thread::spawn(move || drop(task));
/// });
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_on(current::state(), None, future)
}

/// As [`spawn`], with a name for the task instead of `task-N`.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn spawn_named<F>(name: &str, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_on(current::state(), Some(name), future)
}

/// Starts a task on the loop that owns `state`.
#[track_caller]
pub(crate) fn spawn_on<F>(state: Rc<State>, name: Option<&str>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_wrapped::<F, F>(state, name, future)
}

/// Starts a task whose future only wraps the user's, of type `U`, by which the observers are to know it.
#[inline]
#[track_caller]
pub(crate) fn spawn_wrapped<U, F>(state: Rc<State>, name: Option<&str>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_at::<U, F>(state, name, Location::caller(), future)
}

/// The same for somebody else, who asked for it at `site`.
#[inline]
pub(crate) fn spawn_at<U, F>(
    state: Rc<State>,
    name: Option<&str>,
    site: Site,
    future: F,
) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let origin = Origin { site, future: type_name::<U>(), size: size_of::<F>(), name, joinable: true };
    let entry = state.spawn(|waker| Some(task::cell(future, waker)), origin);
    JoinHandle { state, entry, stage: Stage::New, output: PhantomData }
}

/// How far a handle has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Never awaited.
    New,
    /// Awaited; the task had not ended.
    Awaited,
    /// It has given its result; how the task ended.
    Joined(Outcome),
}

/// A task's handle: await it for the result, or cancel the task with it.
///
/// asyncio's `Task`. It belongs to its loop's thread; from others there is [`Remote::spawn`](crate::Remote::spawn).
///
/// # Cancellation
/// Dropped before it was ever awaited, it leaves its task to itself: detached. Dropped while it is awaited, since the
/// awaiting task was cancelled, or lost a race or its time, it cancels its task;
/// [`shield`](crate::shield()) is for where that is not wanted.
#[must_use = "a handle dropped at once leaves its task to itself: say `drop(spawn(..))` if that is meant"]
pub struct JoinHandle<T> {
    state: Rc<State>,
    entry: Entry,
    stage: Stage,
    output: PhantomData<T>,
}

impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// Asks the task to end: at its next turn its future is dropped at the `.await` where it is suspended,
    /// and its guards run. The handle then gives [`JoinError::Cancelled`].
    ///
    /// Returns whether there was anything to cancel: `false` if the task has ended or was asked before. A
    /// task that cancels itself and then returns without another `.await` has ended well.
    ///
    /// asyncio's `Task.cancel`; nothing is raised inside the task, which therefore cannot refuse.
    pub fn cancel(&self) -> bool {
        !self.is_joined() && self.state.cancel(self.entry)
    }

    /// Whether the task has ended, in whichever way. asyncio's `Task.done`.
    pub fn is_finished(&self) -> bool {
        self.is_joined() || self.state.tasks.is_finished(self.entry)
    }

    /// The task itself, without the type of its result.
    pub fn task(&self) -> Task {
        Task::new(&self.state, self.entry)
    }

    /// The task's name: the one given to [`spawn_named`], or `task-N`.
    pub fn name(&self) -> String {
        self.state.name_of(self.entry).to_string()
    }

    /// The task's number in its loop, as the observers know it.
    pub fn id(&self) -> TaskId {
        task_id(self.entry)
    }

    pub(crate) fn entry(&self) -> Entry {
        self.entry
    }

    fn is_joined(&self) -> bool {
        matches!(self.stage, Stage::Joined(_))
    }

    /// How the task ended; `None`: it has not.
    fn outcome(&self) -> Option<Outcome> {
        if let Stage::Joined(outcome) = self.stage {
            return Some(outcome);
        }
        let how = |seen: Result<&dyn Any, Outcome>| seen.err().unwrap_or(Outcome::Done);
        self.state.tasks.look(self.entry, how)
    }

    /// From now on dropping the handle leaves the task to itself, even if it was awaited before.
    pub(crate) fn forget_awaited(&mut self) {
        if self.stage == Stage::Awaited {
            self.stage = Stage::New;
        }
    }
}

impl<T: 'static> JoinHandle<T> {
    /// The task's result, without waiting; `None`: it has not ended. asyncio's `Task.result` and
    /// `Task.exception`, which raise an error instead of `None`.
    ///
    /// The result is handed over, so it can be had once.
    ///
    /// # Panics
    /// If the result was had before, from here or by awaiting the handle.
    ///
    /// ```
    /// oneloop::run(async {
    ///     let mut task = oneloop::spawn(async { 42 });
    ///     assert!(task.result().is_none(), "it has not even started");
    ///     oneloop::yield_now().await;
    ///     assert_eq!(task.result().unwrap().unwrap(), 42);
    /// });
    /// ```
    #[track_caller]
    pub fn result(&mut self) -> Option<Result<T, JoinError>> {
        self.check_result_is_there();
        let cell = self.state.tasks.take_ended(self.entry)?;
        Some(self.hand_over(cell, |state| state.seam.actor()))
    }

    /// As `result`, of a task that has ended, for a taker that is not at work now.
    pub(crate) fn result_for(&mut self, by: Actor) -> Option<Result<T, JoinError>> {
        let cell = self.state.tasks.take_ended(self.entry)?;
        Some(self.hand_over(cell, |_| by))
    }

    /// Shows the output of an ended task to `see`, which calls nothing of the user's; `None` where there is none.
    pub(crate) fn look<R>(&self, see: impl FnOnce(&T) -> R) -> Option<R> {
        let see = |seen: Result<&dyn Any, Outcome>| seen.ok()?.downcast_ref().map(see);
        self.state.tasks.look(self.entry, see).flatten()
    }

    /// Whether the task has ended with a panic.
    pub(crate) fn has_panicked(&self) -> bool {
        self.outcome() == Some(Outcome::Panicked)
    }

    #[track_caller]
    fn check_result_is_there(&self) {
        assert!(
            !self.is_joined(),
            "this handle has given its task's result already: do not await it, or ask it, a second time"
        );
    }

    /// The end of a join: the result leaves the cell, whose slot is free again. `by`: who takes it.
    #[inline]
    fn hand_over(&mut self, cell: BoxedCell, by: impl FnOnce(&State) -> Actor) -> Result<T, JoinError> {
        let result = take_output(cell);
        self.stage = Stage::Joined(match &result {
            Ok(_) => Outcome::Done,
            Err(JoinError::Panicked(_)) => Outcome::Panicked,
            Err(JoinError::Cancelled) => Outcome::Cancelled,
        });
        let (state, task) = (&self.state, self.id());
        state.tell(move || EventKind::Joined { task, by: by(state) });
        result
    }
}

impl<T: 'static> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// When awaited again after it gave its result.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.check_result_is_there();
        let polled = self.state.polled_with(cx.waker());
        let joining = self.state.tasks.join(self.entry, polled, cx.waker());
        match joining {
            Joining::Running(_before) => {
                self.stage = Stage::Awaited;
                let site = Location::caller();
                current::suspended(Wait::Join, site);
                let (state, task) = (&self.state, self.id());
                state.tell(move || EventKind::JoinWait { task, by: state.seam.actor(), site: site.into() });
                Poll::Pending
            }
            Joining::Ended(cell) => Poll::Ready(self.hand_over(cell, |state| state.seam.actor())),
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if self.is_joined() {
            return;
        }
        let awaited = self.stage == Stage::Awaited;
        let cancelled = awaited && self.state.cancel(self.entry);
        if let Some(unwanted) = self.state.tasks.detach(self.entry) {
            self.state.discard(self.entry, unwanted);
        }
        let task = task_id(self.entry);
        self.state.tell(move || EventKind::HandleDrop { task, cancelled });
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    /// As [`Task`]'s: the state of the task, and the line where it waits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(Some(&self.state), self.entry, &self.name(), f)
    }
}
