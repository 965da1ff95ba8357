//! Chapter 25, part 6: how do producers and consumers keep pace with each other?
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
//! The handle is here. Each of its methods does one operation on the state, and uses the wakers that it
//! returns when the borrow is over. Who gets what is decided in `queue_state.rs`, and which item is the first
//! in `order.rs`; so there is one queue, and three names for it.
//!
//! Before: `sync/queue_state.rs`. Next: `sync/queue/waits.rs`, the futures.

mod waits;

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::rc::Rc;

pub use self::waits::{Get, Put, QueueJoin};
use super::error::{PutError, QueueError};
use super::order::{Fifo, Lifo, LowestFirst, Order};
use super::queue_state::State;
use super::waiters::After;

/// A first-in, first-out queue between tasks of one thread; asyncio's `Queue`.
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
pub type Queue<T> = OrderedQueue<Fifo<T>>;

/// A last-in, first-out queue; asyncio's `LifoQueue`.
///
/// ```
/// let queue = oneloop::sync::LifoQueue::new(0);
/// for item in [1, 3, 2] {
///     queue.try_put(item).unwrap();
/// }
/// assert_eq!([(); 3].map(|()| queue.try_get().unwrap()), [2, 3, 1]);
/// ```
pub type LifoQueue<T> = OrderedQueue<Lifo<T>>;

/// A queue that hands out its lowest item first; asyncio's `PriorityQueue`.
///
/// Items are compared by their `Ord`; a priority and a value fit in a tuple, and [`std::cmp::Reverse`] turns
/// the order round. Of equal items the oldest is the first, which asyncio does not promise.
///
/// ```
/// let queue = oneloop::sync::PriorityQueue::new(0);
/// for item in [(2, "lunch"), (1, "tea"), (3, "dinner")] {
///     queue.try_put(item).unwrap();
/// }
/// assert_eq!(queue.try_get(), Ok((1, "tea")));
/// ```
///
/// # Panics
/// If the `Ord` of an item uses the queue that compares it. If it panics, so does the put or the get, and
/// items may have been lost or be in another order.
pub type PriorityQueue<T> = OrderedQueue<LowestFirst<T>>;

/// The queue behind [`Queue`], [`LifoQueue`] and [`PriorityQueue`], which differ in nothing but the order `O` in
/// which they hand out their items.
///
/// A clone is another handle to the same queue. Waiting is strictly fair, whatever the order: a get that waits
/// is served before every later get, and a put that waits goes before every later put.
pub struct OrderedQueue<O: Order> {
    /// What all handles of one queue share.
    state: Rc<RefCell<State<O>>>,
}

impl<O: Order> OrderedQueue<O> {
    /// Makes an empty queue for at most `maxsize` items; 0 means that there is no bound, as in asyncio.
    pub fn new(maxsize: usize) -> Self {
        Self { state: Rc::new(RefCell::new(State::new(maxsize))) }
    }

    /// Puts an item, and waits for room if there is none.
    ///
    /// # Errors
    /// [`PutError::ShutDown`] with the item, if the queue is shut down, also while this waits.
    ///
    /// # Cancellation
    /// Dropped before it returned, it has put nothing: the item is dropped with it, and a place that was
    /// reserved for it goes to the next that waits.
    pub fn put(&self, item: O::Item) -> Put<'_, O> {
        Put { queue: self, item: Some(item), ticket: None }
    }

    /// Takes the first item that is not reserved for somebody else, and waits if there is none.
    ///
    /// # Errors
    /// [`QueueError::ShutDown`], if the queue is shut down and its last item has gone.
    ///
    /// # Cancellation
    /// Dropped before it returned, it has taken nothing: an item that was reserved for it keeps its place
    /// in the queue, for the next that waits.
    pub fn get(&self) -> Get<'_, O> {
        Get { queue: self, ticket: None }
    }

    /// Puts an item now, or gives it back; asyncio's `put_nowait`.
    ///
    /// # Errors
    /// [`PutError::Full`] if there is no room, or if a put that waited has not used its place yet: it goes
    /// first. [`PutError::ShutDown`] if the queue is shut down.
    pub fn try_put(&self, item: O::Item) -> Result<(), PutError<O::Item>> {
        let after = self.state().try_put(item)?;
        after.run();
        Ok(())
    }

    /// Takes the first item that is not reserved, if there is one now; asyncio's `get_nowait`.
    ///
    /// # Errors
    /// [`QueueError::Empty`] if there is none. [`QueueError::ShutDown`] if there never will be one.
    pub fn try_get(&self) -> Result<O::Item, QueueError> {
        let (item, after) = self.state().try_get()?;
        after.run();
        Ok(item)
    }

    /// Says that the work on one item is done. [`join`](Self::join) waits for one such call per item.
    ///
    /// # Panics
    /// If it is called more often than items were put.
    #[track_caller]
    pub fn task_done(&self) {
        let mut state = self.state();
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
    pub fn join(&self) -> QueueJoin<'_, O> {
        QueueJoin { queue: self, ticket: None }
    }

    /// Shuts the queue down for good, as Python 3.13 does: every put is refused from now on, those that wait
    /// included. Gets go on until the queue is empty, and are refused then.
    ///
    /// With `immediate`, all items are dropped at once, and each counts as done. Calling it again is allowed,
    /// for instance to make a slow shutdown an immediate one.
    pub fn shutdown(&self, immediate: bool) {
        let mut state = self.state();
        let (items, joined) = if immediate { state.drain() } else { (O::none(), After::Nothing) };
        let refused = state.shut_down();
        drop(state);
        drop(items);
        refused.into_iter().chain([joined]).for_each(After::run);
    }

    /// How many items are in the queue, those reserved for getters that have not run yet included; asyncio's
    /// `qsize`.
    pub fn len(&self) -> usize {
        self.state().len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there are `maxsize` items; never true for a queue without a bound.
    pub fn is_full(&self) -> bool {
        let state = self.state();
        state.len() >= state.room()
    }

    /// How many items there is room for, as it was given to [`new`](Self::new): 0 means no bound.
    pub fn maxsize(&self) -> usize {
        match self.state().room() {
            usize::MAX => 0,
            room => room,
        }
    }

    /// The state, for one operation.
    #[inline]
    fn state(&self) -> RefMut<'_, State<O>> {
        self.state.try_borrow_mut().expect("an item's `Ord` must not use the queue that compares it")
    }
}

impl<O: Order> Clone for OrderedQueue<O> {
    fn clone(&self) -> Self {
        Self { state: Rc::clone(&self.state) }
    }
}

impl<O: Order> fmt::Debug for OrderedQueue<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let maxsize = self.maxsize();
        let state = self.state();
        f.debug_struct(O::NAME)
            .field("len", &state.len())
            .field("maxsize", &maxsize)
            .field("unfinished", &state.unfinished())
            .field("shut_down", &state.is_shut())
            .finish_non_exhaustive()
    }
}
