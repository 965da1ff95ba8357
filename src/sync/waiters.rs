//! Chapter 25, part 3: who waits, in which order, and whose turn it is.
//!
//! Every object of this room has the same problem. Several tasks want the same thing: an item, a free
//! place, a permit. They must get it in the order in which they asked. And between the moment one of
//! them is told "yours" and the moment it runs, it may be cancelled, or a newcomer may ask for what was
//! promised. A list of wakers is not enough for that; this line of tickets is.
//!
//! ```text
//!                     grant_first ①             redeem ③
//!   join ──▶ Waiting ──────────────▶ Granted ──────────────▶ gone, and served
//!               │ │                     │
//!               │ │ dismiss_all ②       │ leave ④
//!               │ └──────▶ Dismissed    └──▶ gone; the owner grants to the next
//!               │ leave ④      │ redeem ③
//!               ▼              ▼
//!             gone           gone, and refused
//! ```
//!
//! A worked example. A semaphore has no permit left; A, B and C wait. Two permits come back: A and B are
//! granted and woken (①, twice), and the line counts `granted = 2`. Before they run, D asks: the line is
//! not empty, so D joins it, behind C. Now A is cancelled: `leave` (④) says that A held a grant, so the
//! semaphore grants again, to C. B redeems (③), C redeems, D waits on. Nothing was lost, nobody was
//! served twice, and nobody was overtaken.
//!
//! Three rules that make this easy to prove, wherever it is used:
//!
//! * Who is waiting has a waker in the line; who is granted or dismissed has none. So nobody is ever
//!   woken twice for one grant.
//! * A [`Ticket`] cannot be copied, and `redeem` and `leave` take it away. So a grant is used once or
//!   passed on once.
//! * Nothing here wakes. Functions return wakers, and [`After`] uses them once the borrow is over.
//!
//! Joining, granting and leaving take a constant time wherever in the line one stands. A line that nobody
//! ever joined owns no memory, and asking an empty line whether it is empty is one comparison.
//!
//! Before: `sync/error.rs`. Next: `sync/order.rs`.

use std::task::{Poll, Waker};

use slab::Slab;

use crate::current;
use crate::kept::Kept;
use crate::state::State;
use crate::trace::event::{EventKind, Site, Wait};

/// "No slot": the end of the list in either direction.
const NONE: usize = usize::MAX;

/// A first-in, first-out line of waiting futures.
pub(super) struct Waiters {
    /// One slot for each ticket that is out. Empty: nobody waits and nothing is promised.
    slots: Slab<Waiter>,
    /// The slot that is granted next; `NONE` if all tickets are granted or dismissed.
    first: usize,
    /// The slot that joined last of those still waiting; `NONE` together with `first`.
    last: usize,
    /// How many tickets are granted and not yet redeemed.
    granted: usize,
}

/// What the line knows of one ticket.
struct Waiter {
    /// How far it has come.
    stage: Stage,
    /// The waiting slot in front of it; `NONE` for the first. Meaningless once it no longer waits.
    before: usize,
    /// The waiting slot behind it; `NONE` for the last. Meaningless once it no longer waits.
    behind: usize,
}

/// How far a ticket has come: the states of the diagram above.
pub(super) enum Stage {
    Waiting(Kept),
    Granted,
    Dismissed,
}

/// A place in the line. Whoever has one must give it back: to `redeem` by polling, or to `leave` when
/// dropped.
pub(super) struct Ticket(usize);

/// What became of a ticket that was polled.
pub(super) enum Redeemed {
    /// Still waiting; the new waker is kept, and here is the one it replaced, if they differ.
    Waiting(Option<Kept>),
    /// Granted: the ticket is gone, and its owner takes what it was granted.
    Granted,
    /// Dismissed: the ticket is gone, and there is nothing to take.
    Dismissed,
}

/// What is left to do with wakers when the borrow of the line is over: a waker runs code of others, which
/// may come back to the same object, and so does the last clone of one when it is dropped.
#[must_use = "the wakers must be used after the borrow"]
pub(super) enum After {
    Nothing,
    Wake(Kept),
    WakeAll(Vec<Kept>),
    Drop(Kept),
}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self { slots: Slab::new(), first: NONE, last: NONE, granted: 0 }
    }

    /// Nobody waits and nobody holds a grant: a newcomer overtakes no one.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Somebody could be granted.
    #[inline]
    pub(super) fn has_waiting(&self) -> bool {
        self.first != NONE
    }

    /// How many tickets are granted and not yet redeemed.
    #[inline]
    pub(super) fn granted(&self) -> usize {
        self.granted
    }

    /// Joins at the end.
    pub(super) fn join(&mut self, waker: &Waker) -> Ticket {
        let slot = self.slots.insert(Waiter {
            stage: Stage::Waiting(Kept::new(waker)),
            before: self.last,
            behind: NONE,
        });
        match self.last {
            NONE => self.first = slot,
            last => self.slots[last].behind = slot,
        }
        self.last = slot;
        Ticket(slot)
    }

    /// Grants to the first that waits, which the caller then wakes; does nothing if nobody waits.
    pub(super) fn grant_first(&mut self) -> Option<Kept> {
        let waker = self.pop(Stage::Granted)?;
        self.granted += 1;
        Some(waker)
    }

    /// Grants to the first `most` that wait, or to all if they are fewer.
    pub(super) fn grant(&mut self, most: usize) -> After {
        let mut left = most;
        After::wake_all(|| {
            left = left.checked_sub(1)?;
            self.grant_first()
        })
    }

    /// Grants to all that wait now.
    pub(super) fn grant_all(&mut self) -> After {
        self.grant(usize::MAX)
    }

    /// Tells all that wait now that there will be nothing for them. Grants made before still stand.
    pub(super) fn dismiss_all(&mut self) -> After {
        After::wake_all(|| self.pop(Stage::Dismissed))
    }

    /// Where the line lies in memory, which names it as long as a ticket is out or a permit taken: its owner is shared by
    /// handles, and stays where it is.
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Where the line lies, and the number of the ticket in it: what [`suspended_in`] tells.
    pub(super) fn place(&self, ticket: Option<&Ticket>) -> Option<(usize, usize)> {
        ticket.map(|ticket| (self.address(), ticket.0))
    }

    /// Tells a watched loop of a ticket, once whoever has borrowed the line has given it back.
    fn tell(&self, kind: impl FnOnce(&State) -> EventKind) {
        current::if_watched(|state| state.seam.tell_later(state.moment(), kind(state)));
    }

    /// Asks what became of the ticket, and takes it away if that is settled.
    pub(super) fn redeem(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) -> Redeemed {
        let slot = ticket.as_ref().expect("only who has a ticket redeems it").0;
        let redeemed = match &mut self.slots[slot].stage {
            Stage::Waiting(kept) if kept.will_wake(waker) => return Redeemed::Waiting(None),
            Stage::Waiting(kept) => {
                return Redeemed::Waiting(Some(std::mem::replace(kept, Kept::new(waker))));
            }
            Stage::Granted => {
                self.granted -= 1;
                Redeemed::Granted
            }
            Stage::Dismissed => Redeemed::Dismissed,
        };
        self.slots.remove(slot);
        *ticket = None;
        self.tell_leave(slot, true);
        redeemed
    }

    /// Gives a ticket back unused, and says how far it had come: a grant must now go to the next.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Stage {
        let waiter = self.slots.remove(ticket.0);
        self.tell_leave(ticket.0, false);
        match waiter.stage {
            Stage::Waiting(_) => self.unlink(waiter.before, waiter.behind),
            Stage::Granted => self.granted -= 1,
            Stage::Dismissed => {}
        }
        waiter.stage
    }

    /// One poll of a future to which being granted is all it waits for, and which has to wait at first.
    pub(super) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) -> (Poll<()>, After) {
        if ticket.is_none() {
            *ticket = Some(self.join(waker));
            return (Poll::Pending, After::Nothing);
        }
        match self.redeem(ticket, waker) {
            Redeemed::Waiting(replaced) => (Poll::Pending, After::discard(replaced)),
            Redeemed::Granted | Redeemed::Dismissed => (Poll::Ready(()), After::Nothing),
        }
    }

    /// Gives a ticket back where a grant need not go to anybody else.
    pub(super) fn forget(&mut self, ticket: Ticket) -> After {
        match self.leave(ticket) {
            Stage::Waiting(waker) => After::Drop(waker),
            Stage::Granted | Stage::Dismissed => After::Nothing,
        }
    }

    fn tell_leave(&self, ticket: usize, served: bool) {
        self.tell(|state| {
            let (line, by) = (state.seam.line(self.address()), state.seam.actor());
            EventKind::LineLeave { line, ticket, served, by }
        });
    }

    /// Takes the first out of the list of those that wait and moves it on to `stage`.
    fn pop(&mut self, stage: Stage) -> Option<Kept> {
        let ticket = self.first;
        let waiter = self.slots.get_mut(ticket)?;
        let (before, behind) = (waiter.before, waiter.behind);
        let Stage::Waiting(waker) = std::mem::replace(&mut waiter.stage, stage) else {
            unreachable!("only waiting slots are in the list");
        };
        self.unlink(before, behind);
        self.tell(|state| {
            let (line, by) = (state.seam.line(self.address()), state.seam.actor());
            EventKind::LineGrant { line, ticket, by }
        });
        Some(waker)
    }

    /// Closes the gap between two neighbours.
    fn unlink(&mut self, before: usize, behind: usize) {
        match before {
            NONE => self.first = behind,
            before => self.slots[before].behind = behind,
        }
        match behind {
            NONE => self.last = before,
            behind => self.slots[behind].before = before,
        }
    }
}

impl Drop for Waiters {
    #[inline]
    fn drop(&mut self) {
        current::if_watched(|state| state.seam.forget_line(self.address()));
    }
}

/// Note of a future with a ticket, made just before it returns `Pending`: what it waits for, at which line. `place` is
/// where it stands, asked only if somebody watches.
#[inline]
pub(super) fn suspended_in(wait: Wait, site: Site, place: impl FnOnce() -> Option<(usize, usize)>) {
    current::suspended(wait, site);
    current::if_watched(|state| {
        if let Some((address, ticket)) = place() {
            let (line, by) = (state.seam.line(address), state.seam.actor());
            state.tell(|| EventKind::LineWait { line, ticket, wait, by, site: site.into() });
        }
    });
}

impl After {
    /// Uses the wakers. To be called when no borrow is held.
    #[inline]
    pub(super) fn run(self) {
        match self {
            Self::Nothing => {}
            Self::Wake(waker) => waker.wake(),
            Self::WakeAll(wakers) => wakers.into_iter().for_each(Kept::wake),
            Self::Drop(waker) => drop(waker),
        }
    }

    /// Wakes the one who was granted, if anybody was.
    #[inline]
    pub(super) fn wake(waker: Option<Kept>) -> Self {
        waker.map_or(Self::Nothing, Self::Wake)
    }

    /// Wakes all that `next` gives, in order. One or none, the usual cases, need no list.
    fn wake_all(mut next: impl FnMut() -> Option<Kept>) -> Self {
        let Some(first) = next() else { return Self::Nothing };
        let Some(second) = next() else { return Self::Wake(first) };
        let mut wakers = vec![first, second];
        wakers.extend(std::iter::from_fn(next));
        Self::WakeAll(wakers)
    }

    /// Drops the waker that is no longer needed, if there is one.
    pub(super) fn discard(waker: Option<Kept>) -> Self {
        waker.map_or(Self::Nothing, Self::Drop)
    }
}
