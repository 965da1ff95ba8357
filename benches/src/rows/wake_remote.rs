//! Row `wake_remote`: a task is woken from another thread.
//!
//! The task gives its waker to a thread, over the same mutex and condition variable for all, and suspends; the thread
//! raises a flag and wakes it. Pinned to one core: unpinned it measures where the kernel happens to put the two threads.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::thread;

use super::another_thread::{self, Desk};
use crate::measure::{Stopwatch, pin_to_one_core};
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
        (Peer::Oneloop, |ops| start::on_oneloop(body(ops))),
        (Peer::Tokio, |ops| start::on_tokio(body(ops))),
        (Peer::TokioSet, |ops| start::on_tokio_set(body(ops))),
        (Peer::TokioLocal, |ops| start::on_tokio_local(body(ops))),
        (Peer::Smol, |ops| start::on_smol(|_| body(ops))),
        (Peer::LocalPool, |ops| start::on_local_pool(|_| body(ops))),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| start::on_compio(body(ops))),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| start::on_monoio(body(ops))),
        (Peer::Asyncio, |ops| python::share("wake_remote", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("wake_remote", "uvloop", ops)),
        (Peer::Bare, |ops| another_thread::there_and_back(ops).expect("epoll works")),
    ],
};

async fn body(ops: u64) -> f64 {
    pin_to_one_core();
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
