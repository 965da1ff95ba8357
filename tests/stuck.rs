//! A loop that can never go on says so; one that may go on waits.

#[path = "support/recorder.rs"]
mod recorder;

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use oneloop::net::{TcpListener, TcpStream};
use oneloop::sync::{Barrier, Condition, Event, Mutex, Queue, Semaphore, oneshot};
use oneloop::trace::{self, EventKind, LoopEnd, Observer};
use oneloop::{
    BlockingPool, EventLoop, JoinHandle, TaskGroup, add_reader, as_completed, call_later, call_soon, gather,
    race, remote, shield, sleep, spawn, spawn_blocking, spawn_named, stop, try_gather, wait, yield_now,
};
use recorder::Recorder;
use rustix::process::{Signal, getpid, kill_process};

/// Calls a function each time the loop is about to wait without limit.
struct BeforeWaiting<F>(F);

impl<F: Fn()> Observer for BeforeWaiting<F> {
    fn event(&self, event: &trace::Event) {
        if matches!(event.kind, EventKind::WaitBegin { timeout: None, .. }) {
            (self.0)();
        }
    }
}

fn virtual_loop() -> EventLoop {
    EventLoop::builder().virtual_time().build().unwrap()
}

/// A loop with virtual time that sends to the receiver when it is about to wait without limit: who answers comes at the
/// last moment.
fn telling_loop() -> (EventLoop, mpsc::Receiver<()>) {
    let (tell, told) = mpsc::channel();
    let observer = BeforeWaiting(move || _ = tell.send(()));
    (EventLoop::builder().virtual_time().observer(observer).build().unwrap(), told)
}

/// What the run panics with.
fn report(event_loop: &EventLoop, run: impl FnOnce(&EventLoop)) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| run(event_loop))).expect_err("it went on");
    *payload.downcast::<String>().expect("it is a text")
}

/// The report of a main future that can never go on.
fn stuck(main: impl Future) -> String {
    report(&virtual_loop(), |event_loop| drop(event_loop.run_until_complete(main)))
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn every_task_that_waits_is_reported_with_its_lines() {
    let line = line!();
    let told = stuck(async {
        drop(spawn_named("idler", async { pending::<()>().await }));
        drop(spawn(async {
            sleep(HOUR).await;
            pending::<()>().await
        }));
        sleep(2 * HOUR).await;
        pending::<()>().await
    });
    let file = file!();
    let mut lines = told.lines();
    assert_eq!(
        lines.next().unwrap(),
        "this event loop can never go on: nothing is ready, no timer is armed, nobody waits for a socket, a job or a \
         signal, and nobody outside has a Remote or a task's waker; these tasks wait:"
    );
    let custom = "waiting for a future that oneloop did not write";
    let main = lines.next().unwrap();
    assert!(main.starts_with(&format!("  task 0 (main), {custom}; spawned at {file}:")), "{told}");
    let idler = format!("  task 1 (idler), {custom}; spawned at {file}:{}", line + 2);
    let second = format!("  task 2, {custom}; spawned at {file}:{}", line + 3);
    assert_eq!(lines.collect::<Vec<_>>(), [idler, second]);
}

#[test]
fn a_run_forever_with_nothing_left_ends_as_well() {
    let event_loop = virtual_loop();
    event_loop.call_later(HOUR, || ());
    let told = report(&event_loop, EventLoop::run_forever);
    assert!(told.ends_with("a task's waker; no task is left"), "{told}");
    event_loop.call_soon(stop);
    event_loop.run_forever();
    assert_eq!(event_loop.run_until_complete(async { 3 }), 3, "the loop can be used again");
}

/// A task that can never go on.
fn hopeless() -> JoinHandle<()> {
    spawn(async { pending().await })
}

/// The line where the main future waits and for what, in the report on it.
fn main_waits_for(main: impl Future) -> String {
    let told = stuck(main);
    let line = told.lines().find(|line| line.starts_with("  task 0 (main) at ")).expect(&told);
    let (_, wait) = line.split_once(", waiting for ").expect(&told);
    wait.split_once(';').expect(&told).0.to_owned()
}

#[test]
fn who_waits_for_a_task_that_cannot_go_on_cannot_either() {
    let waits = [
        main_waits_for(async { hopeless().await }),
        main_waits_for(async { shield(hopeless()).await }),
        main_waits_for(async { gather([pending::<()>(), pending()]).await }),
        main_waits_for(async { try_gather([pending::<Result<(), ()>>(), pending()]).await }),
        main_waits_for(async { race(hopeless(), hopeless()).await }),
        main_waits_for(async { wait([hopeless(), hopeless()]).await }),
        main_waits_for(async { as_completed([hopeless(), hopeless()]).next().await }),
        main_waits_for(async {
            TaskGroup::<()>::scope(async |group| {
                group.spawn(pending::<Result<(), ()>>());
                Ok(())
            })
            .await
        }),
    ];
    let task = "a task to end";
    let several = "several tasks to end";
    let (either, next) = ("the first of two futures", "the next of several tasks to end");
    let group = "the tasks of a group to end";
    assert_eq!(waits, [task, task, several, several, either, several, next, group]);
}

#[test]
fn who_waits_at_an_object_that_only_waiting_tasks_have_cannot_go_on() {
    let waits = [
        main_waits_for(async { Queue::<u8>::new(1).get().await }),
        main_waits_for(async {
            let full = Queue::new(1);
            full.try_put(1).unwrap();
            full.put(2).await
        }),
        main_waits_for(async {
            let queue = Queue::new(1);
            queue.try_put(1).unwrap();
            queue.join().await;
        }),
        main_waits_for(async { Semaphore::new(0).acquire().await.forget() }),
        main_waits_for(async { Event::new().wait().await }),
        main_waits_for(async { Barrier::new(2).wait().await }),
        main_waits_for(async {
            let mutex = Mutex::new(());
            let _held = mutex.lock().await;
            drop(mutex.lock().await);
        }),
        main_waits_for(async {
            let (mutex, condition) = (Mutex::new(()), Condition::new());
            drop(condition.wait(mutex.lock().await).await);
        }),
        main_waits_for(async {
            let (_sender, receiver) = oneshot::channel::<u8>();
            receiver.await
        }),
    ];
    let (item, room, done) =
        ("an item from a queue", "room in a queue", "the last item of a queue to be done");
    let (permit, event, others) =
        ("a permit of a semaphore", "an event to be set", "the others at a barrier");
    let (mutex, condition, value) =
        ("a mutex", "a condition to be notified", "a value from a oneshot sender");
    assert_eq!(waits, [item, room, done, permit, event, others, mutex, condition, value]);
}

#[test]
fn observers_hear_of_it_and_of_the_end_of_the_run() {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    let told = report(&event_loop, |event_loop| event_loop.run_until_complete(pending()));
    let events = recorder.events();
    let mut kinds = events.iter().map(|event| &event.kind);
    let found = kinds.clone().find_map(|kind| match kind {
        EventKind::Stuck { tasks: 1, report, fatal: true } => Some(report),
        _ => None,
    });
    assert_eq!(**found.expect("it is told"), told);
    assert!(matches!(kinds.next_back(), Some(EventKind::LoopEnd { why: LoopEnd::Stuck })));
}

#[test]
fn the_end_of_time_is_no_timer() {
    let told = stuck(async { sleep(Duration::MAX).await });
    assert!(
        told.contains("task 0 (main) at tests/stuck.rs:") && told.contains(", waiting for a sleep;"),
        "{told}"
    );
}

#[test]
fn a_socket_that_nobody_waits_for_wakes_nobody() {
    stuck(async {
        let _listener = TcpListener::bind("127.0.0.1:0").unwrap();
        pending::<()>().await
    });
}

#[test]
fn the_waker_of_a_task_that_has_ended_wakes_nobody() {
    let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
    stuck(async {
        let place = Rc::clone(&kept);
        let keep = poll_fn(move |cx| {
            place.replace(Some(cx.waker().clone()));
            Poll::Ready(())
        });
        spawn(keep).await.unwrap();
        pending::<()>().await
    });
}

#[test]
fn a_timer_is_waited_for_and_a_callback_may_be_what_goes_on() {
    let event_loop = virtual_loop();
    let (sender, receiver) = oneloop::sync::oneshot::channel();
    let value = event_loop.run_until_complete(async {
        call_later(HOUR, || drop(call_soon(|| sender.send(5).unwrap())));
        receiver.await
    });
    assert_eq!(value, Ok(5));
}

#[test]
fn a_remote_may_bring_something() {
    let (event_loop, told) = telling_loop();
    let remote = event_loop.remote();
    let other = thread::spawn(move || {
        told.recv().unwrap();
        remote.call_soon(stop).unwrap();
    });
    event_loop.run_forever();
    other.join().unwrap();
}

#[test]
fn the_last_remote_dropped_while_the_loop_waits_leaves_it_stuck() {
    let (event_loop, told) = telling_loop();
    let (one, other) = (event_loop.remote(), event_loop.remote());
    let thread = thread::spawn(move || {
        told.recv().unwrap();
        drop(one);
        drop(other.clone());
        drop(other);
    });
    report(&event_loop, |event_loop| event_loop.run_until_complete(pending()));
    thread.join().unwrap();
}

#[test]
fn a_waker_on_another_thread_may_wake() {
    let (event_loop, told) = telling_loop();
    let (give, given) = mpsc::channel::<Waker>();
    let thread = thread::spawn(move || {
        let waker = given.recv().unwrap();
        told.recv().unwrap();
        // Or the second poll might find somebody who listens, and wait for ever.
        drop(given);
        waker.wake();
    });
    let mut polls = 0;
    event_loop.run_until_complete(poll_fn(|cx| {
        polls += 1;
        give.send(cx.waker().clone()).map_or(Poll::Ready(()), |()| Poll::Pending)
    }));
    thread.join().unwrap();
    assert_eq!(polls, 2);
}

#[test]
fn a_job_may_end_and_is_waited_for_whether_or_not_it_is_awaited() {
    let (event_loop, told) = telling_loop();
    event_loop.run_until_complete(async { spawn_blocking(move || told.recv().unwrap()).await }).unwrap();

    let (event_loop, told) = telling_loop();
    let pool = BlockingPool::new(1);
    event_loop.run_until_complete(async { pool.spawn(move || told.recv().unwrap()).await }).unwrap();

    // Nobody awaits this one, so that its end leaves the loop stuck: but not before.
    let (event_loop, told) = telling_loop();
    let (ended, has_ended) = mpsc::channel();
    report(&event_loop, |event_loop| {
        event_loop.run_until_complete(async {
            let _job = spawn_blocking(move || {
                told.recv().unwrap();
                ended.send(()).unwrap();
            });
            pending::<()>().await
        })
    });
    has_ended.try_recv().expect("it has ended by then");
}

#[test]
fn a_socket_that_somebody_waits_for_may_become_ready() {
    let (event_loop, told) = telling_loop();
    event_loop.run_until_complete(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            told.recv().unwrap();
            std::net::TcpStream::connect(address).unwrap()
        });
        listener.accept().await.unwrap();
        thread.join().unwrap();
        TcpStream::connect(address).await.unwrap();
    });
}

#[test]
fn a_watched_descriptor_may_become_ready() {
    let (event_loop, told) = telling_loop();
    let (here, mut there) = UnixStream::pair().unwrap();
    event_loop.call_soon(move || drop(add_reader(&here, stop).unwrap()));
    let thread = thread::spawn(move || {
        told.recv().unwrap();
        there.write_all(b"!").unwrap();
        there
    });
    event_loop.run_forever();
    thread.join().unwrap();
}

#[test]
fn a_signal_may_come() {
    let signal = BeforeWaiting(|| kill_process(getpid(), Signal::INT).unwrap());
    let event_loop = EventLoop::builder().virtual_time().observer(signal).build().unwrap();
    event_loop.run_until_complete(async { oneloop::signal::ctrl_c().await }).unwrap();
}

#[test]
fn in_real_time_it_is_said_once_per_standstill_and_only_in_debug_mode() {
    for debug in [true, false] {
        let recorder = Recorder::default();
        let dead: Rc<RefCell<Option<Waker>>> = Rc::default();
        let waits = Rc::new(RefCell::new(0));
        let (kept, counted) = (Rc::clone(&dead), Rc::clone(&waits));
        let before_waiting = BeforeWaiting(move || {
            *counted.borrow_mut() += 1;
            match *counted.borrow() {
                // Ends the wait, and nothing more.
                1 => {
                    let waker = kept.borrow_mut().take().unwrap();
                    thread::spawn(move || waker.wake()).join().unwrap();
                }
                2 => remote().call_soon(|| ()).unwrap(),
                _ => remote().call_soon(stop).unwrap(),
            }
        });
        let builder = EventLoop::builder().debug(debug).observer(recorder.clone()).observer(before_waiting);
        let event_loop = builder.build().unwrap();
        event_loop.call_soon(move || {
            drop(spawn(poll_fn(move |cx| {
                dead.replace(Some(cx.waker().clone()));
                Poll::Ready(())
            })));
            drop(spawn(pending::<()>()));
        });
        event_loop.run_forever();
        let events = recorder.events();
        let said = events.iter().filter_map(|event| match event.kind {
            EventKind::Stuck { tasks, fatal, .. } => Some((tasks, fatal)),
            _ => None,
        });
        let expected: &[_] = if debug { &[(1, false); 2] } else { &[] };
        assert_eq!(said.collect::<Vec<_>>(), expected, "before the first wait and after the callback");
        assert_eq!(*waits.borrow(), 3);
    }
}

#[test]
fn in_real_time_a_loop_that_may_go_on_says_nothing_in_debug_mode() {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().debug(true).observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        for _ in 0..10 {
            spawn_blocking(|| ()).await.unwrap();
            yield_now().await;
        }
        sleep(Duration::from_millis(1)).await;
    });
    assert!(!recorder.events().iter().any(|event| matches!(event.kind, EventKind::Stuck { .. })));
}
