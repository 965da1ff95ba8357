//! Chapter 24, part 4: how do producers and consumers keep pace with each other?
//!
//! A [`Queue`] holds items between tasks that put and tasks that get. A bounded one makes a fast producer
//! wait for its consumers, so memory stays bounded; and with `task_done` and `join` a program knows when all
//! the work that was ever put is done.
//!
//! ```text
//!   producer ──▶ put ──▶ [ items, at most maxsize ] ──▶ get ──▶ consumer ──▶ task_done
//!                                                                                 │
//!                                                 join, waits for the last ◀──────┘
//! ```
//!
//! The handle and its futures are here. Each does one operation on the state, and uses the wakers that
//! it returns when the borrow is over. Who gets what is decided in `queue_state.rs`.
//!
//! Before: `sync/queue_state.rs`. Next: `sync/semaphore.rs`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::error::{PutError, QueueError};
use super::queue_state::State;
use super::waiters::{After, Ticket};
use crate::current::suspended;
use crate::trace::event::Wait;

/// A first-in, first-out queue between tasks of one thread; asyncio's `Queue`.
///
/// A clone is another handle to the same queue. Waiting is strictly fair: items go to getters in the order
/// in which they asked, and a put that waits goes before every later put.
///
/// ```
/// use oneloop::sync::{Queue, QueueError};
///
/// let queue = Queue::new(2);
/// queue.try_put("first").unwrap();
/// queue.try_put("second").unwrap();
/// assert!(queue.try_put("third").is_err(), "there is room for two");
/// assert_eq!(queue.try_get(), Ok("first"));
/// queue.shutdown(false);
/// assert_eq!(queue.try_get(), Ok("second"));
/// assert_eq!(queue.try_get(), Err(QueueError::ShutDown));
/// ```
pub struct Queue<T> {
    /// What all handles of one queue share.
    state: Rc<RefCell<State<T>>>,
}

impl<T> Queue<T> {
    /// Makes an empty queue for at most `maxsize` items; 0 means that there is no bound, as in asyncio.
    pub fn new(maxsize: usize) -> Self {
        Self { state: Rc::new(RefCell::new(State::new(maxsize))) }
    }

    /// Puts an item at the end, and waits for room if there is none.
    ///
    /// # Errors
    /// [`PutError::ShutDown`] with the item, if the queue is shut down, also while this waits.
    ///
    /// # Cancellation
    /// Dropped before it returned, it has put nothing: the item is dropped with it, and a place that was
    /// reserved for it goes to the next that waits.
    pub fn put(&self, item: T) -> Put<'_, T> {
        Put { queue: self, item: Some(item), ticket: None }
    }

    /// Takes the oldest item that is not reserved for somebody else, and waits if there is none.
    ///
    /// # Errors
    /// [`QueueError::ShutDown`], if the queue is shut down and its last item has gone.
    ///
    /// # Cancellation
    /// Dropped before it returned, it has taken nothing: an item that was reserved for it keeps its place
    /// in the queue, for the next that waits.
    pub fn get(&self) -> Get<'_, T> {
        Get { queue: self, ticket: None }
    }

    /// Puts an item at the end now, or gives it back; asyncio's `put_nowait`.
    ///
    /// # Errors
    /// [`PutError::Full`] if there is no room, or if a put that waited has not used its place yet: it goes
    /// first. [`PutError::ShutDown`] if the queue is shut down.
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let after = self.state.borrow_mut().try_put(item)?;
        after.run();
        Ok(())
    }

    /// Takes the oldest item that is not reserved, if there is one now; asyncio's `get_nowait`.
    ///
    /// # Errors
    /// [`QueueError::Empty`] if there is none. [`QueueError::ShutDown`] if there never will be one.
    pub fn try_get(&self) -> Result<T, QueueError> {
        let (item, after) = self.state.borrow_mut().try_get()?;
        after.run();
        Ok(item)
    }

    /// Says that the work on one item is done. [`join`](Self::join) waits for one such call per item.
    ///
    /// # Panics
    /// If it is called more often than items were put.
    #[track_caller]
    pub fn task_done(&self) {
        let mut state = self.state.borrow_mut();
        assert!(
            state.unfinished() > 0,
            "`task_done` was called more often than items were put: call it once for each item that was got"
        );
        let after = state.finish(1);
        drop(state);
        after.run();
    }

    /// Waits until [`task_done`](Self::task_done) was called for every item that was put; returns at once if
    /// that is so already.
    ///
    /// Whoever waits at that moment is released, even if more is put before it runs.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn join(&self) -> QueueJoin<'_, T> {
        QueueJoin { queue: self, ticket: None }
    }

    /// Shuts the queue down for good, as Python 3.13 does: every put is refused from now on, those that wait
    /// included. Gets go on until the queue is empty, and are refused then.
    ///
    /// With `immediate`, all items are dropped at once, and each counts as done. Calling it again is allowed,
    /// for instance to make a slow shutdown an immediate one.
    pub fn shutdown(&self, immediate: bool) {
        let mut state = self.state.borrow_mut();
        let (items, joined) = if immediate { state.drain() } else { (VecDeque::new(), After::Nothing) };
        let refused = state.shut_down();
        drop(state);
        drop(items);
        refused.into_iter().chain([joined]).for_each(After::run);
    }

    /// How many items are in the queue, those reserved for getters that have not run yet included; asyncio's
    /// `qsize`.
    pub fn len(&self) -> usize {
        self.state.borrow().len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there are `maxsize` items; never true for a queue without a bound.
    pub fn is_full(&self) -> bool {
        let state = self.state.borrow();
        state.len() >= state.room()
    }

    /// How many items there is room for, as it was given to [`new`](Self::new): 0 means no bound.
    pub fn maxsize(&self) -> usize {
        match self.state.borrow().room() {
            usize::MAX => 0,
            room => room,
        }
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { state: Rc::clone(&self.state) }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.borrow();
        f.debug_struct("Queue")
            .field("len", &state.len())
            .field("maxsize", &self.maxsize())
            .field("unfinished", &state.unfinished())
            .field("shut_down", &state.is_shut())
            .finish_non_exhaustive()
    }
}

/// The future of [`Queue::put`].
#[must_use = "futures do nothing unless awaited"]
pub struct Put<'a, T> {
    queue: &'a Queue<T>,
    /// The item until it is put or given back; `None` once this has returned.
    item: Option<T>,
    /// Its place among the putters; `None` if it does not wait.
    ticket: Option<Ticket>,
}

/// The item is moved, never pinned.
impl<T> Unpin for Put<'_, T> {}

impl<T> Future for Put<'_, T> {
    type Output = Result<(), PutError<T>>;

    #[track_caller]
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, item, ticket } = &mut *self;
        if ticket.is_none() && queue.state.borrow_mut().put_quietly(item) {
            return Poll::Ready(Ok(()));
        }
        let (poll, after) = queue.state.borrow_mut().poll_put(item, ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended(Wait::Put, Location::caller());
        }
        poll
    }
}

impl<T> Drop for Put<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let after = self.queue.state.borrow_mut().leave_put(ticket);
            after.run();
        }
    }
}

/// The future of [`Queue::get`].
#[must_use = "futures do nothing unless awaited"]
pub struct Get<'a, T> {
    queue: &'a Queue<T>,
    /// Its place among the getters; `None` if it does not wait.
    ticket: Option<Ticket>,
}

impl<T> Future for Get<'_, T> {
    type Output = Result<T, QueueError>;

    #[track_caller]
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, ticket } = &mut *self;
        if ticket.is_none()
            && let Some(item) = queue.state.borrow_mut().get_quietly()
        {
            return Poll::Ready(Ok(item));
        }
        let (poll, after) = queue.state.borrow_mut().poll_get(ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended(Wait::Get, Location::caller());
        }
        poll
    }
}

impl<T> Drop for Get<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let after = self.queue.state.borrow_mut().leave_get(ticket);
            after.run();
        }
    }
}

/// The future of [`Queue::join`].
#[must_use = "futures do nothing unless awaited"]
pub struct QueueJoin<'a, T> {
    queue: &'a Queue<T>,
    /// Its place among those who join; `None` if it does not wait.
    ticket: Option<Ticket>,
}

impl<T> Future for QueueJoin<'_, T> {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { queue, ticket } = &mut *self;
        let (poll, after) = queue.state.borrow_mut().poll_join(ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended(Wait::QueueJoin, Location::caller());
        }
        poll
    }
}

impl<T> Drop for QueueJoin<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let after = self.queue.state.borrow_mut().leave_join(ticket);
            after.run();
        }
    }
}

impl<T> fmt::Debug for Put<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Get<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for QueueJoin<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueJoin").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}
