//! Chapter 15: plain functions for the loop to call.
//!
//! `call_soon`, `call_later` and `call_at` need no futures and no `await`: this is how a loop is programmed
//! with callbacks alone, and what everything else is built on.
//!
//! Before: `kept.rs`. Next: `wake.rs`, the way of a wake.

use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use crate::callback::Function;
use crate::current;
use crate::ready::Entry;
use crate::state::{State, callback_id};
use crate::trace::event::{CallbackId, Site};

/// The ticket of a callback: cancel it with this. Dropping the ticket changes nothing.
///
/// asyncio's `Handle` and `TimerHandle`.
#[derive(Clone)]
pub struct CallHandle {
    /// Weak, since callbacks may keep their own tickets.
    state: Weak<State>,
    entry: Entry,
}

impl CallHandle {
    #[track_caller]
    pub(crate) fn soon(state: &Rc<State>, function: Function, site: Site) -> CallHandle {
        state.check_open();
        CallHandle { entry: state.call_soon(function, site), state: Rc::downgrade(state) }
    }

    #[track_caller]
    pub(crate) fn at(state: &Rc<State>, at: u64, function: Function, site: Site) -> CallHandle {
        state.check_open();
        CallHandle { entry: state.call_at(at, function, site), state: Rc::downgrade(state) }
    }

    /// Takes the function back uncalled, and its timer out of the wheel. Returns whether there was anything to
    /// cancel: `false` if it was called or cancelled before.
    pub fn cancel(&self) -> bool {
        self.state.upgrade().is_some_and(|state| state.cancel_callback(self.entry))
    }

    /// The callback's number in its loop, as the observers know it.
    pub fn id(&self) -> CallbackId {
        callback_id(self.entry)
    }
}

impl fmt::Debug for CallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.id())
    }
}

/// [`EventLoop::call_soon`](crate::EventLoop::call_soon) on the current loop.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn call_soon(function: impl FnOnce() + 'static) -> CallHandle {
    CallHandle::soon(&current::state(), Box::new(function), Location::caller())
}

/// [`EventLoop::call_later`](crate::EventLoop::call_later) on the current loop.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn call_later(delay: Duration, function: impl FnOnce() + 'static) -> CallHandle {
    let state = current::state();
    let at = state.clock.after(delay);
    CallHandle::at(&state, at, Box::new(function), Location::caller())
}

/// [`EventLoop::call_at`](crate::EventLoop::call_at) on the current loop.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn call_at(deadline: Instant, function: impl FnOnce() + 'static) -> CallHandle {
    let state = current::state();
    let at = state.clock.at(deadline);
    CallHandle::at(&state, at, Box::new(function), Location::caller())
}

/// Whether a loop is running on this thread, so that [`spawn`](crate::spawn), [`sleep`](fn@crate::sleep) and all others
/// have one to use: true in a task, in a callback, and in what a closing loop drops.
///
/// asyncio's `get_running_loop` raises a `RuntimeError` where this is `false`. The loop itself is not given out: what it
/// can do for a program that it runs, free functions do. What can be kept and handed to others is a
/// [`remote`](crate::remote()).
///
/// ```
/// assert!(!oneloop::is_running());
/// oneloop::run(async { assert!(oneloop::is_running()) });
/// ```
pub fn is_running() -> bool {
    !current::is_free()
}

/// [`EventLoop::stop`](crate::EventLoop::stop) for the current loop.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn stop() {
    current::with(|state| state.stop());
}

/// [`EventLoop::time`](crate::EventLoop::time) of the current loop.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub fn time() -> Instant {
    current::with(|state| state.clock.instant(state.clock.now()))
}
