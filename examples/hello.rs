//! Hello, and three seconds later: World! With `async` and `await`.
//!
//! Three async functions. `main_async` starts `delayed_hello` as a task, so the two go on side by side: the
//! task sleeps for three seconds, `main_async` for half of one, and one thread is enough for both. Calling an async
//! function only makes a future; it is the `.await`, or `spawn`, that has it run.
//!
//! ```text
//! $ cargo run --example hello
//! main: started
//! Hello
//! main: half a second later
//! World!
//! main: done
//! ```
//!
//! `ONELOOP=print cargo run --example hello` shows what the loop does meanwhile.
//!
//! Read next: `src/sleep.rs`, what `sleep` does between its first poll and its last.

#![forbid(unsafe_code)]

use std::time::Duration;

use oneloop::{sleep, spawn};

async fn hello() {
    println!("Hello");
    sleep(Duration::from_secs(3)).await;
    println!("World!");
}

async fn delayed_hello() {
    hello().await;
}

async fn main_async() {
    println!("main: started");
    let task = spawn(delayed_hello());
    sleep(Duration::from_millis(500)).await;
    println!("main: half a second later");
    task.await.expect("printing does not panic");
    println!("main: done");
}

fn main() {
    oneloop::run(main_async());
}
