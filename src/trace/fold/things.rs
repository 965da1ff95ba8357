//! Chapter 35, part 9: callbacks, timers, sources and jobs, as their events tell of them.
//!
//! Before: `trace/fold/tasks.rs`. Next: `trace/fold/lines.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::World;
use super::queue::Spot;
use crate::timer::clock::nanos;
use crate::timer::wheel::TICK;
use crate::trace::event::{Actor, CallbackId, Event, EventKind as E, IoOp, IoResult, Place, Wait};
use crate::trace::observer::Ready;

/// The most waits that are kept of one source: a task or two, if the recording is honest.
const MOST_WAITS: usize = 64;

/// Whether a wait for a source is over when the source is ready so. What is closed has its end to be read, and may have no
/// room to write.
pub(crate) fn is_over(wait: Wait, readable: bool, writable: bool) -> bool {
    match wait {
        Wait::Writable | Wait::Connect => writable,
        _ => readable,
    }
}

/// A callback that was not called yet.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Callback {
    /// Who handed it to the loop.
    pub by: Actor,
    /// Where.
    pub site: Place,
    /// When it is due; `None`: it joined the ready queue at once.
    pub at: Option<Duration>,
    /// Its place in the ready queue; `None`: it is not there.
    pub(super) place: Spot,
}

impl Callback {
    pub(crate) fn new(by: Actor, site: Place, at: Option<Duration>) -> Callback {
        Callback { by, site, at, place: Spot(None) }
    }
}

/// A timer that is armed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Timer {
    /// Who armed it.
    pub by: Actor,
    /// The callback it is for; `None`: it wakes a task.
    pub callback: Option<CallbackId>,
    /// When it is due.
    pub at: Duration,
    /// The event that armed it.
    pub armed: u64,
}

/// A source that is registered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Source {
    /// Its sort.
    pub what: &'static str,
    /// Who registered it.
    pub by: Actor,
    /// Where; `None`: before the recording begins.
    pub site: Option<Place>,
    /// Who waits for it, and for what.
    pub waits: Vec<(Wait, Actor)>,
    /// The last operation on it, and what it gave.
    pub last: Option<(IoOp, IoResult)>,
    /// Whether its other side has closed, or it failed.
    pub closed: bool,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum JobStand {
    /// In the pool's queue.
    Queued,
    /// On this thread (`None`: it is not said which).
    Running(Option<Arc<str>>),
    /// It has ended, and its result was not taken yet.
    Ended,
}

/// A job of the blocking pool.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// Who handed it to the pool.
    pub by: Actor,
    /// Where.
    pub site: Place,
    /// How it stands.
    pub stand: JobStand,
    /// Since when it stands so.
    pub since: Duration,
    /// Whether nobody waits for it any more.
    pub abandoned: bool,
}

/// The level and slot of the wheel where a timer that is due `at` lies, if the loop last looked at `looked`; `None`: it is
/// due within this tick. As the chapter on the wheel has it: the highest digit in base 64 in which the ticks differ.
pub fn slot(at: Duration, looked: Duration) -> Option<(u8, u8)> {
    let tick = |time: Duration| nanos(time) / TICK;
    let (due, now) = (tick(at), tick(looked));
    if due <= now {
        return None;
    }
    let level = (due ^ now).ilog2() / 6;
    // Both fit: 64 bits have 11 such digits, and a digit is below 64.
    Some((level as u8, (due >> (6 * level) & 63) as u8))
}

impl World {
    pub(super) fn of_callbacks(&mut self, event: &Event) {
        match &event.kind {
            E::CallbackNew { callback, at, by, site } => {
                let place = Spot(at.is_none().then(|| self.ready.push(Ready::Callback(*callback))));
                let made = Callback { place, ..Callback::new(by.clone(), *site, *at) };
                // A recording may say twice what happens once.
                let before = self.callbacks.insert(*callback, made);
                if let Some(before) = before.and_then(|callback| callback.place.0) {
                    self.ready.remove(before);
                }
            }
            E::TimerFire { callback: Some(callback), .. } => {
                let Some(known) = self.callbacks.get_mut(callback) else { return };
                if known.place.0.is_none() {
                    known.place.0 = Some(self.ready.push(Ready::Callback(*callback)));
                }
            }
            E::CallbackBegin { callback } => {
                self.running = Some(Ready::Callback(*callback));
                self.take_callback(*callback);
            }
            E::CallbackEnd { .. } => self.running = None,
            E::CallbackCancel { callback, .. } => self.take_callback(*callback),
            _ => {}
        }
    }

    fn take_callback(&mut self, callback: CallbackId) {
        let taken = self.callbacks.remove(&callback);
        if let Some(place) = taken.and_then(|callback| callback.place.0) {
            self.ready.remove(place);
        }
    }

    pub(super) fn of_timers(&mut self, event: &Event) {
        match &event.kind {
            E::TimerArm { timer, callback, by, at, .. } => {
                let armed = Timer { by: by.clone(), callback: *callback, at: *at, armed: event.seq };
                self.timers.insert(*timer, armed);
            }
            E::TimerFire { timer, .. } => {
                self.timers.remove(timer);
            }
            E::TimerCancel { timer, .. } => {
                self.timers.remove(timer);
            }
            _ => {}
        }
    }

    pub(super) fn of_io(&mut self, event: &Event) {
        match &event.kind {
            E::IoOpen { source, what, by, site } => {
                let (by, site) = (by.clone(), Some(*site));
                let opened = Source { what, by, site, waits: Vec::new(), last: None, closed: false };
                self.sources.insert(*source, opened);
            }
            E::IoInterest { source, wait, by } => {
                let Some(known) = self.sources.get_mut(source) else { return };
                let wait = (*wait, by.clone());
                if !known.waits.contains(&wait) && known.waits.len() < MOST_WAITS {
                    known.waits.push(wait);
                }
            }
            E::IoForget { source, wait, by } => {
                if let Some(known) = self.sources.get_mut(source) {
                    known.waits.retain(|waits| waits != &(*wait, by.clone()));
                }
            }
            E::IoReady { source, readable, writable, closed } => {
                let Some(known) = self.sources.get_mut(source) else { return };
                known.closed |= closed;
                known.waits.retain(|(wait, _)| !is_over(*wait, *readable, *writable));
            }
            E::IoOp { source, op, result } => {
                if let Some(known) = self.sources.get_mut(source) {
                    known.last = Some((*op, *result));
                }
            }
            E::IoClose { source, .. } => {
                self.sources.remove(source);
            }
            _ => {}
        }
    }

    pub(super) fn of_jobs(&mut self, event: &Event) {
        match &event.kind {
            E::JobNew { job, by, site } => {
                let (by, since) = (by.clone(), event.time);
                let queued = Job { by, site: *site, stand: JobStand::Queued, since, abandoned: false };
                self.jobs.insert(*job, queued);
            }
            E::JobStart { job, .. } => {
                if let Some(thread) = &event.thread {
                    self.threads.insert(Arc::clone(thread), Some(*job));
                }
                if let Some(known) = self.jobs.get_mut(job) {
                    (known.stand, known.since) = (JobStand::Running(event.thread.clone()), event.time);
                }
            }
            E::JobEnd { job, .. } => {
                if let Some(thread) = event.thread.as_ref().and_then(|thread| self.threads.get_mut(thread)) {
                    *thread = None;
                }
                let Some(known) = self.jobs.get_mut(job) else { return };
                (known.stand, known.since) = (JobStand::Ended, event.time);
                if known.abandoned {
                    self.jobs.remove(job);
                }
            }
            E::JobDeliver { job } => {
                self.jobs.remove(job);
            }
            E::JobAbandon { job } => match self.jobs.get_mut(job) {
                // One that has started runs on.
                Some(known) if matches!(known.stand, JobStand::Running(_)) => known.abandoned = true,
                _ => _ = self.jobs.remove(job),
            },
            E::ThreadStart { thread } => _ = self.threads.entry(Arc::clone(thread)).or_default(),
            E::ThreadExit { thread } => _ = self.threads.remove(thread),
            _ => {}
        }
    }
}
