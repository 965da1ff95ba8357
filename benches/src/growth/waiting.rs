//! Curves over the number of tasks that wait for the same thing: a place in a queue, an event.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use futures_lite::future::yield_now;
use oneloop::sync::{Event, Queue};
use tokio::sync::{Notify, mpsc};

use super::curve::{Curve, DECADES, Unit};
use crate::measure::Stopwatch;
use crate::start;

pub const QUEUE: Curve = Curve {
    name: "queue",
    title: "an item through a full queue of 64",
    counted: "tasks that wait to put one",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [queue_on_oneloop, queue_on_tokio, queue_on_smol],
};

pub const BROADCAST: Curve = Curve {
    name: "broadcast",
    title: "an event wakes a task",
    counted: "tasks that wait for it",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [broadcast_on_oneloop, broadcast_on_tokio, broadcast_on_smol],
};

const CAPACITY: usize = 64;
/// Operations in one measurement, at least; and how often each task must have had its turn.
const OPS: u64 = 1_000_000;
const ROUNDS: u64 = 3;

thread_local! {
    /// Tasks that the event has woken.
    static WOKEN: Cell<u64> = const { Cell::new(0) };
}

fn queue_on_oneloop(size: u64) -> f64 {
    let queue = Rc::new(Queue::new(CAPACITY));
    let consumer = Rc::clone(&queue);
    let producer = move || {
        let queue = Rc::clone(&queue);
        async move { while queue.put(1).await.is_ok() {} }
    };
    let get = async move || consumer.get().await.expect("nobody shuts it down");
    start::on_oneloop(consume(size, producer, |task| drop(oneloop::spawn(task)), get))
}

fn queue_on_tokio(size: u64) -> f64 {
    let (sender, mut receiver) = mpsc::channel::<u64>(CAPACITY);
    // Not through `consume`: it must be seen to be `Send`.
    start::on_tokio(async move {
        for _ in 0..size {
            let sender = sender.clone();
            tokio::spawn(async move { while sender.send(1).await.is_ok() {} });
        }
        for _ in 0..size {
            receiver.recv().await;
        }
        let items = items(size);
        let watch = Stopwatch::start();
        for _ in 0..items {
            receiver.recv().await;
        }
        watch.nanos_each(items)
    })
}

fn queue_on_smol(size: u64) -> f64 {
    let (sender, receiver) = async_channel::bounded(CAPACITY);
    let producer = move || {
        let sender = sender.clone();
        async move { while sender.send(1).await.is_ok() {} }
    };
    start::on_smol(|smol| {
        let get = async move || receiver.recv().await.expect("the producers live");
        consume(size, producer, |task| smol.spawn(task).detach(), get)
    })
}

/// Every producer has put one before the clock starts.
async fn consume<F>(size: u64, task: impl Fn() -> F, spawn: impl Fn(F), get: impl AsyncFn() -> u64) -> f64 {
    for _ in 0..size {
        spawn(task());
    }
    for _ in 0..size {
        get().await;
    }
    let items = items(size);
    let watch = Stopwatch::start();
    for _ in 0..items {
        get().await;
    }
    watch.nanos_each(items)
}

fn items(size: u64) -> u64 {
    OPS.max(size * ROUNDS)
}

fn broadcast_on_oneloop(size: u64) -> f64 {
    let event = Event::new();
    let ours = event.clone();
    let waiter = move || {
        let event = event.clone();
        async move {
            loop {
                event.wait().await;
                WOKEN.set(WOKEN.get() + 1);
            }
        }
    };
    let ring = move || {
        ours.set();
        ours.clear();
    };
    start::on_oneloop(broadcast(size, waiter, |task| drop(oneloop::spawn(task)), ring))
}

fn broadcast_on_tokio(size: u64) -> f64 {
    let event = Arc::new(Notify::new());
    let ours = Arc::clone(&event);
    let waiter = move || {
        let event = Arc::clone(&event);
        async move {
            loop {
                event.notified().await;
                WOKEN.set(WOKEN.get() + 1);
            }
        }
    };
    start::on_tokio(broadcast(size, waiter, |task| drop(tokio::spawn(task)), move || ours.notify_waiters()))
}

fn broadcast_on_smol(size: u64) -> f64 {
    let event = Rc::new(event_listener::Event::new());
    let ours = Rc::clone(&event);
    let waiter = move || {
        let event = Rc::clone(&event);
        async move {
            loop {
                event.listen().await;
                WOKEN.set(WOKEN.get() + 1);
            }
        }
    };
    let ring = move || {
        ours.notify(usize::MAX);
    };
    start::on_smol(|smol| broadcast(size, waiter, |task| smol.spawn(task).detach(), ring))
}

async fn broadcast<F>(size: u64, waiter: impl Fn() -> F, spawn: impl Fn(F), ring: impl Fn()) -> f64 {
    for _ in 0..size {
        spawn(waiter());
    }
    // Now all of them wait.
    yield_now().await;
    let rounds = (OPS / size).max(ROUNDS);
    let mut watch = Stopwatch::start();
    for round in 0..=rounds {
        // In the round before, memory comes into use.
        if round == 1 {
            watch = Stopwatch::start();
        }
        ring();
        while WOKEN.get() < (round + 1) * size {
            yield_now().await;
        }
    }
    watch.nanos_each(rounds * size)
}
