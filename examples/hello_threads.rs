//! Hello, and three seconds later: World! The function is that of `hello_sync`, to the letter.
//!
//! Some languages have green threads: code that blocks is run on many small stacks, and a scheduler inside
//! the program changes stacks wherever a call would block. In Python gevent and eventlet do that. Rust had them
//! once, and took them out before its version 1.0: they need a runtime in every program, stacks that grow, and
//! a detour at every call of C.
//!
//! What remains, for code that is to stay as it is, is a thread of the operating system, as here. The system may
//! switch threads at any instruction, so what they share needs a lock, and each costs a stack and switches
//! through the kernel. That is fine for dozens. For a hundred thousand things that mostly wait there is `await`,
//! which marks the few places where a switch may happen.
//!
//! ```text
//! $ cargo run --example hello_threads
//! Hello
//! World!
//! ```
//!
//! Read next: `examples/hello_callbacks.rs`, many waits on one thread.

#![forbid(unsafe_code)]

use std::thread::{self, sleep};
use std::time::Duration;

fn hello() {
    println!("Hello");
    sleep(Duration::from_secs(3));
    println!("World!");
}

fn main() {
    let thread = thread::spawn(hello);
    // This thread is free for three seconds. It has nothing better to do than wait for the other.
    thread.join().expect("printing does not panic");
}
