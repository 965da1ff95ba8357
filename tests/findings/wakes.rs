//! Wakes that never come, come for nothing, or never stop.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use oneloop::sync::Event;
use oneloop::trace::findings::{Level, Limits};
use oneloop::{call_later, sleep, spawn, spawn_named, yield_now};

use crate::{found, found_with, names_line, nothing, only};

const SECOND: Duration = Duration::from_secs(1);

/// A flag to wait for, by hand: its waker is kept or forgotten.
async fn wait_by_hand(keeps_waker: bool) {
    let (flag, kept) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(None::<Waker>)));
    let (set, wake) = (Rc::clone(&flag), Rc::clone(&kept));
    call_later(SECOND, move || {
        set.set(true);
        if let Some(waker) = wake.take() {
            waker.wake();
        }
    });
    poll_fn(|cx| match flag.get() {
        true => Poll::Ready(()),
        false => {
            if keeps_waker {
                kept.replace(Some(cx.waker().clone()));
            }
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn lost_waker_is_a_future_that_returns_pending_and_keeps_no_waker() {
    let line = line!() + 3;
    let finding = only(
        found(async || {
            let task = spawn_named("by_hand", wait_by_hand(false));
            sleep(2 * SECOND).await;
            task.cancel();
            assert!(task.await.is_err());
        }),
        "lost_waker",
        &[],
    );
    assert_eq!(finding.level, Level::Error);
    names_line(&finding, line);
    nothing(found(async || spawn_named("by_hand", wait_by_hand(true)).await.unwrap()));
}

#[test]
fn a_task_that_waits_for_nothing_at_all_has_lost_its_waker_too() {
    let findings = found(async || {
        let idle = spawn(pending::<()>());
        sleep(SECOND).await;
        idle.cancel();
        yield_now().await;
    });
    only(findings, "lost_waker", &[]);
}

#[test]
fn lost_waker_is_not_a_task_that_something_else_would_wake() {
    // In both the future polled last is not one of oneloop's, and keeps no waker; but another one did.
    nothing(found(async || {
        let mut sleep = Box::pin(sleep(SECOND));
        let mut first = true;
        poll_fn(|cx| {
            let over = sleep.as_mut().poll(cx);
            if std::mem::replace(&mut first, false) { Poll::Pending } else { over }
        })
        .await;
    }));
    nothing(found(async || {
        let event = Event::new();
        let set = event.clone();
        call_later(SECOND, move || set.set());
        let mut wait = Box::pin(event.wait());
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            match polls {
                1 => {
                    cx.waker().wake_by_ref();
                    wait.as_mut().poll(cx)
                }
                // Woken early: it does not look at the event, which has its entry all the same.
                2 => Poll::Pending,
                _ => wait.as_mut().poll(cx),
            }
        })
        .await;
    }));
}

#[test]
fn self_wake_storm_is_a_future_that_wakes_itself_before_each_pending() {
    let limits = Limits { idle_polls: 50, ..Limits::default() };
    let program = async |storm: bool| {
        let mut polls = 0;
        let spin = poll_fn(move |cx| {
            polls += 1;
            if polls == 200 {
                return Poll::Ready(());
            }
            if !storm {
                // It does something each time: it arms a timer.
                call_later(SECOND, || ()).cancel();
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        spawn_named("spin", spin).await.unwrap();
    };
    let finding = only(found_with(limits, async || program(true).await), "self_wake_storm", &[]);
    assert_eq!(finding.level, Level::Warning);
    nothing(found_with(limits, async || program(false).await));
}

#[test]
fn polls_without_progress_is_giving_way_until_something_has_happened() {
    let limits = Limits { idle_polls: 50, ..Limits::default() };
    let line = line!() + 5;
    let finding = only(
        found_with(limits, async || {
            spawn(async {
                for _ in 0..200 {
                    yield_now().await;
                }
            })
            .await
            .unwrap();
        }),
        "polls_without_progress",
        &[],
    );
    assert_eq!(finding.level, Level::Hint);
    names_line(&finding, line);
    nothing(found_with(limits, async || {
        for _ in 0..40 {
            yield_now().await;
        }
    }));
}

#[test]
fn redundant_wakes_are_those_that_find_the_task_queued() {
    let limits = Limits { vain_wakes: 20, ..Limits::default() };
    let program = async |each: u32| {
        let shared = Rc::new(RefCell::new(None::<Waker>));
        let waker = Rc::clone(&shared);
        let woken = spawn_named(
            "woken",
            poll_fn(move |cx| {
                waker.replace(Some(cx.waker().clone()));
                Poll::<()>::Pending
            }),
        );
        yield_now().await;
        for _ in 0..30 {
            for _ in 0..each {
                shared.borrow().as_ref().unwrap().wake_by_ref();
            }
            yield_now().await;
        }
        woken.cancel();
        yield_now().await;
    };
    let finding = only(found_with(limits, async || program(3).await), "redundant_wakes", &[]);
    assert!(finding.text.contains("(woken)"), "{finding}");
    nothing(found_with(limits, async || program(1).await));
}

#[test]
fn wake_after_done_is_a_waker_used_after_its_task() {
    let limits = Limits { vain_wakes: 20, ..Limits::default() };
    let program = async |wakes: u32| {
        let waker = spawn(poll_fn(|cx| Poll::Ready(cx.waker().clone()))).await.unwrap();
        (0..wakes).for_each(|_| waker.wake_by_ref());
        yield_now().await;
    };
    only(found_with(limits, async || program(20).await), "wake_after_done", &[]);
    nothing(found_with(limits, async || program(5).await));
}

#[test]
fn waker_outside_is_a_task_that_waits_for_code_unknown_when_the_events_end() {
    let program = async |keep: bool| {
        let kept = Rc::new(RefCell::new(None::<Waker>));
        let waker = Rc::clone(&kept);
        let task = spawn(poll_fn(move |cx| {
            if keep {
                waker.replace(Some(cx.waker().clone()));
            }
            if keep { Poll::Pending } else { Poll::Ready(()) }
        }));
        sleep(SECOND).await;
        // The events end here, as they do when a program is killed.
        (kept, task)
    };
    let until_now = |keep: bool| {
        let watch = oneloop::trace::findings::Watch::default();
        let at_the_end = watch.clone();
        let event_loop = oneloop::EventLoop::builder().virtual_time().observer(watch).build().unwrap();
        event_loop.run_until_complete(async {
            let _kept = program(keep).await;
            at_the_end.end().into_iter().filter(|finding| finding.rule == "waker_outside").collect::<Vec<_>>()
        })
    };
    let finding = only(until_now(true), "waker_outside", &[]);
    assert!(finding.text.contains("1 clone of its waker is kept"), "{finding}");
    nothing(until_now(false));
}
