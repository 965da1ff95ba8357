//! Hello, and three seconds later: World! The plain way, with no loop at all.
//!
//! This is where the story begins. `thread::sleep` blocks: for three seconds the thread does nothing, and
//! nothing else can use it. The examples that follow print the same two lines in other ways.
//!
//! ```text
//! $ cargo run --example hello_sync
//! Hello
//! World!
//! ```
//!
//! Read next: `examples/hello_threads.rs`, where blocking is left as it is, and paid for.

#![forbid(unsafe_code)]

use std::thread::sleep;
use std::time::Duration;

fn hello() {
    println!("Hello");
    sleep(Duration::from_secs(3));
    println!("World!");
}

fn main() {
    hello();
}
