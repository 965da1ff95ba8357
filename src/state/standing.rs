//! Chapter 12, part 5: How all tasks stand, for somebody who asks from outside.
//!
//! What a task waits for is known in five places: its own note says at which line and for what; the timer wheel, the
//! reactor, the handles and the lists of ends each know whom they will wake. Here they are put together, so that it
//! can be said of each task what would make it go on.
//!
//! Before: `state/sources.rs`. Next: `state/stuck.rs`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{State, task_id, timer_id_of, until};
use crate::reactor::{Target, wait_of};
use crate::ready::Entry;
use crate::tasks::TaskInfo;
use crate::trace::event::{SourceId, TaskId, TimerId, Wait};
use crate::trace::frames::Frames;

/// How one task stands, and what would wake it.
pub(crate) struct Standing {
    pub(crate) task: TaskId,
    pub(crate) name: Arc<str>,
    pub(crate) info: TaskInfo,
    /// The async functions it is suspended in, if that is watched.
    pub(crate) frames: Option<Frames>,
    /// Timers that will wake it, and how long that is from now.
    pub(crate) timers: Vec<(TimerId, Duration)>,
    /// Sources that will wake it when they become readable, or writable.
    pub(crate) sources: Vec<(SourceId, Wait)>,
    /// Tasks whose end it waits for.
    pub(crate) awaits: Vec<TaskId>,
    /// Whether somebody outside of the loop has its waker: another thread, or code of the program.
    pub(crate) held_outside: bool,
}

impl State {
    /// What is known of a task; `None`: it is gone.
    pub(crate) fn info(&self, entry: Entry) -> Option<TaskInfo> {
        self.tasks.info(entry, self.is_running(entry))
    }

    /// Whether this task is being polled or dropped.
    pub(super) fn is_running(&self, entry: Entry) -> bool {
        self.current_task() == Some(entry)
    }

    /// All tasks that have not ended, in the order in which they were made. It goes through all timers and sources.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let mut live = self.tasks.live();
        live.sort_unstable_by_key(|entry| entry.serial());
        let mut timers = self.timers_by_task();
        let mut sources = self.sources_by_task();
        let mut awaits = self.awaits_by_task();
        let held: HashSet<TaskId> = self.tasks.held_outside().into_iter().map(task_id).collect();
        let standing = |entry: Entry| {
            let info = self.info(entry)?;
            let task = task_id(entry);
            Some(Standing {
                task,
                name: self.name_of(entry),
                info,
                frames: self.seam.stacks().and_then(|stacks| stacks.of(task)),
                timers: timers.remove(&task).unwrap_or_default(),
                sources: sources.remove(&task).unwrap_or_default(),
                awaits: awaits.remove(&task).unwrap_or_default(),
                held_outside: held.contains(&task),
            })
        };
        live.into_iter().filter_map(standing).collect()
    }

    fn timers_by_task(&self) -> HashMap<TaskId, Vec<(TimerId, Duration)>> {
        let now = self.clock.now();
        let timers = self.timers.borrow();
        let woken = timers.waiting().filter_map(|(at, armed, target)| {
            Some((woken_by(target)?, (timer_id_of(armed), until(now, at))))
        });
        grouped(woken)
    }

    fn sources_by_task(&self) -> HashMap<TaskId, Vec<(SourceId, Wait)>> {
        let mut woken = Vec::new();
        self.reactor.borrow().each_wait(|source, direction, target| {
            woken.extend(woken_by(target).map(|task| (task, (source, wait_of(direction)))));
        });
        grouped(woken.into_iter())
    }

    fn awaits_by_task(&self) -> HashMap<TaskId, Vec<TaskId>> {
        let joins = self.tasks.joins().into_iter();
        let joins = joins.map(|(task, awaited)| (task, task_id(awaited)));
        let waits = self.ends.waits();
        let mut awaits = grouped(joins.chain(waits).map(|(task, awaited)| (task_id(task), awaited)));
        awaits.values_mut().for_each(|awaited| awaited.sort_unstable());
        awaits
    }
}

/// The task that is woken with this, if it is known.
fn woken_by(target: &Target) -> Option<TaskId> {
    match target {
        Target::Entry(entry) if !entry.is_callback() => Some(task_id(*entry)),
        _ => None,
    }
}

fn grouped<T>(pairs: impl Iterator<Item = (TaskId, T)>) -> HashMap<TaskId, Vec<T>> {
    pairs.fold(HashMap::new(), |mut groups, (task, thing)| {
        groups.entry(task).or_insert_with(Vec::new).push(thing);
        groups
    })
}
