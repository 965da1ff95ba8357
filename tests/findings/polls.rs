//! Who holds the loop up, and who is late for it. A poll is timed by the events; these tests set the times themselves.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use oneloop::trace::findings::{Finding, Level, Limits, check};
use oneloop::trace::{Actor, Event, EventKind as E, Observer, TaskId};
use oneloop::{EventLoop, call_soon, sleep, spawn_blocking, spawn_named, yield_now};

use crate::{names_line, nothing, only};

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Default)]
struct Recorder(Rc<RefCell<Vec<Event>>>);

impl Observer for Recorder {
    fn event(&self, event: &Event) {
        self.0.borrow_mut().push(event.clone());
    }
}

/// The events of a run in virtual time, in which no poll takes any.
fn events(program: impl AsyncFnOnce()) -> Vec<Event> {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(program());
    drop(event_loop);
    recorder.0.take()
}

fn found(events: &[Event]) -> Vec<Finding> {
    check(events, Limits::default()).found().to_vec()
}

/// A task in three polls, between two lines.
async fn resize() {
    spawn_named("resize", async {
        yield_now().await;
        yield_now().await;
    })
    .await
    .unwrap();
}

#[test]
fn slow_poll_names_the_lines_it_goes_from_and_to() {
    let mut events = events(async || resize().await);
    nothing(found(&events));
    for event in &mut events {
        if let E::PollEnd { task, poll: 2, took, .. } = &mut event.kind
            && task.0 == 1
        {
            *took = 152 * MS;
        }
    }
    let finding = only(found(&events), "slow_poll", &[]);
    assert_eq!(finding.level, Level::Warning);
    assert!(
        finding
            .text
            .starts_with("Task 1 (resize) held the loop up for 152 ms, from tests/findings/polls.rs:")
    );
    assert_eq!(finding.places[1].line, finding.places[0].line + 1, "from one await to the next: {finding}");
}

#[test]
fn slow_poll_is_not_work_on_the_pool() {
    let limits = Limits { slow: 30 * MS, ..Limits::default() };
    let run = |on_the_pool: bool| {
        let recorder = Recorder::default();
        let event_loop = EventLoop::builder().observer(recorder.clone()).build().unwrap();
        let work = || {
            let began = std::time::Instant::now();
            while began.elapsed() < 40 * MS {
                std::hint::spin_loop();
            }
        };
        event_loop.run_until_complete(async {
            match on_the_pool {
                true => spawn_blocking(work).await.unwrap(),
                false => work(),
            }
        });
        drop(event_loop);
        let findings = check(&recorder.0.take(), limits).found().to_vec();
        findings.into_iter().filter(|finding| finding.rule == "slow_poll").count()
    };
    assert_eq!(run(false), 1);
    // Another program may take the processor from this one for so long, but hardly three times running.
    assert!((0..3).any(|_| run(true) == 0));
}

#[test]
fn slow_poll_is_a_slow_callback_too() {
    let line = line!() + 2;
    let mut events = events(async || {
        call_soon(|| ());
        yield_now().await;
    });
    nothing(found(&events));
    for event in &mut events {
        if let E::CallbackEnd { took, .. } = &mut event.kind {
            *took = 100 * MS;
        }
    }
    names_line(&only(found(&events), "slow_poll", &[]), line);
}

#[test]
fn the_same_slow_line_again_is_one_finding() {
    let mut events = events(async || {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    for event in &mut events {
        if let E::PollEnd { took, poll: 3.., suspended: Some(_), .. } = &mut event.kind {
            *took = 200 * MS;
        }
    }
    let finding = only(found(&events), "slow_poll", &[]);
    assert_eq!(finding.times, 8, "{finding}");
}

#[test]
fn late_timers_are_told_if_no_slow_poll_explains_them() {
    let program = async || {
        let other = spawn_named("other", async { yield_now().await });
        sleep(1000 * MS).await;
        other.await.unwrap();
    };
    let mut late = events(program);
    nothing(found(&late));
    for event in &mut late {
        if let E::TimerFire { late, .. } = &mut event.kind {
            *late = 300 * MS;
        }
    }
    assert_eq!(only(found(&late), "late_timers", &[]).level, Level::Hint);
    // The same with a slow poll in that time: it is the poll that is told.
    let mut explained = late.clone();
    let before = explained.iter().position(|event| matches!(event.kind, E::TimerFire { .. })).unwrap();
    let poll = explained[..before].iter().rposition(|event| matches!(event.kind, E::PollEnd { .. })).unwrap();
    let at = explained[before].time - 10 * MS;
    explained[poll..before].iter_mut().for_each(|event| event.time = at);
    if let E::PollEnd { took, .. } = &mut explained[poll].kind {
        *took = 290 * MS;
    }
    only(found(&explained), "slow_poll", &[]);
}

#[test]
fn starved_task_is_one_that_lies_in_the_queue_for_long() {
    let mut events = events(async || resize().await);
    for event in &mut events {
        if let E::PollBegin { task, poll: 2, waited } = &mut event.kind
            && task.0 == 1
        {
            *waited = 1200 * MS;
        }
    }
    let finding = only(found(&events), "starved_task", &[]);
    assert!(finding.text.contains("(resize) lay in the ready queue for 1.2 s"), "{finding}");
    for event in &mut events {
        if let E::PollBegin { waited, .. } = &mut event.kind {
            *waited = (*waited).min(900 * MS);
        }
    }
    nothing(found(&events));
}

#[test]
fn poll_stuck_is_told_where_the_events_end_in_a_poll() {
    let events = events(async || resize().await);
    let begin = events.iter().rposition(|event| matches!(event.kind, E::PollBegin { .. })).unwrap();
    let finding = only(found(&events[..=begin]), "poll_stuck", &[]);
    assert_eq!(finding.level, Level::Hint, "it may have been about to end");
    let mut later = events[..=begin].to_vec();
    let mut last = events[begin - 1].clone();
    (last.time, last.seq) = (events[begin].time + 5000 * MS, events[begin].seq + 1);
    later.push(last);
    assert_eq!(only(found(&later), "poll_stuck", &[]).level, Level::Warning);
    nothing(found(&events));
}

#[test]
fn poll_stuck_is_an_error_where_the_watchdog_saw_the_poll_go_on() {
    let mut events = events(async || resize().await);
    let second = |event: &Event| matches!(event.kind, E::PollBegin { task: TaskId(1), poll: 2, .. });
    let begin = events.iter().position(second).unwrap();
    events.truncate(begin + 1);
    let mut held_up = events[begin].clone();
    (held_up.seq, held_up.cause) = (held_up.seq + 1, Some(held_up.seq));
    held_up.kind = E::HeldUp { by: Actor::Task(TaskId(1)), took: 12_000 * MS };
    events.push(held_up);
    let finding = only(found(&events), "poll_stuck", &[]);
    assert_eq!(finding.level, Level::Error);
    let text =
        "A poll of task 1 (resize) had held the loop up for more than 12 s, from tests/findings/polls.rs:";
    assert!(finding.text.starts_with(text), "{finding}");
}

#[test]
fn poll_stuck_is_a_call_of_a_callback_too() {
    let line = line!() + 2;
    let mut events = events(async || {
        call_soon(|| ());
        yield_now().await;
    });
    let begin = events.iter().position(|event| matches!(event.kind, E::CallbackBegin { .. })).unwrap();
    events.truncate(begin + 1);
    nothing(found(&events));
    let E::CallbackBegin { callback } = events[begin].kind else { unreachable!() };
    let mut held_up = events[begin].clone();
    held_up.seq += 1;
    held_up.kind = E::HeldUp { by: Actor::Callback(callback), took: 2_000 * MS };
    events.push(held_up);
    names_line(&only(found(&events), "poll_stuck", &[]), line);
}

#[test]
fn pool_saturated_is_a_job_that_waits_long_for_jobs_of_other_lines() {
    let run = |other: bool| {
        let mut events = events(async move || {
            let slow = || spawn_blocking(|| ());
            slow().await.unwrap();
            let quick = if other { spawn_blocking(|| ()) } else { slow() };
            quick.await.unwrap();
        });
        // What is of the machine: how soon a job is begun, and whether the first thread is free again by then.
        let mut threads = 0;
        events.retain_mut(|event| match &mut event.kind {
            E::JobStart { waited, .. } => {
                *waited = Duration::ZERO;
                true
            }
            E::ThreadStart { .. } => {
                threads += 1;
                threads == 1
            }
            _ => true,
        });
        nothing(found(&events));
        let last = events.iter().rposition(|event| matches!(event.kind, E::JobStart { .. })).unwrap();
        if let E::JobStart { waited, .. } = &mut events[last].kind {
            *waited = 320 * MS;
        }
        found(&events)
    };
    let finding = only(run(true), "pool_saturated", &[]);
    assert_eq!(finding.level, Level::Warning);
    assert!(finding.text.contains("waited 320 ms for a thread: 1 thread of the pool was busy"), "{finding}");
    // Jobs of one line that wait for each other are a backlog.
    nothing(run(false));
}
