//! Row `yield`: 1,000 tasks, each of which wakes itself and returns `Pending`, again and again.
//!
//! A poll counts as a switch only if another task was polled before it: a runtime that polls the task that
//! woke itself at once has switched nothing (and lets it starve the others).

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::measure::Stopwatch;
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start::{self, spawner as on};

pub const ROW: Row = Row {
    name: "yield",
    operation: "one switch: 1,000 tasks each wake themselves and return Pending 1,000 times",
    unit: Unit::WallNanos,
    ops: 1_000_000,
    quick_ops: 1_000_000,
    target: Target::TimesTokio(3.5),
    peers: &[
        (Peer::Oneloop, |ops| start::on_oneloop(body(ops, oneloop::spawn))),
        (Peer::Tokio, |ops| start::on_tokio(body(ops, tokio::spawn))),
        (Peer::TokioSet, |ops| start::on_tokio_set(body(ops, tokio::task::spawn_local))),
        (Peer::TokioLocal, |ops| start::on_tokio_local(body(ops, tokio::task::spawn_local))),
        (Peer::Smol, |ops| start::on_smol(|smol| body(ops, |task| smol.spawn(task)))),
        (Peer::LocalPool, |ops| start::on_local_pool(|pool| body(ops, on(pool)))),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| start::on_compio(body(ops, compio::runtime::spawn))),
        (Peer::Asyncio, |ops| python::share("yield", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("yield", "uvloop", ops)),
    ],
};

const TASKS: u64 = 1_000;

thread_local! {
    /// The task polled last.
    static LAST: Cell<u64> = const { Cell::new(u64::MAX) };
    static SWITCHES: Cell<u64> = const { Cell::new(0) };
}

struct Turns {
    task: u64,
    left: u64,
}

impl Future for Turns {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if LAST.replace(self.task) != self.task {
            SWITCHES.set(SWITCHES.get() + 1);
        }
        if self.left == 0 {
            return Poll::Ready(());
        }
        self.left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

async fn body<H: Future>(ops: u64, spawn: impl Fn(Turns) -> H) -> f64 {
    let handles: Vec<H> = (0..TASKS).map(|task| spawn(Turns { task, left: ops / TASKS })).collect();
    let watch = Stopwatch::start();
    for handle in handles {
        handle.await;
    }
    let switches = SWITCHES.get();
    assert!(switches * 10 > ops * 9, "{switches} switches in {ops} polls: this is no rotation");
    watch.nanos_each(switches)
}
