//! Chapter 35, part 46: a run as the marks of a timeline: slices on tracks, arrows between them, and a curve.
//!
//! Before: `trace/export.rs`. Next: `trace/export/chrome.rs`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::trace::event::{Event, EventKind as E, Place, TaskId, Wait, WakeEffect};
use crate::trace::fold::{Stand, World};
use crate::trace::narrate::{named, place};
use crate::trace::read::Recording;

/// Where a slice is drawn. Slices of one track nest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Track {
    /// The loop's own thread: slices come one after the other.
    Loop,
    /// A task's life, and in it how the task stands.
    Task(TaskId),
    /// A thread of the blocking pool.
    Thread(Arc<str>),
}

/// Something that is drawn.
#[derive(Debug)]
pub(super) enum Mark<'a> {
    /// A slice begins; `flow` is the arrow that ends at it.
    Begin { track: &'a Track, at: Duration, name: &'a str, flow: Option<u64> },
    /// The innermost slice of the track ends; when it began.
    End { track: &'a Track, at: Duration, name: &'a str, began: Duration },
    /// An arrow begins on the loop's track.
    Flow { at: Duration, name: &'a str, flow: u64 },
    /// The ready queue is this long.
    Ready { at: Duration, length: usize },
}

/// Gives the marks of a run to `draw`, in the order of the events. All that is open at the end is ended there, and what is
/// known of the time before the first of them is open at the begin.
pub(super) fn draw<X>(recording: &Recording, draw: impl FnMut(Mark<'_>) -> Result<(), X>) -> Result<(), X> {
    let (open, names, flows) = (HashMap::new(), HashMap::new(), HashSet::new());
    let mut pen = Pen { draw, open, names, flows, now: Duration::ZERO };
    if let Some(world) = &recording.begin {
        pen.begin_with(world)?;
    }
    for event in &recording.events {
        pen.event(event)?;
    }
    pen.finish()
}

struct Pen<D> {
    draw: D,
    /// The open slices of each track, the innermost last: when each began, and its name.
    open: HashMap<Track, Vec<(Duration, String)>>,
    /// Of tasks that have not ended, and whether they are to be polled once more.
    names: HashMap<TaskId, (String, bool)>,
    /// Arrows that were begun and lead nowhere yet.
    flows: HashSet<u64>,
    /// The loop's time.
    now: Duration,
}

impl<D: FnMut(Mark<'_>) -> Result<(), X>, X> Pen<D> {
    /// How the loop stands before the first event.
    fn begin_with(&mut self, world: &World) -> Result<(), X> {
        self.now = world.time;
        for (id, task) in &world.tasks {
            self.names.insert(*id, (named(*id, &task.name), false));
            match (task.stand, task.suspended) {
                (Stand::Suspended, Some((wait, site))) => self.waits(*id, wait, site)?,
                (Stand::Running, _) => {
                    let name = format!("poll {}", self.name(*id));
                    self.replace(&Track::Loop, Some(&name), None)?;
                    self.stands(*id, "polled")?;
                }
                _ => self.stands(*id, "ready")?,
            }
        }
        for (thread, job) in &world.threads {
            if let Some(job) = job {
                self.begin(&Track::Thread(Arc::clone(thread)), self.now, &job.to_string(), None)?;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) -> Result<(), X> {
        // What is told of other threads happened a little earlier.
        self.now = self.now.max(event.time);
        match &event.kind {
            E::TurnBegin { ready, .. } | E::TurnEnd { ready, .. } => {
                self.replace(&Track::Loop, None, None)?;
                (self.draw)(Mark::Ready { at: self.now, length: *ready })
            }
            E::WaitBegin { .. } => self.replace(&Track::Loop, Some("wait"), None),
            E::WaitEnd { .. } => self.replace(&Track::Loop, Some("wake and fire"), None),
            E::CallbackBegin { callback } => {
                self.replace(&Track::Loop, Some(&callback.to_string()), event.cause)
            }
            E::CallbackNew { .. } => self.flow("call", event.seq),
            E::TimerFire { callback: Some(_), .. } => self.flow("call", event.seq),
            E::CallbackEnd { .. } | E::LoopEnd { .. } => self.replace(&Track::Loop, None, None),
            E::JobStart { job, .. } => match &event.thread {
                Some(thread) => {
                    self.begin(&Track::Thread(Arc::clone(thread)), event.time, &job.to_string(), None)
                }
                None => Ok(()),
            },
            E::JobEnd { .. } => match &event.thread {
                Some(thread) => self.end(&Track::Thread(Arc::clone(thread)), event.time),
                None => Ok(()),
            },
            _ => self.of_task(event),
        }
    }

    fn of_task(&mut self, event: &Event) -> Result<(), X> {
        match &event.kind {
            E::Spawn { task, name, .. } => {
                self.names.insert(*task, (named(*task, name), false));
                self.flow("spawn", event.seq)?;
                self.stands(*task, "ready")
            }
            E::Wake { task, effect: WakeEffect::Queued, .. } => {
                self.flow("wake", event.seq)?;
                self.stands(*task, "ready")
            }
            E::Wake { task, effect: WakeEffect::WhileRunning, .. } => {
                self.name(*task);
                if let Some((_, again)) = self.names.get_mut(task) {
                    *again = true;
                }
                self.flow("wake", event.seq)
            }
            E::PollBegin { task, .. } => {
                let name = format!("poll {}", self.name(*task));
                self.replace(&Track::Loop, Some(&name), event.cause)?;
                self.stands(*task, "polled")
            }
            E::PollEnd { task, suspended, .. } => {
                self.replace(&Track::Loop, None, None)?;
                let again = self.names.get_mut(task).is_some_and(|(_, again)| std::mem::take(again));
                match suspended {
                    _ if again => self.stands(*task, "ready"),
                    Some((wait, site)) => self.waits(*task, *wait, *site),
                    None => Ok(()),
                }
            }
            E::TaskEnd { task, .. } => {
                let track = Track::Task(*task);
                self.end(&track, self.now)?;
                self.end(&track, self.now)?;
                self.names.remove(task);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A task's name; one that is heard of for the first time gets one.
    fn name(&mut self, task: TaskId) -> String {
        self.names.entry(task).or_insert_with(|| (task.to_string(), false)).0.clone()
    }

    /// An arrow begins, if the loop is at something that it can begin at.
    fn flow(&mut self, name: &str, flow: u64) -> Result<(), X> {
        if !self.open.contains_key(&Track::Loop) {
            return Ok(());
        }
        self.flows.insert(flow);
        (self.draw)(Mark::Flow { at: self.now, name, flow })
    }

    /// A task is suspended from now on.
    fn waits(&mut self, task: TaskId, wait: Wait, site: Option<Place>) -> Result<(), X> {
        let at = site.map(|site| format!(", at {}", place(site))).unwrap_or_default();
        self.stands(task, &format!("waiting for {wait}{at}"))
    }

    /// A task stands otherwise from now on.
    fn stands(&mut self, task: TaskId, how: &str) -> Result<(), X> {
        let (name, track) = (self.name(task), Track::Task(task));
        match self.open.get(&track).map_or(0, Vec::len) {
            0 => self.begin(&track, self.now, &name, None)?,
            1 => {}
            _ => self.end(&track, self.now)?,
        }
        self.begin(&track, self.now, how, None)
    }

    /// Ends what is open on a track, and begins the next, if there is one.
    fn replace(&mut self, track: &Track, next: Option<&str>, flow: Option<u64>) -> Result<(), X> {
        self.end(track, self.now)?;
        next.map_or(Ok(()), |name| self.begin(track, self.now, name, flow))
    }

    fn begin(&mut self, track: &Track, at: Duration, name: &str, flow: Option<u64>) -> Result<(), X> {
        self.open.entry(track.clone()).or_default().push((at, name.to_owned()));
        let flow = flow.filter(|flow| self.flows.remove(flow));
        (self.draw)(Mark::Begin { track, at, name, flow })
    }

    /// Ends the innermost slice of a track, if there is one.
    fn end(&mut self, track: &Track, at: Duration) -> Result<(), X> {
        let Some(open) = self.open.get_mut(track) else { return Ok(()) };
        let last = open.pop();
        if open.is_empty() {
            self.open.remove(track);
        }
        let Some((began, name)) = last else { return Ok(()) };
        (self.draw)(Mark::End { track, at: at.max(began), name: &name, began })
    }

    fn finish(&mut self) -> Result<(), X> {
        let mut tracks: Vec<Track> = self.open.keys().cloned().collect();
        tracks.sort_by_key(|track| format!("{track:?}"));
        for track in tracks {
            while self.open.contains_key(&track) {
                self.end(&track, self.now)?;
            }
        }
        Ok(())
    }
}
