//! The order in which things happen, which is asyncio's: lists, with a reason beside each line.

mod support;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use oneloop::{EventLoop, sleep, spawn, yield_now};
use support::{Log, virtual_loop};

/// A callback that notes `line`.
fn note(log: &Log, line: &'static str) -> impl FnOnce() + 'static {
    let log = log.clone();
    move || log.note(line)
}

/// A future that notes `line` and ends.
fn step(log: &Log, line: &'static str) -> impl Future<Output = ()> + 'static {
    let log = log.clone();
    async move { log.note(line) }
}

/// A future that notes `line`, gives way, and so on.
fn steps<const N: usize>(log: &Log, lines: [&'static str; N]) -> impl Future<Output = ()> + 'static {
    let log = log.clone();
    async move {
        for line in lines {
            log.note(line);
            yield_now().await;
        }
    }
}

/// The sentence with which `misuse` is refused.
fn refusal<T>(misuse: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(misuse)) else { panic!("this was not refused") };
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a panic with a text")
}

#[test]
fn callbacks_and_tasks_share_one_queue() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    event_loop.call_soon(note(&log, "callback 1"));
    drop(event_loop.spawn(step(&log, "task 1")));
    event_loop.call_soon(note(&log, "callback 2"));
    drop(event_loop.spawn(step(&log, "task 2")));
    event_loop.run_until_complete(step(&log, "main"));
    assert_eq!(
        log.lines(),
        [
            "callback 1", // first in, first out
            "task 1",     // whatever its kind
            "callback 2",
            "task 2",
            "main", // run_until_complete queues the main future like any task, behind what was there
        ]
    );
}

#[test]
fn what_a_turn_makes_ready_waits_for_the_next_turn() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    drop(event_loop.spawn(steps(&log, ["a1", "a2", "a3"])));
    drop(event_loop.spawn(steps(&log, ["b1", "b2"])));
    event_loop.run_until_complete(steps(&log, ["m1", "m2", "m3"]));
    assert_eq!(
        log.lines(),
        [
            "a1", "b1", "m1", // turn 1: each once, though a1 has made a ready again before b1 ran
            "a2", "b2", "m2", // turn 2
            "a3", "m3", // turn 3: b has ended
        ]
    );
}

#[test]
fn a_timer_of_no_delay_fires_between_two_links_of_a_chain_of_callbacks() {
    let (event_loop, log) = (Rc::new(virtual_loop()), Log::default());
    let (inner, noted) = (Rc::clone(&event_loop), log.clone());
    event_loop.call_soon(move || {
        noted.note("a");
        inner.call_later(Duration::ZERO, note(&noted, "timer"));
        let (last, end) = (Rc::clone(&inner), noted.clone());
        inner.call_soon(move || {
            end.note("b");
            let stop = Rc::clone(&last);
            last.call_soon(move || {
                end.note("c");
                stop.stop();
            });
        });
    });
    event_loop.run_forever();
    assert_eq!(
        log.lines(),
        [
            "a",     // turn 1 arms the timer and queues b
            "b",     // turn 2: b was in the queue before the timer was looked at
            "timer", // turn 2: fired in step 4, so it is behind b
            "c",     // turn 3: queued by b, in step 5, so it is behind the timer
        ]
    );
}

#[test]
fn timers_due_together_fire_by_deadline_and_then_by_arming() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let start = event_loop.time();
    event_loop.run_until_complete(sleep_of(10));
    let at = |seconds| start + Duration::from_secs(seconds);
    event_loop.call_at(at(5), note(&log, "at 5"));
    event_loop.call_at(at(3), note(&log, "at 3, armed first"));
    event_loop.call_at(at(3), note(&log, "at 3, armed second"));
    event_loop.call_at(at(10), note(&log, "now"));
    event_loop.call_at(at(4), note(&log, "at 4"));
    event_loop.call_soon(note(&log, "soon"));
    event_loop.run_until_complete(steps(&log, ["main", "main again"]));
    assert_eq!(
        log.lines(),
        [
            "soon", // in the queue before step 4 of the first turn
            "main",
            "at 3, armed first", // the earliest deadline
            "at 3, armed second",
            "at 4",
            "at 5",
            "now",
            "main again", // made ready in step 5
        ]
    );
}

/// `sleep` that is made when it is first polled, inside the run.
async fn sleep_of(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn a_deadline_in_the_past_means_the_next_turn() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let long_ago = event_loop.time() - Duration::from_secs(1);
    event_loop.run_until_complete(async {
        oneloop::call_at(long_ago, note(&log, "past"));
        oneloop::call_soon(note(&log, "soon"));
        log.note("main");
        yield_now().await;
        log.note("main again");
    });
    // `soon` and the main future were queued in step 5 of turn 1, the timer in step 4 of turn 2.
    assert_eq!(log.lines(), ["main", "soon", "main again", "past"]);
}

#[test]
fn stop_before_run_forever_runs_one_turn() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    event_loop.call_soon(note(&log, "queued"));
    drop(event_loop.spawn(steps(&log, ["turn 1", "turn 2"])));
    event_loop.call_later(Duration::from_secs(1), note(&log, "never"));
    event_loop.stop();
    event_loop.run_forever();
    // The turn does not wait: time stands still.
    assert_eq!(log.lines(), ["queued", "turn 1"]);
    event_loop.stop();
    event_loop.run_forever();
    assert_eq!(log.lines(), ["turn 2"], "stop holds for one run");
}

#[test]
fn callbacks_queued_by_the_stopping_turn_are_kept_for_the_next_run() {
    let (event_loop, log) = (Rc::new(virtual_loop()), Log::default());
    let (inner, noted) = (Rc::clone(&event_loop), log.clone());
    event_loop.call_soon(move || {
        inner.stop();
        noted.note("stop");
        inner.call_soon(note(&noted, "kept"));
    });
    event_loop.call_soon(note(&log, "same turn"));
    event_loop.run_forever();
    assert_eq!(log.lines(), ["stop", "same turn"], "the turn is finished, and no other begins");
    event_loop.run_until_complete(step(&log, "next run"));
    assert_eq!(log.lines(), ["kept", "next run"]);
}

#[test]
fn what_was_made_ready_before_the_main_future_ended_still_has_its_turn() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    drop(event_loop.spawn(steps(&log, ["before 1", "before 2", "before 3"])));
    event_loop.run_until_complete(async {
        log.note("main");
        drop(spawn(steps(&log, ["child 1", "child 2"])));
    });
    assert_eq!(
        log.lines(),
        [
            "before 1", // turn 1
            "main",     // turn 1; it spawns the child, and ends
            "before 2", // turn 2: it was woken before the end
            "child 1",  // turn 2: asyncio, too, gives a task made by main's last step its first step
        ]
    );
    event_loop.run_until_complete(step(&log, "second run"));
    assert_eq!(log.lines(), ["before 3", "child 2", "second run"], "the rest goes on in the next run");
}

#[test]
fn a_stop_in_the_turn_in_which_main_ends_does_not_reach_the_next_run() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async { oneloop::stop() });
    let second = event_loop.run_until_complete(async {
        for _ in 0..5 {
            yield_now().await;
        }
        "to its end"
    });
    assert_eq!(second, "to its end");
}

#[test]
fn tasks_and_timers_go_on_from_run_to_run() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let noted = log.clone();
    let task = event_loop.spawn(async move {
        sleep(Duration::from_secs(3)).await;
        noted.note("slept");
        7
    });
    event_loop.run_until_complete(sleep_of(1));
    event_loop.run_until_complete(sleep_of(1));
    assert_eq!(log.lines(), [""; 0]);
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 7);
    assert_eq!(log.lines(), ["slept"]);
    assert!(!event_loop.is_running() && !event_loop.is_closed());
}

#[test]
fn a_main_future_may_borrow_and_its_panic_comes_out_of_the_run() {
    let event_loop = virtual_loop();
    let mut sum = 0;
    event_loop.run_until_complete(async { sum += 1 });
    assert_eq!(sum, 1);
    let text = refusal(|| event_loop.run_until_complete(async { panic!("main's own") }));
    assert_eq!(text, "main's own");
    event_loop.run_until_complete(async { sum += 1 });
    assert_eq!(sum, 2, "the loop goes on");
}

#[test]
fn a_run_stopped_before_its_main_future_ended_panics_with_advice() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    struct Guard(Log);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.note("dropped");
            drop(spawn(step(&self.0, "spawned by the guard")));
        }
    }
    let text = refusal(|| {
        event_loop.run_until_complete(async {
            let _guard = Guard(log.clone());
            oneloop::stop();
            std::future::pending::<()>().await;
        })
    });
    assert!(text.contains("stopped before its main future had ended"), "{text}");
    assert!(text.contains("use run_forever"), "it says what to do: {text}");
    event_loop.run_until_complete(step(&log, "next run"));
    assert_eq!(log.lines(), ["dropped", "spawned by the guard", "next run"]);
    assert!(format!("{event_loop:?}").contains("tasks: 0"), "the main future's slot is free: {event_loop:?}");
}

#[test]
fn a_running_loop_refuses_to_run_and_to_close() {
    let event_loop = Rc::new(virtual_loop());
    let (inner, texts) = (Rc::clone(&event_loop), Rc::new(RefCell::new(Vec::new())));
    let told = Rc::clone(&texts);
    event_loop.call_soon(move || {
        assert!(inner.is_running());
        let mut told = told.borrow_mut();
        told.push(refusal(|| inner.run_forever()));
        told.push(refusal(|| inner.run_until_complete(async {})));
        told.push(refusal(|| inner.close()));
        let other = virtual_loop();
        told.push(refusal(|| other.run_forever()));
        told.push(refusal(|| oneloop::run(async {})));
        inner.stop();
    });
    event_loop.run_forever();
    let texts = texts.borrow();
    for text in &texts[..2] {
        assert!(text.contains("running already: await the future, or spawn it as a task"), "{text}");
    }
    assert!(texts[2].contains("a running event loop cannot be closed: call stop"), "{}", texts[2]);
    for text in &texts[3..] {
        assert!(text.contains("another event loop is running on this thread"), "{text}");
        assert!(text.contains("await the future instead"), "{text}");
    }
    assert_eq!(texts.len(), 5);
}

#[test]
fn a_closed_loop_refuses_everything_but_a_second_close() {
    let event_loop = virtual_loop();
    event_loop.close();
    event_loop.close();
    assert!(event_loop.is_closed());
    let uses: [&dyn Fn(); 6] = [
        &|| event_loop.run_forever(),
        &|| event_loop.run_until_complete(async {}),
        &|| drop(event_loop.call_soon(|| ())),
        &|| drop(event_loop.call_later(Duration::ZERO, || ())),
        &|| drop(event_loop.call_at(event_loop.time(), || ())),
        &|| drop(event_loop.spawn(async {})),
    ];
    for misuse in uses {
        let text = refusal(misuse);
        assert!(text.contains("is closed: make a new one with EventLoop::new"), "{text}");
    }
}

#[test]
fn what_needs_a_loop_says_so_where_none_runs() {
    let uses: [&dyn Fn(); 8] = [
        &|| drop(spawn(async {})),
        &|| drop(sleep(Duration::ZERO)),
        &|| drop(oneloop::call_soon(|| ())),
        &|| drop(oneloop::call_later(Duration::ZERO, || ())),
        &|| oneloop::stop(),
        &|| _ = oneloop::time(),
        &|| drop(oneloop::remote()),
        &|| drop(oneloop::spawn_blocking(|| ())),
    ];
    for misuse in uses {
        let text = refusal(misuse);
        assert!(text.contains("no event loop is running on this thread: call this from a task"), "{text}");
    }
}

#[test]
fn one_real_loop_sleeps_for_real() {
    let event_loop = EventLoop::new().unwrap();
    let before = event_loop.time();
    event_loop.run_until_complete(async { sleep(Duration::from_millis(2)).await });
    assert!(event_loop.time() - before >= Duration::from_millis(2));
}
