//! Two tasks take turns on one thread.
//!
//! Each prints a number and sleeps. While one sleeps the other can run, so their lines are mixed, and the
//! whole takes as long as the longer one: 1.5 s, not 2.7. At 1.2 s both are due; the timer that was armed first
//! fires first.
//!
//! ```text
//! $ cargo run --example sleep
//! 0.0 s  slow 1
//! 0.0 s  fast 1
//! 0.4 s  fast 2
//! 0.5 s  slow 2
//! 0.8 s  fast 3
//! 1.0 s  slow 3
//! 1.2 s  fast is done
//! 1.5 s  slow is done
//! ```
//!
//! `ONELOOP=virtual cargo run --example sleep` prints the same at once: virtual time jumps to the next timer.
//!
//! Read next: `src/turn.rs`, the turn, in which timers fire and tasks are polled.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use oneloop::{sleep, spawn_named, time};

async fn count(name: &str, start: Instant, pause: Duration) {
    for number in 1..=3 {
        println!("{:.1} s  {name} {number}", (time() - start).as_secs_f64());
        sleep(pause).await;
    }
    println!("{:.1} s  {name} is done", (time() - start).as_secs_f64());
}

fn main() {
    oneloop::run(async {
        let start = time();
        let slow = spawn_named("slow", count("slow", start, Duration::from_millis(500)));
        let fast = spawn_named("fast", count("fast", start, Duration::from_millis(400)));
        slow.await.expect("counting does not panic");
        fast.await.expect("counting does not panic");
    });
}
