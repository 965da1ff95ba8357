//! The end of a group from outside: its parent cancelled, its loop closed; and what comes too late.

use std::cell::RefCell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use oneloop::trace::EventKind;
use oneloop::{EventLoop, TaskGroup, all_tasks, sleep, spawn, yield_now};

use crate::recorder::Recorder;
use crate::support::{Log, virtual_loop};
use crate::{Fault, Guard, after, endless, logged, ms, texts, virtually};

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
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
fn a_handle_that_has_given_its_value_says_so_when_it_is_awaited_again() {
    let result = virtually(async {
        TaskGroup::scope(async |group| {
            let mut handle = group.spawn(after(5, Ok(7)));
            assert_eq!((&mut handle).await, 7);
            let again = refusal(|| _ = Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())));
            assert_eq!(
                again,
                "this handle or `Receiver` has given its value already: do not await it a second time"
            );
            Ok::<(), Fault>(())
        })
        .await
    });
    assert!(result.is_ok());
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
    assert_eq!(
        unheard.collect::<Vec<_>>(),
        ["cook failed in a task group whose scope was dropped: \"no flour\""]
    );
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
