//! Row `ping_pong`: two tasks throw a number to and fro through two mailboxes of one place.
//!
//! The mailbox is the same code for all: what is measured is waking one task from another. It holds `Rc`s, so
//! `tokio::spawn`, which wants `Send`, cannot take part. `bare` polls the two futures by hand: what is left without a
//! runtime is the mailboxes themselves and the counts of two wakers.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::measure::Stopwatch;
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start::{self, spawner as on};

pub const ROW: Row = Row {
    name: "ping_pong",
    operation: "one round trip of two tasks through two one-slot mailboxes (Rc, Cell, stored Waker)",
    unit: Unit::WallNanos,
    ops: 1_000_000,
    quick_ops: 1_000_000,
    target: Target::TimesTokio(2.5),
    peers: &[
        (Peer::Oneloop, |ops| {
            start::on_oneloop(body(ops, player::<{ Peer::Oneloop as u8 }>, oneloop::spawn))
        }),
        (Peer::TokioSet, |ops| {
            start::on_tokio_set(body(ops, player::<{ Peer::TokioSet as u8 }>, tokio::task::spawn_local))
        }),
        (Peer::TokioLocal, |ops| {
            start::on_tokio_local(body(ops, player::<{ Peer::TokioLocal as u8 }>, tokio::task::spawn_local))
        }),
        (Peer::Smol, |ops| {
            start::on_smol(|smol| body(ops, player::<{ Peer::Smol as u8 }>, |task| smol.spawn(task)))
        }),
        (Peer::LocalPool, |ops| {
            start::on_local_pool(|pool| body(ops, player::<{ Peer::LocalPool as u8 }>, on(pool)))
        }),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| {
            start::on_compio(body(ops, player::<{ Peer::Compio as u8 }>, compio::runtime::spawn))
        }),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| start::on_monoio(body(ops, player::<{ Peer::Monoio as u8 }>, monoio::spawn))),
        (Peer::Asyncio, |ops| python::share("ping_pong", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("ping_pong", "uvloop", ops)),
        (Peer::Bare, by_hand),
    ],
};

#[derive(Default)]
pub struct Mailbox {
    letter: Cell<Option<u64>>,
    reader: Cell<Option<Waker>>,
}

impl Mailbox {
    pub fn put(&self, letter: u64) {
        self.letter.set(Some(letter));
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    pub async fn take(&self) -> u64 {
        poll_fn(|cx| match self.letter.take() {
            Some(letter) => Poll::Ready(letter),
            None => {
                self.reader.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }
}

/// Returns each letter, one higher, until it has returned `last` or more. Each peer has a copy of its own, as in a
/// program that uses but one runtime: there the compiler can put it into the one function that polls it.
async fn player<const PEER: u8>(inbox: Rc<Mailbox>, outbox: Rc<Mailbox>, last: u64) {
    loop {
        let letter = inbox.take().await + 1;
        outbox.put(letter);
        if letter >= last {
            return;
        }
    }
}

async fn body<F, H: Future>(
    ops: u64,
    task: impl Fn(Rc<Mailbox>, Rc<Mailbox>, u64) -> F,
    spawn: impl Fn(F) -> H,
) -> f64 {
    let (left, right) = (Rc::new(Mailbox::default()), Rc::new(Mailbox::default()));
    let last = 2 * ops;
    let ping = spawn(task(Rc::clone(&left), Rc::clone(&right), last - 1));
    let pong = spawn(task(Rc::clone(&right), left.clone(), last));
    let watch = Stopwatch::start();
    left.put(0);
    ping.await;
    pong.await;
    let nanos = watch.nanos_each(ops);
    assert_eq!(left.letter.get(), Some(last), "every letter was returned");
    nanos
}

/// A waker that does no more than say that it was woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The two players in turn, whenever the flag says so.
fn by_hand(ops: u64) -> f64 {
    let (left, right) = (Rc::new(Mailbox::default()), Rc::new(Mailbox::default()));
    let last = 2 * ops;
    let mut ping = pin!(player::<{ Peer::Bare as u8 }>(Rc::clone(&left), Rc::clone(&right), last - 1));
    let mut pong = pin!(player::<{ Peer::Bare as u8 }>(Rc::clone(&right), Rc::clone(&left), last));
    let flags = [(); 2].map(|()| Arc::new(Flag(AtomicBool::new(true))));
    let wakers = flags.clone().map(Waker::from);
    let mut ended = [false; 2];
    let watch = Stopwatch::start();
    left.put(0);
    while !ended[1] {
        for player in 0..2 {
            if !ended[player] && flags[player].0.swap(false, Ordering::Relaxed) {
                let mut cx = Context::from_waker(&wakers[player]);
                let polled =
                    if player == 0 { ping.as_mut().poll(&mut cx) } else { pong.as_mut().poll(&mut cx) };
                ended[player] = polled.is_ready();
            }
        }
    }
    let nanos = watch.nanos_each(ops);
    assert_eq!(left.letter.get(), Some(last), "every letter was returned");
    nanos
}
