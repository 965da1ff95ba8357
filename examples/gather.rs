//! Four items fetched at once: all of them, or the first error.
//!
//! Item 0 is there at once, and each following one takes a second more. `gather` waits for all, and its results
//! are in the order of the items, whatever the order in which they ended. `try_gather` returns the first error
//! at once; the others go on, as asyncio's do. The two are asyncio's `gather` with `return_exceptions` on and
//! off.
//!
//! ```text
//! $ cargo run --example gather
//! gather, 3.0 s: [Ok("item 0"), Ok("item 1"), Ok("item 2"), Ok("item 3")]
//! try_gather, 1.0 s: Err("item 1 is sold out")
//! ```
//!
//! Read next: `src/combine/gather.rs` and `src/combine/try_gather.rs`.

#![forbid(unsafe_code)]

use std::time::Duration;

use oneloop::{gather, sleep, time, try_gather};

async fn get_item(number: u64) -> String {
    sleep(Duration::from_secs(number)).await;
    format!("item {number}")
}

async fn buy_item(number: u64) -> Result<String, String> {
    let item = get_item(number).await;
    if number == 1 { Err(format!("{item} is sold out")) } else { Ok(item) }
}

async fn get_items(count: u64) {
    let start = time();
    let results = gather((0..count).map(get_item)).await;
    println!("gather, {:.1} s: {results:?}", (time() - start).as_secs_f64());

    let start = time();
    let result = try_gather((0..count).map(buy_item)).await;
    println!("try_gather, {:.1} s: {result:?}", (time() - start).as_secs_f64());
}

fn main() {
    oneloop::run(get_items(4));
}
