//! Chapter 6: a task as the loop sees it.
//!
//! The table of a loop's tasks: one slot each, with the boxed future, where it stands in its life, and who
//! waits for its end. The arrows of the drawing in `task.rs`
//! are the methods here.
//!
//! Two rules keep it free of double borrows, since the user's code runs inside polls and drops:
//!
//! * A task is **taken out of its slot while it is polled**. Code inside it may then spawn, wake, cancel
//!   or finish any task, itself included, through the same table.
//! * Nothing here polls, wakes or drops what belongs to the user. What is to be woken or dropped is
//!   returned, and the caller does it with the borrow given back.
//!
//! When a task has ended, its waker and header are kept in `spares` for the next task, which so costs one
//! allocation instead of two; unless somebody still holds the waker then, as the count of the header's owners
//! says. Like the table itself, the spares stay as many as there ever were tasks at once: 72 bytes each.
//!
//! Before: `sent.rs`. Next chapter: `timer/wheel.rs`, where tasks wait for a time.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::Waker;

use slab::Slab;

use crate::ready::Entry;
use crate::sent::{RemoteQueue, TaskHeader};
use crate::task::{self, BoxedCell, JoinError};
use crate::trace::event::{Outcome, Site, TaskId, Wait, WakeEffect};

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// In the ready queue.
    Queued,
    /// Waiting to be woken.
    Suspended,
    /// Out of its slot, being polled.
    Polling,
    /// Being polled, and woken meanwhile: in the ready queue again.
    PollingQueued,
    /// Ended; the output waits for whoever joins.
    Done,
}

/// One task.
struct Slot {
    /// The future or its output; `None` while it is polled, and always for a main future, which stays on the
    /// stack of `run_until_complete`.
    cell: Option<BoxedCell>,
    /// What the task's waker points to.
    header: Arc<TaskHeader>,
    /// Whoever awaits the task's handle; `None`: nobody.
    joiner: Option<Waker>,
    /// The line that spawned it.
    spawned_at: Site,
    /// The line of the `.await` at which it is suspended; `None` before its first poll, and where a
    /// future that oneloop did not write does not say.
    suspended_at: Option<Site>,
    /// The task's number.
    serial: u32,
    /// What it waits for at that line.
    wait: Wait,
    life: Life,
    /// Whether its next turn is to drop it.
    cancelled: bool,
    /// Whether its `JoinHandle` is still there.
    joinable: bool,
}

/// A task out of its slot, to be polled.
pub(crate) struct Polling {
    /// `None`: the main future.
    pub(crate) cell: Option<BoxedCell>,
    /// Where its waker points.
    pub(crate) waker: *const (),
    /// Whether it is to be dropped instead.
    pub(crate) cancelled: bool,
}

/// What is left to do when a task has ended, with no borrow held.
#[must_use]
pub(crate) struct Ended {
    /// To be woken.
    pub(crate) joiner: Option<Waker>,
    /// To be dropped: an output that nobody will take.
    pub(crate) unwanted: Option<BoxedCell>,
    /// Whether the slot is free again.
    pub(crate) freed: bool,
}

/// What a handle finds of its task.
pub(crate) enum Joining {
    /// It goes on. The waker of whoever awaited it before, to be dropped with the borrow given back.
    Running(Option<Waker>),
    /// It has ended; its slot is free again.
    Ended(BoxedCell),
}

/// A task as its `Debug` and the stuck report tell of it.
#[derive(Clone, Debug)]
pub(crate) struct TaskInfo {
    pub(crate) life: Life,
    pub(crate) wait: Wait,
    pub(crate) spawned_at: Site,
    pub(crate) suspended_at: Option<Site>,
    pub(crate) cancelled: bool,
}

/// All tasks of a loop.
pub(crate) struct TaskTable {
    slots: Slab<Slot>,
    /// Headers and wakers of ended tasks, to be used again.
    spares: Vec<(Arc<TaskHeader>, Waker)>,
    /// The next task's number.
    serial: u32,
    /// For new headers.
    remote: Arc<RemoteQueue>,
}

impl TaskTable {
    pub(crate) fn new(remote: Arc<RemoteQueue>) -> TaskTable {
        TaskTable { slots: Slab::new(), spares: Vec::new(), serial: 0, remote }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Makes a task, `Queued`: the caller pushes its entry on the ready queue. `make` is given the task's
    /// waker and boxes the future with it; a main future is not boxed, and `None` is returned.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        make: impl FnOnce(Waker) -> Option<BoxedCell>,
        spawned_at: Site,
        joinable: bool,
    ) -> Entry {
        let serial = self.serial;
        self.serial = serial.wrapping_add(1);
        let vacant = self.slots.vacant_entry();
        let entry = Entry::task(vacant.key(), serial);
        let (header, waker) = match self.spares.pop() {
            // Two owners are the spare itself and its waker. A count read as two stays two: there is nobody
            // left to clone from.
            Some((header, waker)) if Arc::strong_count(&header) == 2 => {
                header.reuse(entry);
                (header, waker)
            }
            _ => {
                let header = Arc::new(TaskHeader::new(Arc::clone(&self.remote), entry));
                (Arc::clone(&header), Waker::from(header))
            }
        };
        vacant.insert(Slot {
            cell: make(waker),
            header,
            joiner: None,
            spawned_at,
            suspended_at: None,
            serial,
            wait: Wait::Custom,
            life: Life::Queued,
            cancelled: false,
            joinable,
        });
        entry
    }

    #[inline]
    fn slot(&mut self, entry: Entry) -> Option<&mut Slot> {
        self.slots.get_mut(entry.key()).filter(|slot| slot.serial == entry.serial())
    }

    /// Notes a wake. At `Queued` and `WhileRunning` the caller pushes the entry on the ready queue.
    #[inline]
    pub(crate) fn wake(&mut self, entry: Entry) -> WakeEffect {
        let Some(slot) = self.slot(entry) else { return WakeEffect::AfterDone };
        let (life, effect) = match slot.life {
            Life::Suspended => (Life::Queued, WakeEffect::Queued),
            Life::Polling => (Life::PollingQueued, WakeEffect::WhileRunning),
            Life::Queued | Life::PollingQueued => return WakeEffect::AlreadyQueued,
            Life::Done => return WakeEffect::AfterDone,
        };
        slot.life = life;
        effect
    }

    /// Takes a queued task out of its slot; `None` for an entry whose task is gone.
    #[inline]
    pub(crate) fn begin_poll(&mut self, entry: Entry) -> Option<Polling> {
        let slot = self.slot(entry).filter(|slot| slot.life == Life::Queued)?;
        slot.life = Life::Polling;
        let waker = Arc::as_ptr(&slot.header).cast();
        Some(Polling { cell: slot.cell.take(), waker, cancelled: slot.cancelled })
    }

    /// Puts a task back that returned `Pending`, waiting for `wait` at `site`.
    #[inline]
    pub(crate) fn suspend(&mut self, entry: Entry, cell: Option<BoxedCell>, wait: Wait, site: Option<Site>) {
        let Some(slot) = self.slot(entry) else { return };
        slot.cell = cell;
        slot.wait = wait;
        slot.suspended_at = site;
        slot.life = if slot.life == Life::PollingQueued { Life::Queued } else { Life::Suspended };
    }

    /// Ends a task: `cell` holds its output or error for whoever joins (`None`: a main future's, which
    /// `run_until_complete` has).
    #[inline]
    pub(crate) fn finish(&mut self, entry: Entry, cell: Option<BoxedCell>) -> Ended {
        let Some(slot) = self.slot(entry) else {
            return Ended { joiner: None, unwanted: cell, freed: false };
        };
        slot.life = Life::Done;
        slot.cell = cell;
        let joiner = slot.joiner.take();
        match slot.joinable {
            true => Ended { joiner, unwanted: None, freed: false },
            false => Ended { joiner, unwanted: self.free(entry), freed: true },
        }
    }

    /// Frees a slot and keeps its waker as a spare.
    #[inline]
    pub(crate) fn free(&mut self, entry: Entry) -> Option<BoxedCell> {
        let slot = self.slots.try_remove(entry.key())?;
        let mut cell = slot.cell?;
        if let Some(waker) = cell.as_mut().take_waker() {
            self.spares.push((slot.header, waker));
        }
        Some(cell)
    }

    /// Asks for a task's end, or keeps `waker` to be woken then.
    #[inline]
    pub(crate) fn join(&mut self, entry: Entry, waker: &Waker) -> Joining {
        let Some(slot) = self.slot(entry) else {
            return Joining::Ended(task::failed(JoinError::Cancelled));
        };
        if slot.life != Life::Done {
            let same = slot.joiner.as_ref().is_some_and(|joiner| joiner.will_wake(waker));
            return Joining::Running(if same { None } else { slot.joiner.replace(waker.clone()) });
        }
        Joining::Ended(self.free(entry).unwrap_or_else(|| task::failed(JoinError::Cancelled)))
    }

    /// Shows the output of an ended task to `see`, or how it ended without one; `None`: it has not ended. `see`
    /// calls nothing of the user's.
    pub(crate) fn look<R>(
        &mut self,
        entry: Entry,
        see: impl FnOnce(Result<&dyn Any, Outcome>) -> R,
    ) -> Option<R> {
        let Some(slot) = self.slot(entry) else { return Some(see(Err(Outcome::Cancelled))) };
        let cell = slot.cell.as_ref().filter(|_| slot.life == Life::Done)?;
        Some(see(cell.as_ref().look()))
    }

    /// Takes an ended task's cell, and frees its slot; `None`: it has not ended.
    pub(crate) fn take_ended(&mut self, entry: Entry) -> Option<BoxedCell> {
        if !self.is_finished(entry) {
            return None;
        }
        let cell = self.slot(entry).is_some().then(|| self.free(entry)).flatten();
        Some(cell.unwrap_or_else(|| task::failed(JoinError::Cancelled)))
    }

    /// The handle is gone: nobody will join. An output already there is returned, to be dropped.
    pub(crate) fn detach(&mut self, entry: Entry) -> Ended {
        let Some(slot) = self.slot(entry) else {
            return Ended { joiner: None, unwanted: None, freed: false };
        };
        slot.joinable = false;
        let joiner = slot.joiner.take();
        let freed = slot.life == Life::Done;
        Ended { joiner, unwanted: if freed { self.free(entry) } else { None }, freed }
    }

    /// Marks a task to be dropped at its next turn; `false` if it has ended or is marked already. The
    /// caller wakes it.
    pub(crate) fn cancel(&mut self, entry: Entry) -> bool {
        match self.slot(entry) {
            Some(slot) if slot.life != Life::Done && !slot.cancelled => {
                slot.cancelled = true;
                true
            }
            _ => false,
        }
    }

    /// Whether the task has ended, or is gone.
    pub(crate) fn is_finished(&mut self, entry: Entry) -> bool {
        self.slot(entry).is_none_or(|slot| slot.life == Life::Done)
    }

    /// What is known of a task; `None`: it is gone.
    pub(crate) fn info(&mut self, entry: Entry) -> Option<TaskInfo> {
        self.slot(entry).map(|slot| TaskInfo {
            life: slot.life,
            wait: slot.wait,
            spawned_at: slot.spawned_at,
            suspended_at: slot.suspended_at,
            cancelled: slot.cancelled,
        })
    }

    /// How many clones of the task's waker others hold, given that it is out for a poll.
    pub(crate) fn clones_of_waker(&mut self, entry: Entry) -> usize {
        self.slot(entry).map_or(0, |slot| Arc::strong_count(&slot.header).saturating_sub(2))
    }

    /// The entry of a live task by its number.
    pub(crate) fn find(&self, task: TaskId) -> Option<Entry> {
        let found = self.slots.iter().find(|(_, slot)| u64::from(slot.serial) == task.0);
        found.map(|(key, slot)| Entry::task(key, slot.serial))
    }

    /// Whether somebody other than the loop holds a live task's waker. While no task is polled, the loop itself has
    /// two, the slot's header and the waker in the box, and one for each handle that the task awaits.
    pub(crate) fn are_held_outside(&self) -> bool {
        let mut joiners: HashMap<*const (), usize> = HashMap::new();
        for joiner in self.slots.iter().filter_map(|(_, slot)| slot.joiner.as_ref()) {
            *joiners.entry(joiner.data()).or_default() += 1;
        }
        let mut live = self.slots.iter().filter(|(_, slot)| slot.life != Life::Done);
        live.any(|(_, slot)| {
            let own = 2 + joiners.get(&Arc::as_ptr(&slot.header).cast()).unwrap_or(&0);
            Arc::strong_count(&slot.header) > own
        })
    }

    /// All tasks that have not ended: how a closing loop goes through them.
    pub(crate) fn live(&self) -> Vec<Entry> {
        let live = self.slots.iter().filter(|(_, slot)| slot.life != Life::Done);
        live.map(|(key, slot)| Entry::task(key, slot.serial)).collect()
    }

    /// Makes a suspended task ready to be taken out by `begin_poll`, without the queue.
    pub(crate) fn force_queued(&mut self, entry: Entry) {
        if let Some(slot) = self.slot(entry) {
            slot.life = Life::Queued;
            slot.cancelled = true;
        }
    }
}

/// Moves an ended task's output out of its cell.
pub(crate) fn take_output<T: 'static>(mut cell: BoxedCell) -> Result<T, JoinError> {
    let mut place: Option<T> = None;
    cell.as_mut().take(&mut place as &mut dyn Any)?;
    // Empty only if the handle's type is not the task's, which `spawn` rules out.
    place.ok_or(JoinError::Cancelled)
}
