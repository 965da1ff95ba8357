//! The program of the README.
//!
//! Two greetings, one thread: the second is a task of its own, so its two seconds include the first one's.
//!
//! ```text
//! $ cargo run --example first
//! Hello, you!
//! Hello, World!
//! ```
//!
//! `ONELOOP=print cargo run --example first` shows what the loop does meanwhile.
//!
//! Read next: `examples/hello_sync.rs`, where the story begins.

#![forbid(unsafe_code)]

use std::time::Duration;

async fn hello(name: &str, after: u64) {
    oneloop::sleep(Duration::from_secs(after)).await;
    println!("Hello, {name}!");
}

fn main() {
    oneloop::run(async {
        let world = oneloop::spawn(hello("World", 2));
        hello("you", 1).await;
        world.await.expect("it neither panics nor is cancelled");
    });
}
