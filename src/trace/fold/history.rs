//! Chapter 35, part 33: a run, to be gone through forwards and backwards.
//!
//! ```text
//!   events    0 ─────────── 1,000 ─────────── 2,000 ──── 2,345 ─────── the end
//!   copies    *               *                 *          ▲
//!                                               └──fold────┘ 345 events, to go to 2,345
//! ```
//!
//! Before: `trace/fold/things.rs`. Next: `trace/export.rs`.

use super::World;
use crate::trace::event::Event;
use crate::trace::narrate::Narrator;

/// How many events lie at least between two copies of the world.
const INTERVAL: usize = 1_000;

/// The events of one run, and a moment of it that is looked at: after the first so many of its events.
///
/// Memory: the events, and copies of the world that are together no larger than they.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Event>,
    /// The moment that is looked at.
    now: Moment,
    /// Moments that have been looked at, by the number of their events; the beginning is not among them.
    copies: Vec<Moment>,
}

/// The state after some events.
#[derive(Clone, Debug, Default)]
struct Moment {
    /// How many.
    at: usize,
    world: World,
    /// Which names are known.
    narrator: Narrator,
}

impl History {
    /// A run, at its beginning. More events may come.
    pub fn new(events: Vec<Event>) -> History {
        History { events, ..History::default() }
    }

    /// Adds what happened next. The moment that is looked at stays the same.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// All events that are known.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many events have happened in the moment that is looked at.
    pub fn at(&self) -> usize {
        self.now.at
    }

    /// Whether nothing is known of what comes then.
    pub fn is_at_end(&self) -> bool {
        self.now.at == self.events.len()
    }

    /// The state of the loop then.
    pub fn world(&self) -> &World {
        &self.now.world
    }

    /// Goes on by one event; says it in a sentence. `None` at the end.
    pub fn forward(&mut self) -> Option<String> {
        let event = self.events.get(self.now.at)?;
        let sentence = self.now.narrator.sentence(event);
        self.now.world.apply(event);
        self.passed();
        Some(sentence)
    }

    /// Goes to the moment after the first `at` events, or to the end.
    pub fn go(&mut self, at: usize) {
        let at = at.min(self.events.len());
        let copy = self.copies.partition_point(|copy| copy.at <= at).checked_sub(1);
        let copy = copy.map(|index| &self.copies[index]);
        if at < self.now.at || copy.is_some_and(|copy| copy.at > self.now.at) {
            self.now = copy.cloned().unwrap_or_default();
        }
        while self.now.at < at {
            let event = &self.events[self.now.at];
            self.now.narrator.follow(event);
            self.now.world.apply(event);
            self.passed();
        }
    }

    /// One more event has happened; a copy is made if it is time for one.
    fn passed(&mut self) {
        self.now.at += 1;
        let last = self.copies.last().map_or(0, |copy| copy.at);
        if self.now.at >= last + INTERVAL.max(self.now.world.size()) {
            self.copies.push(self.now.clone());
        }
    }
}
