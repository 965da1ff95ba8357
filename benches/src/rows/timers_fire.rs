//! Rows `timers_fire_1m` and `timers_fire_20k`: many tasks, each sleeping a random part of a second.
//!
//! What is counted is CPU time, from the first spawn to the last wake: the wall time is one second in any
//! case. With a million timers a thousand fall into each millisecond; with 20,000 only twenty, and what a
//! wait costs shows.

use std::future::Future;
use std::time::Duration;

use async_io::Timer;
use tokio::task::spawn_local;

use crate::countdown;
use crate::measure::CpuStopwatch;
use crate::python;
use crate::row::{Measure, Peer, Row, Target, Unit};
use crate::start;

pub const MANY: Row = Row {
    name: "timers_fire_1m",
    operation: "one of 1M tasks sleeping 0..1,000 ms (whole µs, fixed seed), from first spawn to last wake",
    unit: Unit::CpuNanos,
    ops: 1_000_000,
    quick_ops: 1_000_000,
    target: Target::TimesTokio(2.0),
    peers: PEERS.split_at(PEERS.len() - 2).0,
};

pub const FEW: Row = Row {
    name: "timers_fire_20k",
    operation: "the same with 20,000 tasks",
    unit: Unit::CpuNanos,
    ops: 20_000,
    quick_ops: 20_000,
    target: Target::TimesTokio(2.0),
    peers: PEERS,
};

/// Python's two stand last, and join in the second row alone: a million timers take each half a minute.
const PEERS: &[(Peer, Measure)] = &[
    (Peer::Oneloop, |ops| {
        start::on_oneloop(body(ops, |time| nap(oneloop::sleep, time), |task| drop(oneloop::spawn(task))))
    }),
    (Peer::Tokio, |ops| {
        start::on_tokio(body(ops, |time| nap(tokio::time::sleep, time), |task| drop(tokio::spawn(task))))
    }),
    (Peer::TokioSet, |ops| {
        start::on_tokio_set(body(ops, |time| nap(tokio::time::sleep, time), |task| drop(spawn_local(task))))
    }),
    (Peer::TokioLocal, |ops| {
        start::on_tokio_local(body(ops, |time| nap(tokio::time::sleep, time), |task| drop(spawn_local(task))))
    }),
    (Peer::Smol, |ops| {
        start::on_smol(|smol| body(ops, |time| nap(Timer::after, time), |task| smol.spawn(task).detach()))
    }),
    #[cfg(feature = "compio")]
    (Peer::Compio, |ops| {
        let nap = |time| nap(compio::time::sleep, time);
        start::on_compio(body(ops, nap, |task| compio::runtime::spawn(task).detach()))
    }),
    #[cfg(feature = "monoio")]
    (Peer::Monoio, |ops| {
        start::on_monoio(body(ops, |time| nap(monoio::time::sleep, time), |task| drop(monoio::spawn(task))))
    }),
    (Peer::Asyncio, |ops| python::all("timers_fire_20k", "asyncio", ops)),
    (Peer::Uvloop, |ops| python::all("timers_fire_20k", "uvloop", ops)),
];

const SEED: u64 = 1;
const LONGEST_MICROS: u64 = 1_000_000;

async fn nap<S: Future>(sleep: fn(Duration) -> S, time: Duration) {
    sleep(time).await;
    countdown::step();
}

async fn body<F>(ops: u64, task: impl Fn(Duration) -> F, spawn: impl Fn(F)) -> f64 {
    let mut random = fastrand::Rng::with_seed(SEED);
    countdown::start(ops);
    let watch = CpuStopwatch::start();
    for _ in 0..ops {
        spawn(task(Duration::from_micros(random.u64(0..LONGEST_MICROS))));
    }
    countdown::finished().await;
    watch.nanos_each(ops)
}
