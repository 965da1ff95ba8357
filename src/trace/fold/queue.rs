//! Chapter 35, part 7: the ready queue, of which anything can be taken out at the same small cost.
//!
//! Before: `trace/fold.rs`. Next: `trace/fold/tasks.rs`.

use std::collections::BTreeMap;

use crate::trace::observer::Ready;

/// What is ready, in the order in which it runs.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// By the number each was given when it joined.
    entries: BTreeMap<u64, Ready>,
    /// The next number.
    next: u64,
}

/// A place in the queue; `None`: it is not there. Which is before which, the queue says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot(pub(super) Option<u64>);

impl PartialEq for Spot {
    fn eq(&self, other: &Spot) -> bool {
        self.0.is_some() == other.0.is_some()
    }
}

impl PartialEq for Queue {
    /// The same entries in the same order.
    fn eq(&self, other: &Queue) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Queue {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The next one first.
    pub fn iter(&self) -> impl Iterator<Item = Ready> {
        self.entries.values().copied()
    }

    /// Joins at the end; returns the place, for `remove`.
    pub(super) fn push(&mut self, ready: Ready) -> u64 {
        self.entries.insert(self.next, ready);
        self.next += 1;
        self.next - 1
    }

    pub(super) fn remove(&mut self, place: u64) {
        self.entries.remove(&place);
    }
}
