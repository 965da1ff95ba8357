//! Chapter 35, part 11: a run, to be gone through forwards and backwards.
//!
//! ```text
//!   events    0 ─────────── 1,000 ─────────── 2,000 ──── 2,345 ─────── the end
//!   copies    *               *                 * · · · · ·▲
//!                                               └──fold────┘ 345 events, to go to 2,345
//! ```
//!
//! On that way nearer copies are made (`·`), for the next steps back from there.
//!
//! The oldest events can be let go. Then the run begins with a copy instead of nothing.
//!
//! Before: `trace/fold/lines.rs`. Next: `trace/record.rs`.

use super::World;
use crate::trace::event::Event;
use crate::trace::narrate::Narrator;

/// How many events lie at least between two copies of the world.
const INTERVAL: usize = 1_000;

/// How many events lie at least between two of the nearer copies.
const STRIDE: usize = 32;

/// The events of one run, and a moment of it that is looked at: after the first so many of its events.
///
/// Memory: the events, and copies of the world that are together about as large as they.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Event>,
    /// Before the first of them.
    begin: Moment,
    /// The moment that is looked at.
    now: Moment,
    /// Moments that have been looked at, by the number of their events; the beginning is not among them.
    copies: Vec<Moment>,
    /// Copies between the last of those before the moment and the moment, for the way back. No older than the latest
    /// step back; empty if there was none.
    nearer: Vec<Moment>,
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

    /// A run that begins with this state, if there is one: what was before is not known.
    pub fn beginning_with(begin: Option<World>, events: Vec<Event>) -> History {
        let Some(world) = begin else { return History::new(events) };
        let narrator = world.narrator();
        let begin = Moment { at: 0, world, narrator };
        History { events, now: begin.clone(), begin, ..History::default() }
    }

    /// Adds what happened next. The moment that is looked at stays the same.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Lets go of the oldest events: at least so many, up to a moment of which there is a copy, and none of those after
    /// the moment that is looked at. Returns how many; as many less is [`at`](History::at) from then on.
    pub fn forget(&mut self, least: usize) -> usize {
        let index = self.copies.partition_point(|copy| copy.at < least);
        if self.copies.get(index).is_none_or(|copy| copy.at > self.now.at) {
            return 0;
        }
        self.begin = self.copies.drain(..=index).next_back().unwrap_or_default();
        let gone = std::mem::take(&mut self.begin.at);
        self.events.drain(..gone);
        self.nearer.clear();
        self.copies.iter_mut().chain([&mut self.now]).for_each(|moment| moment.at -= gone);
        gone
    }

    /// The state of the loop before the first of the events that are known.
    pub fn begin(&self) -> &World {
        &self.begin.world
    }

    /// The number of the last event before the first that is known; `None`: none was let go.
    pub fn forgotten(&self) -> Option<u64> {
        self.begin.world.seq
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

    /// Goes on by one event without a word, in a quarter of the time. Whether there was one.
    pub fn pass(&mut self) -> bool {
        let Some(event) = self.events.get(self.now.at) else { return false };
        self.now.narrator.follow(event);
        self.now.world.apply(event);
        self.passed();
        true
    }

    /// Goes to the moment after the first `at` events, or to the end.
    pub fn go(&mut self, at: usize) {
        let at = at.min(self.events.len());
        self.nearer.truncate(self.nearer.partition_point(|copy| copy.at <= at));
        let copy = self.copies.partition_point(|copy| copy.at <= at).checked_sub(1);
        let copies = copy.map(|index| &self.copies[index]).into_iter().chain(self.nearer.last());
        let copy = copies.max_by_key(|copy| copy.at);
        let is_back = at < self.now.at;
        if is_back || copy.is_some_and(|copy| copy.at > self.now.at) {
            self.now = copy.unwrap_or(&self.begin).clone();
            if self.nearer.last().is_some_and(|copy| copy.at < self.now.at) {
                // They are for another stretch of the way.
                self.nearer.clear();
            }
        }
        while self.now.at < at && self.pass() {
            if is_back {
                self.keep_near();
            }
        }
    }

    /// Whoever has gone back may want to go on doing so: makes a copy of this moment, if there is none close by.
    fn keep_near(&mut self) {
        let copies = self.copies.partition_point(|copy| copy.at <= self.now.at).checked_sub(1);
        let copies = copies.map(|index| &self.copies[index]).into_iter().chain(self.nearer.last());
        let last = copies.map(|copy| copy.at).max().unwrap_or(0);
        // A large world has few copies.
        let stride = STRIDE.max(self.now.world.size() / 8);
        if self.now.at >= last + stride {
            self.nearer.push(self.now.clone());
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
