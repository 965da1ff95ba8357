//! Tasks that wait for each other, loops that can never go on, and grants that nobody takes.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use oneloop::sync::{Mutex, Queue, Semaphore, oneshot};
use oneloop::trace::findings::Level;
use oneloop::{JoinHandle, sleep, spawn, spawn_named, yield_now};

use crate::{found, names_line, nothing, only};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn deadlock_is_a_loop_in_which_nobody_is_left_to_wake_anybody() {
    let line = line!() + 4;
    let finding = only(
        found(async || {
            let queue: Queue<u8> = Queue::new(1);
            let _ = queue.get().await;
        }),
        "deadlock",
        &[],
    );
    assert_eq!(finding.level, Level::Error);
    names_line(&finding, line);
    assert!(
        finding.text.contains("task 0 (main)") && finding.text.contains("an item from a queue"),
        "{finding}"
    );
    nothing(found(async || {
        let queue: Queue<u8> = Queue::new(1);
        let putter = queue.clone();
        let put = spawn(async move { putter.put(1).await });
        assert_eq!(queue.get().await.unwrap(), 1);
        put.await.unwrap().unwrap();
    }));
}

/// Two tasks that lock two mutexes; the second in the other order if `crossed`.
async fn two_locks(crossed: bool) {
    let (one, two) = (Mutex::new(1), Mutex::new(2));
    let (first, second) = ((one.clone(), two.clone()), if crossed { (two, one) } else { (one, two) });
    let lock_both = async |(a, b): (Mutex<i32>, Mutex<i32>)| {
        let _a = a.lock().await;
        sleep(SECOND).await;
        let _b = b.lock().await;
    };
    let other = spawn_named("other", async move { lock_both(second).await });
    lock_both(first).await;
    other.await.unwrap();
}

#[test]
fn wait_cycle_is_two_tasks_that_lock_in_different_orders() {
    let finding = only(found(async || two_locks(true).await), "wait_cycle", &["deadlock"]);
    assert_eq!(finding.level, Level::Error);
    assert!(finding.text.contains("task 0 (main) has locked"), "{finding}");
    assert!(finding.text.contains("task 1 (other) has locked"), "{finding}");
    nothing(found(async || two_locks(false).await));
}

#[test]
fn wait_cycle_is_told_though_other_tasks_go_on() {
    let findings = found(async || {
        let ticker = spawn_named("ticker", async {
            for _ in 0..10 {
                sleep(SECOND).await;
            }
        });
        let locks = spawn(two_locks(true));
        ticker.await.unwrap();
        locks.cancel();
        yield_now().await;
    });
    only(findings, "wait_cycle", &["cancelled_midway", "left_at_exit"]);
}

#[test]
fn wait_cycle_is_a_task_that_locks_twice() {
    let finding = only(
        found(async || {
            let mutex = Mutex::new(());
            let _once = mutex.lock().await;
            let _twice = mutex.lock().await;
        }),
        "wait_cycle",
        &["deadlock"],
    );
    assert!(finding.text.contains("it has locked itself"), "{finding}");
    nothing(found(async || {
        let mutex = Mutex::new(());
        drop(mutex.lock().await);
        drop(mutex.lock().await);
    }));
}

#[test]
fn wait_cycle_is_two_tasks_that_await_each_other() {
    type Slot = Rc<RefCell<Option<JoinHandle<()>>>>;
    async fn await_in(slot: Slot) {
        yield_now().await;
        let handle = slot.take();
        if let Some(handle) = handle {
            let _ = handle.await;
        }
    }
    let run = |crossed: bool| {
        found(async move || {
            let (one, two) = (Slot::default(), Slot::default());
            let first = spawn_named("first", await_in(Rc::clone(&two)));
            let second = spawn_named("second", await_in(Rc::clone(&one)));
            if crossed {
                one.replace(Some(first));
            }
            two.replace(Some(second));
            sleep(SECOND).await;
        })
    };
    let finding = only(run(true), "wait_cycle", &["left_at_exit"]);
    assert!(finding.text.contains("awaits the end of task"), "{finding}");
    let without: Vec<_> = run(false).into_iter().filter(|finding| finding.rule == "wait_cycle").collect();
    nothing(without);
}

/// A task polls a `lock` once, sets it aside and waits for something else, with the lock's turn come.
async fn futurelock(drop_it: bool) {
    let mutex = Mutex::new(());
    let guard = mutex.lock().await;
    let mut aside = Some(Box::pin(mutex.lock()));
    poll_fn(|cx| {
        assert!(aside.as_mut().unwrap().as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    let other = mutex.clone();
    let wants = spawn_named("wants", async move { drop(other.lock().await) });
    yield_now().await;
    if drop_it {
        aside = None;
    }
    // The lock goes to the future that nobody polls, before the task that waits for it.
    drop(guard);
    wants.await.unwrap();
    drop(aside);
}

#[test]
fn granted_not_polled_is_a_future_set_aside_that_is_given_a_lock() {
    let findings = found(async || futurelock(false).await);
    let finding = only(findings, "granted_not_polled", &["deadlock", "wait_cycle"]);
    assert_eq!(finding.level, Level::Warning);
    assert!(finding.text.contains("a mutex") && finding.text.contains("a task to end"), "{finding}");
    nothing(found(async || futurelock(true).await));
}

/// A receiver that was polled once gets its value while its task waits for something else, for ever if `forget` it.
async fn sent_aside(forget: bool) {
    let (sender, receiver) = oneshot::channel();
    let mut aside = pin!(receiver);
    poll_fn(|cx| {
        assert!(aside.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    let send = spawn(async move { sender.send(1) });
    if forget {
        let _ = Queue::<u8>::new(1).get().await;
    }
    send.await.unwrap().unwrap();
    assert_eq!(aside.await, Ok(1));
}

#[test]
fn granted_not_polled_is_a_oneshot_set_aside_that_is_sent_to() {
    let finding = only(found(async || sent_aside(true).await), "granted_not_polled", &["deadlock"]);
    assert!(finding.text.contains("a value from a oneshot sender"), "{finding}");
    nothing(found(async || sent_aside(false).await));
}

#[test]
fn granted_not_polled_is_not_a_lock_that_is_fought_for() {
    nothing(found(async || {
        let mutex = Mutex::new(0);
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let mutex = mutex.clone();
                spawn(async move {
                    for _ in 0..5 {
                        let mut value = mutex.lock().await;
                        yield_now().await;
                        *value += 1;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*mutex.lock().await, 100);
    }));
}

#[test]
fn stalled_subfuture_is_a_grant_that_a_busy_task_does_not_get_to() {
    let run = |poll_it: bool| {
        found(async move || {
            let semaphore = Semaphore::new(1);
            let permit = semaphore.acquire().await;
            let mut aside = pin!(semaphore.acquire());
            let waits = poll_fn(|cx| Poll::Ready(aside.as_mut().poll(cx).is_pending())).await;
            assert!(waits);
            drop(permit);
            if poll_it {
                drop(aside.as_mut().await);
            }
            for _ in 0..50 {
                yield_now().await;
            }
        })
    };
    let finding = only(run(false), "stalled_subfuture", &[]);
    assert!(finding.text.contains("a permit of a semaphore"), "{finding}");
    nothing(run(true));
}

#[test]
fn a_sender_that_is_kept_and_never_used_is_a_deadlock() {
    let finding = only(
        found(async || {
            let (_sender, receiver) = oneshot::channel::<u8>();
            let _ = receiver.await;
        }),
        "deadlock",
        &[],
    );
    assert!(finding.text.contains("a value from a oneshot sender"), "{finding}");
    nothing(found(async || {
        let (sender, receiver) = oneshot::channel::<u8>();
        drop(sender);
        assert!(receiver.await.is_err());
    }));
}
