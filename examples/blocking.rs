//! Six calls that block, on three threads: in one second, not in three.
//!
//! A pool of its own limits how many calls block at a time, and leaves the loop's pool free for others. `spawn` starts
//! a call at once, if a thread is free, and returns a handle; the loop goes on. Three jobs of half a second
//! run side by side, and then the other three. The results come in the order of the jobs, not of their ends.
//!
//! ```text
//! $ cargo run --example blocking
//! six jobs have been handed over, and the loop is free
//! results: [0, 1, 4, 9, 16, 25]
//! took 1002 ms
//! ```
//!
//! Read next: `src/blocking.rs`, how a call on another thread is awaited, and `examples/factorial.rs`, the same with
//! processes.

#![forbid(unsafe_code)]

use std::thread;
use std::time::{Duration, Instant};

use oneloop::{BlockingPool, try_gather};

fn blocking_square(n: u64) -> u64 {
    thread::sleep(Duration::from_millis(500));
    n * n
}

fn main() {
    let start = Instant::now();
    oneloop::run(async {
        let pool = BlockingPool::new(3);
        let jobs: Vec<_> = (0..6).map(|n| pool.spawn(move || blocking_square(n))).collect();
        println!("six jobs have been handed over, and the loop is free");
        let results = try_gather(jobs).await.expect("squaring does not panic");
        println!("results: {results:?}");
    });
    println!("took {} ms", start.elapsed().as_millis());
}
