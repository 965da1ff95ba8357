//! An event loop by hand: made, run to a result, run until it is stopped, closed. And what is refused.
//!
//! `oneloop::run` makes a loop, runs it to a result and closes it, and is usually all one needs. Between two runs
//! nothing is lost: tasks stay suspended and timers armed. During a run there is no need to get hold of the loop:
//! free functions (`spawn`, `call_later`, `stop`, `time`) mean the one that runs on this thread. Where asyncio
//! raises a `RuntimeError`, there is a panic with a sentence that says what to do instead.
//!
//! ```text
//! $ cargo run --example event_loop
//! new: running false, closed false
//! run_until_complete: Hello World!
//! refused, outside of a run:
//!     no event loop is running on this thread: call this from a task or a callback, inside oneloop::run or EventLoop::run_until_complete
//! run_forever: a callback, one second later
//! stop: running false, closed false
//! refused, a run inside a run:
//!     this event loop is running already: await the future, or spawn it as a task
//! refused, closed too early:
//!     a running event loop cannot be closed: call stop, and close it when its run has ended
//! refused, stopped too early:
//!     the event loop was stopped before its main future had ended: let the future return, or use run_forever
//! close: running false, closed true
//! refused, used when closed:
//!     this event loop is closed: make a new one with EventLoop::new, or do this before close
//! ```
//!
//! Read next: `src/event_loop.rs`, all of this from the other side.

#![forbid(unsafe_code)]

use std::future::pending;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use oneloop::{EventLoop, call_later, sleep, stop};

async fn hello() -> &'static str {
    sleep(Duration::from_secs(1)).await;
    "Hello World!"
}

fn show(event_loop: &EventLoop, after: &str) {
    println!("{after}: running {}, closed {}", event_loop.is_running(), event_loop.is_closed());
}

/// Makes a call that panics, and prints the sentence it panics with.
fn refused(what: &str, call: impl FnOnce()) {
    panic::set_hook(Box::new(|_| ())); // nothing on standard error
    let payload = catch_unwind(AssertUnwindSafe(call)).expect_err("it is refused");
    drop(panic::take_hook());
    println!("refused, {what}:\n    {}", payload.downcast_ref::<&str>().expect("the panic has a sentence"));
}

fn main() -> std::io::Result<()> {
    let event_loop = EventLoop::new()?;
    show(&event_loop, "new");

    println!("run_until_complete: {}", event_loop.run_until_complete(hello()));

    let last_words = || {
        println!("run_forever: a callback, one second later");
        stop();
    };
    refused("outside of a run", || drop(call_later(Duration::from_secs(1), last_words)));
    event_loop.call_later(Duration::from_secs(1), last_words);
    event_loop.run_forever();
    show(&event_loop, "stop");

    let inside_a_run = |call: &dyn Fn()| event_loop.run_until_complete(async { call() });
    refused("a run inside a run", || inside_a_run(&|| event_loop.run_forever()));
    refused("closed too early", || inside_a_run(&|| event_loop.close()));
    event_loop.stop();
    refused("stopped too early", || event_loop.run_until_complete(pending()));

    event_loop.close();
    event_loop.close(); // a second time does nothing
    show(&event_loop, "close");
    refused("used when closed", || event_loop.run_forever());
    Ok(())
}
