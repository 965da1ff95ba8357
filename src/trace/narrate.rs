//! Chapter 35: how is an event said in words?
//!
//! One event, one English sentence. A [`Narrator`] goes through the events of a loop and says each; it
//! remembers names while their task or source lives, so that "task 2" becomes "task 2 (fetch)".
//!
//! ```text
//!   TimerFire { timer: 3, late: 200 µs }              Timer 3 fired 200 µs late.
//!   Wake { task: 5, by: Timer(3), effect: Queued }    Timer 3 woke task 5, which joined the ready queue.
//! ```
//!
//! Every kind has a sentence of its own, written so that it is true by itself: whoever reads one line out of
//! the middle of a run can rely on it. The words are those of the loop's own text (suspend, wake, fire, notify).
//!
//! [`Print`] writes the sentences to standard error, [`Log`] gives them to the `log` crate. Both leave out
//! turns in which nothing happened. [`Warn`], debug mode, says only what is wrong.
//!
//! Before: `http/server.rs`. Next: `trace/narrate/print.rs`.

mod print;
mod sentences;
mod warn;
mod words;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use print::{Log, Print};
pub use warn::Warn;
pub use words::{capital, count, named, place, plain, span};

use self::words::sentence;
use super::event::{Actor, Event, EventKind as E, SourceId, TaskId};

/// Says events in English, one sentence each.
///
/// Give it all events of one loop, in their order, so that it knows the names. It remembers as many tasks and
/// sources as are alive.
///
/// ```
/// use oneloop::trace::{Event, Observer, narrate::Narrator};
/// use std::{cell::RefCell, rc::Rc};
///
/// #[derive(Clone, Default)]
/// struct Story(Rc<RefCell<(Narrator, Vec<String>)>>);
///
/// impl Observer for Story {
///     fn event(&self, event: &Event) {
///         let (narrator, lines) = &mut *self.0.borrow_mut();
///         lines.push(narrator.sentence(event));
///     }
/// }
///
/// let story = Story::default();
/// let event_loop = oneloop::EventLoop::builder().observer(story.clone()).build()?;
/// event_loop.run_until_complete(async {});
/// assert_eq!(story.0.borrow().1.last().unwrap(), "The run ended: the main future returned.");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Narrator {
    tasks: HashMap<TaskId, Known>,
    /// Main futures that have ended in this run. They have no handle: they are forgotten when it ends.
    mains: Vec<TaskId>,
    /// The sort of each registered source.
    sources: HashMap<SourceId, &'static str>,
}

/// What is remembered of a task.
#[derive(Clone, Debug)]
struct Known {
    /// In brackets, after a space; empty for a task named after its number.
    name: String,
    /// Whether it was asked to end.
    cancelled: bool,
    ended: bool,
    /// Whether its handle is dropped or has given the result: with `ended`, nothing more will be heard of it.
    released: bool,
}

impl Narrator {
    /// A narrator that knows no names yet.
    pub fn new() -> Narrator {
        Narrator::default()
    }

    /// A narrator that knows these tasks, with whether each was asked to end, and the sorts of these sources.
    pub(crate) fn knowing<'a>(
        tasks: impl Iterator<Item = (TaskId, &'a str, bool)>,
        sources: impl Iterator<Item = (SourceId, &'static str)>,
    ) -> Narrator {
        let known = |(task, name, cancelled)| {
            (task, Known { name: bracketed(task, name), cancelled, ended: false, released: false })
        };
        Narrator { tasks: tasks.map(known).collect(), mains: Vec::new(), sources: sources.collect() }
    }

    /// The event in words: one sentence on one line, with its full stop.
    pub fn sentence(&mut self, event: &Event) -> String {
        self.learn(&event.kind);
        let text = sentence(&sentences::text(self, event));
        self.forget(&event.kind);
        text
    }

    /// Only takes up what the event tells of names, as if it had been said.
    pub fn follow(&mut self, event: &Event) {
        self.learn(&event.kind);
        self.forget(&event.kind);
    }

    /// Takes up the names that an event tells.
    fn learn(&mut self, kind: &E) {
        match kind {
            E::Spawn { task, name, .. } => {
                let name = bracketed(*task, name);
                self.tasks.insert(*task, Known { name, cancelled: false, ended: false, released: false });
            }
            E::IoOpen { source, what, .. } => drop(self.sources.insert(*source, what)),
            _ => {}
        }
    }

    /// Drops what will not be heard of again.
    fn forget(&mut self, kind: &E) {
        match kind {
            E::Cancel { task, .. } => self.note(*task, |known| known.cancelled = true),
            E::TaskEnd { task, .. } => {
                self.note(*task, |known| known.ended = true);
                if self.tasks.get(task).is_some_and(|known| known.name == " (main)") {
                    self.mains.push(*task);
                }
            }
            E::HandleDrop { task, .. } | E::Joined { task, .. } => {
                self.note(*task, |known| known.released = true)
            }
            E::IoClose { source, .. } => drop(self.sources.remove(source)),
            E::LoopEnd { .. } => self.mains.drain(..).for_each(|task| drop(self.tasks.remove(&task))),
            _ => {}
        }
    }

    fn note(&mut self, task: TaskId, change: impl FnOnce(&mut Known)) {
        let Some(known) = self.tasks.get_mut(&task) else { return };
        change(known);
        if known.ended && known.released {
            self.tasks.remove(&task);
        }
    }

    /// `task 2 (fetch)`.
    fn task(&self, task: TaskId) -> String {
        format!("{task}{}", self.tasks.get(&task).map_or("", |known| &known.name))
    }

    /// The same for a task that may be forgotten.
    fn named(&self, task: TaskId, name: &str) -> String {
        format!("{task}{}", bracketed(task, name))
    }

    /// `source 4 (connection)`.
    fn source(&self, source: SourceId) -> String {
        match self.sources.get(&source) {
            Some(what) => format!("{source} ({what})"),
            None => source.to_string(),
        }
    }

    fn is_cancelled(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|known| known.cancelled)
    }

    fn has_ended(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|known| known.ended)
    }

    /// Who did it. What the loop itself is said to do, the program did outside of its tasks and callbacks.
    fn who(&self, by: &Actor) -> String {
        match by {
            Actor::Loop => String::from("the program"),
            Actor::Task(task) => self.task(*task),
            Actor::Callback(callback) => callback.to_string(),
            Actor::Timer(timer) => timer.to_string(),
            Actor::Source(source) => self.source(*source),
            Actor::Job(job) => job.to_string(),
            Actor::Thread(name) => format!("thread {}", plain(name)),
            Actor::Observer => String::from("the observer"),
        }
    }
}

/// A name in brackets, after a space; empty for a task named after its number.
fn bracketed(task: TaskId, name: &str) -> String {
    let numbered = name.strip_prefix("task-").and_then(|number| number.parse().ok());
    if numbered == Some(task.0) { String::new() } else { format!(" ({})", plain(name)) }
}
