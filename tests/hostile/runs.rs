//! Panics that come out of a run, and what the next run finds.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use oneloop::sync::Semaphore;
use oneloop::{
    EventLoop, JoinHandle, TaskGroup, all_tasks, call_soon, current_task, gather, sleep, spawn, stop,
    yield_now,
};

use crate::support::{Log, virtual_loop};
use crate::{panic_of, panic_with_bomb, poll_with_bomb};

/// A task that runs when the handle in it has ended, with nobody to catch the panic of its waker but the run.
fn explode(event_loop: &EventLoop) -> JoinHandle<()> {
    let mut handle = event_loop.spawn(async {});
    assert!(poll_with_bomb(&mut handle).is_pending());
    handle
}

#[test]
fn a_run_after_one_that_a_panic_ended_does_not_poll_the_main_future_of_that_one() {
    let event_loop = virtual_loop();
    let _handle = explode(&event_loop);
    // The main future stands in the queue behind the task whose end panics.
    assert_eq!(panic_of(|| event_loop.run_until_complete(async {})), "a waker went wrong");
    let polls = Cell::new(0);
    let main = std::future::poll_fn(|cx| {
        polls.set(polls.get() + 1);
        cx.waker().wake_by_ref();
        if polls.get() == 3 { std::task::Poll::Ready(7) } else { std::task::Poll::Pending }
    });
    let names = Log::default();
    let noted = names.clone();
    event_loop.call_soon(move || {
        for task in all_tasks() {
            noted.note(task.name().to_string());
        }
    });
    assert_eq!(event_loop.run_until_complete(main), 7);
    assert_eq!(names.lines(), ["main"], "the main future of the run before is gone");
    assert_eq!(polls.get(), 3);
}

#[test]
fn what_was_queued_when_a_panic_ended_the_run_still_runs_in_the_next() {
    let event_loop = virtual_loop();
    let log = Log::default();
    let noting = |line: &'static str| {
        let log = log.clone();
        move || log.note(line)
    };
    event_loop.call_soon(noting("before"));
    let _handle = explode(&event_loop);
    event_loop.call_soon(noting("callback"));
    let (note, later) = (noting("task"), noting("its second turn"));
    drop(event_loop.spawn(async move {
        note();
        yield_now().await;
        later();
    }));
    event_loop.call_later(Duration::from_secs(1), noting("timer"));
    panic_of(|| event_loop.run_forever());
    assert_eq!(log.lines(), ["before"]);
    event_loop.run_until_complete(sleep_on(2));
    assert_eq!(log.lines(), ["callback", "task", "its second turn", "timer"]);
}

async fn sleep_on(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn a_task_that_stops_the_loop_and_panics_ends_the_run_with_its_turn() {
    for alone in [true, false] {
        let event_loop = virtual_loop();
        let log = Log::default();
        let (noting, other) = (log.clone(), log.clone());
        drop(event_loop.spawn(async move {
            call_soon(move || noting.note("a turn too late"));
            stop();
            panic!("on purpose");
        }));
        if !alone {
            event_loop.call_soon(move || other.note("the same turn"));
        }
        event_loop.run_forever();
        let expected: &[&str] = if alone { &[] } else { &["the same turn"] };
        assert_eq!(log.lines(), expected);
        event_loop.stop();
        event_loop.run_forever();
        assert_eq!(log.lines(), ["a turn too late"]);
    }
}

#[test]
fn a_panic_whose_payload_panics_when_dropped_ends_one_task_only() {
    let event_loop = virtual_loop();
    drop(event_loop.spawn(async { panic_with_bomb() }));
    event_loop.call_soon(|| panic_with_bomb());
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            panic_with_bomb();
        }
    }
    let cancelled = event_loop.spawn(async {
        let _guard = Guard;
        pending::<()>().await;
    });
    let last = event_loop.run_until_complete(async move {
        yield_now().await;
        cancelled.cancel();
        assert!(cancelled.await.unwrap_err().is_cancelled());
        let unwanted = spawn(async { Guard });
        yield_now().await;
        drop(unwanted);
        let taken = spawn(async { panic_with_bomb() }).await;
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(taken))));
        8
    });
    assert_eq!(last, 8);
    drop(event_loop.spawn(async {
        let _guard = Guard;
        pending::<()>().await;
    }));
    event_loop.run_until_complete(yield_now());
    event_loop.close();
}

#[test]
fn after_a_panic_nobody_is_the_current_task_and_no_loop_is_current() {
    let event_loop = virtual_loop();
    let seen = Rc::new(Cell::new(false));
    panic_of(|| event_loop.run_until_complete(async { panic!("main's own") }));
    assert!(current_task().is_none());
    let noting = Rc::clone(&seen);
    event_loop.call_soon(move || noting.set(current_task().is_none()));
    let other = virtual_loop();
    other.run_until_complete(async {});
    event_loop.run_until_complete(async {});
    assert!(seen.get());
}

#[test]
fn a_group_whose_tasks_panic_in_polls_and_in_drops_ends_whole_and_tells_of_the_first_failure() {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            panic!("a guard went wrong");
        }
    }
    virtual_loop().run_until_complete(async {
        let left = Rc::new(Cell::new(0));
        let seen = Rc::clone(&left);
        let ended = TaskGroup::<String>::scope(async move |group| {
            for number in 0..5 {
                let seen = Rc::clone(&seen);
                drop(group.spawn(async move {
                    let _counted = Counted(seen);
                    let _guard = (number > 2).then(|| Guard);
                    sleep(Duration::from_secs(number + 1)).await;
                    if number == 1 { Err("out of flour".to_owned()) } else { Ok(()) }
                }));
            }
            sleep(Duration::from_secs(60)).await;
            Ok(())
        })
        .await;
        assert!(ended.unwrap_err().to_string().contains("out of flour"));
        assert_eq!(left.get(), 5, "the group was left when all had ended");
        assert_eq!(all_tasks().len(), 1, "only main is left");
    });
}

/// Counts when it is dropped.
struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_semaphore_gets_back_the_permits_of_tasks_that_panic_and_of_those_cancelled_after_the_grant() {
    virtual_loop().run_until_complete(async {
        let semaphore = Semaphore::new(1);
        let tasks: Vec<_> = (0..9)
            .map(|number| {
                let semaphore = semaphore.clone();
                spawn(async move {
                    let _permit = semaphore.acquire().await;
                    yield_now().await;
                    assert!(number % 3 != 0, "on purpose");
                })
            })
            .collect();
        while !tasks[8].is_finished() {
            yield_now().await;
            // One that has been granted and has not run since.
            if tasks[3].is_finished() {
                tasks[4].cancel();
            }
        }
        let ends: Vec<_> = gather(tasks).await;
        assert_eq!(ends.iter().filter(|end| matches!(end, Ok(Ok(())))).count(), 5);
        assert_eq!(semaphore.available(), 1);
    });
}
