//! Chapter 16: starting a task, and waiting for its end.
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
//! The second row is asyncio's rule that cancelling a task cancels what it waits for.
//!
//! Before: `wake.rs`. Next chapter: `remote.rs`, the same from another thread.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::current;
use crate::ready::Entry;
use crate::state::{Origin, State, task_id};
use crate::task::{self, JoinError};
use crate::tasks::{Joining, Life, take_output};
use crate::trace::event::{EventKind, TaskId, Wait};

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
    spawn_on(current::state(), Some(name.into()), future)
}

/// Starts a task on the loop that owns `state`.
#[track_caller]
pub(crate) fn spawn_on<F>(state: Rc<State>, name: Option<Arc<str>>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let origin = Origin {
        site: Location::caller(),
        future: type_name::<F>(),
        size: size_of::<F>(),
        name,
        joinable: true,
    };
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
    /// It has given its result.
    Joined,
}

/// A task's handle: await it for the result, or cancel the task with it.
///
/// The module `join` says what dropping it does. asyncio's `Task`. It belongs to its loop's thread; from
/// others there is [`Remote::spawn`](crate::Remote::spawn).
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
        self.stage != Stage::Joined && self.state.cancel(self.entry)
    }

    /// Whether the task has ended, in whichever way. asyncio's `Task.done`.
    pub fn is_finished(&self) -> bool {
        self.stage == Stage::Joined || self.state.tasks.borrow_mut().is_finished(self.entry)
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
}

impl<T: 'static> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// When awaited again after it gave its result.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(
            self.stage != Stage::Joined,
            "this handle has given its task's result already: do not await it a second time"
        );
        let joining = self.state.tasks.borrow_mut().join(self.entry, cx.waker());
        match joining {
            Joining::Running(_before) => {
                self.stage = Stage::Awaited;
                current::suspended(Wait::Join, Location::caller());
                Poll::Pending
            }
            Joining::Ended(cell) => {
                self.stage = Stage::Joined;
                let (state, task) = (&self.state, self.id());
                state.forget_name(self.entry);
                state.tell(|| EventKind::Joined { task, by: state.seam.actor() });
                Poll::Ready(take_output(cell))
            }
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if self.stage == Stage::Joined {
            return;
        }
        let awaited = self.stage == Stage::Awaited;
        let cancelled = awaited && self.state.cancel(self.entry);
        let ended = self.state.tasks.borrow_mut().detach(self.entry);
        if let Some(cell) = ended.unwanted {
            self.state.discard(self.entry, cell);
        }
        if ended.freed {
            self.state.forget_name(self.entry);
        }
        self.state.tell(|| EventKind::HandleDrop { task: task_id(self.entry), cancelled });
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    /// The state of the task, and the line where it waits:
    /// `<task-3 suspended at src/main.rs:7, waiting for a sleep, spawned at src/main.rs:5>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} ", self.name())?;
        let info = self.state.tasks.borrow_mut().info(self.entry);
        let Some(info) = info else { return f.write_str("finished>") };
        match (info.life, info.suspended_at) {
            (Life::Done, _) => f.write_str("finished")?,
            (Life::Polling | Life::PollingQueued, _) => f.write_str("running")?,
            (Life::Queued, None) => f.write_str("ready, not started")?,
            (Life::Queued, Some(site)) => write!(f, "ready, to go on at {}:{}", site.file(), site.line())?,
            (Life::Suspended, None) => f.write_str("suspended")?,
            (Life::Suspended, Some(site)) => {
                write!(f, "suspended at {}:{}, waiting for {}", site.file(), site.line(), info.wait)?;
            }
        }
        if info.cancelled {
            f.write_str(", cancelled")?;
        }
        write!(f, ", spawned at {}:{}>", info.spawned_at.file(), info.spawned_at.line())
    }
}
