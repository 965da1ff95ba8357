//! Four tasks, and their results in the order in which they end.
//!
//! The slowest is started first and ends last. `as_completed` is a stream, which gives each result as soon as it is
//! there; `gather` would give all four after three seconds.
//!
//! ```text
//! $ cargo run --example as_completed
//! 0.0 s: item 0
//! 1.0 s: item 1
//! 2.0 s: item 2
//! 3.0 s: item 3
//! ```
//!
//! Read next: `src/combine/as_completed.rs`.

#![forbid(unsafe_code)]

use std::time::Duration;

use oneloop::{as_completed, sleep, spawn, time};

async fn get_item(number: u64) -> String {
    sleep(Duration::from_secs(number)).await;
    format!("item {number}")
}

async fn get_items(count: u64) {
    let start = time();
    let tasks: Vec<_> = (0..count).rev().map(|number| spawn(get_item(number))).collect();
    let mut items = as_completed(tasks);
    while let Some(item) = items.next().await {
        let item = item.expect("nothing panics or is cancelled");
        println!("{:.1} s: {item}", (time() - start).as_secs_f64());
    }
}

fn main() {
    oneloop::run(get_items(4));
}
