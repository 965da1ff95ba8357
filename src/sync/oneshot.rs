//! Chapter 25, part 14: how does one task hand one value to another?
//!
//! [`channel`] makes a pair. The [`Sender`] sends once and is gone; the [`Receiver`] is a future of the
//! value. This is what asyncio uses a bare `Future` for: a value filled in later, by a task or a callback.
//!
//! ```text
//!   Sender ── send(value) ──▶ slot ──▶ Receiver.await = Ok(value)
//!     └────── dropped ───────▶          Receiver.await = Err(Closed)
//! ```
//!
//! Before: `sync/barrier.rs`. Next: `group/mod.rs`, tasks that belong to a piece of the program.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::current::suspended;
use crate::kept::Kept;
use crate::trace::event::Wait;

/// Makes a sender and a receiver for one value.
///
/// ```
/// let (sender, mut receiver) = oneloop::sync::oneshot::channel();
/// assert_eq!(receiver.try_recv(), Ok(None), "nothing was sent so far");
/// sender.send(42).unwrap();
/// assert_eq!(receiver.try_recv(), Ok(Some(42)));
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Rc::new(RefCell::new(Slot { stage: Stage::Open, waker: None }));
    (Sender { slot: Rc::clone(&slot) }, Receiver { slot })
}

/// What the two ends share.
struct Slot<T> {
    /// How far the hand-over has come.
    stage: Stage<T>,
    /// Who awaits the receiver; `None` if nobody does.
    waker: Option<Kept>,
}

enum Stage<T> {
    /// Both ends live, and nothing was sent.
    Open,
    /// The value is there and waits to be taken.
    Sent(T),
    /// The sender was dropped, or the receiver.
    Closed,
    /// The receiver has had its answer.
    Taken,
}

/// The end that sends.
#[must_use = "a sender that is dropped tells the receiver that nothing will come"]
pub struct Sender<T> {
    slot: Rc<RefCell<Slot<T>>>,
}

impl<T> Sender<T> {
    /// Hands the value over and wakes whoever awaits it.
    ///
    /// # Errors
    /// Gives the value back if the receiver was dropped.
    pub fn send(self, value: T) -> Result<(), T> {
        if self.is_closed() {
            return Err(value);
        }
        self.settle(Stage::Sent(value));
        Ok(())
    }

    /// Whether the receiver was dropped: nobody wants the value any more.
    pub fn is_closed(&self) -> bool {
        matches!(self.slot.borrow().stage, Stage::Closed)
    }

    /// Leaves the stage `Open`, which only happens once.
    fn settle(&self, stage: Stage<T>) {
        let mut slot = self.slot.borrow_mut();
        let waker = if matches!(slot.stage, Stage::Open) {
            slot.stage = stage;
            slot.waker.take()
        } else {
            None
        };
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.settle(Stage::Closed);
    }
}

/// The end that receives: a future of the value.
///
/// # Errors
/// [`Closed`] if the sender was dropped without sending.
///
/// # Panics
/// If it is polled again after it has returned.
///
/// # Cancellation
/// A value that was sent and not received is dropped with the receiver. Await it by `&mut` to keep it.
#[must_use = "futures do nothing unless awaited"]
pub struct Receiver<T> {
    slot: Rc<RefCell<Slot<T>>>,
}

impl<T> Receiver<T> {
    /// Takes the value if it has been sent; `Ok(None)` means not yet.
    ///
    /// # Errors
    /// [`Closed`] if no value will come: the sender was dropped without sending, or the value was taken
    /// before.
    pub fn try_recv(&mut self) -> Result<Option<T>, Closed> {
        let mut slot = self.slot.borrow_mut();
        match slot.stage {
            Stage::Open => Ok(None),
            Stage::Sent(_) => match std::mem::replace(&mut slot.stage, Stage::Taken) {
                Stage::Sent(value) => Ok(Some(value)),
                _ => Err(Closed),
            },
            Stage::Closed | Stage::Taken => Err(Closed),
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.slot.borrow_mut();
        match std::mem::replace(&mut slot.stage, Stage::Taken) {
            Stage::Open => slot.stage = Stage::Open,
            Stage::Sent(value) => return Poll::Ready(Ok(value)),
            Stage::Closed => return Poll::Ready(Err(Closed)),
            Stage::Taken => panic!("a oneshot `Receiver` was polled after it had returned: await it once"),
        }
        let kept = slot.waker.as_ref().is_some_and(|kept| kept.will_wake(cx.waker()));
        let replaced = if kept { None } else { slot.waker.replace(Kept::new(cx.waker())) };
        drop(slot);
        drop(replaced);
        suspended(Wait::Receive, Location::caller());
        Poll::Pending
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut slot = self.slot.borrow_mut();
        let unread = std::mem::replace(&mut slot.stage, Stage::Closed);
        let waker = slot.waker.take();
        drop(slot);
        drop((unread, waker));
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = matches!(self.slot.borrow().stage, Stage::Sent(_));
        f.debug_struct("Receiver").field("sent", &sent).finish_non_exhaustive()
    }
}

/// The sender of a [`channel`] was dropped without sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sender was dropped without sending a value")
    }
}

impl Error for Closed {}
