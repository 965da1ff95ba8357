//! Chapter 12, part 2: how a loop tells its observers.
//!
//! Before: `state.rs`. Next: `state/ends.rs`.

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::{State, task_id};
use crate::ready::Entry;
use crate::tasks::Slot;
use crate::trace::event::{Actor, EventKind, Name, Site};

impl State {
    /// Tells the observers, if there are any; the event is built only then.
    ///
    /// On the way of a wake or a poll `kind` is a `move` closure: then a loop that nobody watches does nothing for it but ask.
    #[inline(always)]
    pub(crate) fn tell(&self, kind: impl FnOnce() -> EventKind) {
        if self.seam.watched() {
            self.tell_watched(kind);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_watched(&self, kind: impl FnOnce() -> EventKind) {
        self.seam.tell(self.moment(), kind);
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
    #[inline(always)]
    pub(crate) fn tell_still(&self, kind: impl FnOnce() -> EventKind) {
        if self.seam.watched() {
            self.tell_watched_still(kind);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_watched_still(&self, kind: impl FnOnce() -> EventKind) {
        let time = self.still_moment();
        self.seam.tell(time, kind);
        self.seam.still(time);
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
        let seq = self.seam.tell_of_thread(cause, Duration::from_nanos(time), Some(thread), || kind);
        if let Some(job) = job {
            self.seam.follow_job(job, seq);
        }
    }

    // The parts one by one: a struct passed by reference would have to lie in memory, watched or not.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_spawn(&self, entry: Entry, site: Site, future: &'static str, size: usize) {
        let (task, time) = (task_id(entry), self.moment());
        let seq = self.seam.tell(time, || {
            let name = self.given_name(entry).map_or_else(|| Name::numbered(task), Name::from);
            EventKind::Spawn { task, name, by: self.seam.actor(), site: site.into(), future, size }
        });
        // What leads to the first poll is the spawning.
        self.seam.note_wake(entry.key(), task, seq, time);
    }

    /// Tells of the leaf before this one: of the last one the end of the poll tells.
    #[cold]
    pub(super) fn tell_leaf(&self, site: Site) {
        if let Some(stacks) = self.seam.stacks() {
            stacks.note(site);
        }
        if let Some((wait, site)) = self.noted() {
            self.tell(|| EventKind::LeafWait { wait, by: self.seam.actor(), site: site.into() });
        }
    }

    #[cold]
    pub(super) fn tell_poll_begin(&self, entry: Entry) -> Watch {
        let (task, time) = (task_id(entry), self.still_moment());
        let (poll, wake) = self.seam.note_poll(entry.key(), task);
        let waited = wake.map_or(Duration::ZERO, |(_, woken)| time.saturating_sub(woken));
        let kind = || EventKind::PollBegin { task, poll, waited };
        let seq = self.seam.tell_because(wake.map(|(seq, _)| seq), time, kind);
        self.seam.enter(Actor::Task(task), seq);
        Watch { poll, began: time }
    }

    #[cold]
    pub(super) fn tell_poll_end(&self, slot: &Slot, entry: Entry, result: Option<&Poll<()>>, watch: Watch) {
        let pending = result.is_some_and(Poll::is_pending);
        let line = |site| self.tasks.line_of(slot, site).into();
        let suspended = pending.then(|| self.suspended.get()).map(|said| (said.wait, said.site.map(line)));
        let wakers = slot.clones_of_waker();
        let (task, time, poll) = (task_id(entry), self.moment(), watch.poll);
        let took = time.saturating_sub(watch.began);
        let chain = self.seam.stacks().filter(|_| pending).and_then(|stacks| stacks.end(task));
        let chained = chain.is_some();
        if let Some(frames) = chain {
            self.seam.tell(time, || EventKind::Chain { task, frames });
        }
        self.seam.tell(time, || EventKind::PollEnd { task, poll, took, suspended, wakers });
        // After a panic there is much to be dropped, and chains take their time.
        if result.is_some() && !chained {
            self.seam.still(time);
        }
        // A leaf of ours that has said where it is suspended has also seen to being woken.
        if suspended.is_some_and(|(_, site)| site.is_none()) && self.is_lost(slot, entry) {
            self.tell(|| EventKind::Lost { task });
        }
    }
}

/// What is remembered of a poll while somebody watches.
#[derive(Clone, Copy)]
pub(super) struct Watch {
    poll: u32,
    began: Duration,
}
