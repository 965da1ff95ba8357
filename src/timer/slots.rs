//! Chapter 6, part 3: a timer is put in, and taken from the middle, at a fixed small price.
//!
//! All timers lie in one vector of *entries*; a freed entry is a *hole* and is used again. There is a
//! [list](super::list) for each slot of the [wheel](super::wheel), of deadlines with the indices of their entries,
//! and each entry knows its own spot in its list: so a timer can be taken out at once. For each level a `u64` has bits
//! that say which lists hold anything: to find the first is to count the zeros below.
//!
//! ```text
//!   list of level 0, slot 56   [ 5, 9, 7 ]     cancel entry 9:   [ 5, ·, 7 ]
//!   entry 5: spot 0   entry 9: spot 1   entry 7: spot 2          entry 9: a hole
//! ```
//!
//! The deadlines lie in the lists, where they are needed by who moves a list, or looks for the first one: neither has to
//! go and see the entries. And in the keys, so that who cancels knows which list it is.
//!
//! Left out on purpose: what the times mean. Which slot is due, and when, is the wheel's to say.
//!
//! Before: `timer/list.rs`. Next: `timer/front.rs`.

use std::num::{NonZeroU32, NonZeroU64};

use super::list::{List, Listed};

/// The entries of all timers, and the lists that hold those of later ticks.
#[derive(Debug)]
pub struct Slots<T> {
    /// All timers, and holes left by old ones.
    entries: Vec<Entry<T>>,
    /// The indices of the holes. The latest one is used first, being still near the processor. There is room for as
    /// many as there are entries.
    holes: Vec<u32>,
    /// A bit for each slot of a level, set when its list is not empty.
    occupied: [u64; LEVELS],
    /// The lists, by level and slot.
    lists: [[List; SLOTS]; LEVELS],
}

/// Names one timer, and never another: when its entry is reused, the arming number differs.
///
/// (The number is the low half of a 64-bit count. Only a key kept through 4,294,967,296 further insertions,
/// whose entry is in use just then, could be mistaken.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerKey {
    /// When it fires.
    deadline: u64,
    /// Where the timer is in the entries, and above that the low half of its arming number, which is never 0. In one
    /// word, so that a key is moved in two registers.
    name: NonZeroU64,
}

/// A slot of the wheel: which level, and which of its 64 slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// 0 to 7; the higher, the longer the slots.
    pub level: u8,
    /// 0 to 63: the digit of the timer's tick at this level.
    pub slot: u8,
}

/// One timer, or a hole where one was.
#[derive(Debug)]
struct Entry<T> {
    /// Where in its slot's list this timer is. Of no meaning outside a list.
    spot: u32,
    /// The low half of the arming number; 0 in a hole.
    armed: u32,
    /// What to hand back when the timer fires; the default in a hole.
    value: T,
}

impl<T: Default> Slots<T> {
    /// No timers.
    pub fn new() -> Self {
        let lists = [const { [const { List::EMPTY }; SLOTS] }; LEVELS];
        Slots { entries: Vec::new(), holes: Vec::new(), occupied: [0; LEVELS], lists }
    }

    /// Stores a timer in a hole or at the end, in no list yet, and says where.
    ///
    /// # Panics
    ///
    /// When 4,294,967,295 timers wait already.
    pub fn store(&mut self, armed: NonZeroU32, value: T) -> u32 {
        let entry = Entry { spot: 0, armed: armed.get(), value };
        if self.holes.len() == self.entries.len() {
            // Nothing but holes, in the order of firing. Begin anew, in the order of memory.
            self.holes.clear();
            self.entries.clear();
        }
        if let Some(index) = self.holes.pop() {
            self.entries[index as usize] = entry;
            return index;
        }
        let index = self.entries.len();
        assert!(
            index < u32::MAX as usize,
            "4,294,967,295 timers wait already: cancel some before arming more"
        );
        self.entries.push(entry);
        // To fire is no time to ask for memory; and what is never touched costs none.
        if self.holes.capacity() < self.entries.capacity() {
            self.holes.reserve_exact(self.entries.capacity() - self.holes.len());
        }
        index as u32
    }

    /// Makes the entry of a timer, which must wait and be in no list, a hole. Returns its value.
    pub fn release(&mut self, index: u32) -> T {
        self.holes.push(index);
        let entry = &mut self.entries[index as usize];
        entry.armed = 0;
        std::mem::take(&mut entry.value)
    }

    /// Whether a timer waits, in a list or in the front; not when the key is of the past.
    pub fn waits(&self, key: TimerKey) -> bool {
        self.entries.get(key.index() as usize).is_some_and(|entry| entry.armed == key.armed())
    }

    /// The value of a waiting timer; `None` when the key is of the past.
    pub fn value_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        let entry = self.entries.get_mut(key.index() as usize)?;
        (entry.armed == key.armed()).then_some(&mut entry.value)
    }

    /// All timers in lists.
    pub fn listed(&self) -> impl Iterator<Item = Listed> {
        self.lists.iter().flatten().flat_map(List::iter)
    }

    /// The low half of the arming number of a waiting timer, and its value.
    pub fn timer(&self, index: u32) -> (u32, &T) {
        let entry = &self.entries[index as usize];
        (entry.armed, &entry.value)
    }

    /// All values that wait.
    pub fn into_values(self) -> Vec<T> {
        self.entries.into_iter().filter(|entry| entry.armed != 0).map(|entry| entry.value).collect()
    }

    /// The first occupied slot of the lowest occupied level.
    pub fn first(&self) -> Option<Place> {
        let level = self.occupied.iter().position(|&bits| bits != 0)?;
        Some(Place { level: level as u8, slot: self.occupied[level].trailing_zeros() as u8 })
    }

    /// The list of a slot.
    pub fn list(&self, place: Place) -> &List {
        &self.lists[place.level as usize][place.slot as usize]
    }

    /// The earliest deadline in a slot.
    pub fn earliest(&self, place: Place) -> Option<u64> {
        self.list(place).iter().map(|timer| timer.deadline).min()
    }

    /// Puts a timer into a slot's list.
    #[inline]
    pub fn link(&mut self, place: Place, timer: Listed) {
        let list = &mut self.lists[place.level as usize][place.slot as usize];
        self.entries[timer.index as usize].spot = list.add(timer);
        self.occupied[place.level as usize] |= 1 << place.slot;
    }

    /// Makes the entry of a timer that is in a list, or in none (`None`), a hole. Returns its value; `None` when the key
    /// is of the past.
    pub fn remove(&mut self, key: TimerKey, place: Option<Place>) -> Option<T> {
        let entry = self.entries.get_mut(key.index() as usize).filter(|entry| entry.armed == key.armed())?;
        let spot = entry.spot;
        entry.armed = 0;
        let value = std::mem::take(&mut entry.value);
        self.holes.push(key.index());
        if let Some(place) = place {
            self.unlink(place, spot);
        }
        Some(value)
    }

    /// Takes the timer at a spot out of a slot's list.
    fn unlink(&mut self, place: Place, spot: u32) {
        let list = &mut self.lists[place.level as usize][place.slot as usize];
        list.remove(spot);
        if list.len() == 0 {
            self.occupied[place.level as usize] &= !(1 << place.slot);
        }
        if list.is_sparse() {
            list.close_gaps(|index, spot| self.entries[index as usize].spot = spot);
        }
    }

    /// Empties a slot and returns its list, which `give_back` wants when it was read.
    pub fn take(&mut self, place: Place) -> List {
        self.occupied[place.level as usize] &= !(1 << place.slot);
        std::mem::replace(&mut self.lists[place.level as usize][place.slot as usize], List::EMPTY)
    }

    /// Takes the memory of a list back for the timers to come, unless it is much: then it is freed.
    pub fn give_back(&mut self, place: Place, mut list: List) {
        if !list.is_large() {
            list.clear();
            self.lists[place.level as usize][place.slot as usize] = list;
        }
    }
}

impl TimerKey {
    pub(super) fn new(deadline: u64, index: u32, armed: NonZeroU32) -> TimerKey {
        // A number that is not 0 stays so when its bits move to the upper half.
        let name = NonZeroU64::new(u64::from(armed.get()) << 32 | u64::from(index));
        TimerKey { deadline, name: name.unwrap_or(NonZeroU64::MAX) }
    }

    /// Where the timer is in the entries.
    pub fn index(self) -> u32 {
        self.name.get() as u32
    }

    /// When the timer fires.
    pub fn deadline(self) -> u64 {
        self.deadline
    }

    /// The arming number, as far as the key has it: it counts timers in the order they were armed, from 1.
    pub fn armed(self) -> u32 {
        (self.name.get() >> 32) as u32
    }
}

impl Place {
    /// The place of a deadline as seen from `tick`; `None` when it is in this tick or before.
    ///
    /// For a waiting timer the answer stays the same until its slot is entered: only then does the current
    /// tick take on the timer's digit at that level.
    pub fn of(tick: u64, deadline: u64) -> Option<Place> {
        let at = deadline / TICK;
        if at <= tick {
            return None;
        }
        let level = (at ^ tick).ilog2() / BITS;
        Some(Place { level: level as u8, slot: Place::digit(at, level) })
    }

    /// The slot of a tick at a level: its digit there.
    pub fn digit(tick: u64, level: u32) -> u8 {
        (tick >> (level * BITS)) as u8 % SLOTS as u8
    }

    /// The first and the last tick of the slot as seen from `tick`: that tick with the digit of the level
    /// replaced, and the digits below it all 0 for the first, all 63 for the last.
    pub fn span(self, tick: u64) -> (u64, u64) {
        let below = u32::from(self.level) * BITS;
        let start = (tick >> (below + BITS) << (below + BITS)) | (u64::from(self.slot) << below);
        (start, start + (1 << below) - 1)
    }
}

/// One tick in nanoseconds: 1 ms. Shorter ticks would cascade more; longer ones would sort and wait in larger
/// crowds.
pub const TICK: u64 = 1_000_000;

/// The bits of a tick that make one digit.
const BITS: u32 = 6;

/// The slots of one level: one for each digit, and one for each bit of a `u64`.
pub const SLOTS: usize = 1 << BITS;

/// The digits of the largest tick: `u64::MAX / TICK` is about 2^44, and 8 digits are 48 bits. So every
/// deadline has a place, and none needs to be clamped.
pub const LEVELS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_with_a_value_of_16_bytes_takes_36_bytes() {
        assert_eq!(size_of::<Entry<[u64; 2]>>() + size_of::<Listed>(), 36);
    }

    #[test]
    fn timers_of_a_long_list_can_be_removed_in_any_order() {
        let mut slots = Slots::new();
        let place = Place { level: 2, slot: 7 };
        for index in 0..10_000 {
            assert_eq!(slots.store(NonZeroU32::MIN, index), index);
            slots.link(place, Listed { deadline: 10 * TICK, index });
        }
        // 7,919 and 10,000 have no divisor in common, so this is each index once, but for 2,081.
        for index in (0..9_999).map(|n| n * 7_919 % 10_000) {
            let key = TimerKey::new(10 * TICK, index, NonZeroU32::MIN);
            assert_eq!(slots.remove(key, Some(place)), Some(index));
        }
        assert!(slots.listed().map(|timer| timer.index).eq([2_081]));
        assert_eq!((slots.list(place).len(), slots.first()), (1, Some(place)));
        assert!(!slots.list(place).is_large());
    }

    #[test]
    fn a_hole_is_used_before_a_new_entry() {
        let mut slots = Slots::new();
        let indices: Vec<u32> = (0..3).map(|n| slots.store(NonZeroU32::MIN, n)).collect();
        assert_eq!(indices, [0, 1, 2]);
        assert_eq!(slots.release(1), 1);
        assert_eq!(slots.store(NonZeroU32::MIN, 3), 1);
        assert_eq!(slots.store(NonZeroU32::MIN, 4), 3);
    }

    #[test]
    fn when_all_entries_are_holes_they_are_used_in_the_order_of_memory() {
        let mut slots = Slots::new();
        (0..3).for_each(|n| _ = slots.store(NonZeroU32::MIN, n));
        assert_eq!([1, 0, 2].map(|index| slots.release(index)), [1, 0, 2]);
        let indices: Vec<u32> = (3..6).map(|n| slots.store(NonZeroU32::MIN, n)).collect();
        assert_eq!(indices, [0, 1, 2]);
    }

    #[test]
    fn the_span_of_a_slot_is_where_its_deadlines_come_from() {
        for tick in [0, 100, 959, 4_095, 1 << 36] {
            for ahead in [1, 63, 64, 4_096, 10_000, 1 << 40] {
                let place = Place::of(tick, (tick + ahead) * TICK).expect("a later tick");
                let (first, last) = place.span(tick);
                assert!(first <= tick + ahead && tick + ahead <= last);
                assert!(tick < first);
                assert_eq!(last - first + 1, 64_u64.pow(u32::from(place.level)));
            }
        }
    }
}
