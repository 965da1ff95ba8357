//! A count that tasks take down by one each, and one task awaits: cheaper than a million join handles, and
//! the same code for every runtime. It is kept per thread, so that futures that use it stay `Send`.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static WAITER: Cell<Option<Waker>> = const { Cell::new(None) };
}

/// Sets the count.
pub fn start(count: u64) {
    LEFT.set(count);
}

/// Takes the count down by one; the last one wakes who waits.
pub fn step() {
    let left = LEFT.get() - 1;
    LEFT.set(left);
    if left == 0
        && let Some(waiter) = WAITER.take()
    {
        waiter.wake();
    }
}

/// Waits until the count is zero.
pub async fn finished() {
    poll_fn(|cx| match LEFT.get() {
        0 => Poll::Ready(()),
        _ => {
            WAITER.set(Some(cx.waker().clone()));
            Poll::Pending
        }
    })
    .await;
}
