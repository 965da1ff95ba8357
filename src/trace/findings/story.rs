//! Chapter 35, part 52: who is who in a run: names, lines, and what each task waits for.
//!
//! Before: `trace/findings.rs`. Next: `trace/findings/begin.rs`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::trace::event::{
    Actor, CallbackId, Event, EventKind as E, JobId, LineId, LoopEnd, Name, Place, SourceId, TaskId, TimerId,
    Wait, WakeEffect,
};
use crate::trace::fold::is_over;
use crate::trace::narrate::{named, place};

/// The most tickets of a task, holders of a line, waits for a source, and jobs on threads that are kept: each event about one
/// looks through them.
pub(super) const MOST: usize = 4_096;

/// What is known of a loop after some of its events, as far as the rules need it.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Tasks that have not ended.
    pub(super) tasks: BTreeMap<TaskId, TaskStory>,
    /// Those that have, while somebody may still take the result.
    pub(super) untaken: HashMap<TaskId, TaskStory>,
    /// Main futures that have ended in this run. They have no handle: their results are taken when it ends.
    pub(super) mains: Vec<TaskId>,
    /// Who waits in a line, by line and ticket.
    pub(super) tickets: BTreeMap<(LineId, usize), Ticket>,
    /// Who has taken permits of a line and not given them back, in that order.
    pub(super) permits: HashMap<LineId, Vec<Actor>>,
    /// Timers armed for tasks, and for whom.
    pub(super) timers: HashMap<TimerId, TaskId>,
    /// Who waits for which source, for what.
    pub(super) interests: HashMap<SourceId, Vec<(Wait, TaskId)>>,
    /// Jobs whose results somebody waits for.
    pub(super) jobs: HashMap<JobId, JobStory>,
    /// Jobs that are on a thread, and since when. Nobody may wait for them any more.
    pub(super) running: BTreeMap<JobId, (Duration, JobStory)>,
    /// The task being polled, and the number and time of the event that began the poll.
    pub(super) poll: Option<(TaskId, u64, Duration)>,
    /// Who has held up the loop, and for how long, if that is the last thing that was told.
    pub(super) held_up: Option<(Actor, Duration)>,
    /// The lines of callbacks that were not called or cancelled yet, and of the one being called.
    pub(super) callbacks: HashMap<CallbackId, Place>,
    /// Whether polls are told at all: a recording may leave them out.
    pub(super) tells_polls: bool,
    /// How the latest run ended; `None`: one is going on.
    pub(super) ended: Option<LoopEnd>,
    /// The time of the latest event, and its number.
    pub(super) now: (Duration, u64),
    /// Whether the run went on after the last event: what should have happened may have happened then.
    pub(super) goes_on: bool,
}

/// What is known of a task.
#[derive(Debug)]
pub(super) struct TaskStory {
    pub(super) name: Arc<str>,
    pub(super) spawned_at: Place,
    /// The event that told of it.
    pub(super) spawned: u64,
    /// How often it was polled.
    pub(super) polls: u32,
    /// What it waited for at the end of its latest poll, and where; `None`: there was none, or it was its last.
    pub(super) suspended: Option<(Wait, Option<Place>)>,
    /// The event that told so.
    pub(super) since: u64,
    /// Clones of its waker at the end of its latest poll.
    pub(super) wakers: usize,
    /// Its timers, and its waits for sources: whatever of the loop's may wake it.
    pub(super) may_wake: usize,
    /// Whether it is in the ready queue.
    pub(super) queued: bool,
    /// Whose end it awaits, as of its latest poll.
    pub(super) awaits: Vec<TaskId>,
    /// Where it has tickets.
    pub(super) tickets: Vec<(LineId, usize)>,
    /// Whether it was asked to end.
    pub(super) cancelled: bool,
    /// Whether its handle is dropped, or has given the result.
    pub(super) released: bool,
}

/// A place in a line.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) task: TaskId,
    pub(super) wait: Wait,
    pub(super) site: Place,
    /// The event of the latest poll of its future.
    pub(super) polled: u64,
    /// The event that granted it what it waits for, and how often the task had been polled then; `None`: it still waits.
    pub(super) granted: Option<(u64, u32)>,
}

/// What is known of a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobStory {
    pub(super) site: Place,
    pub(super) task: Option<TaskId>,
}

impl Story {
    /// A task that is known.
    pub(super) fn task(&self, task: TaskId) -> Option<&TaskStory> {
        self.tasks.get(&task).or_else(|| self.untaken.get(&task))
    }

    /// `task 2 (fetch)`.
    pub(super) fn name(&self, task: TaskId) -> String {
        match self.task(task) {
            Some(known) => named(task, &known.name),
            None => task.to_string(),
        }
    }

    /// The tickets of a task.
    pub(super) fn tickets_of(&self, task: TaskId) -> impl Iterator<Item = (LineId, &Ticket)> {
        let own = self.tasks.get(&task).into_iter().flat_map(|known| &known.tickets);
        own.filter_map(|key| self.tickets.get(key).map(|ticket| (key.0, ticket)))
    }

    /// The tasks that have a permit of a line.
    pub(super) fn holders(&self, line: LineId) -> impl Iterator<Item = TaskId> {
        self.permits.get(&line).into_iter().flatten().filter_map(|by| match by {
            Actor::Task(task) => Some(*task),
            _ => None,
        })
    }

    /// Takes up an event.
    pub(super) fn event(&mut self, event: &Event) {
        self.now = (event.time, event.seq);
        self.held_up = None;
        match &event.kind {
            E::HeldUp { by, took } => self.held_up = Some((by.clone(), *took)),
            E::CallbackNew { callback, site, .. } => drop(self.callbacks.insert(*callback, *site)),
            E::CallbackCancel { callback, .. } | E::CallbackEnd { callback, .. } => {
                self.callbacks.remove(callback);
            }
            E::LoopEnd { why } => {
                self.ended = Some(*why);
                for task in self.mains.drain(..) {
                    self.untaken.remove(&task);
                }
            }
            E::TurnBegin { .. } => self.ended = None,
            _ => {
                self.of_tasks(event);
                self.of_waits(event);
            }
        }
    }

    fn of_tasks(&mut self, event: &Event) {
        match &event.kind {
            E::Spawn { task, name, site, .. } => self.add(*task, name, *site, event),
            E::Wake { task, effect, .. } => self.note(*task, |known| {
                known.queued |= *effect != WakeEffect::AfterDone;
            }),
            E::PollBegin { task, .. } => {
                self.poll = Some((*task, event.seq, event.time));
                self.tells_polls = true;
                self.note(*task, |known| {
                    known.polls = known.polls.saturating_add(1);
                    known.queued = false;
                    known.awaits.clear();
                });
            }
            E::PollEnd { task, suspended, wakers, .. } => {
                self.poll = None;
                self.note(*task, |known| {
                    (known.suspended, known.wakers) = (*suspended, *wakers);
                    known.since = event.seq;
                });
            }
            E::Cancel { task, .. } => self.note(*task, |known| known.cancelled = true),
            E::JoinWait { task, by: Actor::Task(by), .. } => {
                self.note(*by, |known| known.awaits.push(*task));
            }
            E::TaskEnd { task, .. } => self.end(*task),
            E::HandleDrop { task, .. } | E::Joined { task, .. } => {
                self.note(*task, |known| known.released = true);
                self.untaken.remove(task);
            }
            _ => {}
        }
    }

    fn add(&mut self, task: TaskId, name: &Name, site: Place, event: &Event) {
        let known = TaskStory {
            name: name.into(),
            spawned_at: site,
            spawned: event.seq,
            polls: 0,
            suspended: None,
            since: event.seq,
            wakers: 0,
            may_wake: 0,
            queued: true,
            awaits: Vec::new(),
            tickets: Vec::new(),
            cancelled: false,
            released: false,
        };
        self.tasks.insert(task, known);
    }

    fn note(&mut self, task: TaskId, change: impl FnOnce(&mut TaskStory)) {
        if let Some(known) = self.tasks.get_mut(&task) {
            change(known);
        }
    }

    fn end(&mut self, task: TaskId) {
        let Some(known) = self.tasks.remove(&task).filter(|known| !known.released) else { return };
        if known.is_main() {
            self.mains.push(task);
        }
        self.untaken.insert(task, known);
    }

    /// The loop has something more that may wake the task.
    pub(super) fn may_wake(&mut self, task: TaskId) {
        self.note(task, |known| known.may_wake += 1);
    }

    /// One such thing less.
    fn may_not_wake(&mut self, task: TaskId) {
        self.note(task, |known| known.may_wake = known.may_wake.saturating_sub(1));
    }

    fn of_waits(&mut self, event: &Event) {
        match &event.kind {
            E::LineWait { line, ticket, wait, by: Actor::Task(task), site } => {
                let known =
                    Ticket { task: *task, wait: *wait, site: *site, polled: event.seq, granted: None };
                self.tickets.insert((*line, *ticket), known);
                let key = (*line, *ticket);
                self.note(*task, |known| {
                    if known.tickets.len() < MOST && !known.tickets.contains(&key) {
                        known.tickets.push(key);
                    }
                });
            }
            E::LineGrant { line, ticket, .. } => {
                if let Some(ticket) = self.tickets.get_mut(&(*line, *ticket)) {
                    let polls = self.tasks.get(&ticket.task).map_or(0, |known| known.polls);
                    ticket.granted = Some((event.seq, polls));
                }
            }
            E::LineLeave { line, ticket, .. } => {
                let key = (*line, *ticket);
                if let Some(left) = self.tickets.remove(&key) {
                    self.note(left.task, |known| known.tickets.retain(|own| *own != key));
                }
            }
            E::PermitTake { line, by } => {
                let holders = self.permits.entry(*line).or_default();
                if holders.len() < MOST {
                    holders.push(by.clone());
                }
            }
            E::PermitRelease { line, by } => self.release(*line, by),
            E::TimerArm { timer, callback: None, by: Actor::Task(task), .. } => self.arm(*timer, *task),
            E::TimerFire { timer, .. } | E::TimerCancel { timer, .. } => {
                if let Some(task) = self.timers.remove(timer) {
                    self.may_not_wake(task);
                }
            }
            E::IoInterest { source, wait, by: Actor::Task(task) } => self.interest(*source, (*wait, *task)),
            E::IoForget { source, wait, by: Actor::Task(task) } => {
                self.forget(*source, |waits| *waits == (*wait, *task));
            }
            E::IoReady { source, readable, writable, .. } => {
                self.forget(*source, |(wait, _)| is_over(*wait, *readable, *writable));
            }
            E::IoClose { source, .. } => self.forget(*source, |_| true),
            _ => self.of_jobs(event),
        }
    }

    pub(super) fn arm(&mut self, timer: TimerId, task: TaskId) {
        self.may_wake(task);
        // A recording may say twice what happens once.
        if let Some(before) = self.timers.insert(timer, task) {
            self.may_not_wake(before);
        }
    }

    pub(super) fn interest(&mut self, source: SourceId, waits: (Wait, TaskId)) {
        let waiting = self.interests.entry(source).or_default();
        if waiting.len() < MOST && !waiting.contains(&waits) {
            waiting.push(waits);
            self.may_wake(waits.1);
        }
    }

    /// These waits for a source are over.
    fn forget(&mut self, source: SourceId, mut is_over: impl FnMut(&(Wait, TaskId)) -> bool) {
        let Some(waiting) = self.interests.get_mut(&source) else { return };
        let over: Vec<_> = waiting.extract_if(.., |waits| is_over(waits)).collect();
        if waiting.is_empty() {
            self.interests.remove(&source);
        }
        over.into_iter().for_each(|(_, task)| self.may_not_wake(task));
    }

    /// Gives back the permit of whoever does so, or the oldest: a permit may be handed on.
    fn release(&mut self, line: LineId, by: &Actor) {
        let Some(holders) = self.permits.get_mut(&line) else { return };
        let index = holders.iter().position(|holder| holder == by).unwrap_or(0);
        if index < holders.len() {
            holders.remove(index);
        }
        if holders.is_empty() {
            self.permits.remove(&line);
        }
    }

    fn of_jobs(&mut self, event: &Event) {
        match &event.kind {
            E::JobNew { job, by, site } => {
                let task = if let Actor::Task(task) = by { Some(*task) } else { None };
                self.jobs.insert(*job, JobStory { site: *site, task });
            }
            E::JobStart { job, .. } => {
                if let Some(known) = self.jobs.get(job).filter(|_| self.running.len() < MOST) {
                    self.running.insert(*job, (event.time, *known));
                }
            }
            E::JobEnd { job, .. } => drop(self.running.remove(job)),
            E::JobDeliver { job } | E::JobAbandon { job } => drop(self.jobs.remove(job)),
            _ => {}
        }
    }
}

impl TaskStory {
    /// `at src/main.rs:7, waiting for a sleep`; empty if it is not suspended.
    pub(super) fn standing(&self) -> String {
        match self.suspended {
            Some((wait, Some(site))) => format!("at {}, waiting for {wait}", place(site)),
            Some((wait, None)) => format!("waiting for {wait}"),
            None => String::new(),
        }
    }

    /// The line where it is suspended, or that spawned it.
    pub(super) fn line(&self) -> Place {
        self.suspended.and_then(|(_, site)| site).unwrap_or(self.spawned_at)
    }

    pub(super) fn is_main(&self) -> bool {
        &*self.name == "main"
    }
}
