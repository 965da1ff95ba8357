//! `gather`, `try_gather`, `race` and `wait_for`, in virtual time.

mod gather;
mod race;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use oneloop::sync::{Event, Queue};
use oneloop::{EventLoop, gather, race, sleep, spawn, try_gather, wait_for};

fn virtually<F: Future>(future: F) -> F::Output {
    EventLoop::builder().virtual_time().build().unwrap().run_until_complete(future)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A list that several tasks write to.
type Log<T> = Rc<RefCell<Vec<T>>>;

/// Writes its name into the log when it is dropped.
struct Guard(Log<&'static str>, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

/// Counts the polls of a future.
struct Counted<F>(F, Rc<Cell<usize>>);

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.1.set(self.1.get() + 1);
        Pin::new(&mut self.0).poll(cx)
    }
}

/// Sleeps for ever and logs when it is dropped.
async fn sleeper(log: Log<&'static str>, name: &'static str) -> Result<(), ()> {
    let _guard = Guard(log, name);
    pending().await
}

#[test]
fn a_waiting_task_tells_the_users_own_line_and_what_it_waits_for() {
    virtually(async {
        let queue = Queue::<u8>::new(1);
        let here = line!();
        let tasks = [
            spawn(async { _ = gather([pending::<()>()]).await }),
            spawn(async { _ = try_gather([pending::<Result<(), ()>>()]).await }),
            spawn(async { _ = race(pending::<()>(), sleep(ms(9))).await }),
            spawn(async { _ = wait_for(pending::<()>(), ms(9)).await }),
            spawn(async move { _ = queue.get().await }),
            spawn(async { Event::new().wait().await }),
        ];
        sleep(ms(1)).await;
        let waits = [
            "several tasks to end",
            "several tasks to end",
            "the first of two futures",
            "a future, with a limit of time",
            "an item from a queue",
            "an event to be set",
        ];
        for ((task, wait), line) in tasks.iter().zip(waits).zip(here + 2..) {
            let text = format!("{task:?}");
            let expected = format!("suspended at tests/combine/main.rs:{line}, waiting for {wait}");
            assert!(text.contains(&expected), "{text} should contain {expected}");
        }
    });
}
