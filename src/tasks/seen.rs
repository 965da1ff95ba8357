//! Chapter 5, part 2: what can be asked of a task, and of all of them.
//!
//! Nothing here is on the way of a wake or a poll: it is for the observers, for a task's `Debug`, and for a loop that
//! closes, or wonders whether it is stuck.
//!
//! Before: `tasks.rs`. Next: `timer/mod.rs`, where tasks wait for a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Waker;

use super::{Life, MAIN, Slot, TaskTable};
use crate::ready::Entry;
use crate::trace::event::{Site, TaskId, Wait, WakeEffect};

/// The files of this crate that poll a task's future. A leaf that is the whole of a task takes them for its caller.
const POLLED_FROM: [&str; 3] = ["task.rs", "main_future.rs", "remote.rs"];

/// Whether the place at which a task seems to be suspended is no line of the program, but the loop's own.
fn is_the_loops_own(site: Site) -> bool {
    let sources = &file!()[..file!().len() - "tasks/seen.rs".len()];
    site.file().strip_prefix(sources).is_some_and(|file| POLLED_FROM.contains(&file))
}

/// A task as its `Debug` and the stuck report tell of it.
#[derive(Clone, Debug)]
pub(crate) struct TaskInfo {
    pub(crate) life: Life,
    /// Whether it is in the ready queue.
    pub(crate) queued: bool,
    pub(crate) wait: Wait,
    pub(crate) spawned_at: Site,
    /// The line of its `.await`; `None`: it was not polled yet, or does not say.
    pub(crate) suspended_at: Option<Site>,
    pub(crate) cancelled: bool,
}

impl TaskTable {
    /// What a wake by now would do, for the observers.
    pub(crate) fn effect_of_wake(&mut self, entry: Entry) -> WakeEffect {
        match self.slot(entry) {
            None => WakeEffect::AfterDone,
            Some(slot) if slot.life == Life::Done => WakeEffect::AfterDone,
            Some(slot) if slot.header.is_queued() => WakeEffect::AlreadyQueued,
            Some(slot) if slot.life == Life::Polling => WakeEffect::WhileRunning,
            Some(_) => WakeEffect::Queued,
        }
    }

    /// What is known of a task; `None`: it is gone.
    pub(crate) fn info(&mut self, entry: Entry) -> Option<TaskInfo> {
        self.slot(entry).map(|slot| TaskInfo {
            life: slot.life,
            queued: slot.header.is_queued(),
            wait: slot.wait,
            spawned_at: slot.spawned_at,
            suspended_at: slot.suspended_at.map(|site| slot.line_of(site)),
            cancelled: slot.cancelled,
        })
    }

    /// Where a task is suspended that said `site`: there, or where it was spawned, if it has no `.await` of its own.
    pub(crate) fn line_of(&mut self, entry: Entry, site: Site) -> Site {
        self.slot(entry).map_or(site, |slot| slot.line_of(site))
    }

    /// Gives a task a name, which it keeps until its slot is free. `main`, for a main future, is kept apart: with
    /// it in the map, every other task's end would have to look there.
    #[cold]
    pub(crate) fn set_name(&mut self, entry: Entry, name: &str) {
        match self.slot(entry) {
            Some(slot) if slot.cell.is_none() => self.main = Some(entry.serial()),
            _ => _ = self.names.insert(entry.serial(), name.into()),
        }
    }

    /// The name given to a task; `None`: it is named after its number.
    pub(crate) fn name(&self, entry: Entry) -> Option<Arc<str>> {
        match self.main == Some(entry.serial()) {
            true => Some(MAIN.into()),
            false => self.names.get(&entry.serial()).cloned(),
        }
    }

    /// How many clones of the task's waker others hold, given that it is out for a poll.
    pub(crate) fn clones_of_waker(&mut self, entry: Entry) -> usize {
        self.slot(entry).map_or(0, |slot| Arc::strong_count(&slot.header).saturating_sub(2))
    }

    /// The entry of a task by its number.
    pub(crate) fn find(&self, task: TaskId) -> Option<Entry> {
        self.entries(|slot| u64::from(slot.serial) == task.0).next()
    }

    /// Whether somebody other than the loop holds a live task's waker.
    pub(crate) fn are_held_outside(&self) -> bool {
        self.held_outside().next().is_some()
    }

    /// The live tasks whose waker somebody other than the loop holds. While no task is polled, the loop itself has
    /// two, the slot's header and the waker in the box, and one for each handle that the task awaits.
    pub(crate) fn held_outside(&self) -> impl Iterator<Item = Entry> {
        let mut joiners: HashMap<*const (), usize> = HashMap::new();
        for joiner in self.slots.iter().filter_map(Slot::joiner) {
            *joiners.entry(joiner.data()).or_default() += 1;
        }
        self.entries(move |slot| {
            let own = 2 + joiners.get(&Arc::as_ptr(&slot.header).cast()).unwrap_or(&0);
            slot.life != Life::Done && Arc::strong_count(&slot.header) > own
        })
    }

    /// Which task awaits which other one's handle, in this order.
    pub(crate) fn joins(&self) -> Vec<(Entry, Entry)> {
        let headers: HashMap<*const (), Entry> =
            self.slots.iter().map(|slot| (Arc::as_ptr(&slot.header).cast(), slot.header.entry())).collect();
        let awaited = self.slots.iter().filter_map(|slot| Some((slot.header.entry(), slot.joiner()?)));
        awaited.filter_map(|(awaited, joiner)| Some((*headers.get(&joiner.data())?, awaited))).collect()
    }

    /// All tasks that have not ended: how a closing loop goes through them.
    pub(crate) fn live(&self) -> Vec<Entry> {
        self.entries(|slot| slot.life != Life::Done).collect()
    }

    /// The entries of those tasks for which `which` holds.
    fn entries(&self, which: impl Fn(&Slot) -> bool) -> impl Iterator<Item = Entry> {
        let slots = self.slots.iter().enumerate();
        let tasks = slots.filter(move |(_, slot)| slot.life != Life::Vacant && which(slot));
        tasks.map(|(key, slot)| Entry::task(key, slot.serial))
    }
}

impl Slot {
    fn line_of(&self, site: Site) -> Site {
        if is_the_loops_own(site) { self.spawned_at } else { site }
    }

    /// The waker of whoever awaits the task's handle.
    fn joiner(&self) -> Option<&Waker> {
        self.waker.as_ref().filter(|_| self.life != Life::Vacant)
    }
}
