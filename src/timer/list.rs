//! Chapter 6, part 2: the timers of one slot, any of which may leave at any time.
//!
//! A vector, in no order. What a timer has to tell is its *entry*, in `slots.rs`, which also knows the timer's spot
//! here. Who leaves the list leaves a *gap*, and who comes next fills the gap that was left last. The gaps are a chain:
//! each has the spot of the one that was left before it.
//!
//! ```text
//!   spot         0    1    2
//!              [ 5,   9,   7 ]          three timers, by the indices of their entries
//!   9 leaves   [ 5,   ·,   7 ]          the last gap: 1, and none was left before
//!   5 leaves   [ ·,   ·,   7 ]          the last gap: 0, and 1 was left before
//!   8 comes    [ 8,   ·,   7 ]          the last gap: 1
//! ```
//!
//! The usual way to take something from the middle of a vector is to move the last one there. But that one's entry would
//! have to be told its new spot: with 100,000 timers, a second place in far memory for each that is cancelled, and 5 to 10 % of
//! the time that it takes to arm and cancel one. Here the others stay where they are, until a long list has become mostly
//! gaps: then it closes them all.
//!
//! The other usual way is a chain through the entries, which needs no vector. But who walks a chain must read one
//! entry to learn where the next one is, and with a million timers each lies in far memory: the processor
//! waits 100 ns, a million times. Side by side it can ask for ten entries at a time. Measured
//! with a million timers due within a second: 285 ns to fire one by chains, 100 ns by vectors.
//!
//! Before: `timer/mod.rs`. Next: `timer/slots.rs`.

/// Timers in no order that matters, with gaps between them.
#[derive(Debug)]
pub struct List {
    /// Timers and gaps. Not only gaps: without timers it is empty.
    spots: Vec<Listed>,
    /// How many of them are gaps.
    gaps: u32,
    /// The spot of the gap that was left last; [`NONE`]: there is no gap.
    gap: u32,
}

/// A timer in a list, or a gap, which has [`NONE`] for an index, and for a deadline the spot of the gap that was left before
/// it. Packed, which leaves out four bytes of nothing.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(4))]
pub struct Listed {
    /// When to fire. Decides the slot too, so it never changes.
    pub deadline: u64,
    /// Where the timer is in the entries.
    pub index: u32,
}

impl List {
    /// No timers, and no memory.
    pub const EMPTY: List = List { spots: Vec::new(), gaps: 0, gap: NONE };

    /// How many timers are here.
    pub fn len(&self) -> usize {
        self.spots.len() - self.gaps as usize
    }

    /// The timers.
    pub fn iter(&self) -> impl Iterator<Item = Listed> {
        self.spots.iter().copied().filter(|timer| timer.index != NONE)
    }

    /// Adds a timer; returns its spot.
    #[inline]
    pub fn add(&mut self, timer: Listed) -> u32 {
        let spot = self.gap;
        if spot == NONE {
            self.spots.push(timer);
            return (self.spots.len() - 1) as u32;
        }
        let gap = std::mem::replace(&mut self.spots[spot as usize], timer);
        self.gap = gap.deadline as u32;
        self.gaps -= 1;
        spot
    }

    /// Takes the timer at a spot out.
    #[inline]
    pub fn remove(&mut self, spot: u32) {
        self.spots[spot as usize] = Listed { deadline: u64::from(self.gap), index: NONE };
        self.gap = spot;
        self.gaps += 1;
        if self.len() == 0 {
            self.clear();
        }
    }

    /// Forgets all timers, and keeps the memory for others.
    pub fn clear(&mut self) {
        self.spots.clear();
        self.gaps = 0;
        self.gap = NONE;
    }

    /// Whether the list is large, and has room for more than four times its timers.
    #[inline]
    pub fn is_sparse(&self) -> bool {
        self.is_large() && self.len() < self.spots.capacity() / 4
    }

    /// Whether it has room for more timers than it should keep when it is empty.
    #[inline]
    pub fn is_large(&self) -> bool {
        self.spots.capacity() > KEPT
    }

    /// Closes the gaps, and keeps room for twice the timers. `moved` hears the index and the new spot of each. When a list
    /// becomes sparse, at least as many have gone since the last time as still wait: so each that goes pays for one that is
    /// moved.
    #[cold]
    pub fn close_gaps(&mut self, mut moved: impl FnMut(u32, u32)) {
        self.spots.retain(|timer| timer.index != NONE);
        self.gaps = 0;
        self.gap = NONE;
        (0..).zip(&self.spots).for_each(|(spot, timer)| moved(timer.index, spot));
        self.spots.shrink_to(self.spots.len() * 2);
    }
}

/// No spot, and no index of an entry.
const NONE: u32 = u32::MAX;

/// How many timers an empty list keeps memory for. All 512 lists together then keep 384 KB at most, and a
/// program with few timers never allocates in the wheel once it is warm.
const KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(index: u32) -> Listed {
        Listed { deadline: u64::MAX - u64::from(index), index }
    }

    fn indices(list: &List) -> Vec<u32> {
        list.iter().map(|timer| timer.index).collect()
    }

    #[test]
    fn the_gap_that_was_left_last_is_filled_first_and_nobody_moves() {
        let mut list = List::EMPTY;
        assert_eq!([4, 0, 7].map(|index| list.add(timer(index))), [0, 1, 2]);
        for spot in [1, 0] {
            list.remove(spot);
        }
        assert_eq!((list.len(), indices(&list)), (1, vec![7]));
        assert_eq!([9, 8, 6].map(|index| list.add(timer(index))), [0, 1, 3]);
        assert_eq!((list.len(), indices(&list)), (4, vec![9, 8, 7, 6]));
    }

    #[test]
    fn a_list_without_timers_has_no_gaps() {
        let mut list = List::EMPTY;
        (0..3).for_each(|index| _ = list.add(timer(index)));
        for spot in [0, 2, 1] {
            list.remove(spot);
        }
        assert_eq!((list.len(), list.spots.len()), (0, 0));
        assert_eq!([5, 6].map(|index| list.add(timer(index))), [0, 1]);
    }

    #[test]
    fn a_list_that_was_long_closes_its_gaps_and_gives_memory_back() {
        let mut list = List::EMPTY;
        let mut spots: Vec<u32> = (0..10_000).map(|index| list.add(timer(index))).collect();
        for index in 0..9_999 {
            list.remove(spots[index]);
            if list.is_sparse() {
                list.close_gaps(|index, spot| spots[index as usize] = spot);
                assert_eq!(list.spots.len(), list.len());
                let next = list.add(timer(10_000));
                assert_eq!(next as usize, list.len() - 1, "there is no gap to fill");
                list.remove(next);
            }
            assert!(list.spots.capacity() <= KEPT.max(list.len() * 4 + 4));
        }
        assert_eq!(indices(&list), [9_999]);
        list.remove(spots[9_999]);
        assert_eq!((list.len(), list.spots.len()), (0, 0));
    }
}
