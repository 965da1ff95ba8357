//! Row `mem`: what a sleeping task costs in memory, everything counted: the task, its timer, its waker.

use std::future::Future;
use std::time::Duration;

use async_io::Timer;
use tokio::task::spawn_local;

use crate::countdown;
use crate::measure::resident_bytes;
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start;

pub const ROW: Row = Row {
    name: "mem",
    operation: "growth of VmRSS for one of 1M tasks parked in sleep(3600 s)",
    unit: Unit::Bytes,
    ops: 1_000_000,
    quick_ops: 1_000_000,
    target: Target::AtMost(200.0),
    peers: &[
        (Peer::Oneloop, |ops| {
            start::on_oneloop(body(ops, || doze(oneloop::sleep), |task| drop(oneloop::spawn(task))))
        }),
        (Peer::Tokio, |ops| {
            start::on_tokio(body(ops, || doze(tokio::time::sleep), |task| drop(tokio::spawn(task))))
        }),
        (Peer::TokioSet, |ops| {
            start::on_tokio_set(body(ops, || doze(tokio::time::sleep), |task| drop(spawn_local(task))))
        }),
        (Peer::TokioLocal, |ops| {
            start::on_tokio_local(body(ops, || doze(tokio::time::sleep), |task| drop(spawn_local(task))))
        }),
        (Peer::Smol, |ops| {
            start::on_smol(|smol| body(ops, || doze(Timer::after), |task| smol.spawn(task).detach()))
        }),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| {
            let doze = || doze(compio::time::sleep);
            start::on_compio(body(ops, doze, |task| compio::runtime::spawn(task).detach()))
        }),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| {
            start::on_monoio(body(ops, || doze(monoio::time::sleep), |task| drop(monoio::spawn(task))))
        }),
        (Peer::Asyncio, |ops| python::share("mem", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("mem", "uvloop", ops)),
    ],
};

async fn doze<S: Future>(sleep: fn(Duration) -> S) {
    countdown::step();
    sleep(Duration::from_secs(3600)).await;
}

async fn body<F>(ops: u64, task: impl Fn() -> F, spawn: impl Fn(F)) -> f64 {
    countdown::start(ops);
    let before = resident_bytes();
    for _ in 0..ops {
        spawn(task());
    }
    countdown::finished().await;
    (resident_bytes() - before) as f64 / ops as f64
}
