//! Every effect names its cause: going back from any event, one comes to what the program did.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use oneloop::net::{TcpListener, TcpStream};
use oneloop::trace::narrate::Narrator;
use oneloop::trace::{Event, EventKind, Observer};
use oneloop::{Builder, EventLoop, call_later, call_soon, sleep, spawn, spawn_blocking};

/// All events of a run, with their sentences.
#[derive(Clone, Default)]
struct Run(Rc<RefCell<(Narrator, Told)>>);

type Told = Vec<(Event, String)>;

impl Observer for Run {
    fn event(&self, event: &Event) {
        let (narrator, events) = &mut *self.0.borrow_mut();
        let sentence = narrator.sentence(event);
        events.push((event.clone(), sentence));
    }
}

impl Run {
    /// The events of one run of `program`, on a loop that is closed at the end.
    fn of(builder: Builder, program: impl AsyncFnOnce()) -> Run {
        let run = Run::default();
        let event_loop = builder.observer(run.clone()).build().unwrap();
        event_loop.run_until_complete(program());
        run
    }

    /// What led to the last event for which `which` holds: the kinds from there back to a first cause, with
    /// the way there in words if a test fails.
    fn back_from(&self, which: impl Fn(&EventKind) -> bool) -> Vec<String> {
        let events = &self.0.borrow().1;
        let mut next = events.iter().rposition(|(event, _)| which(&event.kind)).map(|seq| seq as u64);
        let mut kinds = Vec::new();
        while let Some(seq) = next {
            let (event, sentence) = &events[usize::try_from(seq).unwrap()];
            assert_eq!(event.seq, seq, "events are numbered without gaps");
            assert!(event.cause < Some(seq), "a cause comes first: {sentence}");
            let kind = format!("{:?}", event.kind);
            kinds.push(kind.split(' ').next().unwrap().to_owned());
            next = event.cause;
        }
        kinds
    }

    fn says(&self, sentence: &str) {
        let events = &self.0.borrow().1;
        assert!(events.iter().any(|(_, said)| said == sentence), "missing: {sentence}\nin: {events:#?}");
    }
}

fn virtual_time() -> Builder {
    EventLoop::builder().virtual_time()
}

#[test]
fn a_resumed_sleeper_leads_back_to_the_call_of_spawn() {
    let run = Run::of(virtual_time(), async || {
        spawn(sleep(Duration::from_secs(1))).await.unwrap();
    });
    // It has no `.await` of its own: what stands for that is the call of `spawn`.
    run.says(&format!("Task 1 is suspended at {}:{}, waiting for a sleep.", file!(), line!() - 3));
    let last_join = |kind: &EventKind| matches!(kind, EventKind::Joined { .. });
    #[rustfmt::skip]
    assert_eq!(run.back_from(last_join), [
        "Joined",    // the main future takes the result
        "PollBegin", // in its second poll,
        "Wake",      // for which it was woken
        "PollBegin", // by the sleeper in its last poll,
        "Wake",      // for which that was woken
        "TimerFire", // by a timer
        "TimerArm",  // that it had armed
        "PollBegin", // in its first poll,
        "Spawn",     // for which it was spawned
        "PollBegin", // in the main future's first poll,
        "Spawn",     // which the program asked for.
    ]);
}

#[test]
fn a_late_callback_leads_back_to_its_call_later() {
    let run = Run::of(virtual_time(), async || {
        call_later(Duration::from_secs(1), || ());
        sleep(Duration::from_secs(2)).await;
    });
    let end = |kind: &EventKind| matches!(kind, EventKind::CallbackEnd { .. });
    let way = ["CallbackEnd", "CallbackBegin", "TimerFire", "TimerArm", "CallbackNew", "PollBegin", "Spawn"];
    assert_eq!(run.back_from(end), way);
}

#[test]
fn the_end_of_a_cancelled_task_leads_back_to_who_cancelled_it() {
    let run = Run::of(virtual_time(), async || {
        let task = spawn(std::future::pending::<()>());
        task.cancel();
        assert!(task.await.is_err());
    });
    let end = |kind: &EventKind| matches!(kind, EventKind::Joined { .. });
    // Not to its spawning, though that had put it in the queue already.
    assert_eq!(run.back_from(end), ["Joined", "PollBegin", "Wake", "Cancel", "PollBegin", "Spawn"]);
    run.says("Task 0 (main) cancelled task 1, to be dropped at its next turn.");
    run.says("Task 1 woke task 0 (main), which joined the ready queue.");
    let woken = |(_, sentence): &(Event, String)| sentence.contains("woke task 1");
    assert!(!run.0.borrow().1.iter().any(woken), "nobody woke it, and it was not polled");
}

#[test]
fn the_result_of_a_job_leads_back_through_its_thread() {
    let run = Run::of(EventLoop::builder(), async || {
        // The job goes on when the task that awaits it is suspended.
        let (go, wait) = mpsc::channel();
        let job = spawn_blocking(move || wait.recv());
        call_soon(move || go.send(()).unwrap());
        job.await.unwrap().unwrap();
    });
    let poll = |kind: &EventKind| matches!(kind, EventKind::PollBegin { .. });
    let way = ["PollBegin", "Wake", "JobEnd", "JobStart", "JobNew", "PollBegin", "Spawn"];
    assert_eq!(run.back_from(poll), way);
    run.says("Job 0 woke task 0 (main), which joined the ready queue.");
    run.says("Thread oneloop-blocking-1 of the blocking pool started.");
}

#[test]
fn what_another_thread_sends_is_said_to_be_of_that_thread() {
    let run = Run::of(EventLoop::builder(), async || {
        let remote = oneloop::remote();
        let sender = move || remote.spawn(async || ()).wait();
        let thread = std::thread::Builder::new().name("elsewhere".into()).spawn(sender).unwrap();
        spawn_blocking(move || thread.join().unwrap().unwrap()).await.unwrap();
    });
    let events = &run.0.borrow().1;
    let sent =
        events.iter().find(|(_, said)| said.starts_with("Thread elsewhere handed callback 0 to the loop"));
    let (event, said) = sent.expect("the call that starts the task");
    assert_eq!(event.cause, None, "a first cause: {said}");
}

#[test]
fn a_connection_is_told_from_accept_to_close() {
    let run = Run::of(EventLoop::builder(), async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"hello").await.unwrap();
        });
        let stream = TcpStream::connect(address).await.unwrap();
        let mut buffer = [0; 16];
        while stream.read(&mut buffer).await.unwrap() > 0 {}
        server.await.unwrap();
    });
    for sentence in [
        "Source 1 (connection) is connected.",
        "A connection was accepted from source 0 (listener).",
        "Writing to source 2 (connection) moved 5 bytes.",
        "Reading from source 1 (connection) moved 5 bytes.",
        "Reading from source 1 (connection) came to the end: the other side has closed.",
        "Task 1 closed source 2 (connection).",
        "Task 1 closed source 0 (listener).",
        "Task 0 (main) closed source 1 (connection).",
    ] {
        run.says(sentence);
    }
}

#[test]
fn a_main_future_that_did_not_end_is_told_to_be_dropped() {
    let run = Run::default();
    let event_loop = virtual_time().observer(run.clone()).build().unwrap();
    event_loop.call_soon(oneloop::stop);
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        event_loop.run_until_complete(sleep_for_ever());
    }));
    assert!(stopped.is_err(), "the loop was stopped too early");
    run.says("Callback 0 asked the loop to stop after this turn.");
    run.says("The run ended: the loop was stopped.");
    let events = &run.0.borrow().1;
    let dropped =
        |said: &str| said.starts_with("Task 0 (main) ended: it was cancelled, and its future dropped");
    assert!(events.iter().any(|(_, said)| dropped(said)), "{events:#?}");
}

async fn sleep_for_ever() {
    sleep(Duration::MAX).await;
}
