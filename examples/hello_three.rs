//! Three hellos at once: in 1.0 s, not in 3.
//!
//! `gather` makes a task of each future and waits for all. Each prints, sleeps for a second, and prints
//! again. The three sleeps are over at the same moment, because nothing but the loop's timers was waiting.
//! Awaited one after the other they would take three seconds.
//!
//! ```text
//! $ cargo run --example hello_three
//! Hello 1
//! Hello 2
//! Hello 3
//! World! 1
//! World! 2
//! World! 3
//! 3 hellos in 1.0 s
//! ```
//!
//! Read next: `src/combine/gather.rs`, how one task waits for many.

#![forbid(unsafe_code)]

use std::time::Duration;

use oneloop::{gather, sleep, time};

async fn hello(number: u32) {
    println!("Hello {number}");
    sleep(Duration::from_secs(1)).await;
    println!("World! {number}");
}

fn main() {
    oneloop::run(async {
        let start = time();
        let results = gather((1..=3).map(hello)).await;
        let whole = results.iter().filter(|result| result.is_ok()).count();
        println!("{whole} hellos in {:.1} s", (time() - start).as_secs_f64());
    });
}
