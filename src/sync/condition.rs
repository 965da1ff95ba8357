//! Chapter 25, part 11: how does a task wait until a value is as it should be?
//!
//! A [`Mutex`] lets a task look at a value; a [`Condition`] lets it wait for the next look. To wait is to give
//! the mutex back and to join the line of those who wait for a notification, both in one go, so that no
//! notification can slip in between. Whoever has changed the value notifies one, some or all of the line, and
//! they lock the mutex again, one after the other, in the order in which they waited.
//!
//! ```text
//!              wait ①               notify ②                 its turn ③
//!   has guard ──────▶ in line, and ──────────▶ waits for ──────────────▶ has guard, and looks again
//!                     the mutex free           the mutex
//!                          │                       │
//!                          ▼ dropped               ▼ dropped: the notification goes to the next in line
//! ```
//!
//! A worked example. A and B wait for an item; one item comes, and A is notified (②). Before A has the mutex
//! it is cancelled. Nobody would tell B of the item, if A did not pass on what it was told: so it does, when it
//! is dropped. And if C has locked the mutex in between and taken the item, B looks, finds nothing, and waits
//! again. That is why to wait is always to wait in a loop, or with [`wait_for`](Condition::wait_for).
//!
//! Before: `sync/mutex.rs`. Next: `sync/event.rs`.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::mutex::{Lock, Mutex, MutexGuard};
use super::waiters::{After, Stage, Ticket, Waiters, suspended_in};
use crate::trace::event::{Site, Wait};

/// A line of tasks that wait for a value in a [`Mutex`] to change; asyncio's `Condition`. A clone is another handle.
///
/// asyncio's `Condition` has a lock of its own; this one takes the guard of any [`Mutex`] and gives it back, so
/// one mutex may have several conditions. To wait without the mutex, an error there, cannot be written here.
/// To notify without it is an error there too, and no mistake here: on one thread, between looking and
/// waiting nobody else runs.
///
/// ```
/// use oneloop::sync::{Condition, Mutex};
///
/// let (jobs, changed) = (Mutex::new(Vec::new()), Condition::new());
/// oneloop::run(async {
///     let (same_jobs, same_changed) = (jobs.clone(), changed.clone());
///     let worker = oneloop::spawn(async move {
///         let jobs = same_jobs.lock().await;
///         let mut jobs = same_changed.wait_for(jobs, |jobs| !jobs.is_empty()).await;
///         jobs.pop()
///     });
///     oneloop::yield_now().await;
///     jobs.lock().await.push("paint the fence");
///     changed.notify(1);
///     assert_eq!(worker.await.unwrap(), Some("paint the fence"));
/// });
/// ```
#[derive(Clone)]
pub struct Condition {
    /// Those who wait to be notified, and those who were and have not run yet.
    waiters: Rc<RefCell<Waiters>>,
}

impl Condition {
    /// Makes a condition for which nobody waits.
    pub fn new() -> Self {
        Self { waiters: Rc::new(RefCell::new(Waiters::new())) }
    }

    /// Gives the mutex back, waits until it is notified, and locks the mutex again.
    ///
    /// It may also return because a notification was passed on to it: look whether what is waited for is there.
    ///
    /// # Cancellation
    /// The mutex stays unlocked (asyncio locks it once more before it lets a cancelled task go). If this had been
    /// notified, the next that waits is notified instead.
    pub fn wait<'m, T>(&self, guard: MutexGuard<'m, T>) -> ConditionWait<'_, 'm, T> {
        ConditionWait { condition: self, place: Place::Holding(guard) }
    }

    /// Waits until `predicate` says of the value that this is what was waited for; returns at once if it does so
    /// now. It is asked with the mutex locked, and once more after each notification.
    ///
    /// # Cancellation
    /// As with [`wait`](Self::wait). If `predicate` panics, the mutex is unlocked.
    pub fn wait_for<'m, T, P>(&self, guard: MutexGuard<'m, T>, predicate: P) -> ConditionWaitFor<'_, 'm, T, P>
    where
        P: FnMut(&mut T) -> bool,
    {
        ConditionWaitFor { wait: self.wait(guard), predicate }
    }

    /// Notifies the first `most` of those who wait; all, if they are fewer. Those who were notified before and
    /// have not run yet do not count.
    pub fn notify(&self, most: usize) {
        let after = self.waiters.borrow_mut().grant(most);
        after.run();
    }

    /// Notifies all who wait now, in the order in which they came.
    pub fn notify_all(&self) {
        self.notify(usize::MAX);
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.waiters.borrow().has_waiting();
        f.debug_struct("Condition").field("waiting", &waiting).finish_non_exhaustive()
    }
}

/// The future of [`Condition::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct ConditionWait<'c, 'm, T> {
    condition: &'c Condition,
    place: Place<'m, T>,
}

/// How far a wait has come: the states of the diagram above.
enum Place<'m, T> {
    /// It has not been polled.
    Holding(MutexGuard<'m, T>),
    /// It is in the line, and will lock this mutex.
    InLine(Option<Ticket>, &'m Mutex<T>),
    /// It was notified.
    Locking(Lock<'m, T>),
    /// It has returned.
    Over,
}

impl<'m, T> ConditionWait<'_, 'm, T> {
    /// Goes as far as it can, for a future that is awaited at `site`.
    fn advance(&mut self, cx: &mut Context<'_>, site: Site) -> Poll<MutexGuard<'m, T>> {
        let held = self.take_held();
        if let Some(guard) = &held {
            self.place = Place::InLine(None, MutexGuard::mutex(guard));
        }
        if let Place::InLine(ticket, mutex) = &mut self.place {
            let (poll, after) = self.condition.waiters.borrow_mut().wait(ticket, cx.waker());
            after.run();
            if poll.is_pending() {
                // Only now that this is in the line, so that no notification can slip in between.
                drop(held);
                let waiters = &self.condition.waiters;
                suspended_in(Wait::Condition, site, || waiters.borrow().place(ticket.as_ref()));
                return Poll::Pending;
            }
            self.place = Place::Locking(mutex.lock());
        }
        let Place::Locking(lock) = &mut self.place else {
            panic!("a wait for a condition was polled again after it had returned: await it once");
        };
        let Poll::Ready(guard) = lock.poll_at(cx, site) else { return Poll::Pending };
        self.place = Place::Over;
        Poll::Ready(guard)
    }

    /// The guard, if it is held.
    fn take_held(&mut self) -> Option<MutexGuard<'m, T>> {
        match std::mem::replace(&mut self.place, Place::Over) {
            Place::Holding(guard) => Some(guard),
            place => {
                self.place = place;
                None
            }
        }
    }
}

impl<'m, T> Future for ConditionWait<'_, 'm, T> {
    type Output = MutexGuard<'m, T>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.advance(cx, Location::caller())
    }
}

impl<T> Drop for ConditionWait<'_, '_, T> {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.place, Place::Over) {
            Place::Holding(_) | Place::InLine(None, _) | Place::Over => {}
            Place::InLine(Some(ticket), _) => {
                let mut waiters = self.condition.waiters.borrow_mut();
                let after = match waiters.leave(ticket) {
                    Stage::Waiting(waker) => After::Drop(waker),
                    Stage::Granted | Stage::Dismissed => After::wake(waiters.grant_first()),
                };
                drop(waiters);
                after.run();
            }
            Place::Locking(lock) => {
                drop(lock);
                self.condition.notify(1);
            }
        }
    }
}

/// The future of [`Condition::wait_for`].
#[must_use = "futures do nothing unless awaited"]
pub struct ConditionWaitFor<'c, 'm, T, P> {
    /// The wait for the next look; it holds the guard before the first one.
    wait: ConditionWait<'c, 'm, T>,
    predicate: P,
}

/// The predicate is called, never pinned.
impl<T, P> Unpin for ConditionWaitFor<'_, '_, T, P> {}

impl<'m, T, P: FnMut(&mut T) -> bool> ConditionWaitFor<'_, 'm, T, P> {
    /// Looks at the value if that is due, and waits on if it is not as it should be.
    fn advance(&mut self, cx: &mut Context<'_>, site: Site) -> Poll<MutexGuard<'m, T>> {
        let mut guard = match self.wait.take_held() {
            Some(guard) => guard,
            None => ready!(self.wait.advance(cx, site)),
        };
        if (self.predicate)(&mut guard) {
            return Poll::Ready(guard);
        }
        self.wait.place = Place::Holding(guard);
        self.wait.advance(cx, site)
    }
}

impl<'m, T, P: FnMut(&mut T) -> bool> Future for ConditionWaitFor<'_, 'm, T, P> {
    type Output = MutexGuard<'m, T>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.advance(cx, Location::caller())
    }
}

impl<T> fmt::Debug for ConditionWait<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Place::Holding(_) => "holding the mutex",
            Place::InLine(..) => "in the line",
            Place::Locking(_) => "notified",
            Place::Over => "over",
        };
        f.debug_struct("ConditionWait").field("place", &place).finish_non_exhaustive()
    }
}

impl<T, P> fmt::Debug for ConditionWaitFor<'_, '_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConditionWaitFor").field("wait", &self.wait).finish_non_exhaustive()
    }
}
