//! A task's handle: is it done, its result, its panic, cancel, and what is to be called at the end.
//!
//! What asyncio has as methods of a future or a task, a `JoinHandle` has here: `done` is called `is_finished`,
//! and `result` is `result` and `exception` in one. None of these waits. A result is handed over, so it can be had
//! once; asking too early is answered with `None`, where asyncio raises an error. A panic is kept in the handle as an
//! exception is, and the loop goes on.
//!
//! ```text
//! $ cargo run --example join_handle
//! early: done false, result None
//! answer has ended: Done
//! late: done true, result Some(Ok(42))
//! broken has ended: Panicked
//! exception: panicked: the disk is full
//! cancel: true, and again: false
//! endless has ended: Cancelled
//! result: Some(Err(Cancelled))
//! ```
//!
//! Read next: `src/join.rs`, the handle, and `src/task.rs`, the life of a task.

#![forbid(unsafe_code)]

use std::future::{Future, pending};
use std::time::Duration;

use oneloop::{JoinHandle, sleep, spawn_named};

async fn answer() -> u32 {
    sleep(Duration::from_secs(1)).await;
    42
}

async fn broken() -> u32 {
    panic!("the disk is full");
}

/// Starts a task that says how it has ended.
fn start(name: &'static str, future: impl Future<Output = u32> + 'static) -> JoinHandle<u32> {
    let task = spawn_named(name, future);
    task.add_done_callback(move |outcome| println!("{name} has ended: {outcome:?}"));
    task
}

async fn main_async() {
    let mut task = start("answer", answer());
    println!("early: done {}, result {:?}", task.is_finished(), task.result());
    sleep(Duration::from_secs(2)).await;
    println!("late: done {}, result {:?}", task.is_finished(), task.result());

    let task = start("broken", broken());
    let exception = task.await.expect_err("it panics");
    println!("exception: {exception}");

    let mut task = start("endless", pending());
    println!("cancel: {}, and again: {}", task.cancel(), task.cancel());
    sleep(Duration::from_secs(1)).await;
    println!("result: {:?}", task.result());
}

fn main() {
    // By default a panic is told on standard error too, where it happens.
    std::panic::set_hook(Box::new(|_| ()));
    oneloop::run(main_async());
}
