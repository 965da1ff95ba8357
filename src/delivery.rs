//! Chapter 9: a value on its way from another thread.
//!
//! What a thread has worked out must come to the task that awaits it. A [`Delivery`] is one place for one value,
//! behind a mutex, and beside it the waker of whoever waits:
//!
//! ```text
//!   thread:  Deliver::send(value) ──▶ Here(value), and the waker is woken
//!            Deliver dropped ───────▶ Here(Cancelled), likewise
//!   task:    Delivery::poll ──▶ Coming(waker): Pending      Here: the value, once
//! ```
//!
//! Before: `reactor/side.rs`. Next: `pool.rs`, threads that may block.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::task::JoinError;

/// A value on its way from another thread, and the waker of whoever waits for it.
pub(crate) struct Delivery<T>(Arc<Mutex<Parcel<T>>>);

/// The sending end. Dropped without sending, it delivers `Cancelled`.
pub(crate) struct Deliver<T>(Option<Delivery<T>>);

enum Parcel<T> {
    /// Not there yet; whom to wake (`None`: nobody waits yet).
    Coming(Option<Waker>),
    /// There.
    Here(Result<T, JoinError>),
    /// Handed over.
    Taken,
}

/// A pair of ends for one value.
pub(crate) fn delivery<T>() -> (Deliver<T>, Delivery<T>) {
    let parcel = Arc::new(Mutex::new(Parcel::Coming(None)));
    (Deliver(Some(Delivery(Arc::clone(&parcel)))), Delivery(parcel))
}

impl<T> Deliver<T> {
    /// Hands the value over and wakes whoever waits for it.
    pub(crate) fn send(mut self, value: Result<T, JoinError>) {
        self.deliver(value);
    }

    fn deliver(&mut self, value: Result<T, JoinError>) {
        let Some(Delivery(parcel)) = self.0.take() else { return };
        let before = std::mem::replace(&mut *lock(&parcel), Parcel::Here(value));
        if let Parcel::Coming(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Drop for Deliver<T> {
    fn drop(&mut self) {
        self.deliver(Err(JoinError::Cancelled));
    }
}

impl<T> Delivery<T> {
    /// The value, once it is there; until then the latest waker is kept.
    ///
    /// # Panics
    /// When polled again after it handed the value over.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        // Declared first, dropped last: a waker's drop may run the user's code.
        let mut _before = None;
        let mut parcel = lock(&self.0);
        match &mut *parcel {
            Parcel::Coming(Some(waker)) if waker.will_wake(cx.waker()) => {}
            Parcel::Coming(waker) => _before = waker.replace(cx.waker().clone()),
            Parcel::Here(_) => {}
            Parcel::Taken => {
                panic!("this handle has given its result already: do not await it a second time")
            }
        }
        match std::mem::replace(&mut *parcel, Parcel::Taken) {
            Parcel::Here(value) => Poll::Ready(value),
            coming => {
                *parcel = coming;
                Poll::Pending
            }
        }
    }

    /// Blocks this thread until the value is there.
    ///
    /// # Panics
    /// When it has handed the value over already.
    pub(crate) fn wait(&self) -> Result<T, JoinError> {
        let waker = Waker::from(Arc::new(Blocked(thread::current())));
        loop {
            match self.poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return value,
                // Ends at once if the waker was woken meanwhile.
                Poll::Pending => thread::park(),
            }
        }
    }

    /// Whether the value is there, or was handed over.
    pub(crate) fn is_finished(&self) -> bool {
        !matches!(*lock(&self.0), Parcel::Coming(_))
    }
}

/// A thread that waits for a value, as a waker.
struct Blocked(Thread);

impl Wake for Blocked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn lock<T>(parcel: &Mutex<Parcel<T>>) -> MutexGuard<'_, Parcel<T>> {
    parcel.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("finished", &self.is_finished()).finish()
    }
}
