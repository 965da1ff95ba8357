//! A spinner turns while a slow call is under way: with a thread.
//!
//! The slow call blocks the main thread, so the spinner needs another one. A thread cannot be stopped from
//! outside, since nobody can know at which instruction it is: it has to look, now and then, at a flag that both
//! sides share. `spinner.rs` is the same program with a task, which can be cancelled where it is suspended.
//!
//! ```text
//! $ cargo run --example spinner_thread
//! spinner: Thread { id: ThreadId(2), name: Some("spin"), .. }
//! Answer: 42
//! ```
//!
//! The spinner is drawn on a terminal only; where the output goes to a file or a pipe, these two lines are
//! all there is.
//!
//! Read next: `examples/spinner.rs`.

#![forbid(unsafe_code)]

use std::io::{IsTerminal, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

/// Draws `text` over the current line of a terminal.
fn draw(text: &str) {
    if stdout().is_terminal() {
        // The cursor goes back to the start, so that whatever is printed next replaces the frame.
        print!("\x1b[K{text}\r");
        // What cannot be shown is no reason to end.
        let _ = stdout().flush();
    }
}

fn spin(message: &str, go: &AtomicBool) {
    for frame in ['|', '/', '-', '\\'].iter().cycle() {
        draw(&format!("{frame} {message}"));
        sleep(Duration::from_millis(100));
        if !go.load(Ordering::Relaxed) {
            break;
        }
    }
    draw("");
}

fn slow_function() -> u32 {
    sleep(Duration::from_secs(3));
    42
}

fn supervisor() -> u32 {
    let go = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&go);
    let spinner = thread::Builder::new().name("spin".into()).spawn(move || spin("thinking!", &seen));
    let spinner = spinner.expect("the operating system has a thread left");
    println!("spinner: {:?}", spinner.thread());
    let answer = slow_function();
    go.store(false, Ordering::Relaxed);
    spinner.join().expect("drawing does not panic");
    answer
}

fn main() {
    println!("Answer: {}", supervisor());
}
