//! Row `blocking`: a job that does nothing, to the blocking pool and back, one after the other.
//!
//! Pinned to one core, with a pool of one thread: unpinned it measures where the kernel happens to put the
//! two threads.

use crate::measure::{Stopwatch, pin_to_one_core};
use crate::row::{Peer, Row, Target, Unit};
use crate::start;

pub const ROW: Row = Row {
    name: "blocking",
    operation: "one no-op on the blocking pool and back, pinned to one core, pool of one thread",
    unit: Unit::WallNanos,
    ops: 200_000,
    quick_ops: 50_000,
    target: Target::TimesTokio(1.0),
    peers: &[
        (Peer::Oneloop, |ops| {
            pin_to_one_core();
            start::on_oneloop(body(ops, async || oneloop::spawn_blocking(|| 1).await.expect("no panic")))
        }),
        (Peer::Tokio, |ops| {
            pin_to_one_core();
            start::on_tokio(body(ops, async || tokio::task::spawn_blocking(|| 1).await.expect("no panic")))
        }),
        (Peer::TokioSet, |ops| {
            pin_to_one_core();
            start::on_tokio_set(body(ops, async || {
                tokio::task::spawn_blocking(|| 1).await.expect("no panic")
            }))
        }),
        (Peer::TokioLocal, |ops| {
            pin_to_one_core();
            start::on_tokio_local(body(ops, async || {
                tokio::task::spawn_blocking(|| 1).await.expect("no panic")
            }))
        }),
        (Peer::Smol, |ops| {
            pin_to_one_core();
            start::check_smol_pool();
            start::on_smol(|_| body(ops, async || blocking::unblock(|| 1).await))
        }),
    ],
};

async fn body(ops: u64, job: impl AsyncFn() -> u64) -> f64 {
    job().await;
    let watch = Stopwatch::start();
    let mut done = 0;
    for _ in 0..ops {
        done += job().await;
    }
    assert_eq!(done, ops, "every job ran");
    watch.nanos_each(ops)
}
