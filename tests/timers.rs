//! Timers: never early, in order, gone when cancelled, and not to be starved.

mod support;

#[path = "support/recorder.rs"]
mod recorder;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use oneloop::trace::{EventKind, WaitReason};
use oneloop::{EventLoop, call_at, call_later, race, sleep, sleep_until, spawn, time, yield_now};
use recorder::Recorder;
use support::{Log, virtual_loop};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn in_virtual_time_a_sleep_ends_at_its_very_deadline() {
    virtual_loop().run_until_complete(async {
        let start = time();
        let mut due = Duration::ZERO;
        for nanos in [1, 999, 1_000_000, 1_000_001, 63_999_999, 4_096_000_000, 3_600_000_000_001] {
            let delay = Duration::from_nanos(nanos);
            due += delay;
            sleep(delay).await;
            assert_eq!(time() - start, due);
        }
        sleep_until(start + due + SECOND).await;
        assert_eq!(time() - start, due + SECOND);
    });
}

#[test]
fn in_real_time_no_timer_is_early() {
    let event_loop = EventLoop::new().unwrap();
    event_loop.run_until_complete(async {
        for micros in [0, 1, 100, 999, 1001, 2500] {
            let (start, delay) = (time(), Duration::from_micros(micros));
            sleep(delay).await;
            assert!(time() - start >= delay);
        }
    });
}

#[test]
fn a_sleep_of_nothing_or_until_the_past_is_over_at_once() {
    virtual_loop().run_until_complete(async {
        sleep(SECOND).await;
        let now = time();
        let polls = Cell::new(0);
        let mut waits =
            [sleep(Duration::ZERO), sleep_until(now), sleep_until(now - 5 * SECOND)].map(Box::pin);
        poll_fn(|cx| {
            polls.set(polls.get() + 1);
            assert!(waits.iter_mut().all(|wait| wait.as_mut().poll(cx).is_ready()));
            Poll::Ready(())
        })
        .await;
        assert_eq!((polls.get(), time()), (1, now));
    });
}

#[test]
fn the_delay_counts_from_the_call_and_not_from_the_first_poll() {
    virtual_loop().run_until_complete(async {
        let (start, early) = (time(), sleep(3 * SECOND));
        assert_eq!(early.deadline(), start + 3 * SECOND);
        sleep(2 * SECOND).await;
        early.await;
        assert_eq!(time() - start, 3 * SECOND);
    });
}

#[test]
fn a_delay_beyond_the_end_of_time_never_ends() {
    let event_loop = virtual_loop();
    let log = Log::default();
    let noted = log.clone();
    event_loop.call_later(Duration::MAX, move || noted.note("called"));
    event_loop.run_until_complete(async {
        let _task = spawn(sleep(Duration::MAX));
        // Without end: another thread is what comes first.
        let (remote, woken) = (oneloop::remote(), Rc::new(Cell::new(false)));
        let (sender, receiver) = oneloop::sync::oneshot::channel();
        let sender = RefCell::new(Some(sender));
        let told = Rc::clone(&woken);
        call_later(Duration::from_secs(300 * 365 * 24 * 3600), move || {
            told.set(true);
            let thread = thread::spawn(move || remote.call_soon(|| ()).unwrap());
            thread.join().unwrap();
            sender.take().unwrap().send(()).unwrap();
        });
        receiver.await.unwrap();
        assert!(woken.get());
    });
    assert_eq!(log.lines(), [""; 0]);
    let remote = event_loop.remote();
    let thread = thread::spawn(move || remote.call_soon(oneloop::stop));
    event_loop.run_forever();
    thread.join().unwrap().unwrap();
    assert_eq!(log.lines(), [""; 0], "not even when there is nothing else to wait for");
}

#[test]
fn a_sleep_dropped_half_way_leaves_the_wheel() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let start = time();
        race(sleep(SECOND), sleep(3600 * SECOND)).await;
        let task = spawn(sleep(7200 * SECOND));
        yield_now().await;
        task.cancel();
        let _ = task.await;
        assert_eq!(time() - start, SECOND);
    });
    assert!(format!("{event_loop:?}").contains("timers: 0"), "{event_loop:?}");
}

#[test]
fn a_hundred_thousand_timers_fire_in_order() {
    const TIMERS: u64 = 100_000;
    let event_loop = virtual_loop();
    let fired = Rc::new(RefCell::new(Vec::new()));
    let start = event_loop.time();
    let mut expected = Vec::new();
    for number in 0..TIMERS {
        // A fixed shuffle of 25,000 deadlines over a hundred seconds, four timers on each.
        let deadline = Duration::from_micros(4_001 * ((number * 7_919) % (TIMERS / 4)));
        expected.push((deadline, number));
        let (list, at) = (Rc::clone(&fired), start + deadline);
        event_loop.call_at(at, move || list.borrow_mut().push((time() - start, number)));
    }
    expected.sort();
    event_loop.run_until_complete(async { sleep(101 * SECOND).await });
    assert!(*fired.borrow() == expected, "by deadline, then by arming, each at its own time");
}

/// Runs a task that wakes itself without end, until a timer that is due already has fired; returns how often
/// it was polled meanwhile.
fn polls_until_a_due_timer_fires(event_loop: &EventLoop) -> usize {
    event_loop.run_until_complete(async {
        let fired = Rc::new(Cell::new(false));
        let set = Rc::clone(&fired);
        // Let the loop get into its stride first, so that it leaves out looks at the world.
        for _ in 0..1000 {
            yield_now().await;
        }
        call_at(time(), move || set.set(true));
        let mut polls = 0;
        while !fired.get() {
            polls += 1;
            yield_now().await;
        }
        polls
    })
}

#[test]
fn a_task_that_wakes_itself_does_not_starve_a_timer() {
    // Turn 1 polls the task, turn 2 fires the timer and calls the callback behind the task, turn 3 sees it.
    assert!(polls_until_a_due_timer_fires(&virtual_loop()) <= 3);
    assert!(polls_until_a_due_timer_fires(&EventLoop::new().unwrap()) <= 3);
    let watched = EventLoop::builder().observer(Recorder::default()).build().unwrap();
    assert!(polls_until_a_due_timer_fires(&watched) <= 3);
}

#[test]
fn a_task_that_wakes_itself_does_not_starve_a_timer_of_the_future() {
    let event_loop = EventLoop::new().unwrap();
    event_loop.run_until_complete(async {
        let task = spawn(sleep(Duration::from_millis(3)));
        while !task.is_finished() {
            yield_now().await;
        }
    });
}

#[test]
fn a_task_that_wakes_itself_does_not_starve_other_threads_and_sockets() {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().observer(recorder.clone()).build().unwrap();
    let unwatched = EventLoop::new().unwrap();
    for event_loop in [&event_loop, &unwatched] {
        event_loop.run_until_complete(async {
            let listener = oneloop::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let accepted = spawn(async move { listener.accept().await.map(drop) });
            let sent = Arc::new(AtomicBool::new(false));
            let (remote, set) = (oneloop::remote(), Arc::clone(&sent));
            let thread = thread::spawn(move || {
                std::net::TcpStream::connect(address).unwrap();
                remote.call_soon(move || set.store(true, Ordering::Relaxed)).unwrap();
            });
            while !accepted.is_finished() || !sent.load(Ordering::Relaxed) {
                yield_now().await;
            }
            accepted.await.unwrap().unwrap();
            thread.join().unwrap();
        });
    }
    // A busy loop looks at the world after 512 entries at the latest, however short its turns are.
    let (mut since, mut most) = (0, 0);
    for event in recorder.events() {
        match event.kind {
            EventKind::WaitBegin { .. } => since = 0,
            EventKind::PollBegin { .. } => since += 1,
            _ => {}
        }
        most = most.max(since);
    }
    assert!(most <= 520, "{most} polls between two looks");
}

#[test]
fn in_virtual_time_other_threads_that_send_all_the_time_do_not_hold_up_a_timer() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        // A task that waits for a socket, so that virtual time does not jump.
        let listener = oneloop::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _accept = spawn(async move { listener.accept().await.map(drop) });
        let over = Arc::new(AtomicBool::new(false));
        let (remote, is_over) = (oneloop::remote(), Arc::clone(&over));
        let thread = thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                remote.call_soon(|| ()).unwrap();
                thread::yield_now();
            }
        });
        let start = time();
        sleep(Duration::from_millis(100)).await;
        assert_eq!(time() - start, Duration::from_millis(100));
        over.store(true, Ordering::Relaxed);
        thread.join().unwrap();
    });
}

/// In real time, which is what it is about: unwatched, the loop would be awake before some of the deadlines.
#[test]
fn while_somebody_watches_a_sleep_is_one_wait() {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        for _ in 0..20 {
            sleep(Duration::from_millis(1)).await;
        }
    });
    let for_timers =
        |kind: &EventKind| matches!(kind, EventKind::WaitBegin { why: WaitReason::NextTimer, .. });
    assert_eq!(recorder.events().iter().filter(|event| for_timers(&event.kind)).count(), 20);
}
