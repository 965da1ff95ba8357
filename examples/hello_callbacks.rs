//! Hello, and three seconds later: World! With plain functions, and no `async` anywhere.
//!
//! This is how loops were programmed before there was `await`: a function cannot wait, so it says what is
//! to be called later, and returns. What comes after the pause has to be another function. The loop runs
//! until one of them stops it.
//!
//! ```text
//! $ cargo run --example hello_callbacks
//! Hello
//! World!
//! the loop has stopped
//! ```
//!
//! `call_soon` and `call_later` are asyncio's names; in Twisted they are `callWhenRunning` and `callLater`.
//!
//! Read next: `src/calls.rs`, the functions used here, and `src/callback.rs`, where they are kept.

#![forbid(unsafe_code)]

use std::time::Duration;

use oneloop::{EventLoop, call_later, stop};

fn hello() {
    println!("Hello");
    call_later(Duration::from_secs(3), world);
}

fn world() {
    println!("World!");
    stop();
}

fn main() -> std::io::Result<()> {
    let event_loop = EventLoop::new()?;
    event_loop.call_soon(hello);
    event_loop.run_forever();
    println!("the loop has stopped");
    Ok(())
}
