//! What closing a loop drops, in which order, and what it waits for.

mod support;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use oneloop::{EventLoop, call_soon, sleep, spawn, spawn_blocking, yield_now};
use support::{Log, virtual_loop};

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A guard that notes a line.
fn guard(log: &Log, line: &'static str) -> OnDrop<impl FnMut() + use<>> {
    let log = log.clone();
    OnDrop(move || log.note(line))
}

/// A future that owns `value` and never ends.
async fn keep<T>(value: T) {
    pending::<()>().await;
    drop(value);
}

#[test]
fn closing_drops_tasks_then_callbacks_and_waits_for_started_jobs() {
    let (event_loop, log) = (EventLoop::builder().pool_threads(1).build().unwrap(), Log::default());
    let (started, is_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    event_loop.call_later(Duration::from_secs(1), {
        let guard = guard(&log, "callback dropped");
        move || drop(guard)
    });
    drop(event_loop.spawn(keep(guard(&log, "suspended task dropped"))));
    event_loop.run_until_complete(async {
        let tell_refused = tell.clone();
        drop(spawn_blocking(move || {
            started.send(()).unwrap();
            released.recv().unwrap_err();
            tell.send("started job ran to its end").unwrap();
        }));
        is_started.recv().unwrap();
        // The started job goes on when this one has been refused, and is dropped with what it owns.
        drop(spawn_blocking(move || {
            drop(release);
            tell_refused.send("refused").unwrap();
        }));
    });
    drop(event_loop.spawn(keep(guard(&log, "unstarted task dropped"))));
    event_loop.close();
    assert_eq!(log.lines(), ["suspended task dropped", "unstarted task dropped", "callback dropped"]);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["started job ran to its end"]);
}

#[test]
fn what_guards_start_while_the_loop_closes_is_cancelled_at_once() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let handle = Rc::new(RefCell::new(None));
    let (kept, noted) = (Rc::clone(&handle), log.clone());
    drop(event_loop.spawn(keep(OnDrop(move || {
        let inner = noted.clone();
        let task = spawn(async move { inner.note("never") });
        assert!(task.is_finished());
        kept.replace(Some(task));
    }))));
    event_loop.run_until_complete(yield_now());
    event_loop.close();
    let task = handle.take().unwrap();
    assert!(oneloop::run(task).unwrap_err().is_cancelled());
    assert_eq!(log.lines(), [""; 0]);
}

#[test]
fn nothing_that_guards_hand_to_a_closing_loop_is_leaked() {
    let event_loop = virtual_loop();
    let dropped = Rc::new(Cell::new(0));
    let counted = Rc::clone(&dropped);
    let count = move || {
        let counted = Rc::clone(&counted);
        OnDrop(move || counted.set(counted.get() + 1))
    };
    drop(event_loop.spawn(keep(OnDrop(move || {
        // A callback that keeps a handle keeps the loop's state, which keeps the callback.
        let (first, handle) = (count(), spawn(pending::<()>()));
        call_soon(move || drop((first, handle)));
        let (second, handle) = (count(), spawn(pending::<()>()));
        oneloop::call_later(Duration::from_secs(1), move || drop((second, handle)));
        let third = count();
        oneloop::remote().call_soon(|| ()).unwrap();
        drop(spawn(keep(third)));
    }))));
    event_loop.run_until_complete(yield_now());
    drop(event_loop);
    assert_eq!(dropped.get(), 3);
}

#[test]
fn what_other_threads_sent_is_dropped_even_if_that_panics() {
    let event_loop = virtual_loop();
    let (tell, told) = mpsc::channel();
    for _ in 0..3 {
        let tell = tell.clone();
        let bomb = OnDrop(move || {
            tell.send("dropped").unwrap();
            panic!("a function that goes wrong when it is dropped");
        });
        event_loop.remote().call_soon(move || drop(bomb)).unwrap();
    }
    event_loop.close();
    assert!(event_loop.is_closed());
    assert_eq!(told.try_iter().count(), 3);
}

#[test]
fn a_refused_job_that_panics_when_dropped_does_not_stop_the_closing() {
    let event_loop = EventLoop::builder().pool_threads(1).build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let (started, is_started) = mpsc::channel();
    event_loop.run_until_complete(async {
        drop(spawn_blocking(move || {
            started.send(()).unwrap();
            released.recv().unwrap_or_default();
        }));
        is_started.recv().unwrap();
        for _ in 0..2 {
            let tell = tell.clone();
            let bomb = OnDrop(move || {
                tell.send(()).unwrap();
                panic!("a job that goes wrong when it is dropped");
            });
            drop(spawn_blocking(move || drop(bomb)));
        }
        // The started job goes on when this last one has been refused.
        drop(spawn_blocking(move || drop(release)));
    });
    event_loop.close();
    assert!(event_loop.is_closed());
    assert_eq!(told.try_iter().count(), 2);
}

#[test]
fn a_sleep_may_outlive_its_loop() {
    let event_loop = virtual_loop();
    let mut kept = None;
    event_loop.run_until_complete(async {
        let sleep = kept.insert(Box::pin(sleep(Duration::from_secs(1))));
        std::future::poll_fn(|cx| {
            assert!(sleep.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    });
    drop(event_loop);
    drop(kept);
}

#[test]
fn a_loop_dropped_inside_another_loops_run_drops_its_tasks() {
    let log = Log::default();
    let other = virtual_loop();
    drop(other.spawn(keep(guard(&log, "task of the other loop dropped"))));
    other.run_until_complete(yield_now());
    virtual_loop().run_until_complete(async {
        drop(other);
        log.note("goes on");
    });
    assert_eq!(log.lines(), ["task of the other loop dropped", "goes on"]);
}

#[test]
fn a_loop_may_be_kept_in_a_thread_local() {
    thread_local!(static KEPT: RefCell<Option<EventLoop>> = const { RefCell::new(None) });
    let (tell, told) = mpsc::channel();
    // Locals of a thread are destroyed in an order that depends on which was used first.
    for used_first in [false, true] {
        let tell = tell.clone();
        let thread = thread::spawn(move || {
            if used_first {
                oneloop::run(async {});
            }
            KEPT.set(Some(virtual_loop()));
            KEPT.with_borrow(|kept| {
                let event_loop = kept.as_ref().unwrap();
                drop(event_loop.spawn(keep(OnDrop(move || tell.send(()).unwrap()))));
                event_loop.run_until_complete(yield_now());
            });
        });
        thread.join().unwrap();
    }
    assert_eq!(told.try_iter().count(), 2);
}
