//! Chapter 17: a task seen from outside.
//!
//! A [`JoinHandle`](crate::JoinHandle) knows the type of its task's result, and there is one for each task. A
//! [`Task`] knows no types, and there may be many: it is what lists of tasks are made of. It shows how a
//! task stands, and it can cancel it, and that is all.
//!
//! ```text
//!   current_task()     who am I?           ─┐
//!   all_tasks()        who else is there?   ├──▶ Task ──▶ name, state, the line where it waits, cancel
//!   handle.task()      whose handle is it? ─┘
//! ```
//!
//! A `Task` keeps nothing alive. Its task's slot may long be another's: the serial number then says so.
//!
//! Before: `wake.rs`. Next: `join.rs`, starting a task and waiting for its end.

use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use crate::current;
use crate::ready::Entry;
use crate::state::{State, task_id};
use crate::tasks::Life;
use crate::trace::event::{Place, Site, TaskId, Wait};

/// The task that is being polled on this thread, or dropped because it was cancelled; `None` inside a callback
/// and outside of a loop. asyncio's `current_task`.
///
/// ```
/// oneloop::run(async {
///     let task = oneloop::current_task().expect("this is the main task");
///     assert_eq!(task.name(), "main");
/// });
/// assert!(oneloop::current_task().is_none());
/// ```
pub fn current_task() -> Option<Task> {
    current::try_with(|state| state.current_task().map(|entry| Task::new(state, entry))).flatten()
}

/// All tasks of the current loop that have not ended, the main one among them, in the order in which they were
/// made. asyncio's `all_tasks`.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn all_tasks() -> Vec<Task> {
    current::with(|state| {
        let mut live = state.tasks.live();
        live.sort_unstable_by_key(|entry| entry.serial());
        live.into_iter().map(|entry| Task::new(state, entry)).collect()
    })
}

/// A task, whatever its result. Clones mean the same task, and are equal.
///
/// The part of asyncio's `Task` that needs no type; the other part is [`JoinHandle`](crate::JoinHandle). It
/// keeps neither the task nor its loop alive.
#[derive(Clone)]
pub struct Task {
    state: Weak<State>,
    entry: Entry,
    /// The name given to it; `None`: it is named after its number.
    name: Option<Arc<str>>,
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskState {
    /// In the ready queue, to be polled.
    Ready,
    /// Being polled, or dropped where it was suspended.
    Running,
    /// Waiting to be woken: for `wait`, at the `.await` at `site` (`None`: the future does not say).
    Suspended {
        /// What it waits for.
        wait: Wait,
        /// At which line.
        site: Option<Site>,
    },
    /// It has returned, panicked, or been cancelled; or its loop is gone.
    Finished,
}

impl Task {
    pub(crate) fn new(state: &Rc<State>, entry: Entry) -> Task {
        Task { state: Rc::downgrade(state), entry, name: state.given_name(entry) }
    }

    /// Its number in its loop, as the observers know it.
    pub fn id(&self) -> TaskId {
        task_id(self.entry)
    }

    /// Its name: the one given to [`spawn_named`](crate::spawn_named), or `task-N`. asyncio's `get_name`.
    pub fn name(&self) -> String {
        match &self.name {
            Some(name) => name.to_string(),
            None => format!("task-{}", self.entry.serial()),
        }
    }

    /// How it stands now.
    pub fn state(&self) -> TaskState {
        let info = self.state.upgrade().and_then(|state| state.info(self.entry));
        info.map_or(TaskState::Finished, |info| match info.life {
            Life::Done | Life::Vacant => TaskState::Finished,
            _ if info.running => TaskState::Running,
            _ if info.queued => TaskState::Ready,
            _ => TaskState::Suspended { wait: info.wait, site: info.suspended_at },
        })
    }

    /// Whether it has ended, in whichever way.
    pub fn is_finished(&self) -> bool {
        self.state() == TaskState::Finished
    }

    /// Asks it to end, as [`JoinHandle::cancel`](crate::JoinHandle::cancel) does. `false`: there is nothing to
    /// cancel, since it has ended, was asked before, or is the main task, which ends when its future returns.
    pub fn cancel(&self) -> bool {
        self.state.upgrade().is_some_and(|state| state.cancel(self.entry))
    }
}

impl PartialEq for Task {
    fn eq(&self, other: &Task) -> bool {
        self.entry == other.entry && Weak::ptr_eq(&self.state, &other.state)
    }
}

impl Eq for Task {}

impl fmt::Debug for Task {
    /// The state of the task, and the line where it waits:
    /// `<task-3 suspended at src/main.rs:7, waiting for a sleep, spawned at src/main.rs:5>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(self.state.upgrade().as_deref(), self.entry, &self.name(), f)
    }
}

/// What `Debug` says of a task; of one without a state, that it has ended.
pub(crate) fn describe(
    state: Option<&State>,
    entry: Entry,
    name: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "<{name} ")?;
    let info = state.and_then(|state| state.info(entry));
    let Some(info) = info else { return f.write_str("finished>") };
    match (info.life, info.suspended_at) {
        (Life::Done | Life::Vacant, _) => f.write_str("finished")?,
        _ if info.running => f.write_str("running")?,
        (_, None) if info.queued => f.write_str("ready, not started")?,
        (_, Some(site)) if info.queued => write!(f, "ready, to go on at {:#}", Place::from(site))?,
        (_, None) => f.write_str("suspended")?,
        (_, Some(site)) => {
            write!(f, "suspended at {:#}, waiting for {}", Place::from(site), info.wait)?;
        }
    }
    if info.cancelled {
        f.write_str(", cancelled")?;
    }
    write!(f, ", spawned at {:#}>", Place::from(info.spawned_at))
}
