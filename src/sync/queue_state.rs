//! Chapter 25, part 5: who gets which item of a queue, and which place in it?
//!
//! When nobody has to wait, a put is a push, a get is a pop, and nobody is woken. This file is about the
//! moments when somebody does wait: it is a queue without its handles and futures (those are in `queue.rs`).
//!
//! *Getters.* An item that arrives while getters wait is *granted* to the first of them, and that getter is
//! woken. The item stays in the queue and is reserved: with `g` grants out, the first `g` items belong to
//! those who hold them, and a newcomer gets item `g`. So with one getter waiting and a batch of 64 puts
//! there is one wake, not 64. Which items are the first is the business of `order.rs`: in a queue by
//! priority, a lower item that comes later is the first from then on, and so the one that the getter gets.
//!
//! *Putters.* A place that becomes free while putters wait is granted to the first of them. The item stays
//! with its `Put` until that is polled; so a put that was cancelled never put anything. While anybody
//! stands in the line of putters, a newcomer joins behind, even if there is room for both.
//!
//! ```text
//!   put ──▶ [ d c b a ] ──▶ get      a newcomer that gets takes `c`;
//!                 └─┴ reserved for   a newcomer that puts joins the line of putters,
//!                     G2 and G1      unless that is empty
//! ```
//!
//! A worked example. The queue above is bounded to 4. G1 is cancelled: its grant ends. No other getter waits,
//! so one item is reserved from now on: `a`, for G2; a newcomer would take `b`. Nothing was lost. Now P1 and
//! P2 want to put; there is no room, so they wait. A get takes `b`: one place is free and is granted to P1.
//! P3 comes before P1 runs, and joins behind P2. P1 runs and puts; P2 and P3 wait on.
//!
//! Two rules hold after each operation, by `settle_getters` and `settle_putters`: no getter waits while an
//! item is not reserved, and no putter waits while a place is not reserved.
//!
//! Before: `sync/order.rs`. Next: `sync/queue.rs`.

use std::task::{Poll, Waker};

use super::error::{PutError, QueueError};
use super::order::Order;
use super::waiters::{After, Redeemed, Stage, Ticket, Waiters};

/// The result of one poll, and what to do after the borrow.
type Polled<T, E> = (Poll<Result<T, E>>, After);

/// What all handles of one queue share.
pub(super) struct State<O> {
    /// The items in their order; the first `getters.granted()` of them are reserved.
    items: O,
    /// How many items there is room for; `usize::MAX` for a queue without a bound.
    room: usize,
    /// Those who wait for an item, and those to whom one is reserved.
    getters: Waiters,
    /// Those who wait for a place, and those to whom one is reserved.
    putters: Waiters,
    /// How many items were put for which `task_done` was not yet called.
    unfinished: usize,
    /// Those who wait for `unfinished` to become 0; granted all at once.
    joiners: Waiters,
    /// Set by `shutdown`, for good: nothing more is put.
    shut: bool,
}

impl<O: Order> State<O> {
    /// An empty queue; a `maxsize` of 0 means that there is no bound.
    pub(super) fn new(maxsize: usize) -> Self {
        Self {
            items: O::none(),
            room: if maxsize == 0 { usize::MAX } else { maxsize },
            getters: Waiters::new(),
            putters: Waiters::new(),
            unfinished: 0,
            joiners: Waiters::new(),
            shut: false,
        }
    }

    /// How many items there are, the reserved ones included.
    pub(super) fn len(&self) -> usize {
        self.items.count()
    }

    /// How many items there is room for; `usize::MAX` without a bound.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// How many items are put and not done.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Whether the queue was shut down.
    pub(super) fn is_shut(&self) -> bool {
        self.shut
    }

    /// Puts if that concerns nobody else: nothing but a push. Otherwise the item stays where it is.
    #[inline(always)]
    pub(super) fn put_quietly(&mut self, item: &mut Option<O::Item>) -> bool {
        let quiet = self.open_to_newcomers() && !self.shut && !self.getters.has_waiting();
        if quiet && let Some(item) = item.take() {
            self.items.push(item);
            self.unfinished += 1;
            return true;
        }
        false
    }

    /// Gets if that concerns nobody else: nothing but a pop. (Getters that wait have no item to fear for:
    /// while they do, each item is reserved.)
    #[inline(always)]
    pub(super) fn get_quietly(&mut self) -> Option<O::Item> {
        let quiet = self.getters.granted() == 0 && !self.putters.has_waiting();
        if quiet { self.items.take(0) } else { None }
    }

    /// Puts now, or gives the item back.
    #[inline]
    pub(super) fn try_put(&mut self, item: O::Item) -> Result<After, PutError<O::Item>> {
        if self.shut {
            return Err(PutError::ShutDown(item));
        }
        if !self.open_to_newcomers() {
            return Err(PutError::Full(item));
        }
        Ok(self.push(item))
    }

    /// Gets now, or says why not.
    #[inline]
    pub(super) fn try_get(&mut self) -> Result<(O::Item, After), QueueError> {
        match self.pop_free() {
            Some(item) => Ok((item, self.settle_after_get())),
            None if self.over() => Err(QueueError::ShutDown),
            None => Err(QueueError::Empty),
        }
    }

    /// One poll of a `Put`. The item is taken if it is over.
    #[cold]
    #[inline(never)]
    pub(super) fn poll_put(
        &mut self,
        item: &mut Option<O::Item>,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> Polled<(), PutError<O::Item>> {
        if ticket.is_some() {
            if let Redeemed::Waiting(replaced) = self.putters.redeem(ticket, waker) {
                return (Poll::Pending, After::discard(replaced));
            }
        } else if !self.shut && !self.open_to_newcomers() {
            *ticket = Some(self.putters.join(waker));
            // With room left beside the places already granted, this wakes the caller itself, which then
            // runs after those that were woken before.
            return (Poll::Pending, self.settle_putters());
        }
        let item = item.take().expect("a `Put` was polled again after it had returned: await it once");
        if self.shut {
            return (Poll::Ready(Err(PutError::ShutDown(item))), After::Nothing);
        }
        (Poll::Ready(Ok(())), self.push(item))
    }

    /// One poll of a `Get`.
    #[cold]
    #[inline(never)]
    pub(super) fn poll_get(
        &mut self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> Polled<O::Item, QueueError> {
        let item = if ticket.is_some() {
            match self.getters.redeem(ticket, waker) {
                Redeemed::Waiting(replaced) => return (Poll::Pending, After::discard(replaced)),
                // Nothing is there if an immediate shutdown has dropped the reserved item.
                Redeemed::Granted => self.items.take(0),
                Redeemed::Dismissed => None,
            }
        } else {
            let item = self.pop_free();
            if item.is_none() && !self.over() {
                *ticket = Some(self.getters.join(waker));
                return (Poll::Pending, After::Nothing);
            }
            item
        };
        match item {
            Some(item) => (Poll::Ready(Ok(item)), self.settle_after_get()),
            None => (Poll::Ready(Err(QueueError::ShutDown)), After::Nothing),
        }
    }

    /// One poll of a `QueueJoin`.
    pub(super) fn poll_join(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) -> (Poll<()>, After) {
        if ticket.is_none() && self.unfinished == 0 {
            return (Poll::Ready(()), After::Nothing);
        }
        self.joiners.wait(ticket, waker)
    }

    /// A `Put` was dropped half way.
    pub(super) fn leave_put(&mut self, ticket: Ticket) -> After {
        match self.putters.leave(ticket) {
            Stage::Waiting(waker) => After::Drop(waker),
            Stage::Granted => self.settle_putters(),
            Stage::Dismissed => After::Nothing,
        }
    }

    /// A `Get` was dropped half way.
    pub(super) fn leave_get(&mut self, ticket: Ticket) -> After {
        match self.getters.leave(ticket) {
            Stage::Waiting(waker) => After::Drop(waker),
            Stage::Granted => self.settle_getters(),
            Stage::Dismissed => After::Nothing,
        }
    }

    /// A `QueueJoin` was dropped half way.
    pub(super) fn leave_join(&mut self, ticket: Ticket) -> After {
        self.joiners.forget(ticket)
    }

    /// Where a `Put` stands.
    pub(super) fn putter(&self, ticket: Option<&Ticket>) -> Option<(usize, usize)> {
        self.putters.place(ticket)
    }

    /// Where a `Get` stands.
    pub(super) fn getter(&self, ticket: Option<&Ticket>) -> Option<(usize, usize)> {
        self.getters.place(ticket)
    }

    /// Where a `QueueJoin` stands.
    pub(super) fn joiner(&self, ticket: Option<&Ticket>) -> Option<(usize, usize)> {
        self.joiners.place(ticket)
    }

    /// Counts `done` items as done; the last one releases those who join.
    pub(super) fn finish(&mut self, done: usize) -> After {
        self.unfinished -= done;
        if self.unfinished == 0 { self.joiners.grant_all() } else { After::Nothing }
    }

    /// Refuses every put from now on, and the gets as soon as nothing is left.
    pub(super) fn shut_down(&mut self) -> [After; 2] {
        self.shut = true;
        [self.putters.dismiss_all(), self.dismiss_if_over()]
    }

    /// Takes all items out and counts them as done; they are dropped after the borrow.
    pub(super) fn drain(&mut self) -> (O, After) {
        let items = std::mem::replace(&mut self.items, O::none());
        // `task_done` may have been called early for some of them.
        let done = items.count().min(self.unfinished);
        (items, self.finish(done))
    }

    /// Whether somebody who has not waited may put: there is room, and nobody would be overtaken.
    #[inline]
    fn open_to_newcomers(&self) -> bool {
        self.items.count() < self.room && self.putters.is_empty()
    }

    /// Whether nothing can be got any more.
    #[inline]
    fn over(&self) -> bool {
        self.shut && self.items.count() == 0
    }

    /// Puts an item for which there is room.
    #[inline]
    fn push(&mut self, item: O::Item) -> After {
        self.items.push(item);
        self.unfinished += 1;
        self.settle_getters()
    }

    /// Takes the first item that is not reserved.
    #[inline]
    fn pop_free(&mut self) -> Option<O::Item> {
        self.items.take(self.getters.granted())
    }

    /// Grants the item that became free, if there is one and somebody waits. At most one does become free
    /// in any one operation.
    #[inline]
    fn settle_getters(&mut self) -> After {
        if self.getters.has_waiting() && self.items.count() > self.getters.granted() {
            return After::wake(self.getters.grant_first());
        }
        After::Nothing
    }

    /// Grants the place that became free, if there is one and somebody waits.
    #[inline]
    fn settle_putters(&mut self) -> After {
        if self.putters.has_waiting() && self.items.count() + self.putters.granted() < self.room {
            return After::wake(self.putters.grant_first());
        }
        After::Nothing
    }

    /// An item was taken: its place is free, or it was the last one ever.
    #[inline]
    fn settle_after_get(&mut self) -> After {
        if self.shut { self.dismiss_if_over() } else { self.settle_putters() }
    }

    /// Refuses all who wait for an item, if none will ever come.
    fn dismiss_if_over(&mut self) -> After {
        if self.over() { self.getters.dismiss_all() } else { After::Nothing }
    }
}
