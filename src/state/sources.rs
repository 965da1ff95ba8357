//! Chapter 12, part 4: sockets and jobs: what lets a task wait for the world outside.
//!
//! Before: `state/ends.rs`. Next: `state/standing.rs`.

use std::io;
use std::rc::Rc;
use std::task::Context;
use std::time::{Duration, Instant};

use super::State;
use crate::delivery::Delivery;
use crate::pool::Threads;
use crate::reactor::{Direction, Edge, Interest, Registered, Target, wait_of};
use crate::sent::SOON;
use crate::trace::event::{Actor, EventKind, IoOp, IoResult, JobId, Site, SourceId, Wait, WaitEnd};
use crate::trace::observer::{Choice, Decision};

impl State {
    /// Registers a source in the reactor. `counted`: whether waiting for it keeps virtual time from
    /// jumping, as sockets do and signals do not.
    pub(crate) fn register(
        &self,
        source: &mut impl mio::event::Source,
        what: &'static str,
        counted: bool,
        site: Site,
    ) -> io::Result<Rc<Registered>> {
        let registered = self.reactor.borrow_mut().register(source, counted)?;
        let source = registered.id();
        self.tell(|| EventKind::IoOpen { source, what, by: self.seam.actor(), site: site.into() });
        Ok(registered)
    }

    /// Takes a source out; whoever still waits for it is woken, to find it gone.
    pub(crate) fn deregister(&self, source: &mut impl mio::event::Source, registered: &Rc<Registered>) {
        let targets = self.reactor.borrow_mut().deregister(source, registered);
        self.tell(|| EventKind::IoClose { source: registered.id(), by: self.seam.actor() });
        targets.into_iter().for_each(|target| self.make_ready(target));
    }

    /// Whoever polls now is woken by the next edge in `direction`. `None` for the interest: it will not be taken
    /// back. `noted`: what a leaf future that now returns `Pending` waits for, and at which line.
    #[inline]
    pub(crate) fn io_wait(
        &self,
        registered: &Registered,
        direction: Direction,
        cx: &Context<'_>,
        interest: Option<&mut Interest>,
        noted: Option<(Wait, Site)>,
    ) {
        let target = self.target(cx);
        drop(registered.wait_for(direction, target, interest));
        if self.seam.watched() {
            self.tell_interest(registered.id(), wait_of(direction), noted);
        }
        self.suspend_at(noted);
    }

    #[cold]
    fn tell_interest(&self, source: SourceId, wait: Wait, noted: Option<(Wait, Site)>) {
        self.tell(|| EventKind::IoInterest { source, wait, by: self.seam.actor() });
        if let Some((_, site)) = noted {
            self.tell_leaf(site);
        }
    }

    /// A future is dropped: nobody waits with this interest any more.
    #[inline]
    pub(crate) fn io_forget(&self, registered: &Registered, direction: Direction, interest: &Interest) {
        // Most often an edge has ended the wait.
        if interest.is_waiting() {
            self.io_give_up(registered, direction, interest);
        }
    }

    #[cold]
    fn io_give_up(&self, registered: &Registered, direction: Direction, interest: &Interest) {
        let forgotten = registered.forget(direction, interest);
        if forgotten.is_some() {
            let (source, wait) = (registered.id(), wait_of(direction));
            self.tell(|| EventKind::IoForget { source, wait, by: self.seam.actor() });
        }
        drop(forgotten);
    }

    /// What an observer wants of an operation about to be tried; asked only while one watches.
    #[cold]
    pub(crate) fn io_decision(&self, source: SourceId, op: IoOp) -> Decision {
        self.seam.decide(&Choice::Io(source, op))
    }

    /// Tells what an operation gave.
    #[cold]
    pub(crate) fn tell_io(&self, source: SourceId, op: IoOp, result: IoResult) {
        self.tell(|| EventKind::IoOp { source, op, result });
    }

    /// Whether a task waits for I/O.
    pub(crate) fn waits_for_io(&self) -> bool {
        self.reactor.borrow().is_waited_for()
    }

    /// Sources registered.
    pub(crate) fn sources(&self) -> usize {
        self.reactor.borrow().len()
    }

    /// Jobs whose end the loop has not heard of; always 0 in real time with nobody watching.
    pub(crate) fn jobs(&self) -> usize {
        self.jobs.get()
    }

    /// Step 2: blocks until there is something to do, at most for `timeout`; to the nanosecond, if the deadline is given
    /// at which it is over. Returns whether sources were looked at: where another thread has sent something, that may be
    /// left out for a while (`pace.rs`).
    ///
    /// # Panics
    /// If the operating system refuses, which it has no reason to.
    pub(crate) fn block(&self, timeout: Option<Duration>, exactly: Option<u64>) -> bool {
        let timeout = self.give_way(timeout);
        if self.remote.is_pending() && !self.seam.watched() && self.may_skip() {
            // What was sent may come to no entry at all; it counts as one, or sources might never be looked at.
            self.pace.count_one();
            return false;
        }
        let may_block = timeout != Some(Duration::ZERO) && self.remote.fall_asleep();
        let timeout = if may_block { timeout } else { Some(Duration::ZERO) };
        if may_block {
            self.pace.waited();
        }
        let exactly = exactly.filter(|_| may_block);
        let mut reactor = self.reactor.borrow_mut();
        if self.seam.watched() {
            // Whoever watches may have moved the clock.
            reactor.forget_alarm();
        }
        let result = reactor.wait(timeout, exactly);
        drop(reactor);
        self.remote.woke_up();
        if let Err(error) = result {
            panic!("the operating system refused to wait for I/O: {error}; the event loop cannot go on");
        }
        true
    }

    /// A thread that has just sent something may be about to send more, and would have to notify a loop that is blocked.
    /// Returns what is left of `timeout` then.
    fn give_way(&self, timeout: Option<Duration>) -> Option<Duration> {
        let patient = self.heard.get() && timeout.is_none_or(|left| left > SOON);
        if !patient || self.remote.is_pending() || !self.patience.is_worth_it() {
            return timeout;
        }
        let began = Instant::now();
        self.patience.give_way(|| ((), self.remote.is_pending()));
        timeout.map(|left| left.saturating_sub(began.elapsed()))
    }

    /// Step 3, for sources: wakes whoever waited for what has become ready. `now`: when the wait ended. `targets` is
    /// empty.
    pub(crate) fn wake_ready(&self, now: u64, targets: &mut Vec<Target>) {
        if self.seam.watched() {
            return self.wake_ready_watched(targets);
        }
        // What is kept of the loop's own tasks can be woken at once. Anybody else's waker may run anything, and waits
        // until the borrow is over; those behind it wait with it, for the order's sake.
        let slots = self.tasks.slots();
        let wake = |target| match target {
            Target::Entry(entry) if targets.is_empty() => self.make_ready_among(&slots, entry),
            other => targets.push(other),
        };
        self.reactor.borrow_mut().edges(Some(now), wake, |_| {});
        targets.drain(..).for_each(|target| self.make_ready(target));
    }

    #[cold]
    fn wake_ready_watched(&self, targets: &mut Vec<Target>) {
        let mut edges = Vec::new();
        let notified =
            self.reactor.borrow_mut().edges(None, |target| targets.push(target), |edge| edges.push(edge));
        // Another thread may have come before the loop fell asleep; then the notifier was not needed.
        let by = match (edges.is_empty(), notified || self.remote.is_pending()) {
            (false, _) => WaitEnd::Io,
            (true, true) => WaitEnd::Notify,
            (true, false) => WaitEnd::Timeout,
        };
        self.tell_still(|| EventKind::WaitEnd { sources: edges.len(), by });
        let mut targets = targets.drain(..);
        for Edge { id, readable, writable, closed, targets: count } in edges {
            let time = self.still_moment();
            let kind = || EventKind::IoReady { source: id, readable, writable, closed };
            let seq = self.seam.tell(time, kind);
            self.seam.enter(Actor::Source(id), seq);
            self.seam.still(time);
            targets.by_ref().take(count).for_each(|target| self.make_ready(target));
            self.seam.leave();
        }
    }

    /// Hands a call to `pool`, or to the loop's own.
    pub(crate) fn spawn_job<F, T>(&self, pool: Option<&Threads>, call: F, site: Site) -> (JobId, Delivery<T>)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let job = JobId(self.next_job.get());
        self.next_job.set(job.0 + 1);
        if self.seam.watched() {
            let kind = || EventKind::JobNew { job, by: self.seam.actor(), site: site.into() };
            self.seam.note_job(job, self.seam.tell(self.moment(), kind));
        }
        if self.clock.is_virtual() || self.seam.watched() {
            self.jobs.set(self.jobs.get() + 1);
        }
        (job, pool.unwrap_or(&self.pool).spawn(job, self.reporter.clone(), call))
    }

    /// Tells that a job's result was delivered, or that nobody wants it.
    pub(crate) fn tell_job_over(&self, kind: EventKind, job: JobId) {
        if self.seam.watched() {
            if matches!(kind, EventKind::JobDeliver { .. }) {
                // Its thread has told of its end by now, but the loop may not have heard of that yet.
                self.fetch_sent(&mut Vec::new());
            }
            self.seam.take_job(job);
            self.seam.tell(self.moment(), || kind);
        }
    }

    /// The most threads of the blocking pool.
    pub(crate) fn pool_threads(&self) -> usize {
        self.pool.cap()
    }

    /// Refuses the jobs that have not started and waits for the others, for a loop that closes.
    pub(crate) fn close_pool(&self) {
        self.pool.refuse();
        self.pool.wait();
    }
}
