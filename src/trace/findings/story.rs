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
use crate::trace::frames::Frames;
use crate::trace::narrate::{named, place};

/// The most tickets of a task, holders of a line, and waits for a source that are kept: each event about one looks through
/// them.
const MOST: usize = 4_096;

/// What is known of a loop after some of its events, as far as the rules need it.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Tasks that have not ended, or whose end somebody may still take.
    pub(super) tasks: BTreeMap<TaskId, TaskStory>,
    /// Who waits in a line, by line and ticket.
    pub(super) tickets: BTreeMap<(LineId, usize), Ticket>,
    /// Who has taken permits of a line and not given them back, in that order.
    pub(super) permits: HashMap<LineId, Vec<Actor>>,
    /// Timers armed for tasks, when they are due, and for whom.
    pub(super) timers: HashMap<TimerId, (Duration, TaskId)>,
    /// Who waits for which source, for what.
    pub(super) interests: BTreeMap<SourceId, Vec<(Wait, TaskId)>>,
    /// The sort of each open source.
    pub(super) sources: HashMap<SourceId, &'static str>,
    /// Jobs that are not delivered or abandoned yet.
    pub(super) jobs: BTreeMap<JobId, JobStory>,
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
#[derive(Clone, Debug)]
pub struct TaskStory {
    pub(super) name: Arc<str>,
    pub(super) spawned_at: Place,
    /// The event that told of it.
    pub(super) spawned: u64,
    /// How often it was polled.
    pub(super) polls: u32,
    /// What it waited for at the end of its latest poll, and where; `None`: there was none, or it was its last.
    pub(super) suspended: Option<(Wait, Option<Place>)>,
    /// The async functions it was suspended in; `None`: they were not recorded.
    pub(super) frames: Option<Frames>,
    /// The event that told so, and when that was.
    pub(super) since: (u64, Duration),
    /// Clones of its waker at the end of its latest poll.
    pub(super) wakers: usize,
    /// Whether it is in the ready queue.
    pub(super) queued: bool,
    /// Whose end it awaits, as of its latest poll.
    pub(super) awaits: Vec<TaskId>,
    /// Where it has tickets.
    pub(super) tickets: Vec<(LineId, usize)>,
    /// Who asked for its end, and in which event; `None`: nobody.
    pub(super) cancel: Option<(Actor, u64)>,
    /// Whether nobody is left who could wake it.
    pub(super) lost: bool,
    pub(super) ended: bool,
    /// Whether its handle is dropped, or has given the result.
    pub(super) released: bool,
}

/// A place in a line.
#[derive(Clone, Debug)]
pub struct Ticket {
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
    /// When a thread took it.
    pub(super) started: Option<Duration>,
    pub(super) ended: bool,
    /// Whether nobody waits for it any more.
    pub(super) abandoned: bool,
}

impl Story {
    /// A task that is known.
    pub fn task(&self, task: TaskId) -> Option<&TaskStory> {
        self.tasks.get(&task)
    }

    /// The tasks that have not ended.
    pub fn live(&self) -> impl Iterator<Item = (TaskId, &TaskStory)> {
        self.tasks.iter().filter(|(_, known)| !known.ended).map(|(task, known)| (*task, known))
    }

    /// `task 2 (fetch)`.
    pub fn name(&self, task: TaskId) -> String {
        match self.tasks.get(&task) {
            Some(known) => named(task, &known.name),
            None => task.to_string(),
        }
    }

    /// The tickets of a task.
    pub(super) fn tickets_of(&self, task: TaskId) -> impl Iterator<Item = (LineId, &Ticket)> {
        let own = self.tasks.get(&task).into_iter().flat_map(|known| &known.tickets);
        own.filter_map(|key| self.tickets.get(key).map(|ticket| (key.0, ticket)))
    }

    /// The timers armed by a task, by their deadlines.
    pub(super) fn timers_of(&self, task: TaskId) -> Vec<(Duration, TimerId)> {
        let own = self.timers.iter().filter(|(_, (_, own))| *own == task);
        let mut timers: Vec<_> = own.map(|(timer, (at, _))| (*at, *timer)).collect();
        timers.sort_unstable();
        timers
    }

    /// The sources that a task waits for, and for what.
    pub(super) fn interests_of(&self, task: TaskId) -> impl Iterator<Item = (SourceId, Wait)> {
        let all = self.interests.iter().flat_map(|(source, all)| all.iter().map(move |own| (*source, own)));
        all.filter(move |(_, (_, own))| *own == task).map(|(source, (wait, _))| (source, *wait))
    }

    /// The tasks that wait for any source.
    pub(super) fn interested(&self) -> impl Iterator<Item = TaskId> {
        self.interests.values().flatten().map(|(_, task)| *task)
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
                // A main future has no handle.
                self.tasks.retain(|_, known| !(known.ended && &*known.name == "main"));
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
            E::Chain { task, frames } => self.note(*task, |known| known.frames = Some(frames.clone())),
            E::PollEnd { task, suspended, wakers, .. } => {
                self.poll = None;
                self.note(*task, |known| {
                    (known.suspended, known.wakers) = (*suspended, *wakers);
                    known.since = (event.seq, event.time);
                    if !matches!(suspended, Some((_, Some(_)))) {
                        known.frames = None;
                    }
                });
            }
            E::Lost { task } => self.note(*task, |known| known.lost = true),
            E::Cancel { task, by } => {
                self.note(*task, |known| known.cancel = Some((by.clone(), event.seq)));
            }
            E::JoinWait { task, by: Actor::Task(by), .. } => {
                self.note(*by, |known| known.awaits.push(*task));
            }
            E::TaskEnd { task, .. } => {
                self.note(*task, |known| known.ended = true);
            }
            E::HandleDrop { task, .. } | E::Joined { task, .. } => {
                self.note(*task, |known| known.released = true);
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
            frames: None,
            since: (event.seq, event.time),
            wakers: 0,
            queued: true,
            awaits: Vec::new(),
            tickets: Vec::new(),
            cancel: None,
            lost: false,
            ended: false,
            released: false,
        };
        self.tasks.insert(task, known);
    }

    fn note(&mut self, task: TaskId, change: impl FnOnce(&mut TaskStory)) {
        let Some(known) = self.tasks.get_mut(&task) else { return };
        change(known);
        if known.ended && known.released {
            self.tasks.remove(&task);
        }
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
            E::TimerArm { timer, callback: None, by: Actor::Task(task), at, .. } => {
                self.timers.insert(*timer, (*at, *task));
            }
            E::TimerFire { timer, .. } | E::TimerCancel { timer, .. } => drop(self.timers.remove(timer)),
            E::IoOpen { source, what, .. } => drop(self.sources.insert(*source, what)),
            E::IoInterest { source, wait, by: Actor::Task(task) } => {
                let waiting = self.interests.entry(*source).or_default();
                if waiting.len() < MOST && !waiting.contains(&(*wait, *task)) {
                    waiting.push((*wait, *task));
                }
            }
            E::IoForget { source, wait, by: Actor::Task(task) } => {
                if let Some(waiting) = self.interests.get_mut(source) {
                    waiting.retain(|waits| waits != &(*wait, *task));
                }
            }
            E::IoReady { source, .. } => drop(self.interests.remove(source)),
            E::IoClose { source, .. } => {
                self.interests.remove(source);
                self.sources.remove(source);
            }
            _ => self.of_jobs(event),
        }
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
                let known = JobStory { site: *site, task, started: None, ended: false, abandoned: false };
                self.jobs.insert(*job, known);
            }
            E::JobStart { job, .. } => {
                if let Some(job) = self.jobs.get_mut(job) {
                    job.started = Some(event.time);
                }
            }
            E::JobEnd { job, .. } => self.note_job(*job, |known| known.ended = true),
            E::JobDeliver { job } => drop(self.jobs.remove(job)),
            E::JobAbandon { job } => self.note_job(*job, |known| known.abandoned = true),
            _ => {}
        }
    }

    /// A job that nobody waits for any more is there as long as it has its thread.
    fn note_job(&mut self, job: JobId, change: impl FnOnce(&mut JobStory)) {
        let Some(known) = self.jobs.get_mut(&job) else { return };
        change(known);
        if known.abandoned && (known.ended || known.started.is_none()) {
            self.jobs.remove(&job);
        }
    }
}

impl TaskStory {
    /// The name given to it, or `task-N`.
    pub fn name(&self) -> &str {
        &self.name
    }

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
