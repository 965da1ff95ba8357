//! The timing wheel by small stories; `wheel/model.rs` compares it with an ordered map.

#[path = "../src/timer/front.rs"]
mod front;
#[path = "../src/timer/list.rs"]
mod list;
#[path = "../src/timer/slots.rs"]
mod slots;
#[path = "../src/timer/wheel.rs"]
mod wheel;

#[path = "wheel/model.rs"]
mod model;

use wheel::{FEW, TICK, TimerKey, Wheel, is_a_deadline};

const SECOND: u64 = 1000 * TICK;
const YEAR: u64 = 365 * 24 * 3600 * SECOND;

/// Advances and collects the values that fired.
fn fired<T: Default>(wheel: &mut Wheel<T>, now: u64) -> Vec<T> {
    let mut timers = Vec::new();
    wheel.advance(now, &mut timers);
    timers.into_iter().map(|(_, value)| value).collect()
}

#[test]
fn the_worked_insertion_of_the_chapter_is_true() {
    let mut wheel = Wheel::new();
    assert!(fired(&mut wheel, 100 * TICK).is_empty());
    let mut at = |micros: u64| {
        let key = wheel.insert(micros * 1000, ());
        (key, wheel.place(key))
    };
    assert_eq!(at(100_700).1, Some((0, 36))); // the front, shown as the slot of tick 100
    assert_eq!(at(120_000).1, Some((0, 56)));
    let (second, place) = at(1_000_000);
    assert_eq!(place, Some((1, 15)));
    assert_eq!(at(10_000_000).1, Some((2, 2)));

    assert_eq!(fired(&mut wheel, 959 * TICK).len(), 2);
    assert_eq!(wheel.place(second), Some((1, 15))); // one tick before its slot begins
    assert!(fired(&mut wheel, 960 * TICK).is_empty());
    assert_eq!(wheel.place(second), Some((0, 40))); // cascaded
}

#[test]
fn a_timer_fires_at_its_nanosecond_and_not_before() {
    for deadline in [1, TICK - 1, TICK, 3 * TICK + 7, 64 * TICK, 4097 * TICK + 1, YEAR + 5] {
        let mut wheel = Wheel::new();
        wheel.insert(deadline, ());
        assert!(fired(&mut wheel, deadline - 1).is_empty());
        assert_eq!(fired(&mut wheel, deadline).len(), 1);
        assert_eq!(wheel.len(), 0);
    }
}

#[test]
fn a_deadline_in_the_past_fires_at_the_next_advance() {
    let mut wheel = Wheel::new();
    assert!(fired(&mut wheel, SECOND).is_empty());
    wheel.insert(3, "long ago");
    assert_eq!(wheel.next(), Some(3));
    assert_eq!(fired(&mut wheel, SECOND), ["long ago"]);
}

#[test]
fn time_does_not_go_back() {
    let mut wheel = Wheel::new();
    assert!(fired(&mut wheel, SECOND).is_empty());
    wheel.insert(SECOND / 2, "overdue");
    wheel.insert(SECOND + 1, "to come");
    assert_eq!(fired(&mut wheel, 0), ["overdue"]);
    assert_eq!(fired(&mut wheel, SECOND), [""; 0]);
}

#[test]
fn equal_deadlines_fire_in_arming_order_whatever_level_they_were_armed_at() {
    let mut wheel = Wheel::new();
    let deadline = 70 * SECOND + 123;
    wheel.insert(deadline, "a minute before");
    assert!(fired(&mut wheel, 69 * SECOND).is_empty());
    wheel.insert(deadline, "a second before");
    wheel.insert(deadline - 1, "earlier by a nanosecond");
    assert!(fired(&mut wheel, 70 * SECOND - 5 * TICK).is_empty());
    wheel.insert(deadline, "5 ms before");
    assert!(fired(&mut wheel, 70 * SECOND).is_empty());
    wheel.insert(deadline, "in the same tick");
    let expected =
        ["earlier by a nanosecond", "a minute before", "a second before", "5 ms before", "in the same tick"];
    assert_eq!(fired(&mut wheel, deadline), expected);
}

#[test]
fn timers_inserted_out_of_order_into_the_current_tick_fire_in_order() {
    let mut wheel = Wheel::new();
    for deadline in [50, 10, 40, 20, 30, 60, 10] {
        wheel.insert(deadline, deadline);
    }
    assert_eq!(fired(&mut wheel, 30), [10, 10, 20, 30]);
    assert_eq!(fired(&mut wheel, 60), [40, 50, 60]);
}

#[test]
fn cancelling_twice_or_after_firing_is_harmless() {
    let mut wheel = Wheel::new();
    let early = wheel.insert(1, 'e');
    let far = wheel.insert(SECOND, 'f');
    assert_eq!(wheel.cancel(far), Some('f'));
    assert_eq!(wheel.cancel(far), None);
    assert_eq!(fired(&mut wheel, 1), ['e']);
    assert_eq!(wheel.cancel(early), None);
}

#[test]
fn keys_count_timers_in_arming_order() {
    let mut wheel = Wheel::new();
    let armed: Vec<u32> = [9, 5, 7].map(|deadline| wheel.insert(deadline, ()).armed()).into();
    assert_eq!(armed, [1, 2, 3]);
    assert_eq!(wheel.latest(), 3);
}

#[test]
fn an_old_key_does_not_reach_the_timer_that_took_its_place() {
    let mut wheel = Wheel::new();
    let old = wheel.insert(SECOND, 1);
    wheel.cancel(old);
    let new = wheel.insert(SECOND, 2);
    assert_eq!(wheel.cancel(old), None);
    assert_eq!(wheel.get_mut(old), None);
    assert_eq!(wheel.place(old), None);
    assert_eq!(wheel.get_mut(new), Some(&mut 2));
}

#[test]
fn any_timer_of_a_list_can_be_cancelled() {
    for gone in 0..4 {
        let mut wheel = Wheel::new();
        let keys: Vec<TimerKey> = (0..4).map(|n| wheel.insert(SECOND, n)).collect();
        wheel.cancel(keys[gone]);
        let rest: Vec<usize> = (0..4).filter(|&n| n != gone).collect();
        assert_eq!(fired(&mut wheel, SECOND), rest);
    }
}

#[test]
fn a_value_can_be_changed_while_it_waits() {
    let mut wheel = Wheel::new();
    let key = wheel.insert(SECOND, 1);
    *wheel.get_mut(key).unwrap() += 10;
    assert_eq!(fired(&mut wheel, SECOND), [11]);
}

#[test]
fn the_next_wait_is_exact_when_few_timers_share_its_tick() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.next(), None);
    for n in 0..FEW as u64 {
        wheel.insert(5 * SECOND + 10 - n, ());
    }
    assert_eq!(wheel.next(), Some(5 * SECOND + 3)); // from a slot of level 2, without a cascade
    assert!(fired(&mut wheel, 5 * SECOND).is_empty());
    assert_eq!(wheel.next(), Some(5 * SECOND + 3)); // and from the front
    assert!(wheel.next().is_some_and(is_a_deadline));
}

#[test]
fn the_next_wait_ends_with_an_odd_tick_when_many_timers_share_one() {
    let mut wheel = Wheel::new();
    for n in 0..=FEW as u64 {
        wheel.insert(40 * TICK + n, ());
    }
    assert_eq!(wheel.next(), Some(42 * TICK - 1)); // tick 41 is the odd one
    assert!(!wheel.next().is_some_and(is_a_deadline));
    assert_eq!(wheel.earliest(), Some(40 * TICK));
    assert!(fired(&mut wheel, 40 * TICK - 1).is_empty());
    assert_eq!(wheel.next(), Some(42 * TICK - 1));
    assert_eq!(fired(&mut wheel, 40 * TICK).len(), 1); // something else ended the wait: FEW are left
    assert_eq!(wheel.next(), Some(42 * TICK - 1)); // of a crowd, which so wakes nobody one by one
    assert_eq!(fired(&mut wheel, 41 * TICK).len(), FEW);
    wheel.insert(41 * TICK + 5, ());
    assert_eq!(wheel.next(), Some(41 * TICK + 5)); // another tick, with a timer to itself
    for n in 0..=FEW as u64 {
        wheel.insert(41 * TICK + 10 + n, ());
    }
    assert_eq!(wheel.next(), Some(42 * TICK - 1)); // a crowd in the odd tick itself
}

#[test]
fn an_overdue_timer_does_not_wait_for_the_crowd_of_its_tick() {
    let mut wheel = Wheel::new();
    assert!(fired(&mut wheel, TICK / 2).is_empty());
    for n in 0..100 {
        wheel.insert(TICK - 100 + n, n);
    }
    assert_eq!(wheel.next(), Some(2 * TICK - 1));
    wheel.insert(TICK / 4, 100);
    assert_eq!(wheel.next(), Some(TICK / 4));
}

#[test]
fn a_crowded_slot_far_away_asks_for_its_cascade_first() {
    let mut wheel = Wheel::new();
    for n in (0..100).rev() {
        wheel.insert(10 * SECOND + n * TICK, n);
    }
    assert_eq!(wheel.next(), Some(8192 * TICK)); // level 2, slot 2 begins
    assert_eq!(wheel.earliest(), Some(10 * SECOND));
    assert!(fired(&mut wheel, 8192 * TICK).is_empty());
    assert_eq!(wheel.next(), Some(9984 * TICK)); // level 1, slot 28 begins
    assert!(fired(&mut wheel, 9984 * TICK).is_empty());
    assert_eq!(wheel.next(), Some(10 * SECOND));
}

#[test]
fn the_next_wait_grows_when_the_earliest_timer_is_cancelled() {
    let mut wheel = Wheel::new();
    let near = wheel.insert(TICK, ());
    let far = wheel.insert(SECOND, ());
    assert_eq!(wheel.next(), Some(TICK));
    wheel.cancel(near);
    assert_eq!(wheel.next(), Some(SECOND));
    wheel.cancel(far);
    assert_eq!(wheel.next(), None);
}

#[test]
fn when_a_far_crowd_was_cancelled_there_is_nothing_to_wait_for() {
    let mut wheel = Wheel::new();
    let keys: Vec<TimerKey> = (0..100).rev().map(|n| wheel.insert(10 * SECOND + n, n)).collect();
    assert_eq!(wheel.next(), Some(8192 * TICK));
    keys.into_iter().for_each(|key| assert!(wheel.cancel(key).is_some()));
    assert_eq!(wheel.next(), None);
}

#[test]
fn the_last_nanosecond_of_time_is_a_deadline_like_any_other() {
    let mut wheel = Wheel::new();
    for n in 0..20 {
        wheel.insert(u64::MAX, n);
    }
    wheel.insert(u64::MAX - 1, 20);
    assert_eq!(wheel.earliest(), Some(u64::MAX - 1));
    let mut turns = 0;
    while let Some(next) = wheel.next().filter(|&next| next < u64::MAX) {
        assert!(fired(&mut wheel, next).is_empty());
        turns += 1;
    }
    assert!(turns <= 8, "one cascade a level at most, not {turns}");
    assert_eq!(wheel.next(), Some(u64::MAX));
    assert_eq!(fired(&mut wheel, u64::MAX).len(), 21);
    wheel.insert(u64::MAX, 22);
    assert_eq!(fired(&mut wheel, u64::MAX), [22]);
}

#[test]
fn centuries_pass_in_one_step() {
    let mut wheel = Wheel::new();
    for years in (1..500).rev() {
        wheel.insert(years * YEAR + years, years);
    }
    let all: Vec<u64> = (1..500).collect();
    assert_eq!(fired(&mut wheel, u64::MAX), all);
}

#[test]
fn a_drained_wheel_gives_all_values_and_can_be_used_again() {
    let mut wheel = Wheel::new();
    assert!(fired(&mut wheel, SECOND).is_empty());
    let old = wheel.insert(SECOND, 1);
    for n in 2..100 {
        wheel.insert(n * SECOND, n);
    }
    let mut seen: Vec<u64> = wheel.waiting().map(|(_, _, value)| *value).collect();
    let mut values = wheel.drain();
    seen.sort_unstable();
    values.sort_unstable();
    assert_eq!(values, (1..100).collect::<Vec<_>>());
    assert_eq!(seen, values);
    assert_eq!((wheel.len(), wheel.next(), wheel.earliest()), (0, None, None));
    wheel.insert(2 * SECOND, 7);
    assert_eq!(wheel.cancel(old), None);
    assert_eq!(fired(&mut wheel, 2 * SECOND), [7]);
}

#[test]
fn a_crowd_that_was_drained_is_no_longer_a_crowd() {
    let mut wheel = Wheel::new();
    (0..100).for_each(|n| _ = wheel.insert(500, n));
    assert_eq!(wheel.drain().len(), 100);
    wheel.insert(500, 100);
    assert_eq!(wheel.next(), Some(500));
    assert_eq!(fired(&mut wheel, 500), [100]);
}

#[test]
fn a_million_timers_of_one_nanosecond_fire_in_arming_order() {
    let mut wheel = Wheel::new();
    let count = 1_000_000;
    (0..count).for_each(|n| _ = wheel.insert(10 * SECOND, n));
    assert!(fired(&mut wheel, 10 * SECOND).into_iter().eq(0..count));
}

#[test]
fn a_crowd_inserted_in_the_worst_order_into_one_tick_stays_fast() {
    // With a sorted array alone this would move some 10^10 items.
    let mut wheel = Wheel::new();
    let count = 200_000;
    for n in 0..count {
        let deadline = n * 7919 % count;
        wheel.insert(deadline, deadline);
    }
    assert!(fired(&mut wheel, TICK).into_iter().eq(0..count));
}
