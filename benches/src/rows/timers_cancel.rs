//! Row `timers_cancel`: sleeps that are started and then dropped long before they fire, which is what
//! timeouts around requests do.
//!
//! The sleeps stay in a ring of 100,000 places, in the same memory for every runtime. Each is polled with the
//! waker of one of 100 parked tasks, so that a runtime must keep the waker it is given.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_io::Timer;
use futures_lite::future::yield_now;
use tokio::task::spawn_local;

use crate::countdown;
use crate::measure::Stopwatch;
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start;

pub const ROW: Row = Row {
    name: "timers_cancel",
    operation: "create a sleep of 1..60 s, poll it once, drop the one made 100,000 operations before",
    unit: Unit::WallNanos,
    ops: 5_000_000,
    quick_ops: 2_000_000,
    target: Target::TimesTokio(2.5),
    peers: &[
        (Peer::Oneloop, |ops| start::on_oneloop(body(ops, oneloop::sleep, || drop(oneloop::spawn(park()))))),
        (Peer::Tokio, |ops| start::on_tokio(body(ops, tokio::time::sleep, || drop(tokio::spawn(park()))))),
        (Peer::TokioSet, |ops| {
            start::on_tokio_set(body(ops, tokio::time::sleep, || drop(spawn_local(park()))))
        }),
        (Peer::TokioLocal, |ops| {
            start::on_tokio_local(body(ops, tokio::time::sleep, || drop(spawn_local(park()))))
        }),
        (Peer::Smol, |ops| start::on_smol(|smol| body(ops, Timer::after, || smol.spawn(park()).detach()))),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| {
            start::on_compio(body(ops, compio::time::sleep, || compio::runtime::spawn(park()).detach()))
        }),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| {
            start::on_monoio(body(ops, monoio::time::sleep, || drop(monoio::spawn(park()))))
        }),
        (Peer::Asyncio, |ops| python::share("timers_cancel", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("timers_cancel", "uvloop", ops)),
    ],
};

const SEED: u64 = 1;
const MILLIS: std::ops::Range<u64> = 1_000..60_000;
/// Sleeps that are alive at a time.
const RING: usize = 100_000;
const PARKED: usize = 100;
/// Sleeps between two yields; tokio lets a task do 128 such things in one poll.
const BURST: u64 = 100;

thread_local! {
    static WAKERS: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// Leaves its waker, and waits for ever.
pub async fn park() {
    let mut left = false;
    poll_fn(|cx| {
        if !left {
            left = true;
            WAKERS.with_borrow_mut(|wakers| wakers.push(cx.waker().clone()));
            countdown::step();
        }
        Poll::Pending
    })
    .await
}

/// The wakers of so many parked tasks.
pub async fn wakers(spawn_parked: impl Fn()) -> Vec<Waker> {
    countdown::start(PARKED as u64);
    (0..PARKED).for_each(|_| spawn_parked());
    countdown::finished().await;
    WAKERS.take()
}

async fn body<S: Future>(ops: u64, sleep: impl Fn(Duration) -> S, spawn_parked: impl Fn()) -> f64 {
    let wakers = wakers(spawn_parked).await;
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut ring: Vec<Pin<Box<Option<S>>>> = (0..RING).map(|_| Box::pin(None)).collect();
    let mut places = (0..RING).cycle();
    let watch = Stopwatch::start();
    for _ in 0..ops / BURST {
        for (waker, place) in wakers.iter().zip(places.by_ref()) {
            let sleep = sleep(Duration::from_millis(random.u64(MILLIS)));
            ring[place].set(Some(sleep));
            let sleep = ring[place].as_mut().as_pin_mut().expect("it was set just now");
            assert!(sleep.poll(&mut Context::from_waker(waker)).is_pending(), "no sleep is over yet");
        }
        yield_now().await;
    }
    watch.nanos_each(ops)
}
