//! Several futures at once, and limits of time, in virtual time.

mod as_completed;
mod gather;
mod race;
mod timeout;
mod wait;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use oneloop::sync::{Event, Queue};
use oneloop::{
    EventLoop, TaskGroup, as_completed, gather, race, shield, sleep, spawn, timeout, try_gather, wait,
    wait_for,
};

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
            spawn(async { _ = wait([spawn(pending::<()>())]).await }),
            spawn(async { _ = as_completed([spawn(pending::<()>())]).next().await }),
            spawn(async { _ = shield(spawn(pending::<()>())).await }),
            spawn(async { _ = timeout(ms(9), async |_| pending::<()>().await).await }),
            spawn(async { _ = TaskGroup::scope(async |_| pending::<Result<(), ()>>().await).await }),
        ];
        sleep(ms(1)).await;
        let waits = [
            "several tasks to end",
            "several tasks to end",
            "the first of two futures",
            "a future, with a limit of time",
            "an item from a queue",
            "an event to be set",
            "several tasks to end",
            "the next of several tasks to end",
            "a task to end",
            "a future, with a limit of time",
            "the tasks of a group to end",
        ];
        for ((task, wait), line) in tasks.iter().zip(waits).zip(here + 2..) {
            let text = format!("{task:?}");
            let expected = format!("suspended at tests/combine/main.rs:{line}, waiting for {wait}");
            assert!(text.contains(&expected), "{text} should contain {expected}");
        }
    });
}
