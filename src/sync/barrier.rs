//! Chapter 25, part 13: how do several tasks meet, and go on together?
//!
//! A [`Barrier`] holds back every task that waits at it until so many have come as it has *parties*; then it
//! releases them all, and can be used again at once. Who comes for the next round while the last one is
//! still leaving must not get mixed up with it: so a round ends only when all its tasks have left.
//!
//! ```text
//!                        the last party comes
//!          ┌─────────▶ filling ─────────────▶ draining ─────┐      wait: filling     joins, or is the last
//!          │              ▲    all have left     │          │            draining    joins for the next round
//!          │ reset        └──────────────────────┤          │            resetting   joins for the next round
//!          │                                     │ reset    │            broken      is refused
//!        broken ◀── abort, from anywhere         ▼          │
//!          └───── reset, some still leave ──▶ resetting ◀───┘
//! ```
//!
//! A worked example with two parties. A waits; B comes and is the last: the barrier is draining, A is granted
//! and woken, B goes on at once, as number 1. Before A runs, B comes again, and waits: it cannot meet itself.
//! A runs and leaves as number 0; the barrier is filling again, and B is the first of the second round.
//!
//! A task that is cancelled while it waits is simply not there any more. The others wait on for as many
//! as are then missing.
//!
//! Before: `sync/event.rs`. Next: `sync/oneshot.rs`.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::error::BrokenBarrier;
use super::waiters::{After, Redeemed, Stage, Ticket, Waiters, suspended_in};
use crate::trace::event::Wait;

/// A meeting point for a number of tasks; asyncio's `Barrier`. A clone is another handle to it.
///
/// ```
/// use oneloop::sync::Barrier;
///
/// oneloop::run(async {
///     let barrier = Barrier::new(2);
///     let other = barrier.clone();
///     let early = oneloop::spawn(async move { other.wait().await });
///     oneloop::yield_now().await;
///     assert_eq!(barrier.wait().await, Ok(1), "the last to come");
///     assert_eq!(early.await.unwrap(), Ok(0));
/// });
/// ```
#[derive(Clone)]
pub struct Barrier {
    /// What all handles of one barrier share.
    state: Rc<RefCell<State>>,
}

struct State {
    /// How many tasks meet; never 0.
    parties: usize,
    /// What happens at the barrier now.
    phase: Phase,
    /// How many tickets wait. While filling they are this round's, fewer than `parties`; otherwise they are
    /// for the next one.
    waiting: usize,
    /// How many of the tasks released last have left: the number of the next one that does.
    left: usize,
    /// Those who wait; granted: released and not yet left; dismissed: refused and not yet told.
    waiters: Waiters,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Not all have come. Nobody is granted.
    Filling,
    /// All have come, and some have not left. Somebody is granted.
    Draining,
    /// As draining, but those who have not left are refused.
    Resetting,
    /// Everybody is refused, until the next reset.
    Broken,
}

impl Barrier {
    /// Makes a barrier at which `parties` tasks meet.
    ///
    /// # Panics
    /// If `parties` is 0.
    #[track_caller]
    pub fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier needs parties to wait for: give it at least 1");
        let state = State { parties, phase: Phase::Filling, waiting: 0, left: 0, waiters: Waiters::new() };
        Self { state: Rc::new(RefCell::new(state)) }
    }

    /// Waits until all parties wait, and returns the number of this one among them, from 0: each has another.
    ///
    /// The last that comes does not wait; it has the highest number. The others have theirs in the order
    /// in which they go on: in a loop, the order in which they came.
    ///
    /// # Errors
    /// [`BrokenBarrier`] if the barrier was aborted, or is reset or aborted before this has returned.
    ///
    /// # Cancellation
    /// A task that was not released yet is not counted any more, and the others wait on. If it was, the others go on
    /// without it.
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait { barrier: self, ticket: None }
    }

    /// Begins anew: all who belong to this round, also those who were released and did not run yet, get
    /// [`BrokenBarrier`]; who came after them or comes from now on waits for a new round. An aborted barrier can
    /// be used again.
    pub fn reset(&self) {
        let after = self.state.borrow_mut().reset();
        after.run();
    }

    /// Breaks the barrier: all who wait, or were released and did not run yet, and all who come get
    /// [`BrokenBarrier`], until the next [`reset`](Self::reset).
    pub fn abort(&self) {
        let after = self.state.borrow_mut().refuse_all(Phase::Broken);
        after.run();
    }

    /// How many tasks meet here.
    pub fn parties(&self) -> usize {
        self.state.borrow().parties
    }

    /// How many tasks wait here now; asyncio's `n_waiting`.
    pub fn waiting(&self) -> usize {
        self.state.borrow().waiting
    }

    /// Whether the barrier was aborted, and not reset since.
    pub fn is_broken(&self) -> bool {
        self.state.borrow().phase == Phase::Broken
    }
}

impl State {
    /// One poll of a `BarrierWait`: its result, and what to do after the borrow.
    fn poll_wait(
        &mut self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> (Poll<Result<usize, BrokenBarrier>>, After) {
        if ticket.is_some() {
            return match self.waiters.redeem(ticket, waker) {
                Redeemed::Waiting(replaced) => (Poll::Pending, After::discard(replaced)),
                Redeemed::Granted => {
                    let number = self.number();
                    (Poll::Ready(number), self.settle())
                }
                Redeemed::Dismissed => (Poll::Ready(Err(BrokenBarrier)), After::Nothing),
            };
        }
        if self.phase == Phase::Broken {
            return (Poll::Ready(Err(BrokenBarrier)), After::Nothing);
        }
        if self.phase == Phase::Filling && self.waiting + 1 == self.parties {
            let after = self.release(self.waiting);
            return (Poll::Ready(Ok(self.parties - 1)), after);
        }
        *ticket = Some(self.waiters.join(waker));
        self.waiting += 1;
        (Poll::Pending, After::Nothing)
    }

    /// A `BarrierWait` was dropped half way.
    fn leave(&mut self, ticket: Ticket) -> After {
        match self.waiters.leave(ticket) {
            Stage::Waiting(waker) => {
                self.waiting -= 1;
                After::Drop(waker)
            }
            Stage::Granted => self.settle(),
            Stage::Dismissed => After::Nothing,
        }
    }

    /// The number of the one that leaves now, unless the barrier was reset or aborted in the meantime.
    fn number(&mut self) -> Result<usize, BrokenBarrier> {
        if self.phase != Phase::Draining {
            return Err(BrokenBarrier);
        }
        self.left += 1;
        Ok(self.left - 1)
    }

    /// One has left. After the last one, those who came in the meantime are the next round, and may be complete.
    fn settle(&mut self) -> After {
        if self.waiters.granted() > 0 || self.phase == Phase::Broken {
            return After::Nothing;
        }
        self.phase = Phase::Filling;
        if self.waiting < self.parties { After::Nothing } else { self.release(self.parties) }
    }

    /// Releases the first `count` that wait.
    fn release(&mut self, count: usize) -> After {
        self.waiting -= count;
        self.left = 0;
        self.phase = if count == 0 { Phase::Filling } else { Phase::Draining };
        self.waiters.grant(count)
    }

    fn reset(&mut self) -> After {
        match self.phase {
            Phase::Filling => self.refuse_all(Phase::Filling),
            Phase::Draining | Phase::Resetting => {
                self.phase = Phase::Resetting;
                After::Nothing
            }
            Phase::Broken => {
                let leaving = self.waiters.granted() > 0;
                self.phase = if leaving { Phase::Resetting } else { Phase::Filling };
                After::Nothing
            }
        }
    }

    /// Refuses all who wait.
    fn refuse_all(&mut self, phase: Phase) -> After {
        self.phase = phase;
        self.waiting = 0;
        self.waiters.dismiss_all()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.borrow();
        f.debug_struct("Barrier")
            .field("phase", &state.phase)
            .field("waiting", &state.waiting)
            .field("parties", &state.parties)
            .finish_non_exhaustive()
    }
}

/// The future of [`Barrier::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct BarrierWait<'a> {
    barrier: &'a Barrier,
    /// Its place among those who wait; `None` if it does not.
    ticket: Option<Ticket>,
}

impl Future for BarrierWait<'_> {
    type Output = Result<usize, BrokenBarrier>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { barrier, ticket } = &mut *self;
        let (poll, after) = barrier.state.borrow_mut().poll_wait(ticket, cx.waker());
        after.run();
        if poll.is_pending() {
            suspended_in(Wait::Barrier, Location::caller(), || {
                barrier.state.borrow().waiters.place(ticket.as_ref())
            });
        }
        poll
    }
}

impl Drop for BarrierWait<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let after = self.barrier.state.borrow_mut().leave(ticket);
            after.run();
        }
    }
}

impl fmt::Debug for BarrierWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWait").field("waiting", &self.ticket.is_some()).finish_non_exhaustive()
    }
}
