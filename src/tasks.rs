//! Chapter 5: a task as the loop sees it.
//!
//! The table of a loop's tasks: one slot each, with the boxed future, where it stands in its life, and who
//! waits for its end.
//!
//! Three rules keep it free of double borrows, since the user's code runs inside polls and drops:
//!
//! * A task is **taken out of its slot while it is polled**. Code inside it may then spawn, wake, cancel
//!   or finish any task, itself included, through the same table.
//! * Whoever runs the tasks of a turn holds the list of slots meanwhile, so that none of them is looked for twice.
//!   The slots themselves can be changed by whoever sees them; only to make more of them, nobody may look. So a task
//!   spawned during a turn for which no slot is vacant lies in a second list until the turn is over.
//! * Nothing here polls, wakes or drops what belongs to the user. What is to be woken or dropped is
//!   returned, and the caller does it with the borrow given back.
//!
//! When a task has ended, header and waker are kept for the next task in its slot, which so costs one
//! allocation instead of two; unless somebody still holds the old waker then, as the count of the header's owners
//! says. Such a slot stays empty until tasks are run next, and has a new header then. So slots stay about as many
//! as there ever were tasks at once: 120 bytes each, all told.
//!
//! Before: `sent/patience.rs`. Next: `tasks/slot.rs`, one task.

mod slot;
mod sites;
mod seen;

use std::any::Any;
use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::task::Waker;

use slab::Slab;

pub(crate) use seen::TaskInfo;
pub(crate) use slot::{Ended, Life, Slot, Suspended};

use sites::Sites;
use slot::Vacated;

use crate::ready::Entry;
use crate::sent::{RemoteQueue, TaskHeader};
use crate::task::{self, BoxedCell, JoinError};
use crate::trace::event::{Outcome, Site};

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
    /// Borrowed while tasks are run.
    slots: RefCell<Vec<Slot>>,
    /// The slots after those, made while `slots` was borrowed. Empty in most turns.
    fresh: RefCell<Vec<Slot>>,
    /// Whether there is anything in `fresh` or `spoiled`.
    unsettled: Cell<bool>,
    /// The slots without a task, the one left last at the end: its memory is the warmest. There is room for as many as
    /// there are slots.
    vacant: RefCell<Vec<Vacancy>>,
    /// Slots without a task whose header cannot be the next one's, since somebody still holds a waker of the last one's.
    /// When tasks are run next they have new headers, and are vacant. Empty in most turns.
    spoiled: RefCell<Vec<u32>>,
    /// The wakers of those who await a task's handle, where that is not the waker of the task being polled. Empty in
    /// most programs.
    joiners: RefCell<Slab<Waker>>,
    /// The lines that spawned them.
    sites: Sites,
    /// The next task's number.
    serial: Cell<u32>,
    /// For new headers.
    remote: Arc<RemoteQueue>,
    /// The number of the latest main future; `None`: there was none so far.
    main: Cell<Option<u32>>,
    /// Names given to tasks. Empty in most programs.
    names: RefCell<BTreeMap<u32, Arc<str>>>,
}

/// A slot without a task.
struct Vacancy {
    key: u32,
    /// Its header's waker, kept for the next task; `None`: the last one did not give it back.
    waker: Option<Waker>,
}

impl TaskTable {
    pub(crate) fn new(remote: Arc<RemoteQueue>) -> TaskTable {
        TaskTable {
            slots: RefCell::default(),
            fresh: RefCell::default(),
            unsettled: Cell::new(false),
            vacant: RefCell::default(),
            spoiled: RefCell::default(),
            joiners: RefCell::default(),
            sites: Sites::default(),
            serial: Cell::new(0),
            remote,
            main: Cell::new(None),
            names: RefCell::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        let empty = self.vacant.borrow().len() + self.spoiled.borrow().len();
        self.slots.borrow().len() + self.fresh.borrow().len() - empty
    }

    /// Whether there are slots that were made, or are to be mended, since `slots` were asked for.
    #[inline]
    pub(crate) fn are_unsettled(&self) -> bool {
        self.unsettled.get()
    }

    /// The slots, for somebody who runs tasks: entry by entry, by their keys.
    pub(crate) fn slots(&self) -> Ref<'_, Vec<Slot>> {
        if self.unsettled.take() {
            let fresh = self.fresh.take();
            let mut slots = self.slots.borrow_mut();
            slots.extend(fresh);
            // The end of a task is no time to ask for memory; and what is never touched costs none.
            let mut vacant = self.vacant.borrow_mut();
            if vacant.capacity() < slots.len() {
                let more = slots.capacity() - vacant.len();
                vacant.reserve_exact(more);
            }
            for key in self.spoiled.take() {
                let slot = &mut slots[key as usize];
                slot.header = self.header(slot.entry());
                vacant.push(Vacancy { key, waker: None });
            }
        }
        self.slots.borrow()
    }

    /// Makes a task, in the ready queue: the caller pushes its entry there. `make` is given the task's waker and
    /// boxes the future with it; a main future is not boxed, and `None` is returned.
    #[inline]
    pub(crate) fn insert(
        &self,
        make: impl FnOnce(Waker) -> Option<BoxedCell>,
        spawned_at: Site,
        joinable: bool,
    ) -> Entry {
        let (serial, spawned_at) = (self.serial.get(), self.sites.number(spawned_at));
        self.serial.set(serial.wrapping_add(1));
        let Some((entry, waker)) = self.vacancy(serial) else {
            return self.insert_new_slot(make, serial, spawned_at, joinable);
        };
        let cell = make(waker);
        self.with_slot(entry.key(), |slot| slot.occupy(cell, spawned_at, joinable));
        entry
    }

    /// A slot for the next task, and the task's waker; `None`: there is none that is vacant.
    #[inline(always)]
    fn vacancy(&self, serial: u32) -> Option<(Entry, Waker)> {
        loop {
            let Vacancy { key, waker } = self.vacant.borrow_mut().pop()?;
            let entry = Entry::task(key as usize, serial);
            match self.with_slot(key as usize, |slot| slot.waker_for(entry, waker)).flatten() {
                Some(waker) => return Some((entry, waker)),
                None => {
                    self.spoiled.borrow_mut().push(key);
                    self.unsettled.set(true);
                }
            }
        }
    }

    /// A new header, for the task of `entry`; or, in a slot without a task, for whichever comes next.
    fn header(&self, entry: Entry) -> Arc<TaskHeader> {
        Arc::new(TaskHeader::new(Arc::clone(&self.remote), entry))
    }

    #[cold]
    fn insert_new_slot(
        &self,
        make: impl FnOnce(Waker) -> Option<BoxedCell>,
        serial: u32,
        spawned_at: u32,
        joinable: bool,
    ) -> Entry {
        let entry = Entry::task(self.slots.borrow().len() + self.fresh.borrow().len(), serial);
        let header = self.header(entry);
        let cell = make(Waker::from(Arc::clone(&header)));
        let slot = Slot::vacant(header);
        slot.occupy(cell, spawned_at, joinable);
        self.fresh.borrow_mut().push(slot);
        self.unsettled.set(true);
        entry
    }

    /// Shows a slot to `f`, which runs none of the user's code.
    #[inline]
    fn with_slot<R>(&self, key: usize, f: impl FnOnce(&Slot) -> R) -> Option<R> {
        let slots = self.slots.borrow();
        match slots.get(key) {
            Some(slot) => Some(f(slot)),
            None => self.fresh.borrow().get(key - slots.len()).map(f),
        }
    }

    /// The same with the slot of a task that has not been freed; `None`: it has.
    #[inline]
    fn with<R>(&self, entry: Entry, f: impl FnOnce(&Slot) -> R) -> Option<R> {
        let here = |slot: &Slot| slot.entry() == entry && slot.life.get() != Life::Vacant;
        self.with_slot(entry.key(), |slot| here(slot).then(|| f(slot)))?
    }

    /// Notes a wake by entry, for one who has no waker (see [`Slot::wake`]).
    #[inline]
    pub(crate) fn wake(&self, entry: Entry) -> bool {
        self.with_slot(entry.key(), |slot| slot.wake(entry)) == Some(true)
    }

    /// Reads what a wake of each of `entries` will need, then what a poll will, so that all of it is on its way from
    /// memory at once. The user's code is not run.
    pub(crate) fn touch(&self, entries: impl Iterator<Item = Entry> + Clone) {
        let slots = self.slots.borrow();
        let entries = entries.filter(|entry| !entry.is_callback());
        for slot in entries.clone().filter_map(|entry| slots.get(entry.key())) {
            black_box(slot.header.is_queued());
        }
        for slot in entries.filter_map(|entry| slots.get(entry.key())) {
            black_box(Slot::peek(&slot.cell, |cell| cell.is_some_and(|cell| cell.is_done())));
        }
    }

    /// Ends a task (see [`Slot::finish`]), of which only the entry is known.
    pub(crate) fn finish(&self, entry: Entry, cell: Option<BoxedCell>) -> Ended {
        let ended = self.with(entry, |slot| slot.finish(cell));
        ended.unwrap_or(Ended { joiner: Entry::default(), joinable: true, main: false })
    }

    /// Takes a condemned task out of its slot.
    pub(crate) fn take_condemned(&self, entry: Entry) -> Option<BoxedCell> {
        self.with(entry, |slot| {
            let condemned = slot.life.get() == Life::Condemned;
            condemned.then(|| slot.cell.take())?
        })?
    }

    /// Takes the future of a task out that has panicked; `None`: it is a main future.
    pub(crate) fn take_panicked(&self, entry: Entry) -> Option<BoxedCell> {
        self.with(entry, |slot| {
            // Not to be polled again, whatever the drop of its future comes to.
            slot.life.set(Life::Condemned);
            slot.cell.take()
        })?
    }

    /// Frees a task's slot. Returns what was in it.
    #[inline]
    pub(crate) fn free(&self, entry: Entry) -> Option<BoxedCell> {
        let vacated = self.with(entry, Slot::vacate)?;
        self.freed(entry, vacated)
    }

    /// A slot was vacated.
    #[inline]
    fn freed(&self, entry: Entry, Vacated { cell, waker, joiner }: Vacated) -> Option<BoxedCell> {
        self.vacant.borrow_mut().push(Vacancy { key: entry.key() as u32, waker });
        if !self.names.borrow().is_empty() {
            self.names.borrow_mut().remove(&entry.serial());
        }
        drop(self.take_joiner(joiner));
        cell
    }

    /// The waker that stands behind a slot's `joiner`; `None`: it is a task, or nobody. To be called once.
    #[inline]
    pub(crate) fn take_joiner(&self, joiner: Entry) -> Option<Waker> {
        joiner.as_waker().and_then(|number| self.joiners.borrow_mut().try_remove(number))
    }

    /// Whether `waker` wakes whom a slot's `joiner` stands for already, so that it need not be cloned.
    fn is_joiner(&self, joiner: Entry, waker: &Waker) -> bool {
        let joiners = self.joiners.borrow();
        joiner.as_waker().and_then(|number| joiners.get(number)).is_some_and(|kept| kept.will_wake(waker))
    }

    /// Frees the slot of a task that has ended, and which nobody will join.
    pub(crate) fn free_unwanted(&self, entry: Entry) -> Option<Unwanted> {
        let name = if self.names.borrow().is_empty() { None } else { self.name(entry) };
        self.free(entry).map(|cell| Unwanted { cell, name })
    }

    /// Asks for a task's end, or keeps whom `waker` wakes to be woken then: `polled`, if it is the waker of the task
    /// that is polled now.
    #[inline]
    pub(crate) fn join(&self, entry: Entry, polled: Option<Entry>, waker: &Waker) -> Joining {
        let ended = self.with(entry, |slot| match slot.life.get() {
            Life::Done => Ok(slot.vacate()),
            _ => Err(slot.joiner.replace(polled.unwrap_or_default())),
        });
        let cell = match ended {
            Some(Ok(vacated)) => self.freed(entry, vacated),
            Some(Err(before)) => {
                if polled.is_none() {
                    if self.is_joiner(before, waker) {
                        self.with(entry, |slot| slot.joiner.set(before));
                        return Joining::Running(None);
                    }
                    // Cloned with no borrow held: it may be anybody's code.
                    let waker = waker.clone();
                    let joiner = Entry::waker(self.joiners.borrow_mut().insert(waker));
                    self.with(entry, |slot| slot.joiner.set(joiner));
                }
                return Joining::Running(self.take_joiner(before));
            }
            None => None,
        };
        Joining::Ended(cell.unwrap_or_else(|| task::failed(JoinError::Cancelled)))
    }

    /// Shows the output of an ended task to `see`, or how it ended without one; `None`: it has not ended. `see`
    /// calls nothing of the user's.
    pub(crate) fn look<R>(
        &self,
        entry: Entry,
        see: impl FnOnce(Result<&dyn Any, Outcome>) -> R,
    ) -> Option<R> {
        if !self.is_finished(entry) {
            return None;
        }
        let cell = self.with(entry, |slot| slot.cell.take()).flatten();
        let seen = cell.as_ref().map_or(Err(Outcome::Cancelled), |cell| cell.as_ref().look());
        let result = see(seen);
        self.with(entry, |slot| slot.cell.set(cell));
        Some(result)
    }

    /// Takes an ended task's cell, and frees its slot; `None`: it has not ended.
    pub(crate) fn take_ended(&self, entry: Entry) -> Option<BoxedCell> {
        let ended = || self.free(entry).unwrap_or_else(|| task::failed(JoinError::Cancelled));
        self.is_finished(entry).then(ended)
    }

    /// The handle is gone: nobody will join. An output already there is returned, to be dropped.
    pub(crate) fn detach(&self, entry: Entry) -> Option<Unwanted> {
        let detached = self.with(entry, |slot| {
            slot.joinable.set(false);
            (slot.joiner.take(), slot.life.get() == Life::Done)
        });
        let (joiner, ended) = detached?;
        drop(self.take_joiner(joiner));
        if ended { self.free_unwanted(entry) } else { None }
    }

    /// Marks a task to be dropped at its next turn; `false` if it has ended or is marked already, and for a main
    /// future, which is not the loop's to drop. The caller wakes it.
    pub(crate) fn cancel(&self, entry: Entry) -> bool {
        let cancel = |slot: &Slot| {
            let life = slot.life.get();
            if life == Life::Done || slot.cancelled.get() || self.main.get() == Some(entry.serial()) {
                return false;
            }
            slot.cancelled.set(true);
            slot.life.set(Life::Condemned);
            true
        };
        self.with(entry, cancel) == Some(true)
    }

    /// Whether the task has ended, or is gone.
    #[inline]
    pub(crate) fn is_finished(&self, entry: Entry) -> bool {
        self.with(entry, |slot| slot.life.get() == Life::Done).unwrap_or(true)
    }
}

/// Moves an ended task's output out of its cell.
pub(crate) fn take_output<T: 'static>(mut cell: BoxedCell) -> Result<T, JoinError> {
    let mut place: Option<T> = None;
    cell.as_mut().take(&mut place as &mut dyn Any)?;
    // Empty only if the handle's type is not the task's, which `spawn` rules out.
    place.ok_or(JoinError::Cancelled)
}
