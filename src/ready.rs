//! Chapter 3: the queue of what can run.
//!
//! The ready queue is one FIFO for tasks and callbacks alike. An entry is eight bytes: which slot, and
//! the serial number of what lay in the slot when the entry was made. A slot is used again and again, so
//! a slot number is no identity; with the serial beside it, a late wake for a task that has ended finds
//! another serial there, and is ignored.
//!
//! A turn takes the queue as it is when step 5 begins, and runs that. What is pushed meanwhile waits for the next
//! turn.
//!
//! While the loop runs, its queue lies in the ring of its thread (`ready/ring.rs`), where wakers find it; in between it
//! lies here.
//!
//! Before: `task.rs`. Next: `ready/ring.rs`, where the entries lie.

mod ring;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ptr;

pub(crate) use ring::{Owner, is_here, push_behind, push_here};

use ring::Ring;

/// Set in an entry if it is a callback's.
const CALLBACK: u64 = 1 << 63;

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

    /// Stands for a waker that is kept elsewhere under this number, where entries are kept of those who wait. Never in
    /// the queue.
    pub(crate) fn waker(number: usize) -> Entry {
        assert!(number < u32::MAX as usize, "more than 2^32 wakers at once");
        Entry(NO_SLOT | number as u64)
    }

    /// The number of the waker; `None`: it is an entry of a task or callback.
    #[inline]
    pub(crate) fn as_waker(self) -> Option<usize> {
        (self.0 >= NO_SLOT && self != Entry::MAIN_DONE).then_some(self.0 as u32 as usize)
    }

    #[inline]
    pub(crate) fn is_callback(self) -> bool {
        self.0 & CALLBACK != 0
    }

    /// The place of its slot among those of the tasks. A callback's is beyond all of them, for its topmost bit is set:
    /// so one look into the list finds a task's slot, and tells callbacks from tasks.
    #[inline]
    pub(crate) fn place(self) -> usize {
        (self.0 >> 32) as usize
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

/// Nobody: the mark `MAIN_DONE`, which no task or callback has.
impl Default for Entry {
    fn default() -> Entry {
        Entry::MAIN_DONE
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

/// The slots there can be; the last number is that of `MAIN_DONE`, and of wakers.
const MAX_KEY: usize = (1 << 31) - 1;

/// From here on an entry is of no slot.
const NO_SLOT: u64 = CALLBACK | (MAX_KEY as u64) << 32;

/// The FIFO of what can run.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    /// What is ready while the loop does not run. Empty while it runs.
    stored: RefCell<Vec<Entry>>,
    /// Whether the queue lies in the thread-local.
    here: Cell<bool>,
}

impl Ready {
    /// The loop runs from now on. `owner`: null if it is watched.
    pub(crate) fn enter(&self, owner: Owner) {
        self.here.set(true);
        ring::with(|ring| {
            ring.put((self.stored.take(), 0));
            ring.set_owner(owner);
        });
    }

    /// The loop no longer runs.
    pub(crate) fn leave(&self) {
        self.here.set(false);
        ring::with(|ring| {
            ring.set_owner(ptr::null());
            self.stored.replace(ring.take().0);
        });
    }

    #[inline]
    pub(crate) fn push(&self, entry: Entry) {
        match self.here.get() {
            true => ring::with(|ring| ring.push(entry)),
            false => self.stored.borrow_mut().push(entry),
        }
    }

    /// Whether the running loop has nothing to run. Outside of step 5 nothing is behind a ring that has run dry.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        ring::with(Ring::is_dry)
    }

    /// Tasks and callbacks in the queue, without the mark of a main future that has ended; for the observers.
    pub(crate) fn to_run(&self) -> usize {
        let counts = |entry: &Entry| *entry != Entry::MAIN_DONE;
        if !self.here.get() {
            return self.stored.borrow().iter().filter(|entry| counts(entry)).count();
        }
        ring::with(|ring| ring.all().filter(counts).count())
    }

    /// Begins step 5 of the running loop with all that is in the queue now; returns how much that is.
    #[inline]
    pub(crate) fn begin(&self) -> usize {
        ring::with(Ring::begin)
    }

    /// How many entries were run on this thread so far.
    #[inline]
    pub(crate) fn ran(&self) -> u64 {
        ring::with(Ring::ran)
    }

    /// The next entry of this turn of the running loop; `None`: its step 5 is over, unless there is `more`.
    #[inline]
    pub(crate) fn next(&self) -> Option<Entry> {
        ring::with(Ring::next)
    }

    /// To be asked when there is no next entry: the entries with which step 5 goes on, of a burst; `None`: it is over.
    pub(crate) fn more(&self) -> Option<Vec<Entry>> {
        ring::with(|ring| (ring.is_overfull() && ring.more()).then(|| ring.in_ring().collect()))
    }

    /// What this turn has not run yet.
    pub(crate) fn rest(&self) -> Vec<Entry> {
        let mut rest = Vec::new();
        self.rearrange(|all, of_this_turn| rest.extend_from_slice(&all[..of_this_turn]));
        rest
    }

    /// Lets the entry at `index` of the rest run next, if there is one.
    pub(crate) fn bring_forward(&self, index: usize) {
        self.rearrange(|all, of_this_turn| {
            if index < of_this_turn {
                all[..=index].rotate_right(1);
            }
        });
    }

    /// A run has ended. What its last turn did not come to, if an observer's panic ended it, stays in the queue; the
    /// mark of a main future is taken out, if the run ended before it came up: it is not the next run's.
    pub(crate) fn end_run(&self) {
        self.rearrange(|all, _| all.retain(|entry| *entry != Entry::MAIN_DONE));
    }

    pub(crate) fn clear(&self) {
        self.rearrange(|all, _| all.clear());
    }

    /// Shows all that is ready to `f`, which may change it, and how much of it belongs to the turn in step 5.
    fn rearrange(&self, f: impl FnOnce(&mut Vec<Entry>, usize)) {
        if !self.here.get() {
            return f(&mut self.stored.borrow_mut(), 0);
        }
        ring::with(|ring| {
            let (mut all, of_this_turn) = ring.take();
            f(&mut all, of_this_turn);
            let of_this_turn = of_this_turn.min(all.len());
            ring.put((all, of_this_turn));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tasks_place_is_that_of_a_slot() {
        assert_eq!(Entry::task(7, u32::MAX).place(), 7);
        assert_eq!(Entry::task(MAX_KEY - 1, 0).place(), MAX_KEY - 1);
        for other in [Entry::callback(0, 0), Entry::callback(7, 1), Entry::waker(0), Entry::MAIN_DONE] {
            assert!(other.place() > MAX_KEY, "{other:?}");
        }
    }
}
