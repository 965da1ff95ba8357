//! Chapter 6, part 5: where a million deadlines wait, when most of them never come.
//!
//! Nearly every timer in a network program is a precaution: give up if no answer comes within 30 s. The
//! answer comes after 20 ms and the timer is cancelled. So *insert* and *cancel* must be cheap; to fire is
//! the exception. A sorted heap, which is what asyncio keeps (`_scheduled`), does more than is needed: each
//! insert pays `log n` to find its place among deadlines a minute away, an order that nobody reads unless
//! both timers live that long. And nothing is easily taken from the middle of a heap: asyncio marks a
//! cancelled timer and sweeps the heap later.
//!
//! The *hierarchical timing wheel* (G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels",
//! 1987) keeps timers only as sorted as they must be: roughly while far away, finer as they come near. Time
//! is cut into *ticks* of 1 ms. Each level is 64 lists, its *slots*, and a slot of one level is as long as
//! the whole level below:
//!
//! | level | one slot    | whole level | typical timer                          |
//! |-------|-------------|-------------|----------------------------------------|
//! | 0     | 1 ms        | 64 ms       | a pause between two frames             |
//! | 1     | 64 ms       | 4.096 s     | an answer from the same town           |
//! | 2     | 4.096 s     | 4 min 22 s  | a request timeout                      |
//! | 3     | 4 min 22 s  | 4 h 40 min  | a session                              |
//! | 4     | 4 h 40 min  | 12.4 days   | a daily job                            |
//! | 5     | 12.4 days   | 2.18 years  | a certificate                          |
//! | 6     | 2.18 years  | 139 years   | "never", said modestly                 |
//! | 7     | 139 years   | 8,925 years | slots 0 to 4: a `u64` of ns is 584 years |
//!
//! **Which slot?** Write the current tick and the deadline's tick in base 64. The highest digit in which
//! they differ is the level; the deadline's digit there is the slot. At tick 100, which is (1, 36) in base
//! 64:
//!
//! ```text
//! deadline      tick     base 64        highest difference     goes to
//! 100.7 ms       100        ( 1, 36)    none                   the front: this tick's own, sorted run
//! 120 ms         120        ( 1, 56)    digit 0: 36 and 56     level 0, slot 56
//! 1 s          1,000        (15, 40)    digit 1:  1 and 15     level 1, slot 15: ticks   960 to  1,023
//! 10 s        10,000     (2, 28, 16)    digit 2:  0 and  2     level 2, slot  2: ticks 8,192 to 12,287
//! ```
//!
//! When tick 960 is entered, slot 15 of level 1 is emptied and its timers are placed again (*cascade*): now
//! 960 and 1,000 differ in digit 0 only, so the 1 s timer goes to level 0, slot 40. A timer moves down at
//! most once a level. It follows that a slot never wraps round, that the lowest occupied level holds the
//! earliest timers, and that a timer's place can be computed from its deadline at any time and need not be
//! stored.
//!
//! **Order.** A tick is a million nanoseconds long, and timers must fire by deadline, then by arming order.
//! So the timers of the tick being lived through leave the slots for the *front*, sorted once when the tick
//! is entered.
//!
//! `list.rs` and `slots.rs` have the lists and `front.rs` the order; here is how they make one wheel.
//!
//! Left out on purpose: a clock. Time comes in as a number, which is what lets a test live through 500 years.
//!
//! Before: `timer/front.rs`. Next: `timer/clock.rs`, which says what time it is.

use std::num::NonZeroU32;

use super::front::{Due, Front};
use super::list::Listed;
use super::slots::{Place, Slots};

pub use super::slots::{TICK, TimerKey};

/// Timers by deadline, each with a value to hand back when it fires.
///
/// Times are nanoseconds since some start that the owner chose. Insert and cancel cost the same however many
/// timers there are. Memory is one entry per timer, and its deadline and index in a list, which may be three gaps for each
/// timer if most were cancelled; entries are reused, and not given back before the wheel is drained or dropped.
#[derive(Debug)]
pub struct Wheel<T> {
    /// The time of the latest `advance`; every timer due by then has fired, but for those inserted since.
    now: u64,
    /// The current tick, `now / TICK` (less while `advance` is under way). Slots hold later ticks only.
    tick: u64,
    /// The arming number of the latest timer. They count from 1, and leave out those with a low half of 0: that is all
    /// that entries keep, and there it says that no timer waits.
    armed: u64,
    /// How many timers wait.
    len: usize,
    /// All timers, and the lists of those of later ticks.
    slots: Slots<T>,
    /// The order of those of the current tick and of overdue ones.
    front: Front,
    /// The answer of `next`, if it is known.
    planned: Planned,
}

/// What is known of the answer of `next`.
#[derive(Clone, Copy, Debug)]
enum Planned {
    /// Nothing: it must be worked out again.
    Unknown,
    /// No timer waits.
    Never,
    /// This time: right for as long as nothing comes before or near it.
    At(u64),
}

impl<T: Default> Default for Wheel<T> {
    fn default() -> Self {
        Wheel::new()
    }
}

impl<T: Default> Wheel<T> {
    /// An empty wheel at time 0.
    pub fn new() -> Self {
        Wheel {
            now: 0,
            tick: 0,
            armed: 0,
            len: 0,
            slots: Slots::new(),
            front: Front::default(),
            planned: Planned::Never,
        }
    }

    /// Arms a timer. One whose deadline has passed fires at the next `advance`.
    ///
    /// # Panics
    ///
    /// When 4,294,967,295 timers wait already.
    pub fn insert(&mut self, deadline: u64, value: T) -> TimerKey {
        let armed = self.number();
        let index = self.slots.store(armed, value);
        match Place::of(self.tick, deadline) {
            Some(place) => self.slots.link(place, Listed { deadline, index }),
            None => self.front.push(Due { deadline, armed: self.armed, index }),
        }
        self.len += 1;
        self.planned.with(deadline);
        TimerKey::new(deadline, index, armed)
    }

    /// The next arming number; its low half.
    fn number(&mut self) -> NonZeroU32 {
        self.armed += 1;
        NonZeroU32::new(self.armed as u32).unwrap_or_else(|| {
            self.armed += 1;
            NonZeroU32::MIN
        })
    }

    /// Takes a timer out. `None` if it has fired or was cancelled before, which is harmless.
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        let place = Place::of(self.tick, key.deadline());
        let value = self.slots.remove(key, place)?;
        if place.is_none() {
            self.front.cancelled(|due| due.waits(&self.slots));
        }
        self.len -= 1;
        self.planned.without(key.deadline(), self.len);
        Some(value)
    }

    /// The value of a waiting timer.
    pub fn get_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        self.slots.value_mut(key)
    }

    /// The level and slot in which a timer waits. For one in the front it is the slot of the current tick.
    pub fn place(&self, key: TimerKey) -> Option<(u8, u8)> {
        let front = Place { level: 0, slot: Place::digit(self.tick, 0) };
        let Place { level, slot } = Place::of(self.tick, key.deadline()).unwrap_or(front);
        self.slots.waits(key).then_some((level, slot))
    }

    /// The arming number of the latest timer, as [`waiting`](Wheel::waiting) has it.
    pub fn latest(&self) -> u32 {
        self.armed as u32
    }

    /// All timers that wait, in no particular order: deadline, the low half of the arming number, and value.
    pub fn waiting(&self) -> impl Iterator<Item = (u64, u32, &T)> {
        let due = self.front.all().filter(|due| due.waits(&self.slots));
        let timers =
            self.slots.listed().chain(due.map(|due| Listed { deadline: due.deadline, index: due.index }));
        timers.map(|timer| {
            let (armed, value) = self.slots.timer(timer.index);
            (timer.deadline, armed, value)
        })
    }

    /// How many timers wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// When to call `advance` next; `None` when no timer waits. A time that has passed means: at once.
    ///
    /// The answer is the earliest deadline while its tick holds at most [`FEW`] timers. When it holds more, it is the end
    /// of that tick or of the next, whichever is odd: so a crowd costs one wake-up in two ticks, and none of it is late
    /// by more than that. The answer may also be the start of a crowded slot of a higher level, where nothing fires yet
    /// but a cascade brings it nearer. It is kept until an insert, a cancel or an `advance` touches it.
    pub fn next(&mut self) -> Option<u64> {
        if let Planned::Unknown = self.planned {
            self.planned = self.plan().map_or(Planned::Never, Planned::At);
        }
        match self.planned {
            Planned::At(time) => Some(time),
            Planned::Never | Planned::Unknown => None,
        }
    }

    /// The earliest deadline, exactly: what a virtual clock jumps to. It reads one whole slot, unlike `next`.
    pub fn earliest(&mut self) -> Option<u64> {
        if let Some(due) = self.front.first(|due| due.waits(&self.slots)) {
            return Some(due.deadline);
        }
        self.slots.first().and_then(|place| self.slots.earliest(place))
    }

    /// Moves time forward to `now` and appends each timer due by then to `fired`: by deadline, then by arming
    /// order.
    ///
    /// Never early, and none is left behind. Order among equal deadlines is right unless 4,294,967,296 or
    /// more timers were armed between them. A `now` before the latest one counts as the latest one: time does
    /// not go back. The cost depends on the timers met, not on the length of the step.
    pub fn advance(&mut self, now: u64, fired: &mut Vec<(TimerKey, T)>) {
        self.now = self.now.max(now);
        let target = self.now / TICK;
        loop {
            while let Some(timer) = self.pop_due() {
                fired.push(timer);
            }
            if self.tick == target {
                return;
            }
            // The front held ticks before the target only, so all of it was due, and it is empty here.
            match self.slots.first() {
                Some(place) if place.span(self.tick).0 <= target => self.enter(place, target),
                _ => {
                    self.tick = target;
                    self.front.begin_tick();
                }
            }
        }
    }

    /// Takes all timers out, in no particular order, and gives their memory back. Old keys stay harmless.
    pub fn drain(&mut self) -> Vec<T> {
        self.len = 0;
        self.front = Front::default();
        self.planned = Planned::Never;
        std::mem::replace(&mut self.slots, Slots::new()).into_values()
    }

    /// Works out the answer of `next`.
    fn plan(&mut self) -> Option<u64> {
        if let Some(due) = self.front.first(|due| due.waits(&self.slots)) {
            let crowded = self.front.crowd() > FEW && due.deadline > self.now;
            return Some(if crowded { crowd_end(self.tick) } else { due.deadline });
        }
        let place = self.slots.first()?;
        let start = place.span(self.tick).0;
        match place.level {
            _ if self.slots.list(place).len() <= FEW => self.slots.earliest(place),
            0 => Some(crowd_end(start)),
            _ => Some(start * TICK),
        }
    }

    /// Enters a slot, the earliest occupied one: places its timers again as seen from its last tick, or from
    /// `target` if that lies inside. In a long jump, then, a timer goes straight to the front, not level by
    /// level.
    fn enter(&mut self, place: Place, target: u64) {
        self.tick = place.span(self.tick).1.min(target);
        self.front.begin_tick();
        let list = self.slots.take(place);
        for Listed { deadline, index } in list.iter() {
            match Place::of(self.tick, deadline) {
                Some(place) => self.slots.link(place, Listed { deadline, index }),
                None => {
                    // The whole number is the latest one that has this low half.
                    let since = (self.armed as u32).wrapping_sub(self.slots.timer(index).0);
                    let armed = self.armed - u64::from(since);
                    self.front.bring(Due { deadline, armed, index }, deadline / TICK < self.tick);
                }
            }
        }
        self.slots.give_back(place, list);
        self.front.sort();
        self.planned = Planned::Unknown;
    }

    /// Takes the first timer out of the front if it is due.
    fn pop_due(&mut self) -> Option<(TimerKey, T)> {
        let due = self.front.first(|due| due.waits(&self.slots)).filter(|due| due.deadline <= self.now)?;
        let value = self.slots.release(due.index);
        self.front.fired(|due| due.waits(&self.slots));
        self.len -= 1;
        self.planned = Planned::Unknown;
        Some((due.key(), value))
    }
}

impl Due {
    /// The key of this timer.
    fn key(&self) -> TimerKey {
        // It is never 0.
        let armed = NonZeroU32::new(self.armed as u32).unwrap_or(NonZeroU32::MAX);
        TimerKey::new(self.deadline, self.index, armed)
    }

    /// Whether this timer still waits: it was not cancelled.
    fn waits<T: Default>(&self, slots: &Slots<T>) -> bool {
        slots.waits(self.key())
    }
}

impl Planned {
    /// After a timer was inserted. One within a tick of the planned time may make a crowd there.
    fn with(&mut self, deadline: u64) {
        match *self {
            Planned::Never => *self = Planned::At(deadline),
            Planned::At(time) if deadline <= time.saturating_add(TICK) => *self = Planned::Unknown,
            _ => {}
        }
    }

    /// After a timer was cancelled, which left `len`.
    fn without(&mut self, deadline: u64, len: usize) {
        match *self {
            _ if len == 0 => *self = Planned::Never,
            Planned::At(time) if deadline <= time => *self = Planned::Unknown,
            _ => {}
        }
    }
}

/// Whether an answer of [`Wheel::next`] is a timer's deadline, and not the end of a tick or the start of a slot. (One
/// timer in half a million has its deadline just there, and is none to this.)
pub fn is_a_deadline(next: u64) -> bool {
    !matches!(next % TICK, 0 | LAST)
}

/// The last nanosecond of a tick, counted within it.
const LAST: u64 = TICK - 1;

/// When the crowd of a tick is woken: with the last nanosecond of that tick or of the next, whichever is odd. For the very
/// last tick, which is odd and cut short, with the last there is.
fn crowd_end(tick: u64) -> u64 {
    ((tick | 1) * TICK).saturating_add(LAST)
}

/// How many timers a tick may hold for each of them to get a wake-up of its own. A wake-up costs two system calls of
/// together about 1 µs, so 8 in each tick take about 1 % of a core; and 8 deadlines, in a list of at most 64 spots, are
/// quickly compared. (A core that has to be woken with it costs more: some 25 µs on a virtual machine. Hence one wake-up in
/// two ticks for a crowd, which is then late by 1 ms on the whole and by 2 ms at most.)
pub const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_timer_is_gone_at_once_and_its_place_may_be_used_again() {
        let mut wheel = Wheel::new();
        let keys = [3, 5, 7].map(|at| wheel.insert(at * TICK, at));
        for (cancelled, next, waiting) in [(0, Some(5), vec![5, 7]), (2, Some(5), vec![5]), (1, None, vec![])]
        {
            assert!(wheel.cancel(keys[cancelled]).is_some());
            assert!(wheel.waiting().map(|(at, ..)| at / TICK).eq(waiting));
            assert_eq!(wheel.earliest(), next.map(|at| at * TICK));
        }
        // Two in a row, and then the place of the second one is used again.
        let [a, b, c] = [3, 3, 3].map(|at| wheel.insert(at * TICK, at));
        assert!(wheel.cancel(a).is_some() && wheel.cancel(b).is_some() && wheel.cancel(b).is_none());
        wheel.insert(3 * TICK, 4);
        let mut fired = Vec::new();
        wheel.advance(4 * TICK, &mut fired);
        assert!(fired.into_iter().map(|(_, value)| value).eq([3, 4]));
        assert!(wheel.cancel(c).is_none());
    }

    #[test]
    fn arming_order_holds_where_the_low_half_of_the_number_wraps() {
        let mut wheel = Wheel::new();
        wheel.armed = u64::from(u32::MAX) - 2;
        let deadline = 5 * TICK;
        (0..6).for_each(|name| _ = wheel.insert(deadline, name));
        let mut fired = Vec::new();
        wheel.advance(deadline, &mut fired);
        assert!(fired.into_iter().map(|(_, name)| name).eq(0..6));
    }
}
