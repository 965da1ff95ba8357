//! Chapter 5, part 2: a task's slot.
//!
//! The arrows of the drawing in `task.rs` are the methods here. A slot is changed by whoever sees it: each field is a
//! `Cell`. What cannot be copied out of one is taken out, looked at, and put back.
//!
//! Before: `tasks.rs`. Next: `tasks/sites.rs`, the lines that spawn.

use std::cell::Cell;
use std::mem;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::ready::Entry;
use crate::sent::TaskHeader;
use crate::task::BoxedCell;
use crate::trace::event::{Site, Wait};

/// Where a task stands. Whether it is in the ready queue is for its header to say. Whether it is being polled is for the
/// loop to say, which polls one at a time (`State::is_running`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// There is no task in the slot.
    Vacant,
    /// To be polled when its turn comes: it waits to be woken, is in the ready queue, or is being polled.
    Live,
    /// Cancelled: its next turn drops it, unless it is being polled and that poll ends it.
    Condemned,
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
pub(crate) struct Slot {
    /// The future or its output; `None` while it is polled, and always for a main future, which stays on the
    /// stack of `run_until_complete`.
    pub(super) cell: Cell<Option<BoxedCell>>,
    /// What the task's waker points to. The next task's as well, unless somebody still holds a waker then: see
    /// `TaskTable::spoiled`.
    pub(super) header: Arc<TaskHeader>,
    /// Whoever awaits the task's handle: a task, or a waker that the table keeps (`Entry::as_waker`); the default:
    /// nobody.
    pub(super) joiner: Cell<Entry>,
    /// The number of the line that spawned it.
    pub(super) spawned_at: Cell<u32>,
    /// The line of the `.await` at which it is suspended; `None` before its first poll, and where a
    /// future that oneloop did not write does not say.
    pub(super) suspended_at: Cell<Option<Site>>,
    /// What it waits for at that line.
    pub(super) wait: Cell<Wait>,
    pub(super) life: Cell<Life>,
    /// Whether it was cancelled, and so condemned; still known when it has ended.
    pub(super) cancelled: Cell<bool>,
    /// Whether its `JoinHandle` is still there.
    pub(super) joinable: Cell<bool>,
}

// A million sleeping tasks are a million of these.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Slot>() == 48);

/// A task out of its slot, to be polled; dropped, also by a panic of its future, it is put back. Unwinding must not
/// drop the future: a second panic then would end the program.
pub(crate) struct Out<'a> {
    slot: &'a Slot,
    /// `None` once it was put back.
    cell: Option<BoxedCell>,
}

impl Out<'_> {
    #[inline]
    pub(crate) fn poll(mut self) -> Poll<()> {
        self.cell.as_mut().map_or(Poll::Pending, |cell| Pin::as_mut(cell).poll())
    }
}

impl Drop for Out<'_> {
    #[inline]
    fn drop(&mut self) {
        // The slot was empty: there is nothing to drop.
        mem::forget(self.slot.cell.replace(self.cell.take()));
    }
}

impl Slot {
    /// Looks at what is behind a `Cell`, by taking it out for so long. `look` comes nowhere near the slot.
    #[inline]
    pub(super) fn peek<T, R>(cell: &Cell<Option<T>>, look: impl FnOnce(Option<&T>) -> R) -> R {
        let seen = cell.take();
        let result = look(seen.as_ref());
        mem::forget(cell.replace(seen));
        result
    }

    /// The task's entry. If there is none in the slot, that of the last one, or already of the next: `life` tells.
    #[inline]
    pub(super) fn entry(&self) -> Entry {
        self.header.entry()
    }

    /// A slot without a task.
    pub(super) fn vacant(header: Arc<TaskHeader>) -> Slot {
        Slot {
            cell: Cell::default(),
            header,
            joiner: Cell::default(),
            spawned_at: Cell::default(),
            suspended_at: Cell::default(),
            wait: Cell::new(Wait::Custom),
            life: Cell::new(Life::Vacant),
            cancelled: Cell::default(),
            joinable: Cell::default(),
        }
    }

    /// The waker of the vacant slot's next task: `kept`, the last one's, if there is one. `None`: somebody still holds a
    /// waker of the last one.
    #[inline]
    pub(super) fn waker_for(&self, next: Entry, kept: Option<Waker>) -> Option<Waker> {
        // If the slot and that waker are all its owners, nobody is left who could clone it.
        let owners = 1 + usize::from(kept.is_some());
        let free = Arc::strong_count(&self.header) == owners && self.header.reuse(next);
        free.then(|| kept.unwrap_or_else(|| Waker::from(Arc::clone(&self.header))))
    }

    /// From now on this is a task's slot. It was vacant.
    #[inline]
    pub(super) fn occupy(&self, cell: Option<BoxedCell>, spawned_at: u32, joinable: bool) {
        // There is nothing to drop.
        mem::forget(self.cell.replace(cell));
        self.spawned_at.set(spawned_at);
        self.suspended_at.set(None);
        self.wait.set(Wait::Custom);
        self.life.set(Life::Live);
        self.cancelled.set(false);
        self.joinable.set(joinable);
    }

    /// Notes a wake by entry; whether it is to be pushed on the ready queue. A task that has ended counts as queued
    /// (see [`Slot::finish`]).
    #[inline]
    pub(crate) fn wake(&self, entry: Entry) -> bool {
        self.entry() == entry && self.header.queue()
    }

    /// Begins the poll of a queued task. Returns where its waker points; `None`: the task is not to be polled, but
    /// gone, or condemned.
    #[inline]
    pub(crate) fn begin_poll(&self, entry: Entry) -> Option<NonNull<()>> {
        if self.entry() != entry || self.life.get() != Life::Live {
            return None;
        }
        self.header.unqueue();
        Some(NonNull::from(&*self.header).cast())
    }

    /// The task, to be polled; `None` for a main future.
    #[inline]
    pub(crate) fn take_out(&self) -> Option<Out<'_>> {
        self.cell.take().map(|cell| Out { slot: self, cell: Some(cell) })
    }

    /// Its poll has returned `Pending`; keeps what its leaf said.
    #[inline]
    pub(crate) fn suspend(&self, said: Suspended) {
        self.wait.set(said.wait);
        self.suspended_at.set(said.site);
    }

    /// Ends the task: `cell` holds its error for whoever joins, in the place of what is in the slot (`None`: that is
    /// its output already, or it is a main future, whose output `run_until_complete` has). From here on its header says
    /// that it is queued, so that late wakes do nothing.
    #[inline]
    pub(crate) fn finish(&self, cell: Option<BoxedCell>) -> Ended {
        self.life.set(Life::Done);
        self.header.queue();
        if cell.is_some() {
            self.cell.set(cell);
        }
        let main = Slot::peek(&self.cell, |cell| cell.is_none());
        Ended { joiner: self.joiner.take(), joinable: self.joinable.get(), main }
    }

    /// Nothing is in it from here on. Its task's waker is returned, to be kept for the next one.
    #[inline]
    pub(super) fn vacate(&self) -> Vacated {
        self.life.set(Life::Vacant);
        let mut cell = self.cell.take();
        let waker = cell.as_mut().and_then(|cell| cell.as_mut().take_waker());
        Vacated { cell, waker, joiner: self.joiner.take() }
    }
}

/// What is left to do when a task has ended, with no borrow held.
#[must_use]
pub(crate) struct Ended {
    /// To be woken; the default: nobody.
    pub(crate) joiner: Entry,
    /// Whether somebody may still join; otherwise its slot is to be freed.
    pub(crate) joinable: bool,
    /// Whether it was a main future.
    pub(crate) main: bool,
}

/// What was in a slot.
#[must_use]
pub(super) struct Vacated {
    pub(super) cell: Option<BoxedCell>,
    /// The task's own; `None`: it is gone with the task.
    pub(super) waker: Option<Waker>,
    /// Somebody who waited in vain, which cannot be.
    pub(super) joiner: Entry,
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::sent::RemoteQueue;
    use crate::task;
    use crate::tasks::TaskTable;

    /// Tasks that are made and dropped one after the other, with a turn between two of them; how many slots they took.
    fn slots_of_1_000_tasks(mut keep: impl FnMut(&Waker)) -> usize {
        let poll = mio::Poll::new().unwrap();
        let notifier = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        let table = TaskTable::new(Arc::new(RemoteQueue::new(notifier, false)));
        for _ in 0..1_000 {
            let make = |waker: Waker| {
                keep(&waker);
                Some(task::cell(async {}, waker))
            };
            let entry = table.insert(make, Location::caller(), true);
            drop(table.slots());
            assert_eq!(table.len(), 1);
            drop(table.free(entry));
            assert_eq!(table.len(), 0);
        }
        table.slots().len()
    }

    #[test]
    fn tasks_one_after_the_other_share_a_slot_or_two_if_their_wakers_are_kept() {
        assert_eq!(slots_of_1_000_tasks(|_| {}), 1);
        let mut kept = Vec::new();
        assert_eq!(slots_of_1_000_tasks(|waker| kept.push(waker.clone())), 2);
    }
}
