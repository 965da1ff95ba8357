//! Chapter 25, part 4: which of the items that wait in a queue is the next?
//!
//! The oldest, the youngest or the lowest: that is all in which the three queues of this room differ, and
//! this file is all that knows it. The rest of a queue asks its order for "the item with so many before it".
//!
//! ```text
//!   put 2, put 1, put 3      Fifo          [ 2 1 3 ]  ──▶  2, 1, 3
//!                            Lifo          [ 3 1 2 ]  ──▶  3, 1, 2
//!                            LowestFirst   [ 1 2 3 ]  ──▶  1, 2, 3
//! ```
//!
//! Why not always the first one? Because the first items may be reserved for those who stood in line, as the
//! next file explains. A newcomer gets what comes after those.
//!
//! Before: `sync/waiters.rs`. Next: `sync/queue_state.rs`.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

/// The order in which a queue hands its items out, and the place where it keeps them.
///
/// There are three, and no others can be added: [`Fifo`], [`Lifo`] and [`LowestFirst`].
pub trait Order: sealed::Sealed {
    /// What a queue of this order holds.
    type Item;

    /// What a queue of this order is called.
    const NAME: &'static str;

    /// No items.
    fn none() -> Self;

    /// How many items there are.
    fn count(&self) -> usize;

    /// Adds an item.
    fn push(&mut self, item: Self::Item);

    /// Takes out the item before which `before` others would be handed out, if there is one.
    fn take(&mut self, before: usize) -> Option<Self::Item>;
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for super::Fifo<T> {}
    impl<T> Sealed for super::Lifo<T> {}
    impl<T: Ord> Sealed for super::LowestFirst<T> {}
}

/// First in, first out: the order of [`Queue`](super::Queue).
pub struct Fifo<T> {
    /// Oldest first.
    items: VecDeque<T>,
}

impl<T> Order for Fifo<T> {
    type Item = T;

    const NAME: &'static str = "Queue";

    fn none() -> Self {
        Self { items: VecDeque::new() }
    }

    #[inline]
    fn count(&self) -> usize {
        self.items.len()
    }

    #[inline]
    fn push(&mut self, item: T) {
        self.items.push_back(item);
    }

    #[inline]
    fn take(&mut self, before: usize) -> Option<T> {
        match before {
            0 => self.items.pop_front(),
            before => self.items.remove(before),
        }
    }
}

/// Last in, first out: the order of [`LifoQueue`](super::LifoQueue).
pub struct Lifo<T> {
    /// Oldest first, so that the next one is at the end.
    items: Vec<T>,
}

impl<T> Order for Lifo<T> {
    type Item = T;

    const NAME: &'static str = "LifoQueue";

    fn none() -> Self {
        Self { items: Vec::new() }
    }

    fn count(&self) -> usize {
        self.items.len()
    }

    fn push(&mut self, item: T) {
        self.items.push(item);
    }

    fn take(&mut self, before: usize) -> Option<T> {
        let at = self.items.len().checked_sub(before + 1)?;
        Some(self.items.remove(at))
    }
}

/// The lowest first, and of equal ones the oldest: the order of [`PriorityQueue`](super::PriorityQueue).
pub struct LowestFirst<T> {
    /// The items, each with its number.
    heap: BinaryHeap<Numbered<T>>,
    /// The number of the next item.
    next: u64,
}

/// An item and how many were put before it.
struct Numbered<T> {
    item: T,
    number: u64,
}

impl<T: Ord> Order for LowestFirst<T> {
    type Item = T;

    const NAME: &'static str = "PriorityQueue";

    fn none() -> Self {
        Self { heap: BinaryHeap::new(), next: 0 }
    }

    fn count(&self) -> usize {
        self.heap.len()
    }

    fn push(&mut self, item: T) {
        self.heap.push(Numbered { item, number: self.next });
        self.next += 1;
    }

    fn take(&mut self, before: usize) -> Option<T> {
        if self.heap.len() <= before {
            return None;
        }
        // A heap knows only its first: those before the one wanted are taken out and put back.
        let reserved: Vec<_> = (0..before).filter_map(|_| self.heap.pop()).collect();
        let taken = self.heap.pop();
        self.heap.extend(reserved);
        taken.map(|taken| taken.item)
    }
}

/// The standard heap hands out the greatest; so lower, and older of two equal ones, is greater here.
impl<T: Ord> Ord for Numbered<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.item.cmp(&self.item).then(other.number.cmp(&self.number))
    }
}

impl<T: Ord> PartialOrd for Numbered<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Numbered<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Numbered<T> {}

impl<T> fmt::Debug for Fifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fifo").field("count", &self.items.len()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Lifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifo").field("count", &self.items.len()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for LowestFirst<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LowestFirst").field("count", &self.heap.len()).finish_non_exhaustive()
    }
}
