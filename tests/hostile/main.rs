//! Code of the user's that panics where the loop calls it: polls, drops, wakers, observers. Nothing else may be lost.

#[path = "../support/mod.rs"]
mod support;

mod observers;
mod parameters;
mod runs;
mod twice;
mod wakers;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// A waker that panics.
struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("a waker went wrong");
    }
}

/// Polls `future` once, with a waker that panics.
fn poll_with_bomb<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let waker = Waker::from(Arc::new(Bomb));
    pin!(future).poll(&mut Context::from_waker(&waker))
}

/// The text of the panic that comes out of `run`.
fn panic_of<T>(run: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(run)) else { panic!("no panic came out") };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// What a panic carries that panics itself when it is dropped; once, so that a test ends.
struct Payload(Cell<bool>);

impl Drop for Payload {
    fn drop(&mut self) {
        if self.0.take() {
            panic!("a payload went wrong");
        }
    }
}

fn panic_with_bomb() -> ! {
    panic_any(Payload(Cell::new(true)))
}
