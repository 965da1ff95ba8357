//! Chapter 25, part 12: how do many tasks wait for one thing to happen?
//!
//! An [`Event`] is a flag that tasks can wait for. Setting it releases all that wait at that moment, and a
//! task that was released goes on even if the flag is cleared again before it runs. A flag alone would not
//! do that: the task would look, find it cleared, and sleep on.
//!
//! ```text
//!   A waits, B waits, set, clear, C waits, then the loop runs: A and B go on, C waits for the next set
//! ```
//!
//! Before: `sync/condition.rs`. Next: `sync/barrier.rs`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::waiters::{Ticket, Waiters, suspended_in};
use crate::trace::event::Wait;

/// A flag that tasks of one thread can wait for; asyncio's `Event`. A clone is another handle to it.
///
/// ```
/// use oneloop::sync::Event;
///
/// let ready = Event::new();
/// let same = ready.clone();
/// ready.set();
/// assert!(same.is_set());
/// ```
#[derive(Clone)]
pub struct Event {
    /// What all handles of one event share.
    state: Rc<State>,
}

struct State {
    /// Whether a newcomer need not wait.
    set: Cell<bool>,
    /// Those who wait, and those who were released and have not run yet.
    waiters: RefCell<Waiters>,
}

impl Event {
    /// Makes an event that is not set.
    pub fn new() -> Self {
        let state = State { set: Cell::new(false), waiters: RefCell::new(Waiters::new()) };
        Self { state: Rc::new(state) }
    }

    /// Sets the flag and releases all that wait, in the order in which they came.
    pub fn set(&self) {
        self.state.set.set(true);
        let after = self.state.waiters.borrow_mut().grant_all();
        after.run();
    }

    /// Clears the flag: who waits from now on, waits for the next [`set`](Self::set).
    pub fn clear(&self) {
        self.state.set.set(false);
    }

    /// Whether the flag is set.
    pub fn is_set(&self) -> bool {
        self.state.set.get()
    }

    /// Waits until the flag is set; returns at once if it is.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn wait(&self) -> EventWait<'_> {
        EventWait { event: self, ticket: None }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.is_set()).finish_non_exhaustive()
    }
}

/// The future of [`Event::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct EventWait<'a> {
    event: &'a Event,
    /// Its place among those who wait; `None` if it does not.
    ticket: Option<Ticket>,
}

impl Future for EventWait<'_> {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { event, ticket } = &mut *self;
        if ticket.is_none() && event.is_set() {
            return Poll::Ready(());
        }
        let (poll, after) = event.state.waiters.borrow_mut().wait(ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended_in(Wait::Event, Location::caller(), || {
                event.state.waiters.borrow().place(ticket.as_ref())
            });
        }
        poll
    }
}

impl Drop for EventWait<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let after = self.event.state.waiters.borrow_mut().forget(ticket);
            after.run();
        }
    }
}

impl fmt::Debug for EventWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}
