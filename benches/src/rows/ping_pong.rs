//! Row `ping_pong`: two tasks throw a number to and fro through two mailboxes of one place.
//!
//! The mailbox is the same code for all: what is measured is waking one task from another. It holds `Rc`s, so
//! `tokio::spawn`, which wants `Send`, cannot take part.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::measure::Stopwatch;
use crate::row::{Peer, Row, Target, Unit};
use crate::start;

pub const ROW: Row = Row {
    name: "ping_pong",
    operation: "one round trip of two tasks through two one-slot mailboxes (Rc, Cell, stored Waker)",
    unit: Unit::WallNanos,
    ops: 1_000_000,
    quick_ops: 1_000_000,
    target: Target::TimesTokio(2.0),
    peers: &[
        (Peer::Oneloop, |ops| start::on_oneloop(body(ops, player, oneloop::spawn))),
        (Peer::TokioSet, |ops| start::on_tokio_set(body(ops, player, tokio::task::spawn_local))),
        (Peer::TokioLocal, |ops| start::on_tokio_local(body(ops, player, tokio::task::spawn_local))),
        (Peer::Smol, |ops| start::on_smol(|smol| body(ops, player, |task| smol.spawn(task)))),
    ],
};

#[derive(Default)]
struct Mailbox {
    letter: Cell<Option<u64>>,
    reader: Cell<Option<Waker>>,
}

impl Mailbox {
    fn put(&self, letter: u64) {
        self.letter.set(Some(letter));
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    async fn take(&self) -> u64 {
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

/// Returns each letter, one higher, until it has returned `last` or more.
async fn player(inbox: Rc<Mailbox>, outbox: Rc<Mailbox>, last: u64) {
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
