//! Curves over the number of timers: they fire, how late they fire, they are cancelled.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::{Duration, Instant};

use async_io::Timer;
use futures_lite::future::yield_now;

use super::curve::{Curve, DECADES, Unit, of_row};
use crate::countdown;
use crate::measure::Stopwatch;
use crate::rows::timers_cancel::{park, wakers};
use crate::rows::timers_fire;
use crate::start;

pub const FIRE: Curve = Curve {
    name: "timers_fire",
    title: "a timer fires, CPU time",
    counted: "timers in one second",
    unit: Unit::CpuNanos,
    sizes: DECADES,
    measures: of_row(&timers_fire::MANY),
};

pub const LATE: Curve = Curve {
    name: "timers_late",
    title: "how late a timer fires, median",
    counted: "timers in one second",
    unit: Unit::NanosLate,
    sizes: DECADES,
    measures: [
        |size| {
            start::on_oneloop(late(size, |time| nap(oneloop::sleep, time), |task| drop(oneloop::spawn(task))))
        },
        |size| {
            start::on_tokio(late(size, |time| nap(tokio::time::sleep, time), |task| drop(tokio::spawn(task))))
        },
        |size| {
            start::on_smol(|smol| {
                late(size, |time| nap(Timer::after, time), |task| smol.spawn(task).detach())
            })
        },
    ],
};

pub const CANCEL: Curve = Curve {
    name: "timers_cancel",
    title: "start a timer, cancel another",
    counted: "timers alive",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [
        |size| start::on_oneloop(cancel(size, oneloop::sleep, || drop(oneloop::spawn(park())))),
        |size| start::on_tokio(cancel(size, tokio::time::sleep, || drop(tokio::spawn(park())))),
        |size| start::on_smol(|smol| cancel(size, Timer::after, || smol.spawn(park()).detach())),
    ],
};

const SEED: u64 = 1;
const LONGEST_MICROS: u64 = 1_000_000;
/// Timers that are cancelled live as long as this, if nobody cancels them.
const MILLIS: std::ops::Range<u64> = 10_000..60_000;
/// Operations in one measurement, at least.
const OPS: u64 = 2_000_000;
/// Operations between two yields.
const BURST: u64 = 100;

thread_local! {
    /// Nanoseconds by which each timer was late.
    static LATE_BY: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

async fn nap<S: Future>(sleep: fn(Duration) -> S, time: Duration) {
    let due = Instant::now() + time;
    sleep(time).await;
    let late = Instant::now().checked_duration_since(due).expect("no timer fires early");
    LATE_BY.with_borrow_mut(|all| all.push(late.as_nanos() as u64));
    countdown::step();
}

async fn late<F>(size: u64, task: impl Fn(Duration) -> F, spawn: impl Fn(F)) -> f64 {
    let mut random = fastrand::Rng::with_seed(SEED);
    countdown::start(size);
    for _ in 0..size {
        spawn(task(Duration::from_micros(random.u64(0..LONGEST_MICROS))));
    }
    countdown::finished().await;
    let mut all = LATE_BY.take();
    all.sort_unstable();
    all[all.len() / 2] as f64
}

/// The ring is full when the clock starts, and each operation takes the place of the oldest.
async fn cancel<S: Future>(size: u64, sleep: impl Fn(Duration) -> S, spawn_parked: impl Fn()) -> f64 {
    let wakers = wakers(spawn_parked).await;
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut ring: Vec<Pin<Box<Option<S>>>> = (0..size).map(|_| Box::pin(None)).collect();
    let ops = OPS.max(size * 2) / BURST * BURST;
    let mut watch = Stopwatch::start();
    for op in 0..size + ops {
        if op == size {
            watch = Stopwatch::start();
        }
        let place = &mut ring[(op % size) as usize];
        place.set(Some(sleep(Duration::from_millis(random.u64(MILLIS)))));
        let sleep = place.as_mut().as_pin_mut().expect("it was set just now");
        let waker = &wakers[(op % BURST) as usize];
        assert!(sleep.poll(&mut Context::from_waker(waker)).is_pending(), "no sleep is over yet");
        if op % BURST == BURST - 1 {
            yield_now().await;
        }
    }
    watch.nanos_each(ops)
}
