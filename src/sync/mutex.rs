//! Chapter 25, part 10: what is a lock for, where nothing runs at the same time?
//!
//! On one thread nobody interferes between two awaits, so what is changed in one go needs no lock. A
//! [`Mutex`] is for what takes longer: a task that reads a value, awaits, and then writes it would overwrite
//! what others wrote in the meantime.
//!
//! ```text
//!   without   A reads 1    B reads 1    A awaits    B awaits    A writes 2    B writes 2    (lost: should be 3)
//!   with      A locks, reads 1    B waits    A awaits, writes 2, unlocks    B locks, reads 2, writes 3
//! ```
//!
//! It is a semaphore with one permit, and a value that only who holds the permit can reach. So its line is
//! as fair as that of a semaphore: it is handed on in the order of asking, and nobody barges in.
//!
//! Before: `sync/bounded.rs`. Next: `sync/condition.rs`.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::semaphore::{Acquire, Permit, Semaphore};
use crate::trace::event::{Site, Wait};

/// A value that one task at a time can use, also across awaits; asyncio's `Lock`, with what it protects inside.
///
/// A clone is another handle to the same value. There is no `release` that could be forgotten: the guard
/// unlocks when it is dropped, also if its task panics or is cancelled. The value is then left as it is; a
/// panic does not poison it.
///
/// A task that locks what it has locked already waits for itself, and so for ever.
///
/// ```
/// use oneloop::sync::Mutex;
///
/// async fn add(total: Mutex<u32>, amount: u32) {
///     let mut total = total.lock().await;
///     let before = *total;
///     oneloop::yield_now().await;
///     *total = before + amount;
/// }
///
/// let total = Mutex::new(0);
/// oneloop::run(async {
///     oneloop::gather([1, 2].map(|amount| add(total.clone(), amount))).await;
/// });
/// assert_eq!(*total.try_lock().unwrap(), 3);
/// ```
pub struct Mutex<T> {
    /// One permit, for the one who may use the value.
    semaphore: Semaphore,
    /// Borrowed exactly while a guard lives.
    value: Rc<RefCell<T>>,
}

impl<T> Mutex<T> {
    /// Makes a mutex that is not locked.
    pub fn new(value: T) -> Self {
        Self { semaphore: Semaphore::new(1), value: Rc::new(RefCell::new(value)) }
    }

    /// Locks, and waits for that if somebody has locked it or waits to.
    ///
    /// # Cancellation
    /// Nothing is lost: if it was this one's turn already, it is the turn of the next that waits.
    pub fn lock(&self) -> Lock<'_, T> {
        Lock { mutex: self, acquire: self.semaphore.acquire() }
    }

    /// Locks if nobody has locked it or waits to.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.semaphore.try_acquire().map(|permit| self.guard(permit))
    }

    /// Whether a newcomer would have to wait; asyncio's `locked`.
    ///
    /// It is locked too while it is handed on: after the guard was dropped, and before the next task runs.
    pub fn is_locked(&self) -> bool {
        self.semaphore.is_locked()
    }

    fn guard(&self, permit: Permit) -> MutexGuard<'_, T> {
        MutexGuard { value: self.value.borrow_mut(), mutex: self, _permit: permit }
    }
}

impl<T> Clone for Mutex<T> {
    fn clone(&self) -> Self {
        Self { semaphore: self.semaphore.clone(), value: Rc::clone(&self.value) }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").field("locked", &self.is_locked()).finish_non_exhaustive()
    }
}

/// The value of a [`Mutex`] in use; unlocks when it is dropped.
#[must_use = "a guard that is dropped at once protects nothing"]
pub struct MutexGuard<'a, T> {
    /// Given back first, so that whoever is woken by the permit finds it free.
    value: RefMut<'a, T>,
    mutex: &'a Mutex<T>,
    /// Goes to the next that waits.
    _permit: Permit,
}

impl<'a, T> MutexGuard<'a, T> {
    /// What is locked. Not a method, since the value may have one of this name.
    pub(super) fn mutex(guard: &Self) -> &'a Mutex<T> {
        guard.mutex
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The future of [`Mutex::lock`].
#[must_use = "futures do nothing unless awaited"]
pub struct Lock<'a, T> {
    mutex: &'a Mutex<T>,
    acquire: Acquire<'a>,
}

impl<'a, T> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_at(cx, Location::caller())
    }
}

impl<'a, T> Lock<'a, T> {
    /// One poll, for a future that is awaited at `site`.
    pub(super) fn poll_at(&mut self, cx: &mut Context<'_>, site: Site) -> Poll<MutexGuard<'a, T>> {
        self.acquire.poll_for(cx, Wait::Lock, site).map(|permit| self.mutex.guard(permit))
    }
}

impl<T> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("acquire", &self.acquire).finish_non_exhaustive()
    }
}
