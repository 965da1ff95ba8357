//! Chapter 35, part 6: what is the state of a loop, given what happened?
//!
//! A [`World`] starts empty and takes up one event after the other: a *fold*. Nothing else goes in, no clock and no look at
//! the loop itself; so the same events always give the same world, and a recording can be looked at in any of its moments.
//!
//! ```text
//!   event               ready queue    task 1                              timers
//!   spawn task 1        [1]            ready
//!   poll begins         []             running
//!   timer 0 is armed    []             running                             0: due at 1 s
//!   poll ends           []             suspended at main.rs:7 (a sleep)    0: due at 1 s
//!   timer 0 fires       []             suspended at main.rs:7 (a sleep)
//!   wake task 1         [1]            ready
//! ```
//!
//! To go back by one event is to fold all but the last again. [`History`] keeps a copy of the world now and then, so that
//! this is quick.
//!
//! A recording may begin in the middle, or leave out events: what is heard of for the first time is taken as found.
//!
//! Left out on purpose: what has ended. A world is as large as what is alive in it.
//!
//! Before: `trace/narrate/words.rs`. Next: `trace/fold/queue.rs`.

mod queue;
mod tasks;
mod things;
mod lines;
mod history;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use history::History;
pub use lines::{Line, Waiter};
pub use queue::Queue;
pub use tasks::{Handle, Stand, Task};
pub use things::{Callback, Job, JobStand, Source, Timer, slot};

#[cfg(feature = "cli")]
pub(crate) use {lines::MOST_HOLDERS, tasks::MOST_AWAITS, things::is_over};

use self::queue::Spot;
use super::event::{
    CallbackId, Event, EventKind as E, JobId, LineId, LoopEnd, SourceId, TaskId, TimerId, WaitReason,
};
use super::narrate::Narrator;
use super::observer::Ready;

/// Where a loop is in its turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Between two runs, or before the first turn.
    #[default]
    Outside,
    /// Step 1: it plans how long it may wait.
    Plan,
    /// Step 2: it waits for I/O, a notification, or time to pass.
    Wait,
    /// Step 3: it wakes the tasks whose sources became ready, and takes what other threads sent.
    Wake,
    /// Step 4: it fires the timers that are due.
    Fire,
    /// Step 5: it runs what is in the ready queue.
    Run,
}

/// The state of a loop after some of its events.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct World {
    /// The number of the last event; `None`: nothing has happened yet.
    pub seq: Option<u64>,
    /// The loop's time.
    pub time: Duration,
    /// The number of the turn, while there is one and after it.
    pub turn: Option<u64>,
    /// Where the loop is in it.
    pub step: Step,
    /// In step 2: how long it waits at most (`None`: without limit), and why.
    pub waiting: Option<(Option<Duration>, WaitReason)>,
    /// When it last looked at I/O and timers: from this time the places in the wheel are counted.
    pub looked: Duration,
    /// What is to run, the next one first.
    pub ready: Queue,
    /// What is running: a task or a callback.
    pub running: Option<Ready>,
    /// How long that has held up the loop at least, if it was told that it does.
    pub held_up: Option<Duration>,
    /// All tasks that have not ended.
    pub tasks: BTreeMap<TaskId, Arc<Task>>,
    /// All callbacks that were neither called nor cancelled.
    pub callbacks: BTreeMap<CallbackId, Callback>,
    /// All timers that are armed.
    pub timers: BTreeMap<TimerId, Timer>,
    /// All sources that are registered.
    pub sources: BTreeMap<SourceId, Source>,
    /// All jobs of the blocking pool whose results were not delivered yet.
    pub jobs: BTreeMap<JobId, Job>,
    /// All objects that are held or waited for: locks, semaphores, queues.
    pub lines: BTreeMap<LineId, Line>,
    /// The pool's threads, each with the job it is at.
    pub threads: BTreeMap<Arc<str>, Option<JobId>>,
    /// How many tasks were made.
    pub spawned: u64,
    /// How many of them ended.
    pub ended: u64,
    /// How the last run ended; `None`: a run goes on, or none has begun.
    pub end: Option<LoopEnd>,
    /// The mark that a main future left in the queue when it ended.
    run_end: Spot,
    /// How many wait in all of `lines`.
    in_line: usize,
}

impl World {
    /// Before the first event.
    pub fn new() -> World {
        World::default()
    }

    /// Takes up the next event.
    pub fn apply(&mut self, event: &Event) {
        self.seq = Some(event.seq);
        // What is told of other threads happened a little earlier.
        self.time = self.time.max(event.time);
        self.take_step(&event.kind);
        self.of_loop(event);
        self.of_tasks(event);
        self.of_callbacks(event);
        self.of_timers(event);
        self.of_io(event);
        self.of_jobs(event);
        self.of_lines(event);
    }

    /// How much there is in it: what a copy costs.
    pub fn size(&self) -> usize {
        let things = self.callbacks.len() + self.timers.len() + self.sources.len() + self.jobs.len();
        self.tasks.len() + things + self.lines.len() + self.in_line + self.ready.len()
    }

    /// A narrator that knows who is there, for the events that come next.
    pub fn narrator(&self) -> Narrator {
        let tasks = self.tasks.iter().map(|(id, task)| (*id, &*task.name, task.cancelled));
        Narrator::knowing(tasks, self.sources.iter().map(|(id, source)| (*id, source.what)))
    }

    /// What is ready, in order, in a world that was put together otherwise than by events; and how many wait in lines.
    #[cfg(feature = "cli")]
    pub(crate) fn line_up(&mut self, ready: Vec<Ready>) {
        self.in_line = self.lines.values().map(|line| line.waiters.len()).sum();
        for entry in ready {
            let place = Spot(Some(self.ready.push(entry)));
            match entry {
                Ready::Task(task) => {
                    let Some(known) = self.tasks.get_mut(&task) else { continue };
                    Arc::make_mut(known).lined_up(place);
                }
                Ready::Callback(callback) => {
                    let Some(known) = self.callbacks.get_mut(&callback) else { continue };
                    known.place = place;
                }
                Ready::RunEnd => self.run_end = place,
            }
        }
    }

    /// Which step an event belongs to.
    fn take_step(&mut self, kind: &E) {
        let step = match kind {
            E::TurnBegin { .. } => Step::Plan,
            E::WaitBegin { .. } => Step::Wait,
            E::WaitEnd { .. } => Step::Wake,
            E::TimerFire { .. } => Step::Fire,
            E::PollBegin { .. } | E::CallbackBegin { .. } => Step::Run,
            E::TurnEnd { .. } | E::LoopEnd { .. } => Step::Outside,
            _ => return,
        };
        self.step = step;
    }

    fn of_loop(&mut self, event: &Event) {
        match &event.kind {
            E::TurnBegin { turn, .. } => (self.turn, self.end) = (Some(*turn), None),
            E::WaitBegin { timeout, why } => self.waiting = Some((*timeout, *why)),
            E::WaitEnd { .. } => (self.waiting, self.looked) = (None, self.time),
            E::HeldUp { took, .. } => self.held_up = Some(*took),
            E::PollBegin { .. } | E::PollEnd { .. } | E::CallbackBegin { .. } | E::CallbackEnd { .. } => {
                self.held_up = None;
            }
            E::ClockJump { to, .. } => self.time = self.time.max(*to),
            E::LoopEnd { why } => {
                self.end = Some(*why);
                self.running = None;
                if let Some(mark) = self.run_end.0.take() {
                    self.ready.remove(mark);
                }
            }
            _ => {}
        }
    }
}
