//! Chapter 25, part 8: how do at most so many tasks do something at once?
//!
//! A [`Semaphore`] holds a number of permits. Who wants to go on takes one, and waits if there is none; who
//! has finished gives it back. The order is strict: while anybody stands in the line, a newcomer joins it,
//! even if there is a permit for both.
//!
//! ```text
//!   permits: 1   A acquires                        permits: 0   line: –
//!                B acquires, C acquires            permits: 0   line: B C
//!                A releases twice, by mistake      permits: 0   line: B* C*   (* granted, woken)
//!                D acquires                        permits: 0   line: B* C* D
//!                B is cancelled: its permit goes on to D        line: C* D*
//! ```
//!
//! A permit that is granted is subtracted at once, so it cannot be given to anybody else; what is left to
//! a waiter that is granted is to take note of it.
//!
//! Before: `sync/queue/waits.rs`. Next: `sync/bounded.rs`.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::waiters::{After, Redeemed, Stage, Ticket, Waiters, suspended_in};
use crate::current;
use crate::kept::Kept;
use crate::trace::event::{EventKind, Site, Wait};

/// A number of permits that tasks of one thread share; asyncio's `Semaphore`. A clone is another handle.
///
/// ```
/// use oneloop::sync::Semaphore;
///
/// let semaphore = Semaphore::new(1);
/// let permit = semaphore.try_acquire().unwrap();
/// assert!(semaphore.try_acquire().is_none(), "there was one permit");
/// drop(permit);
/// assert_eq!(semaphore.available(), 1);
/// ```
#[derive(Clone)]
pub struct Semaphore {
    /// What all handles of one semaphore share.
    state: Rc<RefCell<State>>,
}

struct State {
    /// How many permits nobody holds and nobody was granted.
    permits: usize,
    /// How many permits were forgotten, and have not been given back by hand.
    forgotten: usize,
    /// Those who wait for a permit, and those to whom one was granted.
    waiters: Waiters,
}

impl Semaphore {
    /// Makes a semaphore with so many permits. With 0, everybody waits for the first
    /// [`add_permits`](Self::add_permits).
    pub fn new(permits: usize) -> Self {
        let state = State { permits, forgotten: 0, waiters: Waiters::new() };
        Self { state: Rc::new(RefCell::new(state)) }
    }

    /// Takes a permit, and waits for one if there is none or if others wait.
    ///
    /// # Cancellation
    /// Dropped before it returned, it has taken nothing: a permit that was granted to it goes to the next
    /// that waits.
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire { semaphore: self, ticket: None }
    }

    /// Takes a permit if there is one now and nobody waits.
    pub fn try_acquire(&self) -> Option<Permit> {
        let taken = self.state.borrow_mut().take();
        taken.then(|| self.permit())
    }

    /// Gives back one permit that was taken with [`Permit::forget`], or adds one; asyncio's `release`.
    ///
    /// # Panics
    /// If there were more than `usize::MAX` permits then.
    #[track_caller]
    pub fn release(&self) {
        self.add_permits(1);
    }

    /// Adds permits. Those who wait are granted theirs in the order in which they came.
    ///
    /// # Panics
    /// If there were more than `usize::MAX` permits then.
    #[track_caller]
    pub fn add_permits(&self, permits: usize) {
        let mut state = self.state.borrow_mut();
        state.forgotten = state.forgotten.saturating_sub(permits);
        drop(state);
        self.give_back(permits);
    }

    /// Permits come back, or are new.
    #[track_caller]
    fn give_back(&self, permits: usize) {
        let mut state = self.state.borrow_mut();
        state.permits = state
            .permits
            .checked_add(permits)
            .expect("a semaphore cannot hold more than `usize::MAX` permits: add fewer");
        drop(state);
        // One borrow for each wake: no list of wakers has to be made.
        while let Some(waker) = self.settle() {
            waker.wake();
        }
    }

    /// How many permits nobody holds.
    pub fn available(&self) -> usize {
        self.state.borrow().permits
    }

    /// Whether a newcomer would have to wait; asyncio's `locked`.
    pub fn is_locked(&self) -> bool {
        !self.state.borrow().open_to_newcomers()
    }

    /// How many permits were forgotten, and have not been given back by hand.
    pub(super) fn forgotten(&self) -> usize {
        self.state.borrow().forgotten
    }

    fn permit(&self) -> Permit {
        self.tell_permit(true);
        Permit { semaphore: Some(self.clone()) }
    }

    /// Tells a watched loop that a permit was taken, or is not held any more.
    #[inline]
    fn tell_permit(&self, taken: bool) {
        current::if_watched(|state| {
            let line = state.seam.line(self.state.borrow().waiters.address());
            let by = state.seam.actor();
            state.tell(|| match taken {
                true => EventKind::PermitTake { line, by },
                false => EventKind::PermitRelease { line, by },
            });
        });
    }

    fn settle(&self) -> Option<Kept> {
        self.state.borrow_mut().settle()
    }
}

impl State {
    /// Whether somebody who has not waited may take a permit.
    #[inline]
    fn open_to_newcomers(&self) -> bool {
        self.permits > 0 && self.waiters.is_empty()
    }

    /// Takes a permit for a newcomer.
    #[inline]
    fn take(&mut self) -> bool {
        let open = self.open_to_newcomers();
        if open {
            self.permits -= 1;
        }
        open
    }

    /// Grants a permit, if there is one, to the first that waits.
    #[inline]
    fn settle(&mut self) -> Option<Kept> {
        if self.permits == 0 {
            return None;
        }
        let waker = self.waiters.grant_first()?;
        self.permits -= 1;
        Some(waker)
    }

    /// One poll of an `Acquire`: whether it has its permit, and what to do after the borrow.
    fn poll_acquire(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) -> (Poll<()>, After) {
        if ticket.is_some() {
            return match self.waiters.redeem(ticket, waker) {
                Redeemed::Waiting(replaced) => (Poll::Pending, After::discard(replaced)),
                Redeemed::Granted | Redeemed::Dismissed => (Poll::Ready(()), After::Nothing),
            };
        }
        if self.take() {
            return (Poll::Ready(()), After::Nothing);
        }
        *ticket = Some(self.waiters.join(waker));
        // With a permit left beside those already granted, this wakes the caller itself, which then runs
        // after those that were woken before.
        (Poll::Pending, After::wake(self.settle()))
    }

    /// An `Acquire` was dropped half way.
    fn leave(&mut self, ticket: Ticket) -> After {
        match self.waiters.leave(ticket) {
            Stage::Waiting(waker) => After::Drop(waker),
            Stage::Granted | Stage::Dismissed => {
                self.permits += 1;
                After::wake(self.settle())
            }
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .field("locked", &self.is_locked())
            .finish_non_exhaustive()
    }
}

/// A permit of a [`Semaphore`], given back when it is dropped.
#[must_use = "a permit that is dropped at once protects nothing"]
#[derive(Debug)]
pub struct Permit {
    /// Where it goes back to; `None` once it is forgotten or given back.
    semaphore: Option<Semaphore>,
}

impl Permit {
    /// Keeps the permit away from the semaphore, which has one less from now on, until
    /// [`Semaphore::release`] is called.
    pub fn forget(mut self) {
        if let Some(semaphore) = self.semaphore.take() {
            semaphore.state.borrow_mut().forgotten += 1;
            semaphore.tell_permit(false);
        }
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if let Some(semaphore) = self.semaphore.take() {
            semaphore.tell_permit(false);
            semaphore.give_back(1);
        }
    }
}

/// The future of [`Semaphore::acquire`].
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<'a> {
    semaphore: &'a Semaphore,
    /// Its place in the line; `None` if it does not wait.
    ticket: Option<Ticket>,
}

impl Future for Acquire<'_> {
    type Output = Permit;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        self.poll_for(cx, Wait::Acquire, Location::caller())
    }
}

impl Acquire<'_> {
    /// One poll, for a future that calls what it waits for, and where, by other names.
    pub(super) fn poll_for(&mut self, cx: &mut Context<'_>, wait: Wait, site: Site) -> Poll<Permit> {
        let Self { semaphore, ticket } = self;
        let (poll, after) = semaphore.state.borrow_mut().poll_acquire(ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended_in(wait, site, || semaphore.state.borrow().waiters.place(ticket.as_ref()));
        }
        poll.map(|()| semaphore.permit())
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let after = self.semaphore.state.borrow_mut().leave(ticket);
            after.run();
        }
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}
