//! Chapter 35, part 31: who says that a poll never ends?
//!
//! Not the loop: its thread is in that poll. So a thread of its own, the *watchdog*, looks ten times a second at a number
//! that the loop's thread leaves behind, that of the event with which the poll or call going on began:
//!
//! ```text
//!   loop's thread                                  watchdog's thread
//!   event 41: a poll of task 3 begins   ── 41 ──▶  41: since when? since now
//!             loop {}                   ── 41 ──▶  41 still
//!                                       ── 41 ──▶  41 still, for 1 s: says so
//! ```
//!
//! It says so in words where somebody reads words (`print`, `debug`, `step`), in the recording, and to whoever attaches; and
//! once more when ten times the time is over. A poll that ends after all is a slow one, which its end tells of.
//!
//! A program that does nothing, or waits for an observer, is not held up by a poll.
//!
//! Before: `trace/record/format_page.rs`. Next: `trace/live.rs`.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::narrate::{named, place, span};
use super::record::Beside;
use crate::timer::clock::nanos;
use crate::trace::event::{Actor, CallbackId, Event, EventKind as E, Place, TaskId};
use crate::trace::observer::Observer;

/// How often it looks, at least: a program that is killed has told what there was to tell until shortly before.
const LOOK: Duration = Duration::from_millis(100);

/// What is said once is said again when so many times the time is over.
const AGAIN: u32 = 10;

/// Watches over a loop that somebody watches. Dropped, its thread ends.
pub(crate) struct Watchdog {
    pulse: Arc<Pulse>,
    /// Whether it is to know tasks and callbacks by names and lines. A recording has them anyway.
    names: bool,
    /// `None` once it was joined.
    thread: Option<JoinHandle<()>>,
}

/// Whom the watchdog tells.
#[derive(Default)]
pub(crate) struct Listeners {
    /// Whoever reads standard error and the log.
    pub(crate) aloud: bool,
    /// Whoever attaches.
    pub(crate) attach: bool,
    /// Whoever reads the recordings.
    pub(crate) recordings: Vec<Beside>,
}

impl Listeners {
    /// Whether there are any.
    pub(crate) fn any(&self) -> bool {
        self.aloud || self.attach || !self.recordings.is_empty()
    }
}

/// What the loop's thread leaves for others to look at.
#[derive(Default)]
pub(crate) struct Pulse {
    /// The number of the event that began the poll or call going on, plus one; 0: none is going on.
    began: AtomicU64,
    /// Of whom: the number of a task, doubled; of a callback, doubled and one more.
    whose: AtomicU64,
    /// How many events were told.
    told: AtomicU64,
    /// When the last of them was, in nanoseconds of the loop's clock.
    time: AtomicU64,
    /// How often an observer held up the loop, and whether one does.
    holds: AtomicU64,
    held: AtomicBool,
    /// Whether the loop is gone.
    over: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Tasks that have not ended.
    tasks: HashMap<TaskId, Task>,
    /// Callbacks that were not called or cancelled yet, and those being called.
    callbacks: HashMap<CallbackId, Place>,
    /// The poll or call that was going on at the last look.
    seen: Option<Seen>,
}

struct Task {
    name: Arc<str>,
    spawned_at: Place,
    /// Where it was suspended last, as far as its future says; `None`: it was not polled so far.
    suspended: Option<Option<Place>>,
}

/// A poll or a call that goes on.
#[derive(Clone, Copy)]
struct Seen {
    /// The number of its first event, plus one, and of the last time an observer held it up.
    which: (u64, u64),
    /// When it was seen last.
    looked: Instant,
    /// For how long it was seen to go on.
    took: Duration,
    /// After how long it is to be told of.
    tell: Duration,
}

impl Watchdog {
    /// Starts the thread. A poll or call that goes on for `limit` is told of.
    ///
    /// # Errors
    /// If there can be no more threads.
    pub(crate) fn start(limit: Duration, listeners: Listeners) -> io::Result<Watchdog> {
        let pulse = Arc::new(Pulse::default());
        let names = listeners.aloud || listeners.attach;
        let watched = Arc::clone(&pulse);
        let watch = move || {
            while !watched.over.load(Ordering::Relaxed) {
                thread::park_timeout(LOOK.min(limit / AGAIN).max(Duration::from_millis(1)));
                watched.look(limit, |took| listeners.tell(&watched, took));
            }
        };
        let thread = thread::Builder::new().name("oneloop-watchdog".into()).spawn(watch)?;
        Ok(Watchdog { pulse, names, thread: Some(thread) })
    }

    /// What others may look at.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }
}

impl Observer for Watchdog {
    fn event(&self, event: &Event) {
        let pulse = &self.pulse;
        if self.names {
            pulse.lock().learn(event);
        }
        match event.kind {
            E::PollBegin { task, .. } => pulse.begin(event, task.0 << 1),
            E::CallbackBegin { callback } => pulse.begin(event, callback.0 << 1 | 1),
            E::PollEnd { .. } | E::CallbackEnd { .. } => pulse.began.store(0, Ordering::Release),
            _ => {}
        }
        pulse.time.store(nanos(event.time), Ordering::Relaxed);
        pulse.told.store(event.seq + 1, Ordering::Release);
    }

    fn decides(&self) -> bool {
        false
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.pulse.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A logger may have panicked on it, which nobody needs to hear twice.
            let _ = thread.join();
        }
    }
}

impl Pulse {
    fn begin(&self, event: &Event, whose: u64) {
        self.whose.store(whose, Ordering::Relaxed);
        self.began.store(event.seq + 1, Ordering::Release);
    }

    /// The loop's thread waits for an observer, as long as `wait` takes: no poll is to blame.
    pub(crate) fn hold<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.held.store(true, Ordering::Release);
        let result = wait();
        self.holds.fetch_add(1, Ordering::Release);
        self.held.store(false, Ordering::Release);
        result
    }

    /// The poll or call going on now, if no observer holds it up.
    fn running(&self) -> Option<(u64, u64)> {
        let which = (self.began.load(Ordering::Acquire), self.holds.load(Ordering::Acquire));
        (which.0 > 0 && !self.held.load(Ordering::Acquire)).then_some(which)
    }

    /// Looks, and calls `tell` with how long the same poll or call has been seen to go on, if it is time to tell of it.
    fn look(&self, limit: Duration, tell: impl FnOnce(Duration)) {
        let Some(which) = self.running() else {
            self.lock().seen = None;
            return;
        };
        let mut known = self.lock();
        let Some(seen) = known.seen.as_mut().filter(|seen| seen.which == which) else {
            known.seen = Some(Seen { which, looked: Instant::now(), took: Duration::ZERO, tell: limit });
            return;
        };
        // A machine that slept in between, or had no time for this thread, had none for the poll either.
        let took = seen.took + seen.looked.elapsed().min(2 * LOOK);
        (seen.took, seen.looked) = (took, Instant::now());
        if took >= seen.tell {
            seen.tell = took * AGAIN;
            drop(known);
            tell(took);
        }
    }

    /// What holds up the loop, and for how long at least, in words; `None`: nothing, or not for long enough to be seen.
    pub(crate) fn held_up_by(&self) -> Option<String> {
        let known = self.lock();
        let seen = known.seen.filter(|seen| self.running() == Some(seen.which))?;
        Some(known.sentence(self.whose(), seen.took))
    }

    /// Why the loop does not come round where nothing was seen that holds it up, in words.
    pub(crate) fn why_silent(&self) -> &'static str {
        match self.began.load(Ordering::Acquire) {
            0 => "no run of it is going on, so the program has made its loop and does something else",
            _ => "one poll or callback holds it up",
        }
    }

    fn whose(&self) -> Actor {
        match self.whose.load(Ordering::Relaxed) {
            task if task & 1 == 0 => Actor::Task(TaskId(task >> 1)),
            callback => Actor::Callback(CallbackId(callback >> 1)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // No code of anybody else's runs under this lock; what a panic left is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn learn(&mut self, event: &Event) {
        match &event.kind {
            E::Spawn { task, name, site, .. } => {
                let task_known = Task { name: name.into(), spawned_at: *site, suspended: None };
                self.tasks.insert(*task, task_known);
            }
            E::PollEnd { task, suspended, .. } => {
                if let Some(known) = self.tasks.get_mut(task) {
                    known.suspended = Some(suspended.and_then(|(_, site)| site));
                }
            }
            E::TaskEnd { task, .. } => drop(self.tasks.remove(task)),
            E::CallbackNew { callback, site, .. } => drop(self.callbacks.insert(*callback, *site)),
            E::CallbackEnd { callback, .. } | E::CallbackCancel { callback, .. } => {
                self.callbacks.remove(callback);
            }
            _ => {}
        }
    }

    /// `task 3 (resize) has been running for more than 1 s, from src/main.rs:18, and holds the loop up; spawned at …`
    fn sentence(&self, whose: Actor, took: Duration) -> String {
        let time = span(whole(took));
        let (who, from, made) = match whose {
            Actor::Callback(callback) => {
                let site = self.callbacks.get(&callback);
                (callback.to_string(), String::new(), site.map(|site| ("handed to the loop", *site)))
            }
            Actor::Task(task) => match self.tasks.get(&task) {
                Some(known) => {
                    let at =
                        known.suspended.map(|site| site.map_or("an `.await` of unknown place".into(), place));
                    let from = format!(", from {},", at.unwrap_or("its beginning".into()));
                    (named(task, &known.name), from, Some(("spawned", known.spawned_at)))
                }
                None => (task.to_string(), String::new(), None),
            },
            _ => (String::from("somebody"), String::new(), None),
        };
        let made = made.map(|(how, site)| format!("; {how} at {}", place(site))).unwrap_or_default();
        format!("{who} has been running for more than {time}{from} and holds the loop up{made}")
    }
}

/// What is certain of a time that was not measured from its very beginning.
fn whole(took: Duration) -> Duration {
    match took.as_secs() {
        0 => Duration::from_millis(u64::from(took.subsec_millis())),
        seconds => Duration::from_secs(seconds),
    }
}

impl Listeners {
    /// Tells all of them.
    fn tell(&self, pulse: &Pulse, took: Duration) {
        self.recordings.iter().for_each(|recording| record(recording, pulse, took));
        let Some(text) = pulse.held_up_by().filter(|_| self.aloud || self.attach) else { return };
        log::warn!(target: "oneloop", "{text}");
        if self.aloud {
            // A program is not to fail because nobody reads what it says of itself.
            let _ = io::stderr().lock().write_all(format!("oneloop: {text}\n").as_bytes());
        }
    }
}

/// Writes it into the recording, unless the loop tells something meanwhile: that would have the same number.
fn record(recording: &Beside, pulse: &Pulse, took: Duration) {
    let told = pulse.told.load(Ordering::Acquire);
    let Some((began, _)) = pulse.running() else { return };
    let event = Event {
        seq: told,
        time: Duration::from_nanos(pulse.time.load(Ordering::Relaxed)),
        cause: began.checked_sub(1),
        thread: thread::current().name().map(Arc::from),
        kind: E::HeldUp { by: pulse.whose(), took },
    };
    recording.append(&event, || pulse.told.load(Ordering::Acquire) == told);
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog").field("names", &self.names).finish_non_exhaustive()
    }
}
