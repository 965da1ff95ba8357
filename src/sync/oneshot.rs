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
//! To an observer it is a line in which one stands at most: the receiver, once it has to wait.
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

use super::waiters::suspended_in;
use crate::current;
use crate::kept::Kept;
use crate::state::State;
use crate::trace::event::{EventKind, LineId, Site, Wait};

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

/// The number that a watched loop has for the receiver in its line: there is no other.
const TICKET: usize = 0;

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
            tell(&self.slot, |state, line| {
                let by = state.seam.actor();
                state.tell(|| EventKind::LineGrant { line, ticket: TICKET, by });
            });
            waker.wake();
        }
    }
}

/// Where the shared slot lies in memory, which names the line as long as there is a receiver.
fn address<T>(slot: &RefCell<Slot<T>>) -> usize {
    std::ptr::from_ref(slot).addr()
}

/// Tells a watched loop of the line, if the receiver has ever stood in it.
fn tell<T>(slot: &RefCell<Slot<T>>, event: impl FnOnce(&State, LineId)) {
    current::if_watched(|state| {
        if let Some(line) = state.seam.known_line(address(slot)) {
            event(state, line);
        }
    });
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
        if matches!(self.slot.borrow().stage, Stage::Closed) {
            return Err(Closed);
        }
        match self.take() {
            Stage::Open => Ok(None),
            Stage::Sent(value) => Ok(Some(value)),
            Stage::Closed | Stage::Taken => Err(Closed),
        }
    }

    /// The stage, which afterwards is `Taken`, unless nothing has come so far.
    fn take(&mut self) -> Stage<T> {
        let mut slot = self.slot.borrow_mut();
        let stage = std::mem::replace(&mut slot.stage, Stage::Taken);
        match stage {
            Stage::Open => slot.stage = Stage::Open,
            Stage::Taken => {}
            Stage::Sent(_) | Stage::Closed => {
                drop(slot);
                self.leave(true);
            }
        }
        stage
    }

    /// One poll, for a future that calls what it waits for, and where, by other names.
    pub(crate) fn poll_for(
        &mut self,
        cx: &mut Context<'_>,
        wait: Wait,
        site: Site,
    ) -> Poll<Result<T, Closed>> {
        match self.take() {
            Stage::Open => {}
            Stage::Sent(value) => return Poll::Ready(Ok(value)),
            Stage::Closed => return Poll::Ready(Err(Closed)),
            Stage::Taken => {
                panic!("this handle or `Receiver` has given its value already: do not await it a second time")
            }
        }
        let mut slot = self.slot.borrow_mut();
        let kept = slot.waker.as_ref().is_some_and(|kept| kept.will_wake(cx.waker()));
        let replaced = if kept { None } else { slot.waker.replace(Kept::new(cx.waker())) };
        drop(slot);
        drop(replaced);
        suspended_in(wait, site, || Some((address(&self.slot), TICKET)));
        Poll::Pending
    }

    /// Does not stand in the line any more. `served`: because something has come.
    fn leave(&self, served: bool) {
        tell(&self.slot, |state, line| {
            state.seam.forget_line(address(&self.slot));
            let by = state.seam.actor();
            state.tell(|| EventKind::LineLeave { line, ticket: TICKET, served, by });
        });
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_for(cx, Wait::Receive, Location::caller())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut slot = self.slot.borrow_mut();
        let unread = std::mem::replace(&mut slot.stage, Stage::Closed);
        let waker = slot.waker.take();
        drop(slot);
        self.leave(false);
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
