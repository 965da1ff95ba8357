//! Why does a task not run? In the middle of a run.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use oneloop::sync::{Mutex, oneshot};
use oneloop::trace::findings::why;
use oneloop::trace::fold::World;
use oneloop::trace::{Event, Observer, TaskId};
use oneloop::{EventLoop, sleep, spawn_named, yield_now};

const SECOND: Duration = Duration::from_secs(1);

/// The state of a loop, as it is told.
#[derive(Clone, Default)]
struct Folded(Rc<RefCell<World>>);

impl Observer for Folded {
    fn event(&self, event: &Event) {
        self.0.borrow_mut().apply(event);
    }
}

#[test]
fn a_chain_of_waits_is_followed_to_its_end() {
    let folded = Folded::default();
    let event_loop = EventLoop::builder().virtual_time().observer(folded.clone()).build().unwrap();
    let lines = event_loop.run_until_complete(async {
        let mutex = Mutex::new(());
        let own = mutex.clone();
        let holder = spawn_named("holder", async move {
            let _guard = own.lock().await;
            sleep(60 * SECOND).await;
        });
        yield_now().await;
        let waiter = spawn_named("waiter", async move { drop(mutex.lock().await) });
        let joiner = spawn_named("joiner", async move { waiter.await.unwrap() });
        sleep(2 * SECOND).await;
        let lines = why(&folded.0.borrow(), TaskId(3)).unwrap();
        joiner.await.unwrap();
        holder.await.unwrap();
        lines
    });
    let expected = [
        "task 3 (joiner), spawned at …, is suspended for 2 s at …, waiting for a task to end.",
        "  It goes on when task 2 (waiter) has ended.",
        "task 2 (waiter), spawned at …, is suspended for 2 s at …, waiting for a mutex.",
        "  It goes on when task 1 (holder) gives back a mutex, for which it waits at ….",
        "task 1 (holder), spawned at …, is suspended for 2 s at …, waiting for a sleep.",
        "  It goes on when timer 0 fires, in 58 s.",
    ];
    let lines: Vec<String> = lines.iter().map(|line| without_places(line)).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_receiver_waits_for_its_sender() {
    let folded = Folded::default();
    let event_loop = EventLoop::builder().virtual_time().observer(folded.clone()).build().unwrap();
    let lines = event_loop.run_until_complete(async {
        let (sender, receiver) = oneshot::channel();
        let waiter = spawn_named("waiter", async move { receiver.await.unwrap() });
        yield_now().await;
        let waits = why(&folded.0.borrow(), TaskId(1)).unwrap();
        sender.send(()).unwrap();
        waiter.await.unwrap();
        waits
    });
    assert_eq!(
        without_places(&lines[1]),
        "  It goes on when the sender sends or is dropped, for which it waits at … (line 0)."
    );
}

/// The line with … for its places.
fn without_places(line: &str) -> String {
    let mut parts = line.split("tests/findings/why.rs:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "…" + part.trim_start_matches(|letter: char| letter.is_ascii_digit())
    })
}

#[test]
fn a_task_that_is_gone_has_no_why() {
    let folded = Folded::default();
    let event_loop = EventLoop::builder().virtual_time().observer(folded.clone()).build().unwrap();
    event_loop.run_until_complete(async { spawn_named("short", async {}).await.unwrap() });
    assert!(why(&folded.0.borrow(), TaskId(1)).is_none());
    assert!(why(&folded.0.borrow(), TaskId(77)).is_none());
}
