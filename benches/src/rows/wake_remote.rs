//! Row `wake_remote`: a task is woken from another thread.
//!
//! The task gives its waker to a thread, over the same mutex and condition variable for all, and suspends; the thread
//! raises a flag and wakes it. Pinned to one core: unpinned it measures where the kernel happens to put the two threads.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::{io, thread};

use super::another_thread::{Bell, Desk, Waiting};
use crate::measure::{Stopwatch, pinned};
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start;

pub const ROW: Row = Row {
    name: "wake_remote",
    operation: "a task hands its waker to another thread and is woken by it, pinned to one core",
    unit: Unit::WallNanos,
    ops: 200_000,
    quick_ops: 50_000,
    target: Target::TimesTokio(1.0),
    peers: &[
        (Peer::Oneloop, |ops| pinned(|| start::on_oneloop(body(ops)))),
        (Peer::Tokio, |ops| pinned(|| start::on_tokio(body(ops)))),
        (Peer::TokioSet, |ops| pinned(|| start::on_tokio_set(body(ops)))),
        (Peer::TokioLocal, |ops| pinned(|| start::on_tokio_local(body(ops)))),
        (Peer::Smol, |ops| pinned(|| start::on_smol(|_| body(ops)))),
        (Peer::LocalPool, |ops| pinned(|| start::on_local_pool(|_| body(ops)))),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| pinned(|| start::on_compio(body(ops)))),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| pinned(|| start::on_monoio(body(ops)))),
        (Peer::Asyncio, |ops| python::share("wake_remote", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("wake_remote", "uvloop", ops)),
        (Peer::Bare, |ops| pinned(|| by_hand(ops).expect("epoll works"))),
    ],
};

async fn body(ops: u64) -> f64 {
    let wakers = Desk::<Waker>::new();
    let raised = Arc::new(AtomicBool::new(false));
    let (flag, given) = (Arc::clone(&raised), Arc::clone(&wakers));
    let thread = thread::spawn(move || {
        while let Some(waker) = given.take() {
            flag.store(true, Ordering::Release);
            waker.wake();
        }
    });
    let watch = Stopwatch::start();
    for _ in 0..ops {
        let mut asked = false;
        poll_fn(|cx| {
            if raised.swap(false, Ordering::Acquire) {
                return Poll::Ready(());
            }
            if !asked {
                asked = true;
                wakers.put(Some(cx.waker().clone()));
            }
            Poll::Pending
        })
        .await;
    }
    let nanos = watch.nanos_each(ops);
    wakers.put(None);
    thread.join().expect("the thread does not panic");
    nanos
}

/// A loop by hand, which gives the thread its bell.
fn by_hand(ops: u64) -> io::Result<f64> {
    let mut waiting = Waiting::new()?;
    let bells = Desk::<Arc<Bell>>::new();
    let raised = Arc::new(AtomicBool::new(false));
    let (flag, given) = (Arc::clone(&raised), Arc::clone(&bells));
    let thread = thread::spawn(move || {
        while let Some(bell) = given.take() {
            flag.store(true, Ordering::SeqCst);
            bell.ring()?;
        }
        io::Result::Ok(())
    });
    let watch = Stopwatch::start();
    for _ in 0..ops {
        bells.put(Some(Arc::clone(&waiting.bell)));
        waiting.until(|| raised.swap(false, Ordering::SeqCst).then_some(()))?;
    }
    let nanos = watch.nanos_each(ops);
    bells.put(None);
    thread.join().expect("the thread does not panic")?;
    Ok(nanos)
}
