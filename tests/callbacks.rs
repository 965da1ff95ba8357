//! Plain functions: called once, cancelled, panicking.

mod support;

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oneloop::net::UnixStream;
use oneloop::trace::{Event, Observer};
use oneloop::{CallHandle, EventLoop, call_at, call_later, call_soon, sleep, time, yield_now};
use support::{Log, virtual_loop};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_callback_is_called_once_and_its_time_is_its_deadline() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let start = event_loop.time();
    let at = |line: &'static str| {
        let log = log.clone();
        move || log.note(format!("{line} at {:?}", time() - start))
    };
    event_loop.call_later(3 * SECOND, at("later"));
    event_loop.call_at(start + 2 * SECOND, at("at"));
    event_loop.call_soon(at("soon"));
    event_loop.run_until_complete(async { sleep(10 * SECOND).await });
    assert_eq!(log.lines(), ["soon at 0ns", "at at 2s", "later at 3s"]);
}

#[test]
fn cancelling_takes_the_function_back_and_the_timer_out_of_the_wheel() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let owned = Rc::new(());
    let keep = || {
        let (log, owned) = (log.clone(), Rc::clone(&owned));
        move || log.note(format!("called {owned:?}"))
    };
    let tickets = [
        event_loop.call_soon(keep()),
        event_loop.call_later(SECOND, keep()),
        event_loop.call_at(event_loop.time() + SECOND, keep()),
    ];
    assert_eq!(Rc::strong_count(&owned), 4);
    for ticket in &tickets {
        assert!(ticket.cancel());
        assert!(!ticket.cancel(), "cancelled before");
    }
    assert_eq!(Rc::strong_count(&owned), 1, "what the functions owned is dropped at once");
    assert!(format!("{event_loop:?}").contains("timers: 0"), "{event_loop:?}");
    event_loop.run_until_complete(async { sleep(2 * SECOND).await });
    assert_eq!(log.lines(), [""; 0]);
}

#[test]
fn a_late_ticket_does_not_cancel_the_next_callback_in_the_same_slot() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    event_loop.run_until_complete(async {
        let first = call_soon(|| ());
        yield_now().await;
        yield_now().await;
        let noted = log.clone();
        let second = call_soon(move || noted.note("second"));
        assert!(!first.cancel(), "it was called");
        assert_ne!(first.id(), second.id());
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(log.lines(), ["second"]);
}

#[test]
fn a_callback_may_cancel_another_that_is_due_in_the_same_turn() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    event_loop.run_until_complete(async {
        let other: Rc<RefCell<Option<CallHandle>>> = Rc::default();
        let (inner, noted) = (Rc::clone(&other), log.clone());
        call_later(SECOND, move || noted.note(format!("cancelled: {}", inner.take().unwrap().cancel())));
        let noted = log.clone();
        other.replace(Some(call_later(SECOND, move || noted.note("never"))));
        sleep(2 * SECOND).await;
    });
    assert_eq!(log.lines(), ["cancelled: true"]);
}

#[test]
fn a_callback_that_cancels_itself_has_been_called_already() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let own: Rc<RefCell<Option<CallHandle>>> = Rc::default();
        let (inner, noted) = (Rc::clone(&own), log.clone());
        let ticket = call_at(time(), move || noted.note(inner.take().unwrap().cancel().to_string()));
        own.replace(Some(ticket));
        sleep(SECOND).await;
    });
    assert_eq!(log.lines(), ["false"]);
}

#[test]
fn a_panic_in_a_callback_does_not_stop_the_loop() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let noted = log.clone();
    event_loop.call_soon(|| panic!("a callback went wrong"));
    event_loop.call_soon(move || noted.note("the next one"));
    event_loop.run_until_complete(async {});
    assert_eq!(log.lines(), ["the next one"]);
}

#[test]
fn a_ticket_may_outlive_its_loop() {
    let event_loop = virtual_loop();
    let ticket = event_loop.call_later(SECOND, || ());
    drop(event_loop);
    assert!(!ticket.cancel());
    assert!(format!("{ticket:?}").contains("callback 0"), "{ticket:?}");
}

#[test]
fn what_a_cancelled_function_owned_may_use_the_loop_when_it_is_dropped() {
    struct Late(Log);
    impl Drop for Late {
        fn drop(&mut self) {
            let log = self.0.clone();
            call_soon(move || log.note("from the drop"));
        }
    }
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let late = Late(log.clone());
        assert!(call_later(SECOND, move || drop(late)).cancel());
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(log.lines(), ["from the drop"]);
}

#[test]
fn a_callback_may_use_a_socket_before_any_task_was_polled() {
    for event_loop in [EventLoop::new().unwrap(), watched_loop()] {
        let written = Rc::new(RefCell::new(None));
        let result = Rc::clone(&written);
        event_loop.call_soon(move || {
            let (one, _other) = UnixStream::pair().unwrap();
            let poll = pin!(one.write(b"four")).poll(&mut Context::from_waker(Waker::noop()));
            *result.borrow_mut() = Some(poll.map(Result::ok));
        });
        event_loop.run_until_complete(async {});
        assert_eq!(written.take(), Some(Poll::Ready(Some(4))));
    }
}

fn watched_loop() -> EventLoop {
    struct Nobody;
    impl Observer for Nobody {
        fn event(&self, _: &Event) {}
    }
    EventLoop::builder().observer(Nobody).build().unwrap()
}
