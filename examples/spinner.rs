//! A spinner turns while a slow call is under way.
//!
//! The slow call would block the loop's thread, so it goes to the pool. Meanwhile the spinner, a task of its
//! own, draws a frame every 100 ms. A pending task can be printed: it says at which line it is suspended.
//! Cancelling it drops its future at that line, and the guard on its stack clears the line on the terminal.
//!
//! ```text
//! $ cargo run --example spinner
//! spinner: <spin suspended at examples/spinner.rs:49, waiting for a sleep, spawned at examples/spinner.rs:59>
//! Answer: 42
//! ```
//!
//! The spinner is drawn on a terminal only; where the output goes to a file or a pipe, these two lines are
//! all there is.
//!
//! Read next: `src/pool.rs`, the threads that may block, and `src/task.rs`, the life of a task.

#![forbid(unsafe_code)]

use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

use oneloop::{sleep, spawn_blocking, spawn_named, yield_now};

/// Clears the line when it is dropped.
struct Line;

impl Line {
    fn draw(&self, text: &str) {
        if stdout().is_terminal() {
            // The cursor goes back to the start, so that whatever is printed next replaces the frame.
            print!("\x1b[K{text}\r");
            // What cannot be shown is no reason to end.
            let _ = stdout().flush();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.draw("");
    }
}

async fn spin(message: &str) {
    let line = Line;
    for frame in ['|', '/', '-', '\\'].iter().cycle() {
        line.draw(&format!("{frame} {message}"));
        sleep(Duration::from_millis(100)).await;
    }
}

fn slow_function() -> u32 {
    std::thread::sleep(Duration::from_secs(3));
    42
}

async fn supervisor() -> u32 {
    let spinner = spawn_named("spin", spin("thinking!"));
    yield_now().await;
    println!("spinner: {spinner:?}");
    let answer = spawn_blocking(slow_function).await.expect("sleeping does not panic");
    spinner.cancel();
    let end = spinner.await;
    assert!(end.is_err_and(|error| error.is_cancelled()));
    answer
}

fn main() {
    println!("Answer: {}", oneloop::run(supervisor()));
}
