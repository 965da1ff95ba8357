//! Task groups: nothing is left over, the first failure stops the rest, and none is lost.

mod support;

#[path = "support/logged.rs"]
mod logged;
#[path = "support/recorder.rs"]
mod recorder;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use oneloop::trace::EventKind;
use oneloop::{
    EventLoop, GroupError, GroupHandle, TaskGroup, all_tasks, sleep, spawn, time, wait_for, yield_now,
};
use recorder::Recorder;
use support::{Log, virtual_loop};

/// The error of these tests.
type Fault = &'static str;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn virtually<F: Future>(future: F) -> F::Output {
    virtual_loop().run_until_complete(future)
}

/// Notes a line when it is dropped.
struct Guard(Log, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

/// Never ends, and notes when it is dropped.
async fn endless(log: Log, line: &'static str) -> Result<(), Fault> {
    let _guard = Guard(log, line);
    pending().await
}

/// Ends after a while, well or badly.
async fn after(delay: u64, result: Result<u64, Fault>) -> Result<u64, Fault> {
    sleep(ms(delay)).await;
    result
}

async fn panics(delay: u64, text: Fault) -> Result<(), Fault> {
    sleep(ms(delay)).await;
    panic!("{text}")
}

fn texts(error: &GroupError<Fault>) -> Vec<String> {
    error.failures().iter().map(ToString::to_string).collect()
}

#[test]
fn a_group_of_nothing_returns_the_bodys_value() {
    virtually(async {
        assert_eq!(TaskGroup::<Fault>::scope(async |_| Ok(5)).await.unwrap(), 5);
    });
}

#[test]
fn awaited_handles_give_values_and_the_body_may_borrow() {
    virtually(async {
        let prices = [30, 10];
        let sum = TaskGroup::scope(async |group| {
            let tasks: Vec<_> = prices.iter().map(|price| group.spawn(after(*price, Ok(*price)))).collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await;
            }
            Ok(sum)
        });
        assert_eq!(sum.await.unwrap(), 40);
        assert_eq!(prices.len(), 2);
    });
}

#[test]
fn a_group_is_left_only_when_all_its_tasks_have_ended_also_those_nobody_awaits() {
    virtually(async {
        let (begin, log) = (time(), Log::default());
        let mut kept: Option<GroupHandle<u64>> = None;
        TaskGroup::scope(async |group| {
            kept = Some(group.spawn(after(50, Ok(7))));
            group.spawn(after(20, Ok(0)));
            log.note("the body has ended");
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(time() - begin, ms(50));
        let mut kept = kept.unwrap();
        assert!(kept.is_finished());
        assert_eq!((kept.result(), kept.result()), (Some(7), None), "it can be had once");
        assert_eq!(all_tasks().len(), 1);
    });
}

#[test]
fn the_first_failure_cancels_the_others_and_the_body_at_its_current_await() {
    let log = Log::default();
    virtually(async {
        let begin = time();
        let result = TaskGroup::scope(async |group| {
            let _guard = Guard(log.clone(), "body dropped");
            group.spawn(endless(log.clone(), "first dropped"));
            group.spawn(after(10, Err("no flour")));
            group.spawn(endless(log.clone(), "third dropped"));
            pending::<Result<(), _>>().await
        });
        let error = result.await.unwrap_err();
        log.note("left");
        assert_eq!(texts(&error), ["no flour"]);
        assert_eq!(time() - begin, ms(10));
    });
    assert_eq!(log.lines(), ["body dropped", "first dropped", "third dropped", "left"]);
}

#[test]
fn failures_in_one_turn_are_all_reported_in_the_order_in_which_they_happened() {
    let log = Log::default();
    virtually(async {
        let result = TaskGroup::scope(async |group| {
            group.spawn(after(20, Ok(1)));
            group.spawn(panics(10, "boom"));
            group.spawn(after(10, Err("no flour")));
            group.spawn(endless(log.clone(), "the last one dropped"));
            group.spawn(after(10, Err("no plates")));
            Ok(())
        });
        let error = result.await.unwrap_err();
        assert_eq!(texts(&error), ["panicked: boom", "no flour", "no plates"]);
        let sentence = "3 failures in a task group: panicked: boom; no flour; no plates";
        assert_eq!(error.to_string(), sentence);
        assert_eq!(error.into_errors().collect::<Vec<_>>(), ["no flour", "no plates"]);
    });
    assert_eq!(log.lines(), ["the last one dropped"]);
}

#[test]
fn a_task_that_awaits_one_that_fails_is_cancelled_and_does_not_fail() {
    let log = Log::default();
    virtually(async {
        for fails in [true, false] {
            let result = TaskGroup::<Fault>::scope(async |group| {
                let failing = group.spawn(async move {
                    sleep(ms(5)).await;
                    assert!(fails, "boom");
                    Err::<(), _>("no flour")
                });
                let guard = Guard(log.clone(), "awaiting one dropped");
                group
                    .spawn(async move {
                        let _guard = guard;
                        failing.await;
                        Ok(())
                    })
                    .await;
                Ok(())
            });
            let expected = if fails { "no flour" } else { "panicked: boom" };
            assert_eq!(texts(&result.await.unwrap_err()), [expected]);
        }
    });
    assert_eq!(log.lines(), ["awaiting one dropped", "awaiting one dropped"]);
}

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn an_error_and_a_panic_of_the_body_cancel_the_tasks_and_wait_for_them() {
    let log = Log::default();
    virtually(async {
        let result = TaskGroup::scope(async |group| {
            group.spawn(endless(log.clone(), "task dropped"));
            yield_now().await;
            Err::<(), _>("no plates")
        });
        assert_eq!(texts(&result.await.unwrap_err()), ["no plates"]);
        assert_eq!(log.lines(), ["task dropped"]);
        let result: Result<(), _> = TaskGroup::scope(async |group| {
            group.spawn(endless(log.clone(), "task dropped"));
            yield_now().await;
            panic!("out of order")
        })
        .await;
        assert_eq!(texts(&result.unwrap_err()), ["panicked: out of order"]);
        assert_eq!(log.lines(), ["task dropped"]);
    });
}

#[test]
fn the_panic_of_a_task_is_a_failure_and_is_not_reported_a_second_time() {
    logged::keep();
    virtually(async {
        let result = TaskGroup::scope(async |group| {
            group.spawn(panics(1, "boom"));
            pending::<Result<(), _>>().await
        });
        let error = result.await.unwrap_err();
        assert_eq!(error.to_string(), "1 failure in a task group: panicked: boom");
    });
    assert!(logged::lines().is_empty());
}

#[test]
fn a_failure_after_the_body_has_returned_still_fails_the_group() {
    let log = Log::default();
    virtually(async {
        let result = TaskGroup::scope(async |group| {
            group.spawn(after(10, Err("late")));
            group.spawn(endless(log.clone(), "other dropped"));
            Ok(Guard(log.clone(), "value dropped"))
        });
        assert_eq!(texts(&result.await.map(|_| ()).unwrap_err()), ["late"]);
    });
    assert_eq!(log.lines(), ["other dropped", "value dropped"]);
}

#[test]
fn a_task_that_is_cancelled_by_itself_is_no_failure() {
    virtually(async {
        let begin = time();
        let value = TaskGroup::<Fault>::scope(async |group| {
            let endless = group.spawn(endless(Log::default(), ""));
            let other = group.spawn(after(10, Ok(1)));
            yield_now().await;
            assert!(endless.cancel());
            Ok(other.await)
        });
        assert_eq!(value.await.unwrap(), 1);
        assert_eq!(time() - begin, ms(10));
    });
}

#[test]
fn awaiting_a_task_that_was_cancelled_by_itself_is_a_failure_with_a_sentence() {
    virtually(async {
        let result = TaskGroup::<Fault>::scope(async |group| {
            let task = group.spawn_named("cook", after(10, Ok(1)));
            task.cancel();
            Ok(task.await)
        });
        let text = result.await.unwrap_err().to_string();
        assert!(text.contains("cook was cancelled") && text.contains("ask `result` instead"), "{text}");
    });
}

#[test]
fn a_handle_that_is_dropped_while_it_is_awaited_cancels_its_task() {
    let log = Log::default();
    virtually(async {
        TaskGroup::scope(async |group| {
            let slow = group.spawn(endless(log.clone(), "slow dropped"));
            assert!(wait_for(slow, ms(5)).await.is_err());
            drop(group.spawn(after(10, Ok(1))));
            Ok(())
        })
        .await
        .unwrap();
    });
    assert_eq!(log.lines(), ["slow dropped"]);
}

#[test]
fn a_task_may_spawn_more_through_a_clone_of_the_group() {
    fn tree(group: &TaskGroup<Fault>, log: &Log, depth: u64) {
        let (inner, log) = (group.clone(), log.clone());
        group.spawn(async move {
            sleep(ms(10)).await;
            log.note(format!("depth {depth}"));
            if depth > 0 {
                tree(&inner, &log, depth - 1);
            }
            Ok(())
        });
    }
    let log = Log::default();
    virtually(async {
        let begin = time();
        TaskGroup::scope(async |group| {
            tree(&group, &log, 2);
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(time() - begin, ms(30));
    });
    assert_eq!(log.lines(), ["depth 2", "depth 1", "depth 0"]);
}

/// The text of a panic.
fn refusal(misuse: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(misuse)).unwrap_err();
    payload.downcast_ref::<&str>().unwrap().to_string()
}

#[test]
fn a_group_takes_no_tasks_while_it_shuts_down_and_after_it_was_left() {
    let log = Log::default();
    virtually(async {
        let refused = Rc::new(RefCell::new(String::new()));
        let mut kept = None;
        let result = TaskGroup::<Fault>::scope(async |group| {
            kept = Some(group.clone());
            let (late, text) = (group.clone(), Rc::clone(&refused));
            let _guard = OnDrop(move || {
                assert!(!late.is_open());
                *text.borrow_mut() = refusal(|| drop(late.spawn(endless(Log::default(), ""))));
            });
            group.spawn(after(5, Err("no flour")));
            pending::<Result<(), _>>().await
        });
        assert_eq!(texts(&result.await.unwrap_err()), ["no flour"]);
        assert!(refused.borrow().contains("is shutting down after a failure"), "{refused:?}");
        let group = kept.unwrap();
        assert!(!group.is_open() && group.is_empty());
        let guard = Guard(log.clone(), "the refused future is dropped");
        let text = refusal(|| {
            group.spawn(async move {
                let _guard = guard;
                Ok(())
            });
        });
        assert!(text.contains("was left"), "{text}");
    });
    assert_eq!(log.lines(), ["the refused future is dropped"]);
}

#[test]
fn the_failure_of_an_inner_group_is_a_failure_of_the_task_that_runs_it() {
    let log = Log::default();
    virtually(async {
        let result = TaskGroup::scope(async |outer| {
            let inner_log = log.clone();
            outer.spawn(async move {
                let inner = TaskGroup::scope(async |inner| {
                    inner.spawn(endless(inner_log.clone(), "inner sibling dropped"));
                    inner.spawn(after(10, Err("no flour")));
                    Ok(())
                });
                inner.await.map_err(|error| format!("inner: {error}"))
            });
            let outer_log = log.clone();
            outer.spawn(
                async move { endless(outer_log, "outer sibling dropped").await.map_err(str::to_owned) },
            );
            Ok(())
        });
        let error = result.await.unwrap_err();
        let expected = "1 failure in a task group: inner: 1 failure in a task group: no flour";
        assert_eq!(error.to_string(), expected);
    });
    assert_eq!(log.lines(), ["inner sibling dropped", "outer sibling dropped"]);
}

#[test]
fn the_failure_of_an_outer_group_ends_an_inner_one() {
    let log = Log::default();
    virtually(async {
        let result = TaskGroup::scope(async |outer| {
            outer.spawn(after(10, Err("no flour")));
            TaskGroup::scope(async |inner| {
                inner.spawn(endless(log.clone(), "inner task dropped"));
                Ok(())
            })
            .await
            .map_err(|_| "inner")
        });
        assert_eq!(texts(&result.await.unwrap_err()), ["no flour"]);
        yield_now().await;
    });
    assert_eq!(log.lines(), ["inner task dropped"]);
}

#[test]
fn cancelling_the_task_that_awaits_a_group_cancels_its_body_and_its_tasks() {
    let log = Log::default();
    virtually(async {
        let inner = log.clone();
        let parent = spawn(async move {
            TaskGroup::scope(async |group| {
                let _guard = Guard(inner.clone(), "body dropped");
                group.spawn(endless(inner.clone(), "first dropped"));
                group.spawn(endless(inner.clone(), "second dropped"));
                pending::<Result<(), Fault>>().await
            })
            .await
        });
        sleep(ms(1)).await;
        parent.cancel();
        assert!(parent.await.unwrap_err().is_cancelled());
        assert_eq!(all_tasks().len(), 1, "the tasks had their last turn before whoever awaits their parent");
    });
    assert_eq!(log.lines(), ["body dropped", "first dropped", "second dropped"]);
}

#[test]
fn failures_that_a_dropped_scope_cannot_return_are_reported_once() {
    logged::keep();
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        let parent = spawn(async {
            TaskGroup::scope(async |group| {
                group.spawn_named("cook", after(5, Err("no flour")));
                group.spawn_named("waiter", endless(Log::default(), ""));
                pending::<Result<(), _>>().await
            })
            .await
        });
        let task = parent.task();
        // In the very turn of the failure.
        oneloop::call_later(ms(5), move || _ = task.cancel());
        assert!(parent.await.unwrap_err().is_cancelled());
    });
    let unheard = recorder.events().into_iter().filter_map(|event| match event.kind {
        EventKind::Unheard { name, how, text, .. } => Some(format!("{name} {how}: {text}")),
        _ => None,
    });
    assert_eq!(unheard.collect::<Vec<_>>(), ["cook failed in a task group: \"no flour\""]);
    let lines = logged::lines();
    assert!(lines.len() == 1 && lines[0].contains("no flour"), "{lines:?}");
}

#[test]
fn closing_the_loop_under_a_group_leaves_nothing_behind() {
    let log = Log::default();
    let event_loop = virtual_loop();
    let inner = log.clone();
    let parent = event_loop.spawn(async move {
        TaskGroup::scope(async |group| {
            let late = group.clone();
            let _guard = OnDrop(move || assert!(!late.is_open()));
            group.spawn(endless(inner.clone(), "task dropped"));
            pending::<Result<(), Fault>>().await
        })
        .await
    });
    event_loop.run_until_complete(yield_now());
    event_loop.close();
    assert_eq!(log.lines(), ["task dropped"]);
    drop(parent);
}

/// Counts the polls of a future.
struct Counted<F>(Pin<Box<F>>, Rc<Cell<usize>>);

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.1.set(self.1.get() + 1);
        self.0.as_mut().poll(cx)
    }
}

#[test]
fn a_group_of_n_tasks_is_polled_twice() {
    virtually(async {
        let polls = Rc::new(Cell::new(0));
        let scope = TaskGroup::<Fault>::scope(async |group| {
            for n in 0..1_000 {
                group.spawn(after(n * 7_919 % 1_000, Ok(n)));
            }
            Ok(())
        });
        Counted(Box::pin(scope), Rc::clone(&polls)).await.unwrap();
        assert_eq!(polls.get(), 2);
    });
}

#[test]
fn a_group_that_waits_for_its_tasks_tells_so_at_the_line_of_its_await_and_a_body_tells_its_own() {
    virtually(async {
        let line = line!() + 7;
        let task = spawn(async {
            let scope = TaskGroup::<Fault>::scope(async |group| {
                group.spawn_named("child", after(50, Ok(0)));
                sleep(ms(5)).await;
                Ok(())
            });
            scope.await
        });
        sleep(ms(1)).await;
        let text = format!("{task:?}");
        assert!(text.contains(&format!("task_group.rs:{}, waiting for a sleep", line - 3)), "{text}");
        sleep(ms(9)).await;
        let text = format!("{task:?}");
        let expected = format!("task_group.rs:{line}, waiting for the tasks of a group to end");
        assert!(text.contains(&expected), "{text}");
        let names: Vec<_> = all_tasks().iter().map(|task| task.name()).collect();
        assert_eq!(names.last().unwrap(), "child");
    });
}
