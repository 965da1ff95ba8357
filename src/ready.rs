//! Chapter 4: the queue of what can run.
//!
//! The ready queue is one FIFO for tasks and callbacks alike. An entry is eight bytes: which slot, and
//! the serial number of what lay in the slot when the entry was made. A slot is used again and again, so
//! a slot number is no identity; with the serial beside it, a late wake for a task that has ended finds
//! another serial there, and is ignored.
//!
//! A turn takes the queue as it is when step 5 begins, and runs that. What is pushed meanwhile waits for the next
//! turn. So the queue is two plain lists that change places:
//!
//! ```text
//!   turn 7 begins     entries: a b c     running:
//!   step 5, begin     entries:           running: a b c
//!   b wakes a         entries: a         running: a b c
//!                                                     ↑ next
//!   turn 8, begin     entries:           running: a
//! ```
//!
//! Before: `task.rs`. Next chapter: `sent.rs`, the other way into the queue.

use std::cell::{Cell, RefCell};
use std::mem;

/// Set in an entry's key if it is a callback's.
const CALLBACK: u32 = 1 << 31;

/// The longest list kept for its memory from one turn to the next: 512 KiB. A longer one comes of a burst.
const MAX_SPARE: usize = 65_536;

/// Something that can run: which slot, and the serial number of what was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    key: u32,
    serial: u32,
}

impl Entry {
    /// The main future of `run_until_complete` has ended: stop after this turn. No slot has this key.
    pub(crate) const MAIN_DONE: Entry = Entry { key: u32::MAX, serial: 0 };

    pub(crate) fn task(key: usize, serial: u32) -> Entry {
        Entry { key: slot_number(key), serial }
    }

    pub(crate) fn callback(key: usize, serial: u32) -> Entry {
        Entry { key: slot_number(key) | CALLBACK, serial }
    }

    pub(crate) fn is_callback(self) -> bool {
        self.key & CALLBACK != 0
    }

    pub(crate) fn key(self) -> usize {
        (self.key & !CALLBACK) as usize
    }

    pub(crate) fn serial(self) -> u32 {
        self.serial
    }

    /// Both numbers in one, for an atomic.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.key) << 32 | u64::from(self.serial)
    }

    /// The entry of which `to_bits` made this.
    pub(crate) fn from_bits(bits: u64) -> Entry {
        Entry { key: (bits >> 32) as u32, serial: bits as u32 }
    }
}

/// A slab key in 31 bits. More than two thousand million tasks do not fit in memory first.
fn slot_number(key: usize) -> u32 {
    u32::try_from(key)
        .ok()
        .filter(|key| key & CALLBACK == 0)
        .expect("more than 2^31 tasks or callbacks at once")
}

/// The FIFO of what can run.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    /// What waits for the next turn.
    entries: RefCell<Vec<Entry>>,
    /// What this turn runs, or, between turns, what the last one ran.
    running: RefCell<Vec<Entry>>,
    /// The index in `running` of the entry to run next.
    next: Cell<usize>,
}

impl Ready {
    #[inline]
    pub(crate) fn push(&self, entry: Entry) {
        self.entries.borrow_mut().push(entry);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// Tasks and callbacks in the queue, without the mark of a main future that has ended; for the observers.
    pub(crate) fn to_run(&self) -> usize {
        self.entries.borrow().iter().filter(|entry| **entry != Entry::MAIN_DONE).count()
    }

    /// Begins step 5 with all that is in the queue now; returns how much that is.
    #[inline]
    pub(crate) fn begin(&self) -> usize {
        let mut running = self.running.borrow_mut();
        running.clear();
        if running.capacity() > MAX_SPARE {
            *running = Vec::new();
        }
        mem::swap(&mut *running, &mut *self.entries.borrow_mut());
        self.next.set(0);
        running.len()
    }

    /// All entries of this turn at once, where nobody watches: no panic can end such a turn half way, and a plain
    /// list is gone through faster. To be given back for its memory.
    #[inline]
    pub(crate) fn take_batch(&self) -> Vec<Entry> {
        self.running.take()
    }

    /// Gives back what `take_batch` gave, with nothing left to run.
    #[inline]
    pub(crate) fn give_back(&self, batch: Vec<Entry>) {
        self.next.set(batch.len());
        *self.running.borrow_mut() = batch;
    }

    /// The next entry of this turn, while somebody watches.
    pub(crate) fn next(&self) -> Option<Entry> {
        let next = self.next.get();
        self.next.set(next + 1);
        self.running.borrow().get(next).copied()
    }

    /// What this turn has not run yet.
    pub(crate) fn rest(&self) -> Vec<Entry> {
        self.running.borrow().get(self.next.get()..).unwrap_or_default().to_vec()
    }

    /// Lets the entry at `index` of the rest run next, if there is one.
    pub(crate) fn bring_forward(&self, index: usize) {
        let next = self.next.get();
        if let Some(entries) = self.running.borrow_mut().get_mut(next..=next.saturating_add(index)) {
            entries.rotate_right(1);
        }
    }

    /// A run has ended. Puts back what its last turn did not come to, if an observer's panic ended it, and takes
    /// out the mark of a main future, if the run ended before the mark came up: it is not the next run's.
    pub(crate) fn end_run(&self) {
        let mut rest = self.rest();
        self.running.borrow_mut().clear();
        let mut entries = self.entries.borrow_mut();
        rest.append(&mut entries);
        rest.retain(|entry| *entry != Entry::MAIN_DONE);
        *entries = rest;
    }

    pub(crate) fn clear(&self) {
        self.entries.borrow_mut().clear();
    }
}
