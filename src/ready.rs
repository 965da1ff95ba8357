//! Chapter 3: the queue of what can run.
//!
//! The ready queue is one FIFO for tasks and callbacks alike. An entry is eight bytes: which slot, and
//! the serial number of what lay in the slot when the entry was made. A slot is used again and again, so
//! a slot number is no identity; with the serial beside it, a late wake for a task that has ended finds
//! another serial there, and is ignored.
//!
//! A turn takes the queue as it is when step 5 begins, and runs that. What is pushed meanwhile waits for the next
//! turn. So the queue is one list with two marks:
//!
//! ```text
//!                       ┌ next     ┌ end
//!   turn 7, step 5      a  b  c
//!   a was run,             ┌ next  ┌ end
//!   and b wakes it      a  b  c    a        ← pushed behind the end: for turn 8
//!                                  ┌ next, end
//!   c was run           a  b  c    a
//! ```
//!
//! What lies before `next` was run, and is cut off now and then: when it is the larger part of the list, so that
//! this costs each entry a fixed share.
//!
//! Wakers are called from anywhere in the user's code, and have no way to their loop but this thread. So while a loop
//! runs, its list lies in a thread-local, beside the loop's name: a wake compares names and pushes.
//!
//! Before: `task.rs`. Next: `sent.rs`, the other way into the queue.

use std::cell::{Cell, RefCell, RefMut};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr;

/// Set in an entry if it is a callback's.
const CALLBACK: u64 = 1 << 63;

/// The longest list kept for its memory: 512 KiB. A longer one comes of a burst.
const MAX_SPARE: usize = 65_536;

/// So many entries that were run may lie about before they are cut off: 8 KiB, which stay in the nearest cache.
const MAX_RUN: usize = 1_024;

/// Something that can run: which slot, and the serial number of what was in it. Both in one word, which is how wakers
/// keep it.
///
/// ```text
///   bit  63          62 ……… 32   31 ……… 0
///        callback?   slot        serial
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u64);

impl Entry {
    /// The main future of `run_until_complete` has ended: stop after this turn. No slot has this key.
    pub(crate) const MAIN_DONE: Entry = Entry(u64::MAX);

    #[inline]
    pub(crate) fn task(key: usize, serial: u32) -> Entry {
        Entry(slot_number(key) << 32 | u64::from(serial))
    }

    #[inline]
    pub(crate) fn callback(key: usize, serial: u32) -> Entry {
        Entry(CALLBACK | slot_number(key) << 32 | u64::from(serial))
    }

    #[inline]
    pub(crate) fn is_callback(self) -> bool {
        self.0 & CALLBACK != 0
    }

    #[inline]
    pub(crate) fn key(self) -> usize {
        ((self.0 & !CALLBACK) >> 32) as usize
    }

    #[inline]
    pub(crate) fn serial(self) -> u32 {
        self.0 as u32
    }

    /// For an atomic.
    #[inline]
    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    /// The entry of which `to_bits` made this.
    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Entry {
        Entry(bits)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_callback() { "callback" } else { "task" };
        write!(f, "{kind} {} in slot {}", self.serial(), self.key())
    }
}

/// A key in 31 bits. More than two thousand million tasks do not fit in memory first.
#[inline]
fn slot_number(key: usize) -> u64 {
    assert!(key < MAX_KEY, "more than 2^31 tasks or callbacks at once");
    key as u64
}

/// The slots there can be; the last number is that of `MAIN_DONE`.
const MAX_KEY: usize = (1 << 31) - 1;

/// Whose list lies in the thread-local: an address, which is only ever compared.
pub(crate) type Owner = *const ();

/// The list of the loop that runs on this thread.
struct Here {
    entries: RefCell<Vec<Entry>>,
    /// Null while no loop runs, and while one is watched: then a wake must go the long way, where it is told.
    owner: Cell<Owner>,
}

thread_local! {
    // Never dropped, which spares every wake the question whether it was; a loop takes its list with it.
    static HERE: ManuallyDrop<Here> =
        const { ManuallyDrop::new(Here { entries: RefCell::new(Vec::new()), owner: Cell::new(ptr::null()) }) };
}

/// Whether `owner` is the loop running on this thread, with nobody watching.
#[inline]
pub(crate) fn is_here(owner: Owner) -> bool {
    HERE.with(|here| here.owner.get() == owner)
}

/// Adds an entry to the queue of the loop running on this thread, of which `is_here` has told.
#[inline]
pub(crate) fn push_here(entry: Entry) {
    HERE.with(|here| {
        let mut entries = here.entries.borrow_mut();
        // Apart, so that a wake needs no stack frame.
        match entries.len() == entries.capacity() {
            true => push_and_grow(entries, entry),
            false => entries.push(entry),
        }
    });
}

#[cold]
#[inline(never)]
fn push_and_grow(mut entries: RefMut<'_, Vec<Entry>>, entry: Entry) {
    entries.push(entry);
}

/// The FIFO of what can run.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    /// The list while the loop does not run.
    stored: RefCell<Vec<Entry>>,
    /// Whether the list lies in the thread-local.
    here: Cell<bool>,
    /// Where the entry is that runs next.
    next: Cell<usize>,
    /// Where the entries of the turn that is in step 5 end; outside of step 5 the same as `next`.
    end: Cell<usize>,
}

impl Ready {
    /// The loop runs from now on. `owner`: null if it is watched.
    pub(crate) fn enter(&self, owner: Owner) {
        HERE.with(|here| {
            here.entries.swap(&self.stored);
            here.owner.set(owner);
        });
        self.here.set(true);
    }

    /// The loop no longer runs.
    pub(crate) fn leave(&self) {
        self.here.set(false);
        HERE.with(|here| {
            here.owner.set(ptr::null());
            here.entries.swap(&self.stored);
        });
    }

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&RefCell<Vec<Entry>>) -> R) -> R {
        match self.here.get() {
            true => HERE.with(|here| f(&here.entries)),
            false => f(&self.stored),
        }
    }

    #[inline]
    pub(crate) fn push(&self, entry: Entry) {
        self.with(|entries| entries.borrow_mut().push(entry));
    }

    /// Whether the running loop has nothing to run.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        HERE.with(|here| here.entries.borrow().len() == self.next.get())
    }

    /// Tasks and callbacks in the queue, without the mark of a main future that has ended; for the observers.
    pub(crate) fn to_run(&self) -> usize {
        self.with(|entries| {
            let entries = entries.borrow();
            entries.iter().skip(self.next.get()).filter(|entry| **entry != Entry::MAIN_DONE).count()
        })
    }

    /// Begins step 5 of the running loop with all that is in the queue now; returns how much that is.
    #[inline]
    pub(crate) fn begin(&self) -> usize {
        let (next, len) = (self.next.get(), HERE.with(|here| here.entries.borrow().len()));
        if next < len.min(MAX_RUN) {
            self.end.set(len);
        } else {
            self.cut_off(next, len);
        }
        len - next
    }

    /// Begins step 5 when there is nothing to run, or much that was run.
    #[cold]
    fn cut_off(&self, next: usize, len: usize) {
        let cut = if next >= len - next { next } else { 0 };
        self.with(|entries| {
            let mut entries = entries.borrow_mut();
            entries.drain(..cut);
            if entries.len() < MAX_SPARE {
                entries.shrink_to(MAX_SPARE);
            }
        });
        self.next.set(next - cut);
        self.end.set(len - cut);
    }

    /// The next entry of this turn of the running loop; `None`: its step 5 is over.
    #[inline]
    pub(crate) fn next(&self) -> Option<Entry> {
        let next = self.next.get();
        if next == self.end.get() {
            return None;
        }
        self.next.set(next + 1);
        HERE.with(|here| here.entries.borrow().get(next).copied())
    }

    /// What this turn has not run yet.
    pub(crate) fn rest(&self) -> Vec<Entry> {
        let rest = self.next.get()..self.end.get();
        self.with(|entries| entries.borrow().get(rest).unwrap_or_default().to_vec())
    }

    /// Lets the entry at `index` of the rest run next, if there is one.
    pub(crate) fn bring_forward(&self, index: usize) {
        let (next, end) = (self.next.get(), self.end.get());
        self.with(|entries| {
            let mut entries = entries.borrow_mut();
            if let Some(entries) = entries[..end].get_mut(next..=next.saturating_add(index)) {
                entries.rotate_right(1);
            }
        });
    }

    /// A run has ended. What its last turn did not come to, if an observer's panic ended it, stays in the queue; the
    /// mark of a main future is taken out, if the run ended before it came up: it is not the next run's.
    pub(crate) fn end_run(&self) {
        self.with(|entries| {
            let mut entries = entries.borrow_mut();
            entries.drain(..self.next.take());
            entries.retain(|entry| *entry != Entry::MAIN_DONE);
        });
        self.end.set(0);
    }

    pub(crate) fn clear(&self) {
        self.with(|entries| entries.borrow_mut().clear());
        self.next.set(0);
        self.end.set(0);
    }
}
