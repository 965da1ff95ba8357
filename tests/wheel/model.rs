//! The wheel beside an ordered map: whatever is done to both, they must agree.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::wheel::{FEW, TICK, TimerKey, Wheel};
use super::{SECOND, YEAR};

/// The wheel and an ordered map that should agree with it.
struct Pair {
    wheel: Wheel<u64>,
    map: BTreeMap<(u64, u64), (TimerKey, u64)>,
    /// All keys given out and their place in the map, gone ones too.
    keys: Vec<(TimerKey, (u64, u64))>,
    now: u64,
    /// How many timers were armed.
    armed: u64,
    /// How many have fired.
    fired: u64,
    /// How many timers the current tick held when it was entered.
    brought: usize,
}

impl Pair {
    fn new() -> Self {
        let (wheel, map, keys) = (Wheel::new(), BTreeMap::new(), Vec::new());
        Pair { wheel, map, keys, now: 0, armed: 0, fired: 0, brought: 0 }
    }

    fn insert(&mut self, deadline: u64) {
        let value = self.armed;
        self.armed += 1;
        let key = self.wheel.insert(deadline, value);
        self.map.insert((deadline, value), (key, value));
        self.keys.push((key, (deadline, value)));
    }

    /// One of the keys, the latest ones more often.
    fn pick(&self, choice: u64) -> Option<(TimerKey, (u64, u64))> {
        let range = if choice.is_multiple_of(2) { 50 } else { usize::MAX };
        let back = (choice / 2) as usize % self.keys.len().clamp(1, range);
        self.keys.iter().rev().nth(back).copied()
    }

    fn cancel(&mut self, choice: u64) {
        if let Some((key, place)) = self.pick(choice) {
            assert_eq!(self.wheel.cancel(key), self.map.remove(&place).map(|(_, value)| value));
        }
    }

    fn change(&mut self, choice: u64) {
        if let Some((key, place)) = self.pick(choice) {
            let expected = self.map.get_mut(&place).map(|(_, value)| value);
            assert_eq!(self.wheel.place(key).is_some(), expected.is_some());
            let found = self.wheel.get_mut(key);
            assert_eq!(found, expected);
            if let (Some(found), Some(expected)) = (found, expected) {
                (*found, *expected) = (choice, choice);
            }
        }
    }

    fn advance(&mut self, now: u64) {
        if now / TICK > self.now / TICK {
            let (start, end) = (now / TICK * TICK, (now / TICK * TICK).saturating_add(TICK - 1));
            self.brought = self.map.range((start, 0)..=(end, u64::MAX)).count();
        }
        self.now = self.now.max(now);
        let mut fired = Vec::new();
        self.wheel.advance(now, &mut fired);
        self.fired += fired.len() as u64;
        for timer in fired {
            let ((deadline, _), expected) = self.map.pop_first().expect("the map has no timer left");
            assert!(deadline <= self.now, "{deadline} fired early, at {}", self.now);
            assert_eq!(timer, expected);
        }
        let left = self.map.first_key_value().map(|((deadline, _), _)| *deadline);
        assert!(left.is_none_or(|deadline| deadline > self.now), "{left:?} was left behind at {}", self.now);
    }

    fn check(&mut self) {
        assert_eq!(self.wheel.len(), self.map.len());
        let Some(((earliest, _), _)) = self.map.first_key_value() else {
            assert_eq!(self.wheel.next(), None);
            return;
        };
        let next = self.wheel.next().expect("timers wait");
        let end = (earliest / TICK * TICK).saturating_add(TICK - 1);
        let crowd_end = (((earliest / TICK) | 1) * TICK).saturating_add(TICK - 1);
        assert!(next <= crowd_end, "the wait ends at {next}, the two ticks of {earliest} before");
        // Due now: no wait. Else a true wait: a time that does not pass would be a loop without end.
        assert_eq!(
            next <= self.now,
            *earliest <= self.now,
            "next {next}, earliest {earliest}, now {}",
            self.now
        );
        let crowd = self.map.range(..=(end, u64::MAX)).take(FEW + 1).count() > FEW;
        if *earliest > self.now && earliest / TICK == self.now / TICK {
            let crowd = crowd || self.brought > FEW;
            assert_eq!(next, if crowd { crowd_end } else { *earliest });
        }
    }

    /// Follows `next` to the end: every wait must bring the wheel on.
    fn follow(&mut self) {
        let mut waits = 0;
        let bound = 10 * (self.map.len() + 1);
        while let Some(next) = self.wheel.next() {
            self.advance(next);
            self.check();
            waits += 1;
            assert!(waits <= bound, "{waits} waits");
        }
        assert!(self.map.is_empty());
    }
}

/// A deadline near or far from `now`; often one that others share.
fn deadline(now: u64, shape: u64, random: u64) -> u64 {
    let ahead = match shape % 12 {
        0 => return random % now.saturating_add(1), // past
        1 => return now,                            // just now
        2 => random % 5,                            // nanoseconds
        3 => random % TICK,                         // this tick or the next
        4 => random % 20 * TICK / 4,                // few different ones
        5 => random % (64 * TICK),                  // level 0, mostly
        6 => random % (4096 * TICK),                // level 1, mostly
        7 => random % (60 * SECOND),                // as timeouts are
        8 => random % (30 * 24 * 3600 * SECOND),    // days
        9 => (random % 4) << (20 + random % 43),    // at the edges of slots
        10 => random % (400 * YEAR),
        _ => return u64::MAX - random % 3,
    };
    now.saturating_add(ahead)
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u64, u64),
    Crowd(u64, u64, u64),
    Cancel(u64),
    Change(u64),
    Advance(u64, u64),
    Next,
    Earliest,
    Drain,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        60 => any::<(u64, u64)>().prop_map(|(shape, random)| Op::Insert(shape, random)),
        10 => (any::<u64>(), any::<u64>(), 1..40u64).prop_map(|(shape, random, count)| Op::Crowd(shape, random, count)),
        40 => any::<u64>().prop_map(Op::Cancel),
        10 => any::<u64>().prop_map(Op::Change),
        20 => (0..11u64, any::<u64>()).prop_map(|(shape, random)| Op::Advance(shape, random)),
        20 => Just(Op::Next),
        10 => Just(Op::Earliest),
        1 => Just(Op::Drain),
    ]
}

fn apply(pair: &mut Pair, op: Op) {
    match op {
        Op::Insert(shape, random) => pair.insert(deadline(pair.now, shape, random)),
        Op::Crowd(shape, random, count) => {
            let base = deadline(pair.now, shape, random);
            (0..count).for_each(|n| pair.insert(base.saturating_add(n * (random % 3))));
        }
        Op::Cancel(choice) => pair.cancel(choice),
        Op::Change(choice) => pair.change(choice),
        Op::Advance(shape, random) => pair.advance(deadline(pair.now, shape, random)),
        Op::Next => {
            if let Some(next) = pair.wheel.next() {
                pair.advance(next);
            }
        }
        Op::Drain => {
            pair.brought = 0;
            let mut values = pair.wheel.drain();
            values.sort_unstable();
            let mut expected: Vec<u64> =
                std::mem::take(&mut pair.map).into_values().map(|(_, value)| value).collect();
            expected.sort_unstable();
            assert_eq!(values, expected);
        }
        Op::Earliest => {
            let earliest = pair.map.first_key_value().map(|((deadline, _), _)| *deadline);
            assert_eq!(pair.wheel.earliest(), earliest);
        }
    }
    pair.check();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_wheel_agrees_with_an_ordered_map(ops in proptest::collection::vec(op(), 1..300)) {
        let mut pair = Pair::new();
        ops.into_iter().for_each(|op| apply(&mut pair, op));
        pair.follow();
    }
}

#[test]
fn the_wheel_agrees_with_an_ordered_map_for_a_million_operations() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        // xorshift64*: short, and the same on every machine.
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        seed.wrapping_mul(0x2545_F491_4F6C_DD1D)
    };
    let mut pair = Pair::new();
    for n in 0..1_000_000 {
        let op = match random() >> 60 {
            _ if n % 100_000 == 50_000 => Op::Drain,
            0..=6 => Op::Insert(random() >> 8, random() >> 1),
            7..=11 => Op::Cancel(random() >> 1),
            12 => Op::Change(random() >> 1),
            // Short steps, so that timers are met at all levels before time runs out.
            13 => Op::Advance(2 + (random() >> 8) % 5, random() >> 1),
            14 => Op::Next,
            _ if n % 16 == 0 => Op::Crowd(random() >> 8, random() >> 1, 1 + (random() >> 58)),
            _ => Op::Earliest,
        };
        apply(&mut pair, op);
        if pair.keys.len() > 200_000 {
            pair.keys.drain(..100_000);
        }
    }
    assert!(pair.fired > 100_000 && pair.now < YEAR, "the run was not worth much");
    pair.follow();
}
