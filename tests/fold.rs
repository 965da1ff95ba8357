//! The state of a loop as a fold of its events: it agrees with what the loop says of itself, and with any other way of
//! folding the same events.

#[path = "support/recorder.rs"]
mod recorder;

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use oneloop::trace::fold::{History, Stand, World, slot};
use oneloop::trace::read::Recording;
use oneloop::trace::{Actor, Event, EventKind as E, Ready, TaskId, Wait};
use oneloop::{
    EventLoop, call_later, call_soon, gather, sleep, spawn, spawn_blocking, spawn_named, yield_now,
};
use proptest::prelude::*;
use recorder::Recorder;

/// The events of a run with some of everything.
fn run() -> Vec<Event> {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let peer = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello").unwrap());
    event_loop.run_until_complete(async move {
        let sleeper = spawn_named("sleeper", sleep(Duration::from_secs(3_600)));
        call_later(Duration::from_millis(5), || {});
        call_soon(|| drop(spawn(yield_now())));
        for _ in 0..20 {
            gather((0..5).map(|number| sleep(Duration::from_millis(7 * number)))).await;
        }
        assert_eq!(spawn_blocking(|| 42).await.unwrap(), 42);
        let stream = oneloop::net::TcpStream::connect(address).await.unwrap();
        let mut bytes = [0; 8];
        assert_eq!(stream.read(&mut bytes).await.unwrap(), 5);
        sleeper.cancel();
        _ = sleeper.await;
        drop(spawn(sleep(Duration::from_secs(1))));
        yield_now().await;
    });
    peer.join().unwrap();
    recorder.events()
}

fn fold(events: &[Event]) -> World {
    let mut world = World::new();
    events.iter().for_each(|event| world.apply(event));
    world
}

#[test]
fn at_each_turn_it_agrees_with_what_the_loop_says_of_itself() {
    let (mut world, mut turns) = (World::new(), 0);
    for event in run() {
        if let E::TurnBegin { ready, timers, sources, jobs, .. } = event.kind {
            // The mark at which the run ends is nothing to run.
            let to_run = world.ready.iter().filter(|entry| *entry != Ready::RunEnd).count();
            assert_eq!(to_run, ready, "ready, event {}: {:?}", event.seq, world.ready);
            assert_eq!(world.timers.len(), timers, "timers, event {}", event.seq);
            assert!(world.sources.len() >= sources, "sources, event {}", event.seq);
            // A thread tells that a job has ended, and then that it is done with it: two things, which may come apart.
            assert!(world.jobs.len() + 1 >= jobs, "jobs, event {}", event.seq);
            turns += 1;
        }
        world.apply(&event);
    }
    assert!(turns > 20);
    assert_eq!((world.tasks.len(), world.sources.len(), world.jobs.len()), (1, 0, 0), "{world:#?}");
}

#[test]
fn the_place_of_a_timer_is_the_one_the_wheel_gave_it() {
    let (mut world, mut placed) = (World::new(), 0);
    for event in run() {
        world.apply(&event);
        if let E::TimerArm { at, place, .. } = event.kind {
            assert_eq!(slot(at, world.looked), place, "{event:?}");
            placed += usize::from(place.is_some());
        }
    }
    assert!(placed > 50);
    let ms = Duration::from_millis;
    assert_eq!(slot(ms(120), ms(100)), Some((0, 56)));
    assert_eq!(slot(ms(1_000), ms(100)), Some((1, 15)));
    assert_eq!(slot(ms(10_000), ms(100)), Some((2, 2)));
    assert_eq!(slot(ms(100), ms(100)), None);
    assert_eq!(slot(Duration::MAX, Duration::ZERO).map(|(level, _)| level), Some(7));
}

#[test]
fn a_task_is_followed_from_its_spawning_to_its_end() {
    let (mut world, mut stands) = (World::new(), Vec::new());
    for event in run() {
        world.apply(&event);
        let stand =
            world.tasks.get(&TaskId(1)).map(|task| (task.stand, task.suspended.map(|(wait, _)| wait)));
        if stands.last() != Some(&stand) {
            stands.push(stand);
        }
    }
    let sleep = Some(Wait::Sleep);
    assert_eq!(
        stands,
        [
            None,
            Some((Stand::Ready, None)),
            Some((Stand::Running, None)),
            Some((Stand::Suspended, sleep)),
            // Cancelled: dropped at its next turn.
            Some((Stand::Ready, sleep)),
            None,
        ]
    );
}

#[test]
fn what_is_first_in_the_queue_is_what_runs_next() {
    let (mut world, mut run_next) = (World::new(), 0);
    for event in run() {
        let next = match event.kind {
            E::PollBegin { task, .. } => Some(Ready::Task(task)),
            E::CallbackBegin { callback } => Some(Ready::Callback(callback)),
            _ => None,
        };
        if next.is_some() {
            assert_eq!(world.ready.iter().next(), next, "event {}", event.seq);
            run_next += 1;
        }
        world.apply(&event);
    }
    assert!(run_next > 50);
}

#[test]
fn a_run_is_gone_through_backwards_as_well() {
    let events = long(5_000);
    let mut history = History::new(events.clone());
    let mut there = Vec::new();
    while let Some(sentence) = history.forward() {
        there.push((sentence, history.world().clone()));
    }
    assert!(history.is_at_end());
    for at in (1..=events.len()).rev() {
        history.go(at - 1);
        let sentence = history.forward();
        assert_eq!(
            (sentence, history.world()),
            (Some(there[at - 1].0.clone()), &there[at - 1].1),
            "event {at}"
        );
    }
}

#[test]
fn what_was_let_go_is_in_no_moment_after_it() {
    let events = long(9_000);
    let mut history = History::new(Vec::new());
    let mut gone = 0;
    for event in &events {
        history.push(event.clone());
        assert!(history.pass(), "it has just come");
        if history.events().len() > 4_000 {
            gone += history.forget(1_000);
        }
    }
    assert!((5_000..9_000).contains(&gone), "{gone} events were let go");
    assert_eq!(history.forgotten(), Some(events[gone - 1].seq));
    for at in [events.len(), gone, gone + 777, gone + 1_500, gone + 1_499, gone + 3] {
        history.go(at - gone);
        assert_eq!((history.at() + gone, history.world()), (at, &fold(&events[..at])));
    }
    history.go(0);
    assert_eq!(history.forget(1), 0, "what is looked at stays");
}

/// The run again and again, numbered on, with tasks that never end in between.
fn long(least: usize) -> Vec<Event> {
    let (once, mut events) = (run(), Vec::new());
    while events.len() < least {
        let gone = events.len() as u64;
        events.extend(once.iter().cloned().map(|mut event| {
            event.seq += gone;
            event
        }));
    }
    events
}

#[test]
fn a_recording_that_begins_in_the_middle_is_taken_as_found() {
    let events = run();
    for start in 0..events.len() {
        let world = fold(&events[start..]);
        assert!(world.tasks.len() <= 7, "{} tasks are left, from event {start}", world.tasks.len());
        assert!(world.ready.is_empty() || world.end.is_none(), "from event {start}: {:?}", world.ready);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// However it is come to, a moment is the fold of the events before it.
    #[test]
    fn going_anywhere_gives_the_fold_of_the_events_before(places in prop::collection::vec(0.0..=1.0, 1..12)) {
        let events = long(3_000);
        let mut history = History::new(events.clone());
        for place in places {
            let at = (place * events.len() as f64) as usize;
            history.go(at);
            prop_assert_eq!(history.at(), at);
            prop_assert_eq!(history.world(), &fold(&events[..at]));
        }
    }

    /// Events that make no sense, in no order, do no harm.
    #[test]
    fn any_events_in_any_order_are_folded(order in prop::collection::vec(any::<prop::sample::Index>(), 0..400)) {
        let events = run();
        let shuffled: Vec<Event> = order.iter().map(|index| index.get(&events).clone()).collect();
        let world = fold(&shuffled);
        prop_assert!(world.size() <= 2 * shuffled.len());
        let mut history = History::new(shuffled);
        while history.forward().is_some() {}
        prop_assert_eq!(history.world(), &world);
    }
}

#[test]
fn of_thousands_that_a_recording_has_one_task_await_and_hold_the_first_are_kept() {
    let site = r#"{"k":"site","id":1,"file":"a.rs","line":1,"col":1}"#;
    let mut lines = vec![String::from(r#"{"k":"oneloop","v":1}"#), site.into()];
    for n in 0..10_000 {
        let what = match n % 2 {
            0 => format!(r#""k":"join_wait","task":{},"by":{{"task":1}},"site":1"#, n + 2),
            _ => format!(r#""k":"permit_take","line":1,"by":{{"task":{}}}"#, n + 2),
        };
        lines.push(format!(r#"{{"n":{n},"t":0,{what}}}"#));
    }
    let recording = Recording::read(lines.join("\n").as_bytes()).unwrap();
    assert!(recording.warnings().is_empty(), "{:?}", recording.warnings());
    let mut world = World::new();
    recording.events.iter().for_each(|event| world.apply(event));
    let awaits = &world.tasks[&TaskId(1)].awaits;
    assert_eq!((awaits.len(), awaits[0], awaits[4_095]), (4_096, TaskId(2), TaskId(8_192)));
    let holders = &world.lines.values().next().unwrap().holders;
    assert_eq!((holders.len(), &holders[4_095]), (4_096, &Actor::Task(TaskId(8_193))));
}
