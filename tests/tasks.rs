//! The life of a task: named, joined, cancelled, panicking, detached, closed upon.

mod support;

#[path = "support/logged.rs"]
mod logged;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use oneloop::sync::oneshot;
use oneloop::{EventLoop, JoinError, JoinHandle, TaskGroup, TaskState, sleep, spawn, spawn_named, yield_now};
use support::{Log, virtual_loop};

/// Notes a line when it is dropped.
struct Guard(Log, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

/// A future that holds a guard and never ends.
fn guarded(log: &Log, line: &'static str) -> impl Future<Output = ()> + 'static {
    let log = log.clone();
    async move {
        let _guard = Guard(log, line);
        pending().await
    }
}

/// What the loop holds, as its `Debug` says.
fn assert_empty(event_loop: &EventLoop) {
    let text = format!("{event_loop:?}");
    for part in ["ready: 0", "tasks: 0", "timers: 0"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_task_gives_its_output_to_whoever_joins_it() {
    let event_loop = virtual_loop();
    let sum = event_loop.run_until_complete(async {
        let quick = spawn(async { 1 });
        let slow = spawn(async {
            sleep(Duration::from_secs(9)).await;
            2
        });
        slow.await.unwrap() + quick.await.unwrap()
    });
    assert_eq!(sum, 3);
    assert_empty(&event_loop);
}

#[test]
fn a_name_is_given_or_made_of_the_number() {
    virtual_loop().run_until_complete(async {
        let (given, made) = (spawn_named("cook", async {}), spawn(async {}));
        assert_eq!(given.name(), "cook");
        assert_eq!(made.name(), format!("task-{}", made.id().0));
        given.await.unwrap();
        made.await.unwrap();
    });
}

#[test]
fn a_task_that_is_nothing_but_a_library_future_is_suspended_where_it_was_spawned() {
    let event_loop = virtual_loop();
    let remote = event_loop.remote();
    event_loop.run_until_complete(async {
        let hour = Duration::from_secs(3600);
        let (_sender, receiver) = oneshot::channel::<()>();
        let lines = line!() + 1..=line!() + 3;
        drop(spawn(sleep(hour)));
        drop(spawn(TaskGroup::scope(async |group| Ok(group.spawn(receiver).is_finished()))));
        let handle = remote.spawn(move || sleep(hour));
        sleep(Duration::from_secs(1)).await;
        let others: Vec<_> = oneloop::all_tasks().into_iter().skip(1).collect();
        assert_eq!(others.len(), 5, "two are the group's, and two the remote's: {others:?}");
        for task in others {
            let TaskState::Suspended { site: Some(site), .. } = task.state() else { panic!("{task:?}") };
            assert!(site.file() == file!() && lines.contains(&site.line()), "{task:?}");
        }
        handle.cancel();
    });
}

#[test]
fn debug_says_where_a_task_stands_and_at_which_line() {
    virtual_loop().run_until_complete(async {
        let spawned = line!() + 1;
        let task = spawn_named("cook", async {
            sleep(Duration::from_secs(1)).await;
            yield_now().await;
        });
        let text = format!("{task:?}");
        assert!(text.starts_with("<cook ready, not started, spawned at tests/tasks.rs:"), "{text}");
        assert!(text.ends_with(&format!(":{spawned}>")), "{text}");
        yield_now().await;
        let text = format!("{task:?}");
        assert!(text.contains(&format!("suspended at tests/tasks.rs:{}", spawned + 1)), "{text}");
        task.cancel();
        let text = format!("{task:?}");
        assert!(text.contains(&format!("ready, to go on at tests/tasks.rs:{}", spawned + 1)), "{text}");
        assert!(text.contains(", cancelled, "), "{text}");
        yield_now().await;
        let text = format!("{task:?}");
        assert!(text.starts_with("<cook finished"), "{text}");
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_cancelled_task_is_dropped_at_its_await_in_its_next_turn() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let task = spawn(guarded(&log, "dropped"));
        yield_now().await;
        assert!(task.cancel());
        log.note("asked");
        assert!(!task.cancel(), "asked before");
        assert!(!task.is_finished());
        yield_now().await;
        assert!(task.is_finished());
        assert!(!task.cancel(), "ended");
        assert!(matches!(task.await, Err(JoinError::Cancelled)));
    });
    assert_eq!(log.lines(), ["asked", "dropped"]);
}

#[test]
fn a_task_cancelled_before_its_first_poll_never_runs() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let noted = log.clone();
        let guard = Guard(log.clone(), "what it owned is dropped");
        let task = spawn(async move {
            noted.note("never");
            drop(guard);
        });
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    assert_eq!(log.lines(), ["what it owned is dropped"]);
}

#[test]
fn a_task_that_cancels_itself_ends_at_its_next_await_if_there_is_one() {
    virtual_loop().run_until_complete(async {
        for awaits_again in [false, true] {
            let own: Rc<RefCell<Option<JoinHandle<i32>>>> = Rc::default();
            let inner = Rc::clone(&own);
            let task = spawn(async move {
                assert!(inner.borrow().as_ref().unwrap().cancel());
                if awaits_again {
                    yield_now().await;
                }
                5
            });
            own.replace(Some(task));
            yield_now().await;
            yield_now().await;
            let task = own.take().unwrap();
            assert_eq!(task.await.ok(), if awaits_again { None } else { Some(5) });
        }
    });
}

#[test]
fn a_task_may_finish_another_and_itself_be_finished_by_it() {
    virtual_loop().run_until_complete(async {
        let second: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
        let inner = Rc::clone(&second);
        let first = spawn(async move {
            yield_now().await;
            inner.borrow().as_ref().unwrap().cancel();
            pending::<()>().await
        });
        struct CancelOther(JoinHandle<()>);
        impl Drop for CancelOther {
            fn drop(&mut self) {
                self.0.cancel();
            }
        }
        let guard = CancelOther(first);
        second.replace(Some(spawn(async move {
            let _guard = guard;
            pending::<()>().await
        })));
        for _ in 0..5 {
            yield_now().await;
        }
        let second = second.take().unwrap();
        assert!(second.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_panic_ends_its_task_alone_and_reaches_whoever_joins() {
    virtual_loop().run_until_complete(async {
        let other = spawn(sleep(Duration::from_secs(1)));
        let error = spawn(async { panic!("out of flour") }).await.unwrap_err();
        assert!(error.is_panic());
        assert_eq!(error.to_string(), "panicked: out of flour");
        assert_eq!(error.into_panic().unwrap().downcast_ref::<&str>(), Some(&"out of flour"));
        other.await.unwrap();
    });
}

#[test]
fn the_panic_of_a_task_that_nobody_joins_is_logged_and_the_loop_goes_on() {
    logged::keep();
    virtual_loop().run_until_complete(async {
        drop(spawn_named("cook", async { panic!("out of flour") }));
        yield_now().await;
        let kept = spawn_named("waiter", async { panic!("out of plates") });
        yield_now().await;
        assert_eq!(logged::lines().len(), 1, "the waiter may still be joined");
        drop(kept);
    });
    let lines = logged::lines();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("ERROR") && lines[0].contains("waiter"), "{lines:?}");
    assert!(lines[0].contains("out of plates"), "{lines:?}");
}

#[test]
fn a_guard_that_panics_while_its_task_is_cancelled_is_logged_and_the_loop_goes_on() {
    logged::keep();
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a guard went wrong");
        }
    }
    virtual_loop().run_until_complete(async {
        let task = spawn(async {
            let _bomb = Bomb;
            pending::<()>().await
        });
        yield_now().await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        drop(spawn(async { Bomb }));
        yield_now().await;
    });
    let lines = logged::lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("a guard went wrong")), "{lines:?}");
}

#[test]
fn a_handle_dropped_before_it_was_awaited_leaves_its_task_to_itself() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let noted = log.clone();
        drop(spawn(async move {
            sleep(Duration::from_secs(1)).await;
            noted.note("went on");
        }));
        sleep(Duration::from_secs(2)).await;
    });
    assert_eq!(log.lines(), ["went on"]);
}

#[test]
fn cancelling_a_task_cancels_what_it_awaits() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let inner = log.clone();
        let outer = spawn(async move {
            let _guard = Guard(inner.clone(), "outer");
            let _ = spawn(guarded(&inner, "inner")).await;
        });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        assert!(outer.await.unwrap_err().is_cancelled());
        yield_now().await;
    });
    assert_eq!(log.lines(), ["outer", "inner"], "the inner one in its own next turn");
}

#[test]
fn a_deep_chain_of_tasks_that_await_each_other_needs_no_deep_stack() {
    fn chain(depth: usize) -> std::pin::Pin<Box<dyn Future<Output = usize>>> {
        Box::pin(async move {
            match depth {
                0 => 0,
                _ => 1 + spawn(chain(depth - 1)).await.unwrap(),
            }
        })
    }
    let event_loop = virtual_loop();
    assert_eq!(event_loop.run_until_complete(chain(100_000)), 100_000);
    assert_empty(&event_loop);
    let task = event_loop.spawn(async {
        let _ = chain(100_000).await;
        pending::<()>().await
    });
    event_loop.run_until_complete(yield_now());
    drop(task);
    event_loop.close();
}

#[test]
fn a_million_sleeping_tasks_leave_nothing_behind() {
    const TASKS: usize = 1_000_000;
    struct Counted(Rc<Cell<usize>>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let (event_loop, dropped) = (virtual_loop(), Rc::new(Cell::new(0)));
    event_loop.run_until_complete(async {
        let tasks: Vec<_> = (0..TASKS as u64)
            .map(|number| {
                let counted = Counted(Rc::clone(&dropped));
                spawn(async move {
                    sleep(Duration::from_millis(number + 1)).await;
                    drop(counted);
                })
            })
            .collect();
        yield_now().await;
        assert!(tasks.iter().all(JoinHandle::cancel));
        yield_now().await;
    });
    assert_eq!(dropped.get(), TASKS);
    assert_empty(&event_loop);
}
