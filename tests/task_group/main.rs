//! Task groups: nothing is left over, the first failure stops the rest, and none is lost.

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/logged.rs"]
mod logged;
#[path = "../support/recorder.rs"]
mod recorder;

mod ending;
mod failures;

use std::cell::Cell;
use std::future::pending;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use oneloop::{GroupError, GroupHandle, TaskGroup, all_tasks, sleep, spawn, time, wait_for, yield_now};
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
        assert!(text.contains(&format!("task_group/main.rs:{}, waiting for a sleep", line - 3)), "{text}");
        sleep(ms(9)).await;
        let text = format!("{task:?}");
        let expected = format!("task_group/main.rs:{line}, waiting for the tasks of a group to end");
        assert!(text.contains(&expected), "{text}");
        let names: Vec<_> = all_tasks().iter().map(|task| task.name()).collect();
        assert_eq!(names.last().unwrap(), "child");
    });
}
