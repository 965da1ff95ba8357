//! A long computation starves the other tasks, until it gives way now and then.
//!
//! A task has the thread until its next `.await`. Here one task computes for 300 ms, in 300 pieces, and another
//! wants a turn as often as it can get one. Without an `.await` between the pieces it gets none at all. With
//! `yield_now` there it gets one after every piece. asyncio's `sleep(0)` is the same remedy.
//!
//! ```text
//! $ cargo run --example starvation
//! without yield_now: computed in 300.1 ms; 0 turns for the other, at most 300.1 ms apart
//! with yield_now: computed in 300.6 ms; 300 turns for the other, at most 1.1 ms apart
//! ```
//!
//! The milliseconds are measured. `ONELOOP=debug cargo run --example starvation` warns of the one poll that took them
//! all. Giving way costs little, but it only shares the thread out: a computation that takes long in all belongs
//! on a thread of the pool, as in `examples/frozen_spinner.rs`.
//!
//! Read next: `src/turn.rs`, step 5: why a task that yields goes to the end of the queue.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use oneloop::{spawn, yield_now};

/// Stands for a millisecond of arithmetic.
fn piece() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1) {
        std::hint::spin_loop();
    }
}

/// What the other task has got.
#[derive(Default)]
struct Share {
    turns: Cell<u32>,
    longest_wait: Cell<Duration>,
}

async fn other(share: Rc<Share>) {
    loop {
        let start = Instant::now();
        yield_now().await;
        share.turns.set(share.turns.get() + 1);
        share.longest_wait.set(share.longest_wait.get().max(start.elapsed()));
    }
}

async fn compute(polite: bool) {
    let share = Rc::new(Share::default());
    let other = spawn(other(Rc::clone(&share)));
    yield_now().await; // so that it has started
    let start = Instant::now();
    for _ in 0..300 {
        piece();
        if polite {
            yield_now().await;
        }
    }
    let (turns, whole) = (share.turns.get(), milliseconds(start.elapsed()));
    yield_now().await; // so that it can tell how long it has waited
    let wait = milliseconds(share.longest_wait.get());
    let form = if polite { "with" } else { "without" };
    println!(
        "{form} yield_now: computed in {whole} ms; {turns} turns for the other, at most {wait} ms apart"
    );
    other.cancel();
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

fn main() {
    oneloop::run(async {
        compute(false).await;
        compute(true).await;
    });
}
