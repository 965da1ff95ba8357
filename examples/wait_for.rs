//! A limit of time: 30 seconds for an item that takes 3, and for one that takes an hour.
//!
//! What is too late is cancelled: the future is dropped at the `.await` where it is suspended, and so is what it
//! holds. Here it holds an order, which is closed in either case, and before `wait_for` returns.
//!
//! ```text
//! $ cargo run --example wait_for
//! the order of item 3 is closed
//! after 3 s: item 3
//! the order of item 3600 is closed
//! after 30 s: not finished within 30s
//! ```
//!
//! The loop is made with virtual time, so that nobody has to wait for half a minute.
//!
//! Read next: `src/combine/wait_for.rs`, a future and a timer, asked in turn.

#![forbid(unsafe_code)]

use std::time::Duration;

use oneloop::{EventLoop, sleep, time, wait_for};

const LIMIT: Duration = Duration::from_secs(30);

/// A guard: dropped, it is closed.
struct Order(u64);

impl Drop for Order {
    fn drop(&mut self) {
        println!("the order of item {} is closed", self.0);
    }
}

async fn get_item(number: u64) -> String {
    let order = Order(number);
    sleep(Duration::from_secs(number)).await;
    format!("item {}", order.0)
}

async fn get_in_time(number: u64) {
    let start = time();
    let result = wait_for(get_item(number), LIMIT).await;
    let seconds = (time() - start).as_secs();
    match result {
        Ok(item) => println!("after {seconds} s: {item}"),
        Err(late) => println!("after {seconds} s: {late}"),
    }
}

fn main() -> std::io::Result<()> {
    let event_loop = EventLoop::builder().virtual_time().build()?;
    event_loop.run_until_complete(async {
        get_in_time(3).await;
        get_in_time(3600).await;
    });
    Ok(())
}
