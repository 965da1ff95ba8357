//! Row `spawn_join`: 1,000 tasks are spawned, then their handles awaited in order, again and again.

use std::cell::Cell;
use std::future::Future;

use crate::measure::Stopwatch;
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start::{self, spawner as on};

pub const ROW: Row = Row {
    name: "spawn_join",
    operation: "spawn a task that increments a counter, and await its handle; 1,000 at a time",
    unit: Unit::WallNanos,
    ops: 1_000_000,
    quick_ops: 1_000_000,
    target: Target::TimesTokio(3.3),
    peers: &[
        (Peer::Oneloop, |ops| start::on_oneloop(body(ops, count, oneloop::spawn))),
        (Peer::Tokio, |ops| start::on_tokio(body(ops, count, tokio::spawn))),
        (Peer::TokioSet, |ops| start::on_tokio_set(body(ops, count, tokio::task::spawn_local))),
        (Peer::TokioLocal, |ops| start::on_tokio_local(body(ops, count, tokio::task::spawn_local))),
        (Peer::Smol, |ops| start::on_smol(|smol| body(ops, count, |task| smol.spawn(task)))),
        (Peer::LocalPool, |ops| start::on_local_pool(|pool| body(ops, count, on(pool)))),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| start::on_compio(body(ops, count, compio::runtime::spawn))),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| start::on_monoio(body(ops, count, monoio::spawn))),
        (Peer::Asyncio, |ops| python::share("spawn_join", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("spawn_join", "uvloop", ops)),
    ],
};

const BATCH: u64 = 1_000;

thread_local! {
    static COUNTER: Cell<u64> = const { Cell::new(0) };
}

async fn count() {
    COUNTER.set(COUNTER.get() + 1);
}

async fn body<F, H: Future>(ops: u64, task: impl Fn() -> F, spawn: impl Fn(F) -> H) -> f64 {
    let mut handles = Vec::with_capacity(BATCH as usize);
    let watch = Stopwatch::start();
    for _ in 0..ops / BATCH {
        handles.extend((0..BATCH).map(|_| spawn(task())));
        for handle in handles.drain(..) {
            handle.await;
        }
    }
    let nanos = watch.nanos_each(ops);
    assert_eq!(COUNTER.get(), ops, "every task ran once");
    nanos
}
