//! Hello, and three seconds later: World! As a state machine written by hand, and as the compiler writes it.
//!
//! An `async fn` is compiled to a type that remembers how far it has come: one state for the beginning, one for
//! each `.await`, one for the end. `Hello` is that type for the function below it. Each poll goes on from where
//! the last one stopped, as far as it can without waiting. `Pending` is how a poll says "not yet".
//!
//! ```text
//! $ cargo run --example hello_by_hand
//! by hand:
//! Hello
//! World!
//! by the compiler:
//! Hello
//! World!
//! ```
//!
//! `ONELOOP=print cargo run --example hello_by_hand` tells the same story of both: two polls, the line where it was
//! suspended between them, and how many bytes the future takes.
//!
//! Read next: `src/sleep.rs`. `Sleep`, the innermost future here, is a state machine by hand, too.

#![forbid(unsafe_code)]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use oneloop::{Sleep, sleep};

const PAUSE: Duration = Duration::from_secs(3);

/// How far it has come, and what it needs to go on from there.
enum Hello {
    Begin,
    Sleeping(Sleep),
    End,
}

impl Future for Hello {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Hello::Begin = *self {
            println!("Hello");
            *self = Hello::Sleeping(sleep(PAUSE));
        }
        if let Hello::Sleeping(sleep) = &mut *self {
            // The waker in `cx` goes down to the sleep, whose timer will wake the task.
            if Pin::new(sleep).poll(cx).is_pending() {
                return Poll::Pending;
            }
            println!("World!");
            *self = Hello::End;
            return Poll::Ready(());
        }
        panic!("a future that has ended is not polled again");
    }
}

async fn hello() {
    println!("Hello");
    sleep(PAUSE).await;
    println!("World!");
}

fn main() {
    println!("by hand:");
    oneloop::run(Hello::Begin);
    println!("by the compiler:");
    oneloop::run(hello());
}
