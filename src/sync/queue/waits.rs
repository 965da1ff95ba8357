//! Chapter 25, part 7: what does a task wait for at `put`, `get` and `join`?
//!
//! Each asks the state first whether it concerns nobody else; only if it does, or if there is nothing to be
//! had, it takes a ticket. Dropped half way, it gives its ticket back, and the state passes on what had been
//! promised to it.
//!
//! Before: `sync/queue.rs`. Next: `sync/semaphore.rs`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::OrderedQueue;
use crate::sync::error::{PutError, QueueError};
use crate::sync::order::Order;
use crate::sync::waiters::{Ticket, suspended_in};
use crate::trace::event::{Site, Wait};

/// The future of [`OrderedQueue::put`].
#[must_use = "futures do nothing unless awaited"]
pub struct Put<'a, O: Order> {
    pub(super) queue: &'a OrderedQueue<O>,
    /// The item until it is put or given back; `None` once this has returned.
    pub(super) item: Option<O::Item>,
    /// Its place among the putters; `None` if it does not wait.
    pub(super) ticket: Option<Ticket>,
}

/// The item is moved, never pinned.
impl<O: Order> Unpin for Put<'_, O> {}

impl<O: Order> Future for Put<'_, O> {
    type Output = Result<(), PutError<O::Item>>;

    #[track_caller]
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, item, ticket } = &mut *self;
        if ticket.is_none() && queue.state().put_quietly(item) {
            return Poll::Ready(Ok(()));
        }
        self.poll_in_line(cx, Location::caller())
    }
}

/// What happens only where somebody else is concerned. It stands apart, so that the rest of `poll` is short enough to be
/// inlined (which the compiler, left to itself, does here and not there: 1 ns of the 10 that an item takes).
impl<O: Order> Put<'_, O> {
    #[cold]
    #[inline(never)]
    fn poll_in_line(&mut self, cx: &Context<'_>, site: Site) -> Poll<Result<(), PutError<O::Item>>> {
        let Self { queue, item, ticket } = self;
        let (poll, after) = queue.state().poll_put(item, ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended_in(Wait::Put, site, || queue.state().putter(ticket.as_ref()));
        }
        poll
    }

    #[cold]
    #[inline(never)]
    fn leave(&self, ticket: Ticket) {
        let after = self.queue.state().leave_put(ticket);
        after.run();
    }
}

impl<O: Order> Drop for Put<'_, O> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.leave(ticket);
        }
    }
}

/// The future of [`OrderedQueue::get`].
#[must_use = "futures do nothing unless awaited"]
pub struct Get<'a, O: Order> {
    pub(super) queue: &'a OrderedQueue<O>,
    /// Its place among the getters; `None` if it does not wait.
    pub(super) ticket: Option<Ticket>,
}

impl<O: Order> Future for Get<'_, O> {
    type Output = Result<O::Item, QueueError>;

    #[track_caller]
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, ticket } = &mut *self;
        if ticket.is_none()
            && let Some(item) = queue.state().get_quietly()
        {
            return Poll::Ready(Ok(item));
        }
        self.poll_in_line(cx, Location::caller())
    }
}

impl<O: Order> Get<'_, O> {
    #[cold]
    #[inline(never)]
    fn poll_in_line(&mut self, cx: &Context<'_>, site: Site) -> Poll<Result<O::Item, QueueError>> {
        let Self { queue, ticket } = self;
        let (poll, after) = queue.state().poll_get(ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended_in(Wait::Get, site, || queue.state().getter(ticket.as_ref()));
        }
        poll
    }

    #[cold]
    #[inline(never)]
    fn leave(&self, ticket: Ticket) {
        let after = self.queue.state().leave_get(ticket);
        after.run();
    }
}

impl<O: Order> Drop for Get<'_, O> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.leave(ticket);
        }
    }
}

/// The future of [`OrderedQueue::join`].
#[must_use = "futures do nothing unless awaited"]
pub struct QueueJoin<'a, O: Order> {
    pub(super) queue: &'a OrderedQueue<O>,
    /// Its place among those who join; `None` if it does not wait.
    pub(super) ticket: Option<Ticket>,
}

impl<O: Order> Future for QueueJoin<'_, O> {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { queue, ticket } = &mut *self;
        let (poll, after) = queue.state().poll_join(ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended_in(Wait::QueueJoin, Location::caller(), || queue.state().joiner(ticket.as_ref()));
        }
        poll
    }
}

impl<O: Order> Drop for QueueJoin<'_, O> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let after = self.queue.state().leave_join(ticket);
            after.run();
        }
    }
}

impl<O: Order> fmt::Debug for Put<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}

impl<O: Order> fmt::Debug for Get<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}

impl<O: Order> fmt::Debug for QueueJoin<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueJoin").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}
