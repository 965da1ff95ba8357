//! Rows `blocking` and `blocking_64`: a job that does nothing, to the blocking pool and back, one after the other, and
//! 64 in flight.
//!
//! Pinned to one core, with a pool of one thread: unpinned it measures where the kernel happens to put the
//! two threads.

use std::future::Future;
use std::sync::Arc;
use std::{io, thread};

use tokio::task::{spawn_blocking, spawn_local};

use super::another_thread::{Desk, Waiting};
use crate::measure::{Stopwatch, pinned};
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start;

pub const ONE: Row = Row {
    name: "blocking",
    operation: "one no-op on the blocking pool and back, pinned to one core, pool of one thread",
    unit: Unit::WallNanos,
    ops: 200_000,
    quick_ops: 50_000,
    target: Target::AboveBare(20.0),
    peers: &[
        (Peer::Oneloop, |ops| pinned(|| start::on_oneloop(one(ops, jobs_on_oneloop(ops))))),
        (Peer::Tokio, |ops| pinned(|| start::on_tokio(one(ops, jobs_on_tokio(ops))))),
        (Peer::TokioSet, |ops| pinned(|| start::on_tokio_set(one(ops, jobs_on_tokio(ops))))),
        (Peer::TokioLocal, |ops| pinned(|| start::on_tokio_local(one(ops, jobs_on_tokio(ops))))),
        (Peer::Smol, |ops| pinned(|| start::on_smol(|_| one(ops, jobs_on_smol(ops))))),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| pinned(|| start::on_monoio(one(ops, jobs_on_monoio(ops))))),
        (Peer::Asyncio, |ops| python::share("blocking", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("blocking", "uvloop", ops)),
        (Peer::Bare, |ops| pinned(|| by_hand(ops).expect("epoll works"))),
    ],
};

pub const MANY: Row = Row {
    name: "blocking_64",
    operation: "the same with 64 tasks, each with one job at a time",
    unit: Unit::WallNanos,
    ops: 640_000,
    quick_ops: 320_000,
    target: Target::TimesTokio(1.0),
    peers: &[
        (Peer::Oneloop, |ops| pinned(|| start::on_oneloop(many(ops, jobs_on_oneloop, oneloop::spawn)))),
        (Peer::Tokio, |ops| pinned(|| start::on_tokio(many(ops, jobs_on_tokio, tokio::spawn)))),
        (Peer::TokioSet, |ops| pinned(|| start::on_tokio_set(many(ops, jobs_on_tokio, spawn_local)))),
        (Peer::TokioLocal, |ops| pinned(|| start::on_tokio_local(many(ops, jobs_on_tokio, spawn_local)))),
        (Peer::Smol, |ops| {
            pinned(|| start::on_smol(|smol| many(ops, jobs_on_smol, |task| smol.spawn(task))))
        }),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| pinned(|| start::on_monoio(many(ops, jobs_on_monoio, monoio::spawn)))),
        (Peer::Asyncio, |ops| python::share("blocking_64", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("blocking_64", "uvloop", ops)),
    ],
};

const IN_FLIGHT: u64 = 64;

pub fn jobs_on_oneloop(count: u64) -> impl Future<Output = ()> {
    jobs(count, async || oneloop::spawn_blocking(|| 1).await.expect("no panic"))
}

/// Not through [`jobs`]: it must be seen to be `Send`.
pub async fn jobs_on_tokio(count: u64) {
    let mut done = 0;
    for _ in 0..count {
        done += spawn_blocking(|| 1).await.expect("no panic");
    }
    assert_eq!(done, count, "every job ran");
}

pub fn jobs_on_smol(count: u64) -> impl Future<Output = ()> {
    start::check_smol_pool();
    jobs(count, async || blocking::unblock(|| 1).await)
}

#[cfg(feature = "monoio")]
fn jobs_on_monoio(count: u64) -> impl Future<Output = ()> {
    jobs(count, async || monoio::spawn_blocking(|| 1).await.expect("no panic"))
}

async fn jobs(count: u64, job: impl AsyncFn() -> u64) {
    let mut done = 0;
    for _ in 0..count {
        done += job().await;
    }
    assert_eq!(done, count, "every job ran");
}

/// The first job starts the pool's thread: a hundredth of a per cent of what is measured.
async fn one(ops: u64, jobs: impl Future<Output = ()>) -> f64 {
    let watch = Stopwatch::start();
    jobs.await;
    watch.nanos_each(ops)
}

fn many<F, H: Future>(
    ops: u64,
    jobs: impl Fn(u64) -> F,
    spawn: impl Fn(F) -> H,
) -> impl Future<Output = f64> {
    at_once(IN_FLIGHT, ops / IN_FLIGHT, jobs, spawn)
}

/// So many tasks at once, each with so many jobs, one after the other.
pub async fn at_once<F, H: Future>(
    tasks: u64,
    each: u64,
    jobs: impl Fn(u64) -> F,
    spawn: impl Fn(F) -> H,
) -> f64 {
    let watch = Stopwatch::start();
    let spawned: Vec<H> = (0..tasks).map(|_| spawn(jobs(each))).collect();
    for task in spawned {
        task.await;
    }
    watch.nanos_each(tasks * each)
}

/// A thread that calls what it is given, and a loop that waits for the result.
fn by_hand(ops: u64) -> io::Result<f64> {
    let mut waiting = Waiting::new()?;
    let bell = Arc::clone(&waiting.bell);
    let (jobs, results) = (Desk::<fn() -> u64>::new(), Desk::new());
    let (given, done) = (Arc::clone(&jobs), Arc::clone(&results));
    let worker = thread::spawn(move || {
        while let Some(job) = given.take() {
            done.put(Some(job()));
            bell.ring()?;
        }
        io::Result::Ok(())
    });
    let watch = Stopwatch::start();
    let mut sum = 0;
    for _ in 0..ops {
        jobs.put(Some(|| 1));
        sum += waiting.until(|| results.look().flatten())?;
    }
    let nanos = watch.nanos_each(ops);
    assert_eq!(sum, ops, "every job ran");
    jobs.put(None);
    worker.join().expect("the thread does not panic")?;
    Ok(nanos)
}
