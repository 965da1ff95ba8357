//! Row `channel`: items through the runtime's own bounded queue, from one task to another.

use std::future::Future;
use std::rc::Rc;

use futures::channel::mpsc as futures_mpsc;
use futures::executor::LocalSpawner;
use futures::{SinkExt as _, StreamExt as _};
use oneloop::sync::Queue;
use tokio::sync::mpsc;
use tokio::task::spawn_local;

use crate::measure::Stopwatch;
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start::{self, spawner};

pub const ROW: Row = Row {
    name: "channel",
    operation: "one item through the runtime's own bounded queue of 64, one producer, one consumer",
    unit: Unit::WallNanos,
    ops: 1_000_000,
    quick_ops: 1_000_000,
    target: Target::TimesTokio(4.0),
    peers: &[
        (Peer::Oneloop, |ops| {
            let (producer, consumer) = oneloop_ends(ops);
            start::on_oneloop(body(ops, || oneloop::spawn(consumer), || oneloop::spawn(producer)))
        }),
        (Peer::Tokio, |ops| {
            let (producer, consumer) = tokio_ends(ops);
            start::on_tokio(body(ops, || tokio::spawn(consumer), || tokio::spawn(producer)))
        }),
        (Peer::TokioSet, |ops| {
            let (producer, consumer) = tokio_ends(ops);
            start::on_tokio_set(body(ops, || spawn_local(consumer), || spawn_local(producer)))
        }),
        (Peer::TokioLocal, |ops| {
            let (producer, consumer) = tokio_ends(ops);
            start::on_tokio_local(body(ops, || spawn_local(consumer), || spawn_local(producer)))
        }),
        (Peer::Smol, |ops| {
            let (producer, consumer) = smol_ends(ops);
            start::on_smol(|smol| body(ops, || smol.spawn(consumer), || smol.spawn(producer)))
        }),
        (Peer::LocalPool, |ops| {
            let (producer, consumer) = futures_ends(ops);
            start::on_local_pool(|pool: LocalSpawner| {
                let other = pool.clone();
                body(ops, move || spawner(pool)(consumer), move || spawner(other)(producer))
            })
        }),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| {
            let (producer, consumer) = monoio_ends(ops);
            start::on_monoio(body(ops, || monoio::spawn(consumer), || monoio::spawn(producer)))
        }),
        (Peer::Asyncio, |ops| python::share("channel", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("channel", "uvloop", ops)),
    ],
};

const CAPACITY: usize = 64;

fn oneloop_ends(ops: u64) -> (impl Future<Output = ()>, impl Future<Output = ()>) {
    let queue = Rc::new(Queue::new(CAPACITY));
    let other_end = Rc::clone(&queue);
    let producer =
        produce(ops, async move |item| queue.put(item).await.expect("nobody shuts the queue down"));
    let consumer = consume(ops, async move || other_end.get().await.expect("nobody shuts the queue down"));
    (producer, consumer)
}

fn tokio_ends(ops: u64) -> (impl Future<Output = ()> + Send, impl Future<Output = ()> + Send) {
    let (sender, mut receiver) = mpsc::channel(CAPACITY);
    let producer = produce(ops, async move |item| sender.send(item).await.expect("the consumer lives"));
    let consumer = consume(ops, async move || receiver.recv().await.expect("the producer lives"));
    (producer, consumer)
}

fn smol_ends(ops: u64) -> (impl Future<Output = ()>, impl Future<Output = ()>) {
    let (sender, receiver) = async_channel::bounded(CAPACITY);
    let producer = produce(ops, async move |item| sender.send(item).await.expect("the consumer lives"));
    let consumer = consume(ops, async move || receiver.recv().await.expect("the producer lives"));
    (producer, consumer)
}

/// A queue of this crate has one place more than asked for, the sender's own.
fn futures_ends(ops: u64) -> (impl Future<Output = ()>, impl Future<Output = ()>) {
    let (mut sender, mut receiver) = futures_mpsc::channel(CAPACITY - 1);
    let producer = produce(ops, async move |item| sender.send(item).await.expect("the consumer lives"));
    let consumer = consume(ops, async move || receiver.next().await.expect("the producer lives"));
    (producer, consumer)
}

/// monoio leaves queues to the crate local-sync.
#[cfg(feature = "monoio")]
fn monoio_ends(ops: u64) -> (impl Future<Output = ()>, impl Future<Output = ()>) {
    let (sender, mut receiver) = local_sync::mpsc::bounded::channel(CAPACITY);
    let producer = produce(ops, async move |item| sender.send(item).await.expect("the consumer lives"));
    let consumer = consume(ops, async move || receiver.recv().await.expect("the producer lives"));
    (producer, consumer)
}

async fn produce(ops: u64, mut send: impl AsyncFnMut(u64)) {
    for item in 0..ops {
        send(item).await;
    }
}

async fn consume(ops: u64, mut receive: impl AsyncFnMut() -> u64) {
    let mut sum = 0;
    for _ in 0..ops {
        sum += receive().await;
    }
    assert_eq!(sum, ops * (ops - 1) / 2, "every item arrived once");
}

async fn body<P: Future, C: Future>(
    ops: u64,
    consumer: impl FnOnce() -> C,
    producer: impl FnOnce() -> P,
) -> f64 {
    let watch = Stopwatch::start();
    let (consumer, producer) = (consumer(), producer());
    producer.await;
    consumer.await;
    watch.nanos_each(ops)
}
