//! Curves over the number of tasks: switches, round trips, starting, cancelling, and memory.
//!
//! In a switch and a round trip the tasks go on for ever. The body is one task among them and yields with the others,
//! so that it comes to its turn once in each round, and reads the clock and the count there.

use std::cell::Cell;
use std::future::{Future, pending};
use std::rc::Rc;

use futures_lite::future::yield_now;
use oneloop::JoinHandle;

use super::curve::{Curve, DECADES, FROM_A_THOUSAND, Unit, of_row};
use crate::measure::Stopwatch;
use crate::rows::mem;
use crate::rows::ping_pong::Mailbox;
use crate::start;

pub const YIELD: Curve = Curve {
    name: "yield",
    title: "a switch",
    counted: "tasks",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [
        |size| start::on_oneloop(rotate(size, yield_for_ever, |task| drop(oneloop::spawn(task)))),
        |size| start::on_tokio(rotate(size, yield_for_ever, |task| drop(tokio::spawn(task)))),
        |size| start::on_smol(|smol| rotate(size, yield_for_ever, |task| smol.spawn(task).detach())),
    ],
};

pub const PING_PONG: Curve = Curve {
    name: "ping_pong",
    title: "a round trip of two tasks",
    counted: "tasks",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [
        |size| start::on_oneloop(throw(size, player, |task| drop(oneloop::spawn(task)))),
        |size| start::on_tokio_local(throw(size, player, |task| drop(tokio::task::spawn_local(task)))),
        |size| start::on_smol(|smol| throw(size, player, |task| smol.spawn(task).detach())),
    ],
};

pub const SPAWN_JOIN: Curve = Curve {
    name: "spawn_join",
    title: "spawn a task and join it",
    counted: "tasks alive",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [
        |size| start::on_oneloop(spawn_join(size, count, oneloop::spawn)),
        |size| start::on_tokio_set(spawn_join(size, count, tokio::task::spawn_local)),
        |size| start::on_smol(|smol| spawn_join(size, count, |task| smol.spawn(task))),
    ],
};

pub const CANCEL: Curve = Curve {
    name: "cancel",
    title: "cancel a task that waits",
    counted: "tasks",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [
        |size| start::on_oneloop(cancel(size, wait, oneloop::spawn, cancelled_on_oneloop)),
        |size| start::on_tokio(cancel(size, wait, tokio::spawn, aborted)),
        |size| start::on_smol(|smol| cancel(size, wait, |task| smol.spawn(task), |task| task.cancel())),
    ],
};

pub const MEMORY: Curve = Curve {
    name: "mem",
    title: "memory of a sleeping task",
    counted: "tasks",
    unit: Unit::Bytes,
    sizes: FROM_A_THOUSAND,
    measures: of_row(&mem::ROW),
};

/// Operations in one measurement, at least (half as many where tasks are cancelled); and how often each task must have had
/// its turn, at least.
const OPS: u64 = 2_000_000;
const ROUNDS: u64 = 3;

thread_local! {
    /// Operations done, by all tasks.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

async fn count() {
    COUNT.set(COUNT.get() + 1);
}

async fn yield_for_ever() {
    loop {
        COUNT.set(COUNT.get() + 1);
        yield_now().await;
    }
}

async fn rotate<F>(size: u64, task: impl Fn() -> F, spawn: impl Fn(F)) -> f64 {
    for _ in 0..size {
        spawn(task());
    }
    count_rounds(1, size).await
}

/// Yields until enough has been counted, in rounds of so many counts. Nanoseconds for `counts` of them.
async fn count_rounds(counts: u64, round: u64) -> f64 {
    // In the first two rounds tasks start, and memory comes into use.
    yield_now().await;
    yield_now().await;
    let before = COUNT.get();
    let watch = Stopwatch::start();
    let mut rounds = 0;
    while rounds < ROUNDS || COUNT.get() - before < OPS * counts {
        yield_now().await;
        rounds += 1;
    }
    let counted = COUNT.get() - before;
    let nanos = watch.nanos_each(counted / counts);
    assert!(counted >= rounds * round, "{counted} in {rounds} rounds of {round}: this is no rotation");
    nanos
}

/// Returns each letter.
async fn player(inbox: Rc<Mailbox>, outbox: Rc<Mailbox>) {
    loop {
        let letter = inbox.take().await;
        COUNT.set(COUNT.get() + 1);
        outbox.put(letter);
    }
}

/// Half as many letters as tasks are on their way at a time.
async fn throw<F>(size: u64, player: impl Fn(Rc<Mailbox>, Rc<Mailbox>) -> F, spawn: impl Fn(F)) -> f64 {
    for pair in 0..size / 2 {
        let (left, right) = (Rc::new(Mailbox::default()), Rc::new(Mailbox::default()));
        left.put(pair);
        spawn(player(Rc::clone(&left), Rc::clone(&right)));
        spawn(player(right, left));
    }
    count_rounds(2, size / 2).await
}

async fn spawn_join<F, H: Future>(size: u64, task: impl Fn() -> F, spawn: impl Fn(F) -> H) -> f64 {
    let mut handles = Vec::with_capacity(size as usize);
    let rounds = (OPS / size).max(ROUNDS);
    let mut watch = Stopwatch::start();
    for round in 0..=rounds {
        // In the round before, memory comes into use.
        if round == 1 {
            watch = Stopwatch::start();
        }
        handles.extend((0..size).map(|_| spawn(task())));
        for handle in handles.drain(..) {
            handle.await;
        }
    }
    watch.nanos_each(rounds * size)
}

async fn wait() {
    pending::<()>().await;
}

async fn cancelled_on_oneloop(task: JoinHandle<()>) {
    task.cancel();
    // An error, since it was cancelled.
    drop(task.await);
}

async fn aborted(task: tokio::task::JoinHandle<()>) {
    task.abort();
    // An error, since it was cancelled.
    drop(task.await);
}

/// In an order in which they were not spawned.
async fn cancel<F, H, C: Future>(
    size: u64,
    task: impl Fn() -> F,
    spawn: impl Fn(F) -> H,
    cancel: impl Fn(H) -> C,
) -> f64 {
    let mut random = fastrand::Rng::with_seed(1);
    let rounds = (OPS / size / 2).max(ROUNDS);
    let mut nanos = 0.0;
    for round in 0..=rounds {
        let mut handles: Vec<H> = (0..size).map(|_| spawn(task())).collect();
        random.shuffle(&mut handles);
        yield_now().await;
        let watch = Stopwatch::start();
        for handle in handles {
            cancel(handle).await;
        }
        // In the first round memory comes into use.
        if round > 0 {
            nanos += watch.nanos_each(size);
        }
    }
    nanos / rounds as f64
}
