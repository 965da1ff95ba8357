//! Failures: of tasks, of the body, of groups inside groups.

use std::future::pending;

use oneloop::{TaskGroup, sleep, time, yield_now};

use crate::support::Log;
use crate::{Fault, Guard, after, endless, logged, ms, panics, texts, virtually};

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
