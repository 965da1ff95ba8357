//! A call that blocks freezes the spinner, and everything else on the loop. The pool frees it.
//!
//! The slow function takes a second and has no `.await` in it. Called by a task, it keeps the only thread there
//! is: no timer can fire, and the spinner stands still. On a thread of the pool it takes just as long, but the
//! loop's thread is free, and the spinner turns. What is not Rust's own `async` blocks, unless it says
//! otherwise: `std::thread::sleep`, `std::fs`, `std::net`, most database drivers.
//!
//! ```text
//! $ cargo run --example frozen_spinner
//! on the loop's thread: 0 frames in 1000 ms
//! on the pool: 9 frames in 1000 ms
//! ```
//!
//! The numbers are measured; on a terminal you can see them. `ONELOOP=debug cargo run --example frozen_spinner` names
//! the task that held the loop up, and its lines.
//!
//! Read next: `src/blocking.rs`, a thread's result awaited, and `src/pool.rs`, the threads.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::future::Future;
use std::io::{IsTerminal, Write, stdout};
use std::rc::Rc;
use std::time::{Duration, Instant};

use oneloop::{sleep, spawn, spawn_blocking, yield_now};

/// Draws `text` over the current line of a terminal.
fn draw(text: &str) {
    if stdout().is_terminal() {
        // The cursor goes back to the start, so that whatever is printed next replaces the frame.
        print!("\x1b[K{text}\r");
        // What cannot be shown is no reason to end.
        let _ = stdout().flush();
    }
}

async fn spin(frames: Rc<Cell<u32>>) {
    for frame in ['|', '/', '-', '\\'].iter().cycle() {
        draw(&frame.to_string());
        frames.set(frames.get() + 1);
        sleep(Duration::from_millis(100)).await;
    }
}

fn slow_function() {
    std::thread::sleep(Duration::from_secs(1));
}

async fn beside_a_spinner(place: &str, call: impl Future) {
    let frames = Rc::new(Cell::new(0));
    let spinner = spawn(spin(Rc::clone(&frames)));
    yield_now().await; // it draws the first frame,
    frames.set(0); // which is not counted
    let start = Instant::now();
    call.await;
    draw("");
    println!("{place}: {} frames in {} ms", frames.get(), start.elapsed().as_millis());
    spinner.cancel();
}

fn main() {
    oneloop::run(async {
        beside_a_spinner("on the loop's thread", async { slow_function() }).await;
        beside_a_spinner("on the pool", spawn_blocking(slow_function)).await;
    });
}
