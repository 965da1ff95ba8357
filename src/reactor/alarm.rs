//! Chapter 8, part 2: how a wait ends at the very nanosecond.
//!
//! epoll counts its time limit in milliseconds, and mio rounds up: a sleep of 1 ms would take 2. Linux has a clock that
//! can be waited for like a socket (`timerfd_create(2)`) and counts in nanoseconds. So where exactness is worth it, the
//! wait has no limit, and an alarm is set:
//!
//! ```text
//!   next timer at 5.3 ms      set the alarm: rings at 5.3
//!   a socket at 2 ms          the alarm stays as it is: no system call
//!   that timer is cancelled,
//!   the next is at 30 s       the alarm stays as it is: it will ring once for nothing
//!   the alarm, at 5.3 ms      set the alarm: rings at 30 s
//!   a new timer at 7 ms       set the alarm: rings at 7
//! ```
//!
//! When is it worth it? Not where a crowd of timers is woken once in two ticks anyway (`timer/wheel.rs`). And kqueue counts in
//! nanoseconds of its own: there an alarm is never to be had.
//!
//! Before: `reactor.rs`. Next: `reactor/side.rs`, who waits.

use std::io;
use std::time::Duration;

/// The alarm of a reactor.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// `None`: it was not needed so far, or is not to be had.
    clock: Option<clock::Clock>,
    /// When it rings, on the loop's clock; `None`: it is not set.
    rings: Option<u64>,
    /// Whether the system has refused one: it is not asked again.
    refused: bool,
}

impl Alarm {
    /// Sees to it that the alarm rings by `at`, which is `left` from now; whether it will.
    pub(super) fn set(&mut self, at: u64, left: Duration, registry: &mio::Registry) -> bool {
        if self.rings.is_some_and(|rings| rings <= at) {
            return true;
        }
        let set = !self.refused && self.clock(registry).and_then(|clock| clock.set(left)).is_ok();
        self.refused = !set;
        self.rings = set.then_some(at);
        set
    }

    /// It has rung.
    pub(super) fn rang(&mut self) {
        self.rings = None;
    }

    fn clock(&mut self, registry: &mio::Registry) -> io::Result<&mut clock::Clock> {
        match &mut self.clock {
            Some(clock) => Ok(clock),
            none => Ok(none.insert(clock::Clock::new(registry)?)),
        }
    }
}

#[cfg(target_os = "linux")]
mod clock {
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::time::Duration;

    use mio::unix::SourceFd;
    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
    use rustix::time::{timerfd_create, timerfd_settime};

    use super::super::ALARM;

    /// A descriptor that becomes readable when the time has come.
    #[derive(Debug)]
    pub(super) struct Clock(OwnedFd);

    impl Clock {
        pub(super) fn new(registry: &mio::Registry) -> io::Result<Clock> {
            let clock =
                timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
            registry.register(&mut SourceFd(&clock.as_raw_fd()), ALARM, mio::Interest::READABLE)?;
            Ok(Clock(clock))
        }

        /// Rings once, `left` from now. What it counted before is forgotten, so nobody has to read it.
        pub(super) fn set(&mut self, left: Duration) -> io::Result<()> {
            // All zeros would take the alarm back.
            let left = left.max(Duration::from_nanos(1));
            let (it_value, it_interval) = (Timespec::try_from(left), Timespec { tv_sec: 0, tv_nsec: 0 });
            let it_value = it_value.map_err(|_| io::ErrorKind::InvalidInput)?;
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod clock {
    use std::io;
    use std::time::Duration;

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Clock {}

    impl Clock {
        pub(super) fn new(_: &mio::Registry) -> io::Result<Clock> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn set(&mut self, _: Duration) -> io::Result<()> {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::reactor::Reactor;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A wait without limit is the proof: only the alarm can end it.
    #[test]
    fn a_wait_ends_when_the_alarm_rings_and_never_before() {
        let (mut reactor, _notifier) = Reactor::new().unwrap();
        for left in [1, 999, 100_000, 1_500_000].map(Duration::from_nanos) {
            let began = Instant::now();
            loop {
                reactor.wait(Some(left), Some(7)).unwrap();
                reactor.edges(|_| {}, |_| {});
                // A signal may have ended the wait.
                if reactor.alarm.rings.is_none() {
                    break;
                }
            }
            assert!(began.elapsed() >= left);
        }
    }

    #[test]
    fn an_alarm_that_rings_early_enough_is_left_as_it_is() {
        let (mut reactor, _notifier) = Reactor::new().unwrap();
        let Reactor { poll, alarm, .. } = &mut reactor;
        let mut set = |at| (alarm.set(at, HOUR, poll.registry()), alarm.rings);
        assert_eq!(set(100), (true, Some(100)));
        assert_eq!(set(101), (true, Some(100)));
        assert_eq!(set(99), (true, Some(99)));
    }
}
