//! Chapter 35, part 4: the observer of debug mode: silent as long as all is well.
//!
//! Before: `trace/narrate/sentences.rs`. Next: `trace/narrate/words.rs`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::words::{named, place, plain, span};
use crate::trace::event::{CallbackId, Event, EventKind as E, Place, TaskId, Wait};
use crate::trace::observer::Observer;

/// Warns of what is wrong in a loop, on standard error and through the `log` crate under the target `oneloop`: a poll or
/// a callback that held the loop up, a task that failed unheard, and a loop that can never go on. What [`Builder::debug`](crate::Builder::debug) and `ONELOOP=debug` install.
///
/// ```text
/// oneloop: task 3 (resize) held the loop up for 152 ms, from src/main.rs:18 to src/main.rs:25; spawned at src/main.rs:40
/// ```
///
/// A poll is measured in real time, in a loop with virtual time too. It remembers the tasks and callbacks that are
/// alive. When standard error cannot be written to, the lines are lost and the program goes on.
pub struct Warn {
    slow: Duration,
    tasks: RefCell<HashMap<TaskId, Known>>,
    /// Callbacks not called yet, and the line that made each.
    callbacks: RefCell<HashMap<CallbackId, Place>>,
    /// When the poll or the call that is going on began.
    began: Cell<Option<Instant>>,
    /// `None`: standard error.
    out: RefCell<Option<Box<dyn Write>>>,
}

/// What is remembered of a task.
struct Known {
    name: Arc<str>,
    spawned_at: Place,
    /// Where it was suspended last, as far as its future says; `None`: it was not polled so far.
    suspended: Option<Option<Place>>,
}

impl Warn {
    /// Takes polls and calls of this length for slow; writes to standard error.
    pub fn new(slow: Duration) -> Warn {
        let (tasks, callbacks) = (RefCell::default(), RefCell::default());
        Warn { slow, tasks, callbacks, began: Cell::new(None), out: RefCell::new(None) }
    }

    /// Writes to `out` instead, which must not use the loop.
    pub fn to(slow: Duration, out: impl Write + 'static) -> Warn {
        Warn { out: RefCell::new(Some(Box::new(out))), ..Warn::new(slow) }
    }

    fn warn(&self, text: &str) {
        log::warn!(target: "oneloop", "{text}");
        self.write(text);
    }

    fn write(&self, text: &str) {
        let line = format!("oneloop: {text}\n");
        // A program is not to fail because nobody reads what it says of itself.
        let _ = match &mut *self.out.borrow_mut() {
            Some(out) => out.write_all(line.as_bytes()),
            None => io::stderr().lock().write_all(line.as_bytes()),
        };
    }

    /// How long the poll or the call took that has just ended, if that was long.
    fn held_up(&self) -> Option<Duration> {
        self.began.take().map(|began| began.elapsed()).filter(|took| *took >= self.slow)
    }

    fn poll_ended(&self, task: TaskId, suspended: Option<(Wait, Option<Place>)>) {
        let took = self.held_up();
        let mut tasks = self.tasks.borrow_mut();
        let Some(known) = tasks.get_mut(&task) else { return };
        let before = known.suspended.replace(suspended.and_then(|(_, site)| site));
        let Some(took) = took else { return };
        let await_at = |site: Option<Place>| site.map_or("an `.await` of unknown place".into(), place);
        let from = before.map_or("its beginning".into(), await_at);
        let to = suspended.map_or("its end".into(), |(_, site)| await_at(site));
        let (took, name, spawned) = (span(took), named(task, &known.name), place(known.spawned_at));
        drop(tasks);
        self.warn(&format!("{name} held the loop up for {took}, from {from} to {to}; spawned at {spawned}"));
    }

    fn call_ended(&self, callback: CallbackId) {
        let took = self.held_up();
        let site = self.callbacks.borrow_mut().remove(&callback);
        if let (Some(took), Some(site)) = (took, site) {
            let (took, made) = (span(took), place(site));
            self.warn(&format!("{callback} held the loop up for {took}; handed to the loop at {made}"));
        }
    }
}

impl Observer for Warn {
    fn event(&self, event: &Event) {
        match &event.kind {
            E::Spawn { task, name, site, .. } => {
                let known = Known { name: name.into(), spawned_at: *site, suspended: None };
                self.tasks.borrow_mut().insert(*task, known);
            }
            E::TaskEnd { task, .. } => drop(self.tasks.borrow_mut().remove(task)),
            E::CallbackNew { callback, site, .. } => {
                self.callbacks.borrow_mut().insert(*callback, *site);
            }
            E::CallbackCancel { callback, .. } => drop(self.callbacks.borrow_mut().remove(callback)),
            E::PollBegin { .. } | E::CallbackBegin { .. } => self.began.set(Some(Instant::now())),
            E::PollEnd { task, suspended, .. } => self.poll_ended(*task, *suspended),
            E::CallbackEnd { callback, .. } => self.call_ended(*callback),
            E::Unheard { task, name, how, text } => {
                // The log has it from the loop already, debug mode or not.
                let (who, how, text) = (named(*task, name), plain(how), plain(text));
                self.write(&format!("nobody took what {who} ended with: it {how}: {text}"));
            }
            // A fatal one is told by the panic that ends the run.
            E::Stuck { report, fatal: false, .. } => self.warn(report),
            _ => {}
        }
    }

    fn decides(&self) -> bool {
        false
    }
}

impl fmt::Debug for Warn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warn").field("slow", &self.slow).finish_non_exhaustive()
    }
}
