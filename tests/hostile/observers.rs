//! Observers that panic.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use oneloop::trace::{Event, Observer};
use oneloop::{EventLoop, call_later, call_soon, sleep, spawn, stop, yield_now};

use crate::panic_of;
use crate::support::Log;

/// Panics at one event.
struct At(u64);

impl Observer for At {
    fn event(&self, event: &Event) {
        assert!(event.seq != self.0, "an observer went wrong");
    }
}

/// Counts events.
#[derive(Clone, Default)]
struct Count(Rc<Cell<u64>>);

impl Observer for Count {
    fn event(&self, _: &Event) {
        self.0.set(self.0.get() + 1);
    }
}

fn work(event_loop: &EventLoop, log: &Log) {
    for number in 0..3 {
        let log = log.clone();
        drop(event_loop.spawn(async move {
            yield_now().await;
            let inner = spawn(async { sleep(Duration::from_secs(1)).await });
            inner.await.unwrap();
            log.note(format!("task {number}"));
        }));
    }
    let noting = log.clone();
    event_loop.call_later(Duration::from_secs(1), move || noting.note("timer"));
    let noting = log.clone();
    event_loop.call_soon(move || {
        call_later(Duration::from_secs(3), stop);
        call_soon(move || noting.note("soon"));
    });
}

#[test]
fn an_observer_that_panics_ends_the_run_with_its_panic_and_the_next_run_goes_on_with_everything() {
    let count = Count::default();
    let (log, observer) = (Log::default(), count.clone());
    let event_loop = EventLoop::builder().virtual_time().observer(observer).build().unwrap();
    work(&event_loop, &log);
    let before = count.0.get();
    event_loop.run_forever();
    let mut expected = log.lines();
    expected.sort();
    for at in before..count.0.get() {
        let event_loop = EventLoop::builder().virtual_time().observer(At(at)).build().unwrap();
        work(&event_loop, &log);
        assert_eq!(panic_of(|| event_loop.run_forever()), "an observer went wrong", "at event {at}");
        event_loop.call_later(Duration::from_secs(10), stop);
        event_loop.run_forever();
        let mut lines = log.lines();
        lines.sort();
        assert_eq!(lines, expected, "after a panic at event {at}");
    }
}
