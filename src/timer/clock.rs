//! Chapter 6, part 6: what time it is.
//!
//! A loop counts time in nanoseconds since it was made. Real time is the operating system's monotonic
//! clock. Virtual time stands still while the program runs and jumps to the next deadline when nothing
//! else can happen: twelve hours of chess take a moment, and every test of time is exact.
//!
//! There is a third, *frozen*: real time, minus what an observer held the loop up for. A program that is looked at for a
//! minute between two of its steps finds its timers as near as they were before.
//!
//! Users see `std::time::Instant` in all cases, so that deadlines are added and compared as usual:
//!
//! ```text
//!   loop made       now (virtual)      deadline
//!   start + 0 s     start + 5 s        start + 60 s     Instant, to the user
//!           0    5 000 000 000    60 000 000 000     u64 of nanoseconds, inside
//! ```
//!
//! 64 bits of nanoseconds last for 584 years; a deadline beyond that is kept at the end of time.
//!
//! Before: `timer/wheel.rs`. Next: `callback.rs`, the other thing a loop can run.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A loop's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    /// When the loop was made: nanosecond 0.
    start: Instant,
    /// The same moment on the system's own scale. Read after `start`, so that no deadline given as an `Instant` is early.
    began: Ticks,
    /// The time in a loop with virtual time; `None`: real time.
    virtual_now: Option<Cell<u64>>,
    /// How far an observer has moved real time forward. Usually 0.
    ahead: Cell<u64>,
    /// How long real time stood still.
    frozen: Frozen,
}

/// A moment on the scale that `Instant` is made of: nanoseconds of the system's monotonic clock. A loop asks for the time
/// at each sleep, and what `Instant` does to compare two moments is a good part of what that takes.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Ticks(u64);

#[cfg(target_os = "linux")]
impl Ticks {
    #[inline]
    fn now() -> Ticks {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Ticks((time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64))
    }

    /// Nanoseconds since then.
    #[inline]
    fn elapsed(&self) -> u64 {
        Ticks::now().0.saturating_sub(self.0)
    }
}

/// Elsewhere it is not said which clock that is.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Ticks(Instant);

#[cfg(not(target_os = "linux"))]
impl Ticks {
    fn now() -> Ticks {
        Ticks(Instant::now())
    }

    /// Nanoseconds since then.
    fn elapsed(&self) -> u64 {
        nanos(self.0.elapsed())
    }
}

/// How long a clock in real time stood still, in nanoseconds. Clones mean the same clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frozen(Rc<Cell<u64>>);

impl Frozen {
    /// The time since `since` does not count.
    pub(crate) fn add(&self, since: Instant) {
        self.0.set(self.0.get().saturating_add(nanos(since.elapsed())));
    }
}

impl Clock {
    /// Real time without what is added to `frozen`.
    pub(crate) fn real(frozen: Frozen) -> Clock {
        let start = Instant::now();
        Clock { start, began: Ticks::now(), virtual_now: None, ahead: Cell::new(0), frozen }
    }

    pub(crate) fn virtual_time() -> Clock {
        Clock { virtual_now: Some(Cell::new(0)), ..Clock::real(Frozen::default()) }
    }

    /// Nanoseconds since the loop was made.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        match &self.virtual_now {
            None => {
                let passed = self.began.elapsed().saturating_sub(self.frozen.0.get());
                passed.saturating_add(self.ahead.get())
            }
            Some(now) => now.get(),
        }
    }

    /// Whether time is virtual.
    pub(crate) fn is_virtual(&self) -> bool {
        self.virtual_now.is_some()
    }

    /// Moves virtual time forward to `to`; real time cannot be moved, and time never goes back.
    pub(crate) fn jump(&self, to: u64) {
        if let Some(now) = &self.virtual_now {
            now.set(now.get().max(to));
        }
    }

    /// Moves the time forward by `by`, in either kind of clock: what an observer may ask for.
    pub(crate) fn advance(&self, by: Duration) {
        match self.is_virtual() {
            true => self.jump(self.now().saturating_add(nanos(by))),
            false => self.ahead.set(self.ahead.get().saturating_add(nanos(by))),
        }
    }

    /// The instant of nanosecond `at`. Beyond what an `Instant` can hold: the start plus a century.
    pub(crate) fn instant(&self, at: u64) -> Instant {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
        self.start.checked_add(Duration::from_nanos(at)).unwrap_or_else(|| self.start + CENTURY)
    }

    /// The nanosecond of an instant; one before the loop was made is 0, long past.
    pub(crate) fn at(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.start))
    }

    /// The deadline `delay` from now.
    pub(crate) fn after(&self, delay: Duration) -> u64 {
        self.now().saturating_add(nanos(delay))
    }
}

/// In virtual time: how long the loop has waited for the world outside since its clock last moved, and how much of that before
/// which timers were armed. In real time there is nothing to keep.
#[derive(Debug, Default)]
pub(crate) struct WaitedOutside {
    all: Duration,
    /// So much had been waited when this was the latest timer's arming number. In order.
    marks: Vec<(u32, Duration)>,
}

/// A loop that is woken so often, with new timers each time and without its clock moving, begins to count anew: what its
/// timers wait for comes later then.
const MOST_MARKS: usize = 1 << 16;

impl WaitedOutside {
    pub(crate) fn is_nothing(&self) -> bool {
        self.all.is_zero()
    }

    /// So much was waited, while `latest` was the arming number of the latest timer.
    pub(crate) fn add(&mut self, elapsed: Duration, latest: u32) {
        if self.marks.len() >= MOST_MARKS {
            *self = WaitedOutside::default();
        }
        self.all += elapsed;
        match self.marks.last_mut() {
            Some((armed, before)) if *armed == latest => *before = self.all,
            _ => self.marks.push((latest, self.all)),
        }
    }

    /// How much of it was waited since the timer of this number was armed.
    pub(crate) fn since(&self, armed: u32) -> Duration {
        let before = self.marks.partition_point(|(latest, _)| *latest < armed).checked_sub(1);
        self.all.saturating_sub(before.map_or(Duration::ZERO, |mark| self.marks[mark].1))
    }
}

/// A duration in nanoseconds, at most `u64::MAX`.
///
/// By parts rather than by `as_nanos`, whose 128-bit arithmetic costs more than the clock's own reading.
#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    duration.as_secs().saturating_mul(SECOND).saturating_add(u64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_moves_only_when_told_and_never_back() {
        let clock = Clock::virtual_time();
        assert_eq!(clock.now(), 0);
        clock.jump(5_000_000_000);
        clock.jump(3);
        assert_eq!(clock.now(), 5_000_000_000);
        assert_eq!(clock.at(clock.instant(60_000_000_000)), 60_000_000_000);
    }

    #[test]
    fn real_time_is_never_ahead_of_the_instants_that_users_see() {
        let clock = Clock::real(Frozen::default());
        for _ in 0..1_000 {
            let before = clock.now();
            let seen = Instant::now();
            assert!(clock.instant(before) <= seen);
            assert!(clock.at(seen) < clock.now() + 1_000_000_000, "both count nanoseconds");
        }
    }

    #[test]
    fn a_frozen_clock_leaves_out_the_time_it_stood_still() {
        let frozen = Frozen::default();
        let clock = Clock::real(frozen.clone());
        let hour_ago = Instant::now().checked_sub(Duration::from_secs(3600));
        let before = clock.now();
        // A machine that was started less than an hour ago has no such instant.
        frozen.add(hour_ago.unwrap_or(clock.start));
        assert!(clock.now() <= before);
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), 5_000_000_000);
    }

    #[test]
    fn what_was_waited_counts_only_for_timers_that_were_armed_before() {
        let (mut waited, ms) = (WaitedOutside::default(), Duration::from_millis);
        assert!(waited.is_nothing() && waited.since(1).is_zero());
        waited.add(ms(5), 2);
        waited.add(ms(1), 2);
        waited.add(ms(10), 4);
        let since: Vec<Duration> = (1..=5).map(|armed| waited.since(armed)).collect();
        assert_eq!(since, [ms(16), ms(16), ms(10), ms(10), ms(0)]);
    }

    #[test]
    fn a_delay_beyond_the_end_of_time_is_the_end_of_time() {
        let clock = Clock::virtual_time();
        clock.jump(1);
        assert_eq!(clock.after(Duration::MAX), u64::MAX);
        assert!(clock.instant(u64::MAX) > clock.instant(0));
    }
}
