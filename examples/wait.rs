//! Four tasks: wait for all of them, then for two seconds at most.
//!
//! Item 0 is there at once, and each following one takes a second more. `wait` says which tasks have ended and
//! which have not, and leaves it at that: those that have not go on. What is to become of them is the program's
//! business, and this one cancels them.
//!
//! ```text
//! $ cargo run --example wait
//! without a limit: item 0, item 1, item 2, item 3
//! within two seconds: item 0, item 1
//! the rest: cancelled, cancelled
//! ```
//!
//! Item 2 would be ready at the same moment at which the time is up. The limit was there first, so it is first.
//!
//! Read next: `src/combine/wait.rs`.

#![forbid(unsafe_code)]

use std::time::Duration;

use oneloop::{JoinHandle, sleep, spawn, wait};

async fn get_item(number: u64) -> String {
    sleep(Duration::from_secs(number)).await;
    format!("item {number}")
}

fn start(count: u64) -> Vec<JoinHandle<String>> {
    (0..count).map(|number| spawn(get_item(number))).collect()
}

/// The results of tasks that have ended, or will soon.
async fn results(tasks: Vec<JoinHandle<String>>) -> String {
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap_or_else(|error| error.to_string()));
    }
    results.join(", ")
}

async fn get_items(count: u64) {
    let all = wait(start(count)).await;
    println!("without a limit: {}", results(all.done).await);

    let some = wait(start(count)).timeout(Duration::from_secs(2)).await;
    println!("within two seconds: {}", results(some.done).await);
    for task in &some.pending {
        task.cancel();
    }
    println!("the rest: {}", results(some.pending).await);
}

fn main() {
    oneloop::run(get_items(4));
}
