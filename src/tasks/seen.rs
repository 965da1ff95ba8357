//! Chapter 5, part 4: what can be asked of a task, and of all of them.
//!
//! Nothing here is on the way of a wake or a poll: it is for the observers, for a task's `Debug`, and for a loop that
//! closes, or wonders whether it is stuck.
//!
//! Before: `tasks/sites.rs`. Next: `timer/mod.rs`, where tasks wait for a time.

use std::collections::HashMap;
use std::sync::Arc;

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
    /// Whether it is being polled, or dropped where it is suspended.
    pub(crate) running: bool,
    /// Whether it is in the ready queue.
    pub(crate) queued: bool,
    pub(crate) wait: Wait,
    pub(crate) spawned_at: Site,
    /// The line of its `.await`; `None`: it was not polled yet, or does not say.
    pub(crate) suspended_at: Option<Site>,
    pub(crate) cancelled: bool,
}

impl TaskTable {
    /// Whether a wake would do nothing, since the task is in the ready queue, or gone.
    pub(crate) fn is_queued(&self, entry: Entry) -> bool {
        self.with(entry, Slot::is_queued).unwrap_or(true)
    }

    /// As [`wake`](TaskTable::wake), and what it did to the task, which is `running` or not.
    pub(crate) fn wake_seen(&self, entry: Entry, running: bool) -> (bool, WakeEffect) {
        let wake = |slot: &Slot| {
            let effect = slot.effect_of_wake(running);
            (slot.header.queue(), effect)
        };
        self.with(entry, wake).unwrap_or((false, WakeEffect::AfterDone))
    }

    /// What is known of a task, which is `running` or not; `None`: it is gone.
    pub(crate) fn info(&self, entry: Entry, running: bool) -> Option<TaskInfo> {
        self.with(entry, |slot| TaskInfo {
            life: slot.life.get(),
            running,
            queued: slot.is_queued(),
            wait: slot.wait.get(),
            spawned_at: self.sites.line(slot.spawned_at.get()),
            suspended_at: slot.suspended_at.get().map(|site| self.line_of(slot, site)),
            cancelled: slot.cancelled.get(),
        })
    }

    /// Where a task is suspended that said `site`: there, or where it was spawned, if it has no `.await` of its own.
    pub(crate) fn line_of(&self, slot: &Slot, site: Site) -> Site {
        if is_the_loops_own(site) { self.sites.line(slot.spawned_at.get()) } else { site }
    }

    /// Gives a task a name, which it keeps until its slot is free. `main`, for a main future, is kept apart: with
    /// it in the map, every other task's end would have to look there.
    #[cold]
    pub(crate) fn set_name(&self, entry: Entry, name: &str) {
        match self.with(entry, |slot| Slot::peek(&slot.cell, |cell| cell.is_none())) {
            Some(true) => self.main.set(Some(entry.serial())),
            _ => _ = self.names.borrow_mut().insert(entry.serial(), name.into()),
        }
    }

    /// The name given to a task; `None`: it is named after its number.
    pub(crate) fn name(&self, entry: Entry) -> Option<Arc<str>> {
        match self.main.get() == Some(entry.serial()) {
            true => Some(MAIN.into()),
            false => self.names.borrow().get(&entry.serial()).cloned(),
        }
    }

    /// The entry of a task by its number.
    pub(crate) fn find(&self, task: TaskId) -> Option<Entry> {
        self.entries(|slot| u64::from(slot.entry().serial()) == task.0).first().copied()
    }

    /// Whether somebody other than the loop holds a live task's waker.
    pub(crate) fn are_held_outside(&self) -> bool {
        !self.held_outside().is_empty()
    }

    /// The live tasks whose waker somebody other than the loop holds. While no task is polled, the loop itself has
    /// two, the slot's header and the waker in the box, and one for each handle that is awaited with the task's waker
    /// while another one is polled, or none.
    pub(crate) fn held_outside(&self) -> Vec<Entry> {
        let mut joiners: HashMap<*const (), usize> = HashMap::new();
        for (_, waker) in self.joiners.borrow().iter() {
            *joiners.entry(waker.data()).or_default() += 1;
        }
        self.entries(|slot| {
            let own = 2 + joiners.get(&slot.address()).unwrap_or(&0);
            slot.life.get() != Life::Done && slot.owners() > own
        })
    }

    /// Which task awaits which other one's handle, in this order.
    pub(crate) fn joins(&self) -> Vec<(Entry, Entry)> {
        let (mut headers, mut awaited) = (HashMap::new(), Vec::new());
        self.each(|entry, slot| {
            headers.insert(slot.address(), entry);
            awaited
                .extend(Some((slot.joiner.get(), entry)).filter(|(joiner, _)| *joiner != Entry::default()));
        });
        let wakers = self.joiners.borrow();
        let task = |joiner: Entry| match joiner.as_waker() {
            Some(number) => headers.get(&wakers.get(number)?.data()).copied(),
            None => Some(joiner),
        };
        awaited.into_iter().filter_map(|(joiner, awaited)| Some((task(joiner)?, awaited))).collect()
    }

    /// Whether the end of any task wakes this one.
    pub(crate) fn awaits(&self, entry: Entry) -> bool {
        !self.entries(|slot| slot.joiner.get() == entry).is_empty()
    }

    /// All tasks that have not ended: how a closing loop goes through them.
    pub(crate) fn live(&self) -> Vec<Entry> {
        self.entries(|slot| slot.life.get() != Life::Done)
    }

    /// The entries of those tasks for which `which` holds.
    fn entries(&self, which: impl Fn(&Slot) -> bool) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.each(|entry, slot| {
            if which(slot) {
                entries.push(entry);
            }
        });
        entries
    }

    /// Shows each task's slot to `f`, with the task's entry.
    fn each(&self, mut f: impl FnMut(Entry, &Slot)) {
        let (slots, fresh) = (self.slots.borrow(), self.fresh.borrow());
        for slot in slots.iter().chain(fresh.iter()) {
            if slot.life.get() != Life::Vacant {
                f(slot.entry(), slot);
            }
        }
    }
}

impl Slot {
    /// How many clones of the task's waker others hold, given that it is out for a poll.
    pub(crate) fn clones_of_waker(&self) -> usize {
        self.owners().saturating_sub(2)
    }

    fn effect_of_wake(&self, running: bool) -> WakeEffect {
        match self.life.get() {
            Life::Done => WakeEffect::AfterDone,
            _ if self.is_queued() => WakeEffect::AlreadyQueued,
            _ if running => WakeEffect::WhileRunning,
            _ => WakeEffect::Queued,
        }
    }

    fn is_queued(&self) -> bool {
        self.header.is_queued()
    }

    /// Who holds its header, itself included.
    fn owners(&self) -> usize {
        Arc::strong_count(&self.header)
    }

    /// Where its waker points.
    fn address(&self) -> *const () {
        Arc::as_ptr(&self.header).cast()
    }
}
