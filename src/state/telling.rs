//! Chapter 12, part 2: how a loop tells its observers.
//!
//! Before: `state.rs`. Next: `state/ends.rs`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::State;
use crate::trace::event::EventKind;

impl State {
    /// Tells the observers, if there are any; the event is built only then.
    #[inline(always)]
    pub(crate) fn tell(&self, kind: impl FnOnce() -> EventKind) {
        if self.seam.watched() {
            self.seam.tell(self.moment(), None, kind());
        }
    }

    /// The loop's time, as events carry it.
    pub(crate) fn moment(&self) -> Duration {
        Duration::from_nanos(self.clock.now())
    }

    /// The same, without a look at the clock if nothing of the program has run since the last one.
    pub(crate) fn still_moment(&self) -> Duration {
        self.seam.now().unwrap_or_else(|| self.moment())
    }

    /// As [`tell`](State::tell), between two things of the program that run.
    pub(crate) fn tell_still(&self, kind: impl FnOnce() -> EventKind) {
        if self.seam.watched() {
            let time = self.still_moment();
            self.seam.tell(time, None, kind());
            self.seam.still(time);
        }
    }

    /// Tells what happened on another thread, at its own time.
    pub(crate) fn tell_of_thread(&self, at: Instant, thread: Arc<str>, kind: EventKind) {
        let now = self.clock.now();
        // A thread's clock goes on while the loop's is frozen, but nothing is told of that is still to come.
        let time = if self.clock.is_virtual() { now } else { self.clock.at(at).min(now) };
        let job = match kind {
            EventKind::JobStart { job, .. } | EventKind::JobEnd { job, .. } => Some(job),
            _ => None,
        };
        let cause = job.and_then(|job| self.seam.job_cause(job));
        let seq = self.seam.tell_because(cause, Duration::from_nanos(time), Some(thread), kind);
        if let Some(job) = job {
            self.seam.follow_job(job, seq);
        }
    }
}
