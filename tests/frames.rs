//! The chains of awaits that a watched loop tells at the level `frame`.

#[path = "support/recorder.rs"]
mod recorder;

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use oneloop::sync::oneshot;
use oneloop::trace::{Event, EventKind as E, Level, Place, TaskId};
use oneloop::{EventLoop, race, sleep, spawn, yield_now};
use recorder::Recorder;

/// The events of a run in virtual time, at the level `frame`.
fn watched<F: Future>(future: F) -> Vec<Event> {
    let recorder = Recorder::default();
    let builder = EventLoop::builder().virtual_time().record_level(Level::Frame);
    let event_loop = builder.observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(future);
    recorder.events()
}

/// The chains of a task, as lines of this file.
fn chains(events: &[Event], wanted: u64) -> Vec<Vec<u32>> {
    let chains = events.iter().filter_map(|event| match &event.kind {
        E::Chain { task, frames } if *task == TaskId(wanted) => Some(frames.places()),
        _ => None,
    });
    let line = |place: &Place| {
        assert_eq!(place.file, file!(), "{place}");
        place.line
    };
    chains.map(|places| places.iter().map(line).collect()).collect()
}

/// Lines, by the order in which they were passed.
#[derive(Clone, Default)]
struct Lines(Rc<Cell<[u32; 4]>>);

impl Lines {
    fn is(&self, index: usize, line: u32) {
        let mut lines = self.0.get();
        lines[index] = line;
        self.0.set(lines);
    }

    fn get(&self, indexes: &[usize]) -> Vec<u32> {
        indexes.iter().map(|index| self.0.get()[*index]).collect()
    }
}

async fn outer(lines: Lines) {
    lines.is(0, line!() + 1);
    inner(&lines).await;
    lines.is(2, line!() + 1);
    inner(&lines).await;
}

async fn inner(lines: &Lines) {
    lines.is(1, line!() + 1);
    sleep(Duration::from_secs(1)).await;
}

#[test]
fn a_chain_goes_from_the_spawned_future_to_the_line_that_waits() {
    let lines = Lines::default();
    let events = watched(outer(lines.clone()));
    let told = chains(&events, 0);
    assert_eq!(told, [lines.get(&[0, 1]), lines.get(&[2, 1])], "the same line, through two others");
    let ends = events.iter().filter_map(|event| match event.kind {
        E::PollEnd { suspended: Some((_, place)), .. } => place,
        _ => None,
    });
    let last = events.iter().filter_map(|event| match &event.kind {
        E::Chain { frames, .. } => frames.places().last().copied(),
        _ => None,
    });
    assert_eq!(last.collect::<Vec<_>>(), ends.collect::<Vec<_>>(), "to the column");
}

#[test]
fn a_chain_is_told_before_the_poll_ends_and_once_as_long_as_it_is_the_same() {
    let events = watched(async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    let index = events.iter().position(|event| matches!(event.kind, E::Chain { .. })).unwrap();
    assert!(matches!(events[index - 1].kind, E::Wake { .. }), "{:?}", events[index - 1]);
    assert!(matches!(events[index + 1].kind, E::PollEnd { .. }), "{:?}", events[index + 1]);
    assert_eq!(chains(&events, 0).len(), 1);
}

#[test]
fn what_lies_beyond_the_poll_is_none_of_the_tasks() {
    let mut line = 0;
    let events = watched(async {
        // The main future is on the stack under whatever it spawns, but not while that is polled.
        let task = spawn(async {
            yield_now().await;
            line!() - 1
        });
        line = task.await.unwrap();
    });
    assert_eq!(chains(&events, 1), [[line]]);
}

#[test]
fn futures_written_by_hand_are_part_of_a_chain() {
    let mut line = 0;
    let events = watched(async {
        let mut inner = pin!(yield_now());
        line = line!() + 1;
        poll_fn(|context| inner.as_mut().poll(context)).await;
    });
    assert_eq!(chains(&events, 0), [[line]]);
}

#[test]
fn of_several_futures_each_is_told_and_the_chain_is_of_the_one_that_polls_them() {
    let lines = Lines::default();
    let own = lines.clone();
    let events = watched(async move {
        let (send, receive) = oneshot::channel::<()>();
        let wait = async {
            own.is(0, line!() + 1);
            assert!(receive.await.is_err());
        };
        own.is(2, line!() + 1);
        race(wait, inner(&own)).await;
        drop(send);
    });
    assert_eq!(chains(&events, 0), [lines.get(&[2])]);
    let waits = events.iter().filter_map(|event| match event.kind {
        E::LeafWait { site, .. } => Some(site.line),
        _ => None,
    });
    assert_eq!(waits.collect::<Vec<_>>(), lines.get(&[0, 1]));
}

#[test]
fn a_future_that_does_not_say_where_it_waits_has_no_chain() {
    let events = watched(async {
        let mut polled = false;
        poll_fn(|context| match std::mem::replace(&mut polled, true) {
            true => Poll::Ready(()),
            false => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
        yield_now().await;
    });
    assert_eq!(chains(&events, 0).len(), 1);
}
