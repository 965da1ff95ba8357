//! Chapter 3, part 2: where the entries lie.
//!
//! Wakers are called from anywhere in the user's code, and have no way to their loop but this thread. So while a loop
//! runs, its list lies in a thread-local, beside the loop's name: a wake compares names and pushes.
//!
//! It is one ring with three marks, which are counts of entries since the thread's first loop began, and the entry
//! counted as `n` lies at place `n % 1024`:
//!
//! ```text
//!                       ┌ head     ┌ end, tail
//!   turn 7, step 5      a  b  c
//!   a was run,             ┌ head  ┌ end
//!   and b wakes it      ·  b  c    a  ← tail        pushed behind the end: for turn 8
//!                                  ┌ head, end
//!   c was run           ·  ·  ·    a  ← tail
//! ```
//!
//! A ring has a fixed size, and a burst may be of any size. What finds the ring full is put behind it, in a list, and so
//! is all that comes later, until the ring has run dry and takes from the list as much as it can hold.
//!
//! ```text
//!   the ring is full            [ a … z ]   behind: α β
//!   z was run                   [ α β   ]   behind:
//! ```
//!
//! Before: `ready.rs`. Next: `sent.rs`, the other way into the queue.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::ptr;

use super::Entry;

/// The places of the ring: 8 KiB, which stay in the nearest cache.
const RING: usize = 1_024;

/// The longest list kept for its memory: 512 KiB. A longer one comes of a burst.
const MAX_SPARE: usize = 65_536;

/// Whose list lies in the thread-local: an address, which is only ever compared.
pub(crate) type Owner = *const ();

/// The queue of the loop that runs on this thread.
pub(super) struct Ring {
    /// Entry `n` lies at `n % RING`.
    places: [Cell<Entry>; RING],
    /// Entries that were run, or are being run: where the next one lies.
    head: Cell<u64>,
    /// Where the entries of the turn that is in step 5 end, as far as they are in the ring; outside of step 5 the same
    /// as `head`.
    end: Cell<u64>,
    /// The same, and those in the ring: where the next one goes.
    tail: Cell<u64>,
    /// How full the ring may be: 0 as long as there is anything behind it.
    room: Cell<u64>,
    /// What comes after the ring. Empty most of the time.
    behind: RefCell<VecDeque<Entry>>,
    /// How much of `behind` belongs to the turn that is in step 5.
    behind_end: Cell<usize>,
    /// Null while no loop runs, and while one is watched: then a wake must go the long way, where it is told.
    owner: Cell<Owner>,
}

thread_local! {
    // Never dropped, which spares every wake the question whether it was; a loop takes with it what is there.
    static HERE: ManuallyDrop<Ring> = const { ManuallyDrop::new(Ring::new()) };
}

impl Ring {
    const fn new() -> Ring {
        Ring {
            places: [const { Cell::new(Entry(0)) }; RING],
            head: Cell::new(0),
            end: Cell::new(0),
            tail: Cell::new(0),
            room: Cell::new(RING as u64),
            behind: RefCell::new(VecDeque::new()),
            behind_end: Cell::new(0),
            owner: Cell::new(ptr::null()),
        }
    }

    pub(super) fn set_owner(&self, owner: Owner) {
        self.owner.set(owner);
    }

    /// Whether nothing is in the ring. Outside of step 5 nothing is behind it then either.
    #[inline]
    pub(super) fn is_dry(&self) -> bool {
        self.tail.get() == self.head.get()
    }

    /// How many entries were run on this thread.
    #[inline]
    pub(super) fn ran(&self) -> u64 {
        self.head.get()
    }

    /// Begins step 5 with all that is here now; returns how much that is.
    #[inline]
    pub(super) fn begin(&self) -> usize {
        let (head, tail) = (self.head.get(), self.tail.get());
        self.end.set(tail);
        let in_ring = (tail - head) as usize;
        if self.is_overfull() { self.begin_behind(in_ring) } else { in_ring }
    }

    #[cold]
    fn begin_behind(&self, in_ring: usize) -> usize {
        let behind = self.behind.borrow().len();
        self.behind_end.set(behind);
        in_ring + behind
    }

    #[inline]
    pub(super) fn push(&self, entry: Entry) {
        if !self.push_in_ring(entry) {
            self.push_behind(entry);
        }
    }

    /// Puts it into the ring, if there is room; whether there was.
    #[inline]
    fn push_in_ring(&self, entry: Entry) -> bool {
        let tail = self.tail.get();
        let fits = tail - self.head.get() < self.room.get();
        if fits {
            self.places[place(tail)].set(entry);
            self.tail.set(tail + 1);
        }
        fits
    }

    #[cold]
    fn push_behind(&self, entry: Entry) {
        self.room.set(0);
        self.behind.borrow_mut().push_back(entry);
    }

    /// The ring has run dry: fills it with what comes after it.
    #[cold]
    fn fill(&self) {
        let mut behind = self.behind.borrow_mut();
        let (tail, taken) = (self.tail.get(), behind.len().min(RING));
        for (n, entry) in behind.drain(..taken).enumerate() {
            self.places[place(tail + n as u64)].set(entry);
        }
        self.tail.set(tail + taken as u64);
        let ends = self.behind_end.get().min(taken);
        self.end.set(tail + ends as u64);
        self.behind_end.set(self.behind_end.get() - ends);
        if behind.is_empty() {
            behind.shrink_to(MAX_SPARE);
            self.room.set(RING as u64);
        }
    }

    /// The next entry of this turn, as far as it is in the ring.
    #[inline]
    pub(super) fn next(&self) -> Option<Entry> {
        let head = self.head.get();
        if head == self.end.get() {
            return None;
        }
        self.head.set(head + 1);
        Some(self.places[place(head)].get())
    }

    /// Whether there is anything behind the ring.
    #[inline]
    pub(super) fn is_overfull(&self) -> bool {
        self.room.get() != RING as u64
    }

    /// To be asked of an overfull ring that has no next entry: whether the turn goes on, with entries that were behind
    /// it.
    #[cold]
    pub(super) fn more(&self) -> bool {
        if self.is_dry() {
            self.fill();
        }
        self.head.get() < self.end.get()
    }

    /// What the turn will run before it asks for more.
    pub(super) fn in_ring(&self) -> impl Iterator<Item = Entry> + Clone {
        (self.head.get()..self.end.get()).map(|n| self.places[place(n)].get())
    }

    /// All entries, in their order.
    pub(super) fn all(&self) -> impl Iterator<Item = Entry> {
        let places = (self.head.get()..self.tail.get()).map(|n| self.places[place(n)].get());
        places.chain(self.behind.borrow().iter().copied().collect::<Vec<_>>())
    }

    /// Everything in the queue, which is empty then, and how much of it belongs to the turn in step 5.
    pub(super) fn take(&self) -> (Vec<Entry>, usize) {
        let of_this_turn = (self.end.get() - self.head.get()) as usize + self.behind_end.get();
        let all = self.all().collect();
        self.behind.take();
        self.behind_end.set(0);
        for mark in [&self.end, &self.tail] {
            mark.set(self.head.get());
        }
        self.room.set(RING as u64);
        (all, of_this_turn)
    }

    /// Puts back what `take` took.
    pub(super) fn put(&self, (all, of_this_turn): (Vec<Entry>, usize)) {
        for entry in all {
            self.push(entry);
        }
        let in_ring = of_this_turn.min((self.tail.get() - self.head.get()) as usize);
        self.end.set(self.head.get() + in_ring as u64);
        self.behind_end.set(of_this_turn - in_ring);
    }
}

/// Where the entry of this count lies.
#[inline]
fn place(count: u64) -> usize {
    (count % RING as u64) as usize
}

/// Shows the ring of this thread to `f`.
#[inline]
pub(super) fn with<R>(f: impl FnOnce(&Ring) -> R) -> R {
    HERE.with(|ring| f(ring))
}

/// Whether `owner` is the loop running on this thread, with nobody watching.
#[inline]
pub(crate) fn is_here(owner: Owner) -> bool {
    with(|ring| ring.owner.get() == owner)
}

/// Adds an entry to the queue of the loop running on this thread, of which `is_here` has told; `false`: the ring has no
/// room for it.
#[inline]
pub(crate) fn push_here(entry: Entry) -> bool {
    with(|ring| ring.push_in_ring(entry))
}

/// Adds an entry for which the ring has no room.
pub(crate) fn push_behind(entry: Entry) {
    with(|ring| ring.push_behind(entry));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Op {
        Push(usize),
        Begin,
        Next(usize),
        TakeAndPut,
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let some = prop_oneof![0_usize..20, 900_usize..1_100, 2_000_usize..5_000];
        let op = prop_oneof![
            some.clone().prop_map(Op::Push),
            Just(Op::Begin),
            some.prop_map(Op::Next),
            Just(Op::TakeAndPut),
        ];
        prop::collection::vec(op, 0..60)
    }

    proptest! {
        /// Against a list that is as long as it must be, and a count of what is left of the turn.
        #[test]
        fn bursts_of_any_size_come_out_in_their_order_each_in_its_turn(ops in ops()) {
            let (ring, mut model, mut left, mut made) = (Ring::new(), VecDeque::new(), 0, 0);
            let mut ran = 0;
            let next = || ring.next().or_else(|| if ring.is_overfull() && ring.more() { ring.next() } else { None });
            for op in ops {
                match op {
                    Op::Push(entries) => for _ in 0..entries {
                        made += 1;
                        ring.push(Entry(made));
                        model.push_back(Entry(made));
                    },
                    // A turn begins when the one before is over.
                    Op::Begin if left == 0 => {
                        prop_assert_eq!(next(), None);
                        left = model.len();
                        prop_assert_eq!(ring.begin(), left);
                    }
                    Op::Begin => {}
                    Op::Next(entries) => for _ in 0..entries {
                        let expected = if left > 0 { model.pop_front() } else { None };
                        left = left.saturating_sub(1);
                        ran += u64::from(expected.is_some());
                        prop_assert_eq!(next(), expected);
                    },
                    Op::TakeAndPut => {
                        let taken = ring.take();
                        prop_assert_eq!(&taken, &(model.iter().copied().collect(), left));
                        ring.put(taken);
                    }
                }
                prop_assert_eq!(ring.ran(), ran);
                prop_assert!(ring.all().eq(model.iter().copied()));
                prop_assert!(left > 0 || next().is_none());
                prop_assert_eq!(ring.is_dry() && left == 0, model.is_empty());
            }
        }
    }
}
