//! Chapter 5: a task as the loop sees it.
//!
//! The table of a loop's tasks: one slot each, with the boxed future, where it stands in its life, and who
//! waits for its end. The arrows of the drawing in `task.rs` are the methods here.
//!
//! Two rules keep it free of double borrows, since the user's code runs inside polls and drops:
//!
//! * A task is **taken out of its slot while it is polled**. Code inside it may then spawn, wake, cancel
//!   or finish any task, itself included, through the same table.
//! * Nothing here polls, wakes or drops what belongs to the user. What is to be woken or dropped is
//!   returned, and the caller does it with the borrow given back.
//!
//! When a task has ended, its slot keeps header and waker for the next task in that slot, which so costs one
//! allocation instead of two; unless somebody still holds the old waker then, as the count of the header's owners
//! says. Slots stay as many as there ever were tasks at once: 116 bytes each, all told.
//!
//! Before: `sent.rs`. Next: `tasks/seen.rs`, what can be asked of a task.

mod seen;

use std::any::Any;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::mem;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Waker;

pub(crate) use seen::TaskInfo;

use crate::ready::Entry;
use crate::sent::{RemoteQueue, TaskHeader};
use crate::task::{self, BoxedCell, JoinError};
use crate::trace::event::{Outcome, Site, Wait};

/// Where a task stands. Whether it is in the ready queue as well is for its header to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// There is no task in the slot.
    Vacant,
    /// Waiting to be woken, or in the ready queue.
    Suspended,
    /// The same, and its next turn is to drop it.
    Condemned,
    /// Out of its slot, being polled.
    Polling,
    /// Ended; the output waits for whoever joins.
    Done,
}

/// What a leaf future said before it returned `Pending`: what it waits for, and at which line.
#[derive(Clone, Copy)]
pub(crate) struct Suspended {
    /// `None`: the future said nothing; oneloop did not write it.
    pub(crate) site: Option<Site>,
    pub(crate) wait: Wait,
}

impl Suspended {
    pub(crate) const UNKNOWN: Suspended = Suspended { site: None, wait: Wait::Custom };
}

/// One task.
struct Slot {
    /// The future or its output; `None` while it is polled, and always for a main future, which stays on the
    /// stack of `run_until_complete`.
    cell: Option<BoxedCell>,
    /// What the task's waker points to.
    header: Arc<TaskHeader>,
    /// Whoever awaits the task's handle; `None`: nobody. In a vacant slot the header's own waker, kept for the next
    /// task; `None`: the last one did not give it back.
    waker: Option<Waker>,
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
    /// Whether it was cancelled: it is condemned, or will be when the poll under way has returned.
    cancelled: bool,
    /// Whether its `JoinHandle` is still there.
    joinable: bool,
}

/// A task out of its slot, to be polled.
pub(crate) type Out = Option<BoxedCell>;

/// What is left to do when a task has ended, with no borrow held.
#[must_use]
pub(crate) struct Ended {
    /// To be woken.
    pub(crate) joiner: Option<Waker>,
    /// To be dropped: an output that nobody will take.
    pub(crate) unwanted: Option<Unwanted>,
}

/// An output that nobody will take, and the name given to its task, whose slot is free.
pub(crate) struct Unwanted {
    pub(crate) cell: BoxedCell,
    pub(crate) name: Option<Arc<str>>,
}

/// What a handle finds of its task.
pub(crate) enum Joining {
    /// It goes on. The waker of whoever awaited it before, to be dropped with the borrow given back.
    Running(Option<Waker>),
    /// It has ended; its slot is free again.
    Ended(BoxedCell),
}

/// The name of a main future.
pub(crate) const MAIN: &str = "main";

/// All tasks of a loop.
pub(crate) struct TaskTable {
    slots: Vec<Slot>,
    /// The slots without a task, the one left last at the end: its memory is the warmest.
    vacant: Vec<u32>,
    /// The next task's number.
    serial: u32,
    /// For new headers.
    remote: Arc<RemoteQueue>,
    /// The number of the latest main future; `None`: there was none so far.
    main: Option<u32>,
    /// Names given to tasks. Empty in most programs.
    names: BTreeMap<u32, Arc<str>>,
}

impl TaskTable {
    pub(crate) fn new(remote: Arc<RemoteQueue>) -> TaskTable {
        let (slots, vacant, names) = (Vec::new(), Vec::new(), BTreeMap::new());
        TaskTable { slots, vacant, serial: 0, remote, main: None, names }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.vacant.len()
    }

    /// Makes a task, in the ready queue: the caller pushes its entry there. `make` is given the task's waker and
    /// boxes the future with it; a main future is not boxed, and `None` is returned.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        make: impl FnOnce(Waker) -> Option<BoxedCell>,
        spawned_at: Site,
        joinable: bool,
    ) -> Entry {
        let serial = self.serial;
        self.serial = serial.wrapping_add(1);
        let Some(key) = self.vacant.pop() else {
            return self.insert_new_slot(make, serial, spawned_at, joinable);
        };
        let entry = Entry::task(key as usize, serial);
        let slot = &mut self.slots[key as usize];
        let waker = match slot.waker.take() {
            // Two owners are the slot itself and this waker. A count read as two stays two: there is nobody
            // left to clone from.
            Some(waker) if Arc::strong_count(&slot.header) == 2 => {
                slot.header.reuse(entry);
                waker
            }
            _ => {
                slot.header = Arc::new(TaskHeader::new(Arc::clone(&self.remote), entry));
                Waker::from(Arc::clone(&slot.header))
            }
        };
        slot.cell = make(waker);
        slot.spawned_at = spawned_at;
        slot.suspended_at = None;
        slot.serial = serial;
        slot.wait = Wait::Custom;
        slot.life = Life::Suspended;
        slot.cancelled = false;
        slot.joinable = joinable;
        entry
    }

    #[cold]
    fn insert_new_slot(
        &mut self,
        make: impl FnOnce(Waker) -> Option<BoxedCell>,
        serial: u32,
        spawned_at: Site,
        joinable: bool,
    ) -> Entry {
        let entry = Entry::task(self.slots.len(), serial);
        let header = Arc::new(TaskHeader::new(Arc::clone(&self.remote), entry));
        let cell = make(Waker::from(Arc::clone(&header)));
        self.slots.push(Slot {
            cell,
            header,
            waker: None,
            spawned_at,
            suspended_at: None,
            serial,
            wait: Wait::Custom,
            life: Life::Suspended,
            cancelled: false,
            joinable,
        });
        entry
    }

    #[inline]
    fn slot(&mut self, entry: Entry) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(entry.key())?;
        (slot.serial == entry.serial() && slot.life != Life::Vacant).then_some(slot)
    }

    /// Notes a wake by entry, for one who has no waker; whether the caller is to push the entry on the ready
    /// queue. A task that has ended counts as queued (see [`finish`](TaskTable::finish)).
    #[inline]
    pub(crate) fn wake(&self, entry: Entry) -> bool {
        let slot = self.slots.get(entry.key()).filter(|slot| slot.serial == entry.serial());
        slot.is_some_and(|slot| slot.header.queue())
    }

    /// Reads what a wake of `entry` will need, so that it is on its way from memory while others are woken.
    #[inline]
    pub(crate) fn touch(&self, entry: Entry) {
        if let Some(slot) = self.slots.get(entry.key()) {
            black_box(slot.header.is_queued());
        }
    }

    /// The same for a poll, when `touch` was some time ago.
    #[inline]
    pub(crate) fn touch_cell(&self, entry: Entry) {
        if let Some(Slot { cell: Some(cell), .. }) = self.slots.get(entry.key()) {
            black_box(cell.is_done());
        }
    }

    /// Takes a queued task out of its slot into `out`, which is empty (and stays so for a main future). Returns where
    /// its waker points; `None` for an entry whose task is not to be polled, but gone, or condemned.
    #[inline]
    pub(crate) fn begin_poll(&mut self, entry: Entry, out: &mut Out) -> Option<NonNull<()>> {
        let slot = self.slots.get_mut(entry.key())?;
        if slot.serial != entry.serial() || slot.life != Life::Suspended {
            return None;
        }
        slot.life = Life::Polling;
        slot.header.unqueue();
        mem::forget(mem::replace(out, slot.cell.take()));
        Some(NonNull::from(&*slot.header).cast())
    }

    /// Puts a task back that returned `Pending`, and keeps what its leaf said.
    #[inline]
    pub(crate) fn suspend(&mut self, entry: Entry, out: &mut Out, said: Suspended) {
        // A task that is being polled keeps its slot.
        let Some(slot) = self.slots.get_mut(entry.key()) else { return };
        // The slot was empty: there is nothing to drop.
        mem::forget(mem::replace(&mut slot.cell, out.take()));
        slot.wait = said.wait;
        slot.suspended_at = said.site;
        slot.life = if slot.cancelled { Life::Condemned } else { Life::Suspended };
    }

    /// Takes a condemned task out of its slot.
    pub(crate) fn take_condemned(&mut self, entry: Entry) -> Option<BoxedCell> {
        let slot = self.slot(entry).filter(|slot| slot.life == Life::Condemned)?;
        slot.life = Life::Polling;
        slot.cell.take()
    }

    /// Ends a task: `cell` holds its output or error for whoever joins (`None`: a main future's, which
    /// `run_until_complete` has). From here on its header says that it is queued, so that late wakes do nothing.
    #[inline]
    pub(crate) fn finish(&mut self, entry: Entry, cell: Option<BoxedCell>) -> Ended {
        let Some(slot) = self.slot(entry) else {
            return Ended { joiner: None, unwanted: cell.map(|cell| Unwanted { cell, name: None }) };
        };
        slot.life = Life::Done;
        slot.header.queue();
        slot.cell = cell;
        let joiner = slot.waker.take();
        match slot.joinable {
            true => Ended { joiner, unwanted: None },
            false => Ended { joiner, unwanted: self.free_unwanted(entry) },
        }
    }

    /// Frees a slot and keeps its waker. Returns what was in it.
    #[inline]
    pub(crate) fn free(&mut self, entry: Entry) -> Option<BoxedCell> {
        let slot = self.slot(entry)?;
        slot.life = Life::Vacant;
        let mut cell = slot.cell.take();
        slot.waker = cell.as_mut().and_then(|cell| cell.as_mut().take_waker());
        self.vacant.push(entry.key() as u32);
        if !self.names.is_empty() {
            self.names.remove(&entry.serial());
        }
        cell
    }

    fn free_unwanted(&mut self, entry: Entry) -> Option<Unwanted> {
        let name = if self.names.is_empty() { None } else { self.name(entry) };
        self.free(entry).map(|cell| Unwanted { cell, name })
    }

    /// Asks for a task's end, or keeps `waker` to be woken then.
    #[inline]
    pub(crate) fn join(&mut self, entry: Entry, waker: &Waker) -> Joining {
        let Some(slot) = self.slot(entry) else {
            return Joining::Ended(task::failed(JoinError::Cancelled));
        };
        if slot.life != Life::Done {
            let same = slot.waker.as_ref().is_some_and(|joiner| joiner.will_wake(waker));
            return Joining::Running(if same { None } else { slot.waker.replace(waker.clone()) });
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
            return Ended { joiner: None, unwanted: None };
        };
        slot.joinable = false;
        let joiner = slot.waker.take();
        let ended = slot.life == Life::Done;
        Ended { joiner, unwanted: if ended { self.free_unwanted(entry) } else { None } }
    }

    /// Marks a task to be dropped at its next turn; `false` if it has ended or is marked already, and for a main
    /// future, which is not the loop's to drop. The caller wakes it.
    pub(crate) fn cancel(&mut self, entry: Entry) -> bool {
        let main = self.main;
        match self.slot(entry) {
            Some(slot) if slot.life != Life::Done && !slot.cancelled && main != Some(entry.serial()) => {
                slot.cancelled = true;
                if slot.life == Life::Suspended {
                    slot.life = Life::Condemned;
                }
                true
            }
            _ => false,
        }
    }

    /// Whether the task has ended, or is gone.
    pub(crate) fn is_finished(&mut self, entry: Entry) -> bool {
        self.slot(entry).is_none_or(|slot| slot.life == Life::Done)
    }
}

/// Moves an ended task's output out of its cell.
pub(crate) fn take_output<T: 'static>(mut cell: BoxedCell) -> Result<T, JoinError> {
    let mut place: Option<T> = None;
    cell.as_mut().take(&mut place as &mut dyn Any)?;
    // Empty only if the handle's type is not the task's, which `spawn` rules out.
    place.ok_or(JoinError::Cancelled)
}
