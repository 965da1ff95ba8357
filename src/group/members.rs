//! Chapter 26, part 3: who is in the group, and how does it end?
//!
//! ```text
//!                first failure, or the scope is dropped              all have ended
//!   Open ──────────────────────────────────────────▶ ShuttingDown ─────────────────▶ Left
//!     └──────────────── the body has returned, and all have ended ───────────────────▲
//! ```
//!
//! The group hears of each end at once (`state/ends.rs`), in the order of the ends; that is why its failures are in
//! order, and why a task costs the group a constant time. The scope is woken twice at most: for the first failure,
//! and when it can be left. It shuts the group down when it is polled then, in the next turn: so whatever fails in
//! the turn of the first failure is reported too, as in asyncio.
//!
//! Before: `group/error.rs`. Next: `group/handle.rs`.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;

use slab::Slab;

use super::error::GroupFailure;
use crate::join::JoinHandle;
use crate::kept::Kept;
use crate::ready::Entry;
use crate::state::{Listener, State, task_id};
use crate::task::JoinError;
use crate::trace::event::{Actor, TaskId};

/// What a group, its clones, its scope and its tasks share.
pub(super) struct Members<E> {
    pub(super) state: Rc<State>,
    /// Who made the group: the party that takes the results of its tasks.
    owner: Actor,
    inner: RefCell<Inner<E>>,
}

struct Inner<E> {
    stage: Stage,
    /// The tasks that have not ended.
    tasks: Slab<JoinHandle<()>>,
    /// In the order in which they happened.
    failures: Vec<Failed<E>>,
    /// Whether the body has ended, so that the end of the last task is the group's.
    body_ended: bool,
    /// Whoever awaits the scope; `None`: nobody, or it was woken.
    waker: Option<Kept>,
}

/// How far a group has come: the states of the drawing above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    ShuttingDown,
    Left,
}

/// A failure, and whose it is: number and name of the task. `None` where the group is not run by a task.
struct Failed<E> {
    task: Option<(TaskId, Arc<str>)>,
    failure: GroupFailure<E>,
}

impl<E> Members<E> {
    pub(super) fn new(state: Rc<State>) -> Members<E> {
        let inner = Inner {
            stage: Stage::Open,
            tasks: Slab::new(),
            failures: Vec::new(),
            body_ended: false,
            waker: None,
        };
        Members { owner: state.seam.actor(), state, inner: RefCell::new(inner) }
    }

    pub(super) fn stage(&self) -> Stage {
        self.inner.borrow().stage
    }

    /// Tasks that have not ended.
    pub(super) fn len(&self) -> usize {
        self.inner.borrow().tasks.len()
    }

    /// Has `cx` woken at the first failure, and when the group can be left.
    pub(super) fn wake_later(&self, cx: &Context<'_>) {
        let waker = self.inner.borrow_mut().waker.replace(Kept::new(cx.waker()));
        drop(waker);
    }

    /// The body is over, one way or the other.
    pub(super) fn body_ended(&self) {
        self.inner.borrow_mut().body_ended = true;
    }

    /// Leaves the group if all its tasks have ended; returns its failures.
    pub(super) fn leave(&self) -> Option<Vec<GroupFailure<E>>> {
        let mut inner = self.inner.borrow_mut();
        if !inner.tasks.is_empty() {
            return None;
        }
        inner.stage = Stage::Left;
        Some(inner.failures.drain(..).map(|failed| failed.failure).collect())
    }

    /// Whether something has failed, so that the group is to be shut down.
    pub(super) fn is_failing(&self) -> bool {
        let inner = self.inner.borrow();
        inner.stage == Stage::Open && !inner.failures.is_empty()
    }

    /// Asks all tasks to end, in the order in which they were made. They are waited for as before.
    pub(super) fn shut_down(&self) {
        let mut inner = self.inner.borrow_mut();
        inner.stage = Stage::ShuttingDown;
        let mut tasks: Vec<Entry> = inner.tasks.iter().map(|(_, task)| task.entry()).collect();
        drop(inner);
        tasks.sort_unstable_by_key(|task| task.serial());
        tasks.into_iter().for_each(|task| _ = self.state.cancel(task));
    }

    /// Wakes whoever awaits the scope.
    fn wake(&self) {
        let waker = self.inner.borrow_mut().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<E: Debug + 'static> Members<E> {
    /// Takes in a task that was just made.
    pub(super) fn join(self: &Rc<Self>, task: JoinHandle<()>) {
        let listener: Rc<dyn Listener> = Rc::<Self>::clone(self);
        let entry = task.entry();
        let number = self.inner.borrow_mut().tasks.insert(task);
        if self.state.tasks.is_finished(entry) {
            // A loop that is closing has ended it at once.
            return self.ended(number);
        }
        self.state.listen(entry, listener, number);
    }

    /// The task that is being polled failed: one of the group's, or the one that runs its body.
    pub(super) fn failed(&self, failure: GroupFailure<E>) {
        let entry = self.state.current_task();
        self.note(Failed { task: entry.map(|entry| (task_id(entry), self.state.name_of(entry))), failure });
    }

    fn note(&self, failed: Failed<E>) {
        let mut inner = self.inner.borrow_mut();
        if inner.stage == Stage::Left {
            drop(inner);
            return self.report(failed);
        }
        inner.failures.push(failed);
        drop(inner);
        self.wake();
    }

    /// The scope is gone before its end: all tasks are cancelled and left to themselves, and what had failed is
    /// reported, since nobody will return it.
    pub(super) fn abandon(&self) {
        self.shut_down();
        let mut inner = self.inner.borrow_mut();
        inner.stage = Stage::Left;
        let (tasks, failures) = (std::mem::take(&mut inner.tasks), std::mem::take(&mut inner.failures));
        drop(inner);
        drop(tasks);
        failures.into_iter().for_each(|failed| self.report(failed));
    }

    fn report(&self, failed: Failed<E>) {
        let Some((task, name)) = failed.task else { return };
        let (how, text) = match failed.failure {
            GroupFailure::Error(error) => ("failed", format!("{error:?}")),
            GroupFailure::Panicked(panic) => ("panicked", panic.message()),
        };
        self.state.report(task, name, &format!("{how} in a task group whose scope was dropped"), &text);
    }
}

impl<E: Debug + 'static> Listener for Members<E> {
    fn ended(&self, number: usize) {
        let task = self.inner.borrow_mut().tasks.try_remove(number);
        let Some(mut task) = task else { return };
        let name = task.has_panicked().then(|| self.state.name_of(task.entry()));
        let result = task.result_for(self.owner.clone());
        if let (Some(name), Some(Err(JoinError::Panicked(panic)))) = (name, result) {
            self.note(Failed { task: Some((task.id(), name)), failure: GroupFailure::Panicked(panic) });
        }
        let inner = self.inner.borrow();
        let over = inner.body_ended && inner.tasks.is_empty();
        drop(inner);
        if over {
            self.wake();
        }
    }

    fn waits(&self) -> Option<Entry> {
        self.inner.borrow().waker.as_ref().and_then(Kept::entry)
    }
}

impl<E> Debug for Members<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup").field("stage", &self.stage()).field("tasks", &self.len()).finish()
    }
}
