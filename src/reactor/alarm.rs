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
//! **The lead.** The alarm rings on time, and still the loop is late: a core that sleeps takes its time to wake up, 3 µs on one
//! machine and 50 on another, and after sleeps of the same length much the same. So the loop measures how late it is
//! woken, keeps one mean, in which each wait counts for an eighth (as TCP does with the time that an answer takes: V. Jacobson, "Congestion Avoidance and
//! Control", 1988), and has the alarm ring earlier by that:
//!
//! ```text
//!   it rang; the loop woke     44 µs later, 40, 46, 52       the lead is 45 µs
//!   next timer at 5.300 ms     the alarm rings at 5.255
//!   awake at 5.303             3 µs late instead of 48
//!   awake at 5.298             2 µs early: they are not slept, but spent looking at I/O, again and again
//! ```
//!
//! So what is spent awake is what the guess was wrong by; and the same goes for timers that follow within a lead of that
//! deadline, for it would take longer to sleep. Any other wait as short as the lead is slept whole, and ends late.
//!
//! Before: `reactor.rs`. Next: `reactor/lines.rs`, who waits.

use std::io;
use std::time::Duration;

use crate::timer::clock::nanos;

/// Later than by this many nanoseconds is not the machine's habit, but its having something else to do.
const MOST: u64 = 250_000;

/// The alarm of a reactor.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// `None`: it was not needed so far, or is not to be had.
    clock: Option<clock::Clock>,
    /// When it rings, on the loop's clock; `None`: it is not set.
    rings: Option<u64>,
    /// The deadline for which it was set last, or for which that failed; 0 if it never was to be set.
    deadline: u64,
    /// Whether the wait that goes on began before it rings, and so will tell how late the loop is woken.
    awaited: bool,
    /// How much earlier than a deadline it rings, in nanoseconds: the mean of how late it ended waits. 0 before the first.
    lead: u64,
    /// Whether the system has refused one: it is not asked again.
    refused: bool,
}

impl Alarm {
    /// To be called before each wait, of at most `timeout`; `exactly`: the time at which that is over, if the wait is to
    /// end just then, for which the alarm is set. Returns the limit that the system is to be given; `None`: it has none, or the alarm will end it.
    pub(super) fn limit(
        &mut self,
        timeout: Option<Duration>,
        exactly: Option<u64>,
        registry: &mio::Registry,
    ) -> Option<Duration> {
        self.awaited = false;
        let (Some(left), Some(at)) = (timeout, exactly) else { return timeout };
        let now = at.saturating_sub(nanos(left));
        if let Some(rings) = self.rings.filter(|&rings| rings <= at) {
            self.awaited = now < rings;
            return None;
        }
        let has_rung = self.rings.is_none() && at <= self.deadline.saturating_add(self.lead);
        if has_rung && nanos(left) <= self.lead {
            return Some(Duration::ZERO);
        }
        let early = if nanos(left) > self.lead { self.lead } else { 0 };
        let sleep = left.saturating_sub(Duration::from_nanos(early));
        let set = !self.refused && self.clock(registry).and_then(|clock| clock.set(sleep)).is_ok();
        self.refused = !set;
        (self.rings, self.awaited, self.deadline) = (set.then_some(at - early), set, at);
        if set { None } else { timeout }
    }

    /// It has rung, and the loop noticed at `now`; `None`: that says nothing of how late loops are woken here.
    pub(super) fn rang(&mut self, now: Option<u64>) {
        let rings = self.rings.take().filter(|_| self.awaited);
        if let (Some(rings), Some(now)) = (rings, now) {
            self.learn(now.saturating_sub(rings).min(MOST));
        }
    }

    /// The loop was woken so late.
    fn learn(&mut self, late: u64) {
        self.lead = match self.lead {
            0 => late,
            lead if lead < late => lead + (late - lead).div_ceil(8),
            lead => lead - (lead - late).div_ceil(8),
        };
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
                reactor.edges(None, |_| {}, |_| {});
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
        let mut set = |at| (alarm.limit(Some(HOUR), Some(at), poll.registry()), alarm.rings);
        assert_eq!(set(100), (None, Some(100)));
        assert_eq!(set(101), (None, Some(100)));
        assert_eq!(set(99), (None, Some(99)));
    }

    /// An alarm of a loop that is always woken 40 µs late, and knows it.
    fn led() -> (Reactor, u64) {
        let (mut reactor, _notifier) = Reactor::new().unwrap();
        let Reactor { poll, alarm, .. } = &mut reactor;
        let mut at = 2 * nanos(HOUR);
        for _ in 0..100 {
            at += 1;
            assert_eq!(alarm.limit(Some(HOUR), Some(at), poll.registry()), None);
            alarm.rang(Some(alarm.rings.unwrap() + LATE));
        }
        assert_eq!(alarm.lead, LATE);
        (reactor, at + 1)
    }

    const LATE: u64 = 40_000;

    #[test]
    fn an_alarm_rings_earlier_by_what_the_loop_is_usually_late_and_the_rest_is_not_slept() {
        let (mut reactor, at) = led();
        let Reactor { poll, alarm, .. } = &mut reactor;
        assert_eq!(
            (alarm.limit(Some(HOUR), Some(at), poll.registry()), alarm.rings),
            (None, Some(at - LATE))
        );
        alarm.rang(Some(at));
        // For this deadline, for one that is nearer by now, and for all within another lead.
        for at in [at, at - 1, at + LATE] {
            for left in [3, LATE].map(Duration::from_nanos) {
                assert_eq!(alarm.limit(Some(left), Some(at), poll.registry()), Some(Duration::ZERO));
            }
        }
        // It did not ring for what comes later.
        let (later, three) = (at + LATE + 1, Duration::from_nanos(3));
        assert_eq!(
            (alarm.limit(Some(three), Some(later), poll.registry()), alarm.rings),
            (None, Some(later))
        );
    }

    #[test]
    fn each_wait_moves_the_lead_by_an_eighth_of_the_way() {
        let mut alarm = Alarm::default();
        let leads = [44_000, 40_000, 46_000, 52_000, 0, MOST + 1].map(|late| {
            (alarm.rings, alarm.awaited) = (Some(7), true);
            alarm.rang(Some(7 + late));
            alarm.lead
        });
        assert_eq!(leads, [44_000, 43_500, 43_813, 44_837, 39_232, 65_578]);
    }

    #[test]
    fn a_real_wait_teaches_it_unless_that_says_nothing() {
        for learns in [true, false] {
            let (mut reactor, _notifier) = Reactor::new().unwrap();
            let (began, left) = (Instant::now(), Duration::from_millis(1));
            while reactor.alarm.deadline == 0 || reactor.alarm.rings.is_some() {
                reactor.wait(Some(left), Some(nanos(left))).unwrap();
                let now = nanos(began.elapsed());
                reactor.edges(learns.then_some(now), |_| {}, |_| {});
            }
            assert_eq!(reactor.alarm.lead > 0, learns);
        }
    }

    #[test]
    fn a_wait_as_short_as_the_lead_is_slept_whole() {
        let (mut reactor, at) = led();
        let Reactor { poll, alarm, .. } = &mut reactor;
        let (at, left) = (at + LATE, Duration::from_nanos(LATE));
        assert_eq!((alarm.limit(Some(left), Some(at), poll.registry()), alarm.rings), (None, Some(at)));
    }

    #[test]
    fn a_loop_that_was_busy_when_it_rang_learns_nothing() {
        let (mut reactor, at) = led();
        let Reactor { poll, alarm, .. } = &mut reactor;
        let just_over = Duration::from_nanos(1);
        // A socket ended the wait, and then there was much to do. What it rings into is a look that does not wait; or
        // a wait that began too late; or nothing is to be learnt.
        let looks = [
            (Some(Duration::ZERO), None, Some(at + 5 * LATE)),
            (Some(just_over), Some(at + 1), Some(at + 5 * LATE)),
            (Some(HOUR), Some(at), None),
        ];
        for (timeout, exactly, now) in looks {
            assert_eq!(alarm.limit(Some(HOUR), Some(at), poll.registry()), None);
            alarm.limit(timeout, exactly, poll.registry());
            alarm.rang(now);
            assert_eq!(alarm.lead, LATE);
        }
    }

    #[test]
    fn no_delay_of_any_length_makes_it_ring_earlier_than_the_limit() {
        let (mut reactor, mut at) = led();
        let Reactor { poll, alarm, .. } = &mut reactor;
        for _ in 0..100 {
            assert_eq!(alarm.limit(Some(HOUR), Some(at), poll.registry()), None);
            alarm.rang(Some(at + nanos(HOUR)));
            assert!((LATE..=MOST).contains(&alarm.lead));
            at += 1;
        }
        assert_eq!(alarm.lead, MOST);
    }
}
