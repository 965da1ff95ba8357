//! A loop reached from other threads.

mod support;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use oneloop::{EventLoop, LoopClosed, Remote, sleep, spawn, yield_now};
use support::{Log, virtual_loop};

/// Runs `event_loop` until `other`, on a thread of its own, has returned.
fn run_beside<T: Send + 'static>(
    event_loop: &EventLoop,
    other: impl FnOnce(Remote) -> T + Send + 'static,
) -> T {
    let remote = event_loop.remote();
    let thread = thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(|| other(remote.clone())));
        remote.call_soon(oneloop::stop).unwrap();
        result
    });
    event_loop.run_forever();
    thread.join().unwrap().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

thread_local!(static CALLED: Cell<u32> = const { Cell::new(0) });

#[test]
fn functions_are_called_on_the_loops_thread_in_the_order_they_were_sent() {
    let event_loop = virtual_loop();
    run_beside(&event_loop, |remote| {
        for number in 0..10_000 {
            remote.call_soon(move || assert_eq!(CALLED.replace(number + 1), number)).unwrap();
        }
    });
    assert_eq!(CALLED.get(), 10_000);
}

#[test]
fn a_task_is_made_on_the_loop_and_its_future_need_not_be_send() {
    let answer = run_beside(&virtual_loop(), |remote| {
        let handle = remote.spawn(|| {
            let here = Rc::new(6);
            async move {
                sleep(Duration::from_secs(3600)).await;
                *here * 7
            }
        });
        handle.wait().unwrap()
    });
    assert_eq!(answer, 42);
}

#[test]
fn panics_and_cancellation_cross_over() {
    let (panicked, cancelled, made) = run_beside(&virtual_loop(), |remote| {
        let panicked = remote.spawn(|| async { panic!("over there") });
        let pending = remote.spawn(std::future::pending::<()>);
        pending.cancel();
        let made = remote.spawn(|| -> std::future::Ready<()> { panic!("no future was made") });
        (panicked.wait(), pending.wait(), made.wait())
    });
    assert_eq!(panicked.unwrap_err().to_string(), "panicked: over there");
    assert!(cancelled.unwrap_err().is_cancelled());
    assert_eq!(made.unwrap_err().to_string(), "panicked: no future was made");
}

#[test]
fn a_handle_can_be_awaited_on_another_loop() {
    let event_loop = virtual_loop();
    let sum = run_beside(&event_loop, |remote| {
        oneloop::run(async move {
            let mut sum = 0;
            for number in 0..100 {
                sum += remote.spawn(move || async move { number }).await.unwrap();
            }
            sum
        })
    });
    assert_eq!(sum, 4950);
}

#[test]
fn a_handle_can_be_awaited_on_its_own_loop() {
    virtual_loop().run_until_complete(async {
        let handle = oneloop::remote().spawn(|| async { sleep(Duration::from_secs(1)).await });
        assert!(!handle.is_finished());
        handle.await.unwrap();
    });
}

#[test]
fn a_handle_dropped_leaves_its_task_to_itself() {
    let (tell, told) = mpsc::channel();
    let event_loop = virtual_loop();
    run_beside(&event_loop, move |remote| {
        drop(remote.spawn(move || async move {
            yield_now().await;
            tell.send("went on").unwrap();
        }));
        remote.spawn(|| sleep(Duration::from_secs(1))).wait().unwrap();
    });
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["went on"]);
}

#[test]
fn waiting_on_a_loops_own_thread_is_refused() {
    let result = catch_unwind(|| {
        virtual_loop().run_until_complete(async {
            let _ = oneloop::remote().spawn(|| async {}).wait();
        });
    });
    let payload = result.unwrap_err();
    let text = payload.downcast_ref::<&str>().expect("a sentence");
    assert!(text.contains("would block this thread's event loop: await the handle instead"), "{text}");
}

#[test]
fn a_closed_loop_takes_nothing_more_and_cancels_what_it_had() {
    let event_loop = virtual_loop();
    let remote = event_loop.remote();
    let suspended = remote.spawn(std::future::pending::<()>);
    event_loop.run_until_complete(async {
        yield_now().await;
        yield_now().await;
    });
    let unfetched = remote.spawn(|| async {});
    let waiting = thread::spawn(move || (suspended.wait(), unfetched.wait()));
    event_loop.close();
    let (suspended, unfetched) = waiting.join().unwrap();
    assert!(suspended.unwrap_err().is_cancelled());
    assert!(unfetched.unwrap_err().is_cancelled());
    assert_eq!(remote.call_soon(|| ()), Err(LoopClosed));
    assert_eq!(LoopClosed.to_string(), "the event loop is closed");
    assert!(remote.spawn(|| async {}).wait().unwrap_err().is_cancelled());
}

#[test]
fn a_job_that_waits_for_its_own_loop_does_not_stop_the_closing() {
    let event_loop = EventLoop::new().unwrap();
    let (started, is_started) = mpsc::channel();
    event_loop.run_until_complete(async {
        let remote = oneloop::remote();
        drop(oneloop::spawn_blocking(move || {
            let handle = remote.spawn(std::future::pending::<()>);
            started.send(()).unwrap();
            handle.wait().unwrap_err();
        }));
        is_started.recv().unwrap();
    });
    event_loop.close();
}

#[test]
fn what_is_sent_from_the_loops_own_thread_comes_in_the_next_turn() {
    let log = Log::default();
    let event_loop = virtual_loop();
    let (sender, receiver) = mpsc::channel();
    event_loop.run_until_complete(async {
        oneloop::remote().call_soon(move || sender.send("sent").unwrap()).unwrap();
        let noted = log.clone();
        oneloop::call_soon(move || noted.note("soon"));
        drop(spawn(async {}));
        yield_now().await;
        log.note("main");
        yield_now().await;
        receiver.try_iter().for_each(|line| log.note(line));
    });
    assert_eq!(log.lines(), ["soon", "main", "sent"]);
}

#[test]
fn a_function_sent_that_panics_does_not_stop_the_loop() {
    let event_loop = virtual_loop();
    let answer = run_beside(&event_loop, |remote| {
        remote.call_soon(|| panic!("from another thread")).unwrap();
        remote.spawn(|| async { 1 }).wait().unwrap()
    });
    assert_eq!(answer, 1);
}

#[test]
fn what_another_thread_sends_to_a_busy_loop_comes_within_some_64_polls() {
    EventLoop::new().unwrap().run_until_complete(async {
        let polls = Rc::new(Cell::new(0_u32));
        let counter = Rc::clone(&polls);
        let busy = spawn(async move {
            loop {
                counter.set(counter.get() + 1);
                yield_now().await;
            }
        });
        for round in 0..20 {
            for _ in 0..100 + 7 * round {
                yield_now().await;
            }
            let (remote, sent_at) = (oneloop::remote(), polls.get());
            CALLED.set(0);
            thread::spawn(move || remote.call_soon(|| CALLED.set(1))).join().unwrap().unwrap();
            while CALLED.get() == 0 {
                yield_now().await;
                assert!(polls.get() - sent_at <= 66, "two tasks, and 64 entries before the clock is asked");
            }
        }
        busy.cancel();
    });
}

#[test]
fn a_loop_that_has_waited_and_becomes_slow_hears_of_other_threads_within_some_eight_polls() {
    EventLoop::new().unwrap().run_until_complete(async {
        for _ in 0..2_000 {
            yield_now().await;
        }
        sleep(Duration::from_millis(1)).await;
        let remote = oneloop::remote();
        CALLED.set(0);
        thread::spawn(move || remote.call_soon(|| CALLED.set(1))).join().unwrap().unwrap();
        let mut polls = 0;
        while CALLED.get() == 0 {
            polls += 1;
            assert!(polls <= 10, "64 would be too late, if each takes a while");
            // Longer than a tick: no wait, but work.
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(2) {}
            yield_now().await;
        }
    });
}
