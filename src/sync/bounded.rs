//! Chapter 25, part 9: who notices that a permit was given back twice?
//!
//! A [`Semaphore`] does not: the second release adds a permit, and from then on one task more than was meant
//! gets through. A [`BoundedSemaphore`] knows how many permits were taken out of its sight, which only
//! [`Permit::forget`] does, and refuses to take back more than those.
//!
//! ```text
//!   new(2)               2 permits                          to be released by hand: 0
//!   acquire, forget      1 permit                           to be released by hand: 1
//!   acquire              0 permits, 1 held by its guard     to be released by hand: 1
//!   release              1 permit,  1 held by its guard     to be released by hand: 0
//!   release              panics: that permit is not the caller's to give
//! ```
//!
//! asyncio compares with the first number of permits only. So there the last line goes well, and the panic
//! comes later, to the one who did nothing wrong.
//!
//! Before: `sync/semaphore.rs`. Next: `sync/mutex.rs`.

use super::semaphore::{Acquire, Permit, Semaphore};

/// A semaphore that never has more permits than it was made with; asyncio's `BoundedSemaphore`. A clone is
/// another handle.
///
/// ```
/// use oneloop::sync::BoundedSemaphore;
///
/// let semaphore = BoundedSemaphore::new(1);
/// semaphore.try_acquire().unwrap().forget();
/// semaphore.release();
/// assert_eq!(semaphore.available(), 1); // one more `release` would panic
/// ```
#[derive(Clone, Debug)]
pub struct BoundedSemaphore {
    /// It does all but the counting of releases.
    semaphore: Semaphore,
}

impl BoundedSemaphore {
    /// Makes a semaphore with so many permits, now and for ever.
    ///
    /// # Panics
    /// If `permits` is 0: nobody could ever acquire one.
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        assert!(
            permits > 0,
            "a bounded semaphore without permits lets nobody through, ever: give it at least 1"
        );
        Self { semaphore: Semaphore::new(permits) }
    }

    /// Takes a permit, and waits for one if there is none or if others wait.
    ///
    /// # Cancellation
    /// As with [`Semaphore::acquire`]: nothing is lost.
    pub fn acquire(&self) -> Acquire<'_> {
        self.semaphore.acquire()
    }

    /// Takes a permit if there is one now and nobody waits.
    pub fn try_acquire(&self) -> Option<Permit> {
        self.semaphore.try_acquire()
    }

    /// Gives back one permit that was taken with [`Permit::forget`]; asyncio's `release`. A permit that was not
    /// forgotten gives itself back.
    ///
    /// # Panics
    /// If it is called more often than permits were forgotten.
    #[track_caller]
    pub fn release(&self) {
        assert!(
            self.semaphore.forgotten() > 0,
            "a bounded semaphore was released too often: call `release` once for each permit that was forgotten"
        );
        self.semaphore.release();
    }

    /// How many permits nobody holds.
    pub fn available(&self) -> usize {
        self.semaphore.available()
    }

    /// Whether a newcomer would have to wait; asyncio's `locked`.
    pub fn is_locked(&self) -> bool {
        self.semaphore.is_locked()
    }
}
