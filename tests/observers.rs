//! Observers: what they may do, what they may decide, and which line they are told.
//!
//! That no event is built where nobody watches cannot be seen from here: each one is made by a closure that
//! `State::tell` calls behind its one branch, or in a `#[cold]` function behind the same branch.

mod support;

#[path = "support/recorder.rs"]
mod recorder;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::mem::{Discriminant, discriminant};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::{Rc, Weak};
use std::sync::mpsc;
use std::time::Duration;

use oneloop::net::{TcpListener, TcpStream};
use oneloop::trace::{Actor, Choice, Decision, Event, EventKind, IoOp, Observer, Ready, Wait};
use oneloop::{
    BlockingHandle, EventLoop, call_later, call_soon, race, sleep, spawn, spawn_blocking, yield_now,
};
use recorder::Recorder;
use support::{Log, virtual_loop};

const HOUR: Duration = Duration::from_secs(3600);

/// An observer that answers choices with a function.
struct Decide<F>(F);

impl<F: Fn(&Choice<'_>) -> Decision> Observer for Decide<F> {
    fn event(&self, _: &Event) {}

    fn decide(&self, choice: &Choice<'_>) -> Decision {
        (self.0)(choice)
    }
}

/// A loop with virtual time that asks `decide`.
fn decided(decide: impl Fn(&Choice<'_>) -> Decision + 'static) -> EventLoop {
    EventLoop::builder().virtual_time().observer(Decide(decide)).build().unwrap()
}

/// Queues four callbacks and a task, and runs them.
fn order_of(event_loop: &EventLoop) -> Vec<String> {
    let log = Log::default();
    for line in ["1", "2", "3", "4"] {
        let log = log.clone();
        event_loop.call_soon(move || log.note(line));
    }
    event_loop.run_until_complete(async { log.note("main") });
    log.lines()
}

#[test]
fn an_observer_may_choose_which_entry_runs_next() {
    let lengths = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&lengths);
    let last_first = decided(move |choice| match choice {
        Choice::Next(ready) => {
            seen.borrow_mut().push(ready.len());
            Decision::Run(ready.len() - 1)
        }
        _ => Decision::GoOn,
    });
    assert_eq!(order_of(&virtual_loop()), ["1", "2", "3", "4", "main"], "as it goes unwatched");
    assert_eq!(order_of(&last_first), ["main", "4", "3", "2", "1"]);
    assert_eq!(*lengths.borrow(), [5, 4, 3, 2], "asked as long as there is a choice");
}

#[test]
fn the_entries_to_choose_from_are_named_in_their_order() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let list = Rc::clone(&seen);
    let second_first = decided(move |choice| match choice {
        Choice::Next(ready) => {
            list.borrow_mut().push(ready.to_vec());
            Decision::Run(1)
        }
        _ => Decision::GoOn,
    });
    assert_eq!(order_of(&second_first), ["2", "3", "4", "main", "1"]);
    let callback = |number| Ready::Callback(oneloop::trace::CallbackId(number));
    let main = Ready::Task(oneloop::trace::TaskId(0));
    let [zero, one, two, three] = [0, 1, 2, 3].map(callback);
    assert_eq!(
        *seen.borrow(),
        [
            vec![zero, one, two, three, main],
            vec![zero, two, three, main], // 1 has run, before 0
            vec![zero, three, main],
            vec![zero, main],
        ]
    );
}

#[test]
fn a_choice_that_does_not_exist_changes_nothing() {
    for index in [5, 1000, usize::MAX] {
        let event_loop = decided(move |choice| match choice {
            Choice::Next(_) => Decision::Run(index),
            Choice::Turn(_) => Decision::Cancel(oneloop::trace::TaskId(999)),
            _ => Decision::Advance(HOUR), // asked for nothing else here
        });
        assert_eq!(order_of(&event_loop), ["1", "2", "3", "4", "main"]);
    }
}

#[test]
fn an_observer_may_move_the_clock_instead_of_waiting() {
    let (asked, count) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&asked);
    let advance = Decide(move |choice: &Choice<'_>| match choice {
        Choice::Time(timeout) => {
            counted.set(counted.get() + 1);
            Decision::Advance(timeout.expect("there is a timer"))
        }
        _ => Decision::GoOn,
    });
    let event_loop = EventLoop::builder().observer(advance).build().unwrap();
    let start = event_loop.time();
    let called = Rc::clone(&count);
    event_loop.call_later(HOUR, move || called.set(called.get() + 1));
    event_loop.run_until_complete(async { sleep(2 * HOUR).await });
    assert!(event_loop.time() - start >= 2 * HOUR, "real time, moved forward");
    assert_eq!((count.get(), asked.get()), (1, 2));
}

#[test]
fn the_clock_can_be_moved_to_the_end_of_time() {
    let to_the_end = Decide(|choice: &Choice<'_>| match choice {
        Choice::Time(_) => Decision::Advance(Duration::MAX),
        _ => Decision::GoOn,
    });
    let event_loop = EventLoop::builder().observer(to_the_end).build().unwrap();
    event_loop.run_until_complete(async { sleep(Duration::MAX).await });
}

/// Both ends of a new connection.
async fn pair() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, server))
}

/// Sends five bytes over a connection; says how the reading of them ended.
async fn exchange() -> std::io::Result<usize> {
    let (client, server) = pair().await?;
    client.write_all(b"hello").await?;
    server.read(&mut [0; 16]).await
}

#[test]
fn an_observer_may_have_an_operation_fail() {
    for failing in [IoOp::Connect, IoOp::Accept, IoOp::Read, IoOp::Write] {
        let event_loop = decided(move |choice| match choice {
            Choice::Io(_, op) if *op == failing => Decision::Fail(ErrorKind::TimedOut),
            _ => Decision::GoOn,
        });
        let error = event_loop.run_until_complete(exchange()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{failing:?}");
        assert!(error.to_string().contains("an observer decided"), "{error}");
    }
}

#[test]
fn an_observer_may_have_operations_tried_later() {
    let delays = Rc::new(Cell::new(0));
    let counted = Rc::clone(&delays);
    let event_loop = decided(move |choice| match choice {
        Choice::Io(..) if counted.get() < 20 => {
            counted.set(counted.get() + 1);
            Decision::Delay
        }
        _ => Decision::GoOn,
    });
    assert_eq!(event_loop.run_until_complete(exchange()).unwrap(), 5);
    assert_eq!(delays.get(), 20);
}

#[test]
fn an_observer_may_cancel_a_task() {
    let victim = Rc::new(Cell::new(None));
    let chosen = Rc::clone(&victim);
    let recorder = Recorder::default();
    let decide = Decide(move |choice: &Choice<'_>| match (choice, chosen.get()) {
        (Choice::Turn(_), Some(task)) => Decision::Cancel(task),
        _ => Decision::GoOn,
    });
    let event_loop =
        EventLoop::builder().virtual_time().observer(decide).observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        let task = spawn(std::future::pending::<()>());
        yield_now().await;
        victim.set(Some(task.id()));
        assert!(task.await.unwrap_err().is_cancelled());
    });
    let by: Vec<_> = recorder
        .events()
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Cancel { by, .. } => Some(by.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(by, [Actor::Observer]);
}

#[test]
fn a_main_future_is_not_cancelled() {
    let event_loop = decided(|choice| match choice {
        Choice::Turn(_) => Decision::Cancel(oneloop::trace::TaskId(0)),
        _ => Decision::GoOn,
    });
    let end = event_loop.run_until_complete(async {
        yield_now().await;
        sleep(HOUR).await;
        "its own"
    });
    assert_eq!(end, "its own");
}

#[test]
fn of_two_observers_both_are_told_and_the_first_that_decides_is_heard() {
    let (first, second) = (Recorder::default(), Recorder::default());
    let answer = |index| {
        Decide(move |choice: &Choice<'_>| match choice {
            Choice::Next(ready) if index < ready.len() => Decision::Run(index),
            _ => Decision::GoOn,
        })
    };
    let builder = EventLoop::builder().virtual_time().observer(first.clone());
    let builder = builder.observer(answer(2)).observer(answer(1)).observer(second.clone());
    assert_eq!(order_of(&builder.build().unwrap()), ["3", "4", "main", "2", "1"]);
    let numbers = |recorder: &Recorder| recorder.events().iter().map(|event| event.seq).collect::<Vec<_>>();
    assert_eq!(numbers(&first), numbers(&second));
    assert!(numbers(&first).into_iter().eq(0..first.events().len() as u64), "from 0, without gaps");
}

#[test]
fn behind_an_observer_that_panics_the_others_are_told_all_the_same() {
    struct Panics(Cell<u32>);
    impl Observer for Panics {
        fn event(&self, _: &Event) {
            self.0.set(self.0.get() + 1);
            assert!(self.0.get() != 3, "on purpose");
        }
    }
    let (first, second) = (Recorder::default(), Recorder::default());
    let builder = EventLoop::builder().observer(first.clone()).observer(Panics(Cell::new(0)));
    let event_loop = builder.observer(second.clone()).build().unwrap();
    let run = AssertUnwindSafe(|| event_loop.run_until_complete(async {}));
    assert!(catch_unwind(run).is_err(), "the panic comes out of the run");
    let numbers = |recorder: &Recorder| recorder.events().iter().map(|event| event.seq).collect::<Vec<_>>();
    assert!(numbers(&first).len() > 3);
    assert_eq!(numbers(&first), numbers(&second));
}

/// A job that does not end before the next turn.
fn held_job() -> BlockingHandle<()> {
    let (release, released) = mpsc::channel::<()>();
    call_soon(move || drop(release));
    spawn_blocking(move || released.recv().unwrap_or_default())
}

#[test]
fn a_suspended_task_is_told_with_the_users_own_line() {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    let first = line!() + 2;
    event_loop.run_until_complete(async {
        sleep(HOUR).await;
        yield_now().await;
        spawn(yield_now()).await.unwrap();
        held_job().await.unwrap();
        race(sleep(HOUR), sleep(2 * HOUR)).await;
        let (client, server) = pair().await.unwrap();
        race(server.read(&mut [0; 16]), yield_now()).await;
        let closes = call_later(Duration::ZERO, move || drop(server));
        client.write_all(&vec![0; 8 << 20]).await.unwrap_err();
        drop(closes);
    });
    let told: Vec<_> = recorder
        .events()
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::PollEnd { task, suspended: Some((wait, Some(site))), .. } if task.0 == 0 => {
                assert!(site.file.ends_with("observers.rs"), "{site}");
                Some((*wait, site.line.checked_sub(first)))
            }
            _ => None,
        })
        .collect();
    let of_this_test: Vec<_> =
        told.into_iter().filter(|(_, line)| line.is_some_and(|line| line < 10)).collect();
    let expected = [
        (Wait::Sleep, Some(0)),
        (Wait::Yield, Some(1)),
        (Wait::Join, Some(2)),
        (Wait::Job, Some(3)),
        (Wait::Race, Some(4)),
        (Wait::Race, Some(6)),
        (Wait::Writable, Some(8)),
    ];
    assert_eq!(of_this_test, expected);
}

/// An observer that uses the loop in every way it can, at every kind of event.
#[derive(Clone, Default)]
struct Meddler {
    event_loop: Rc<OnceCell<Weak<EventLoop>>>,
    /// Whether it is at it: it lets its own events be.
    busy: Rc<Cell<bool>>,
    /// How often it was told of each kind of event; it lets the later ones be, many of which it led to itself.
    times: Rc<RefCell<HashMap<Discriminant<EventKind>, usize>>>,
}

impl Observer for Meddler {
    fn event(&self, event: &Event) {
        let Some(event_loop) = self.event_loop.get().and_then(Weak::upgrade) else { return };
        let times = {
            let mut times = self.times.borrow_mut();
            let times = times.entry(discriminant(&event.kind)).or_default();
            *times += 1;
            *times
        };
        if times > 5 || event_loop.is_closed() || self.busy.replace(true) {
            return;
        }
        assert!(format!("{event_loop:?}{event:?}").contains("EventLoop"));
        event_loop.time();
        event_loop.call_soon(|| ()).cancel();
        event_loop.call_later(HOUR, || ()).cancel();
        let task = event_loop.spawn(async {});
        assert!(format!("{task:?}").contains("observers.rs"));
        task.cancel();
        drop(task);
        let _ = event_loop.remote().call_soon(|| ());
        self.busy.set(false);
    }
}

#[test]
fn an_observer_may_use_the_loop_at_every_kind_of_event() {
    let meddler = Meddler::default();
    let event_loop = EventLoop::builder().virtual_time().observer(meddler.clone()).build().unwrap();
    let event_loop = Rc::new(event_loop);
    meddler.event_loop.set(Rc::downgrade(&event_loop)).unwrap();
    event_loop.run_until_complete(async {
        assert_eq!(exchange().await.unwrap(), 5);
        spawn_blocking(|| ()).await.unwrap();
        let _late = call_later(HOUR, || ());
        spawn(async { panic!("on purpose") }).await.unwrap_err();
        race(sleep(HOUR), yield_now()).await;
        sleep(HOUR).await;
        drop(spawn(sleep(HOUR)));
    });
    event_loop.close();
    assert!(meddler.times.borrow().len() > 25, "{} kinds of events", meddler.times.borrow().len());
}

#[test]
fn what_happens_on_pool_threads_is_told_with_the_time_it_had() {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async { spawn_blocking(|| ()).await.unwrap() });
    let time_of = |word: &str| {
        let events = recorder.events();
        let found = events.iter().find(|event| format!("{:?}", event.kind).starts_with(word));
        found.unwrap_or_else(|| panic!("no {word}")).time
    };
    let times = ["JobNew", "JobStart", "JobEnd", "JobDeliver"].map(time_of);
    assert!(times.is_sorted(), "{times:?}");
}
