//! Chapter 35, part 8: a task, as its events tell of it.
//!
//! Before: `trace/fold/queue.rs`. Next: `trace/fold/things.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::World;
use super::queue::Spot;
use crate::trace::event::{Actor, Event, EventKind as E, Outcome, Place, TaskId, Wait, WakeEffect};
use crate::trace::frames::Frames;
use crate::trace::observer::Ready;

/// The most tasks whose ends one is known to await: whether it awaits another one already is looked up among them.
pub(crate) const MOST_AWAITS: usize = 4_096;

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stand {
    /// In the ready queue, to be polled (or dropped, if it was cancelled).
    Ready,
    /// Being polled.
    Running,
    /// Waiting to be woken.
    Suspended,
}

/// What became of the handle of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handle {
    /// Somebody has it.
    Held,
    /// It was dropped: nobody will take the result.
    Dropped,
}

/// A task that has not ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Task {
    /// Its name.
    pub name: Arc<str>,
    /// Who spawned it.
    pub by: Actor,
    /// Where; `None`: before the recording begins.
    pub spawned_at: Option<Place>,
    /// The type of its future; empty if it is not known.
    pub future: &'static str,
    /// The bytes of its future.
    pub size: usize,
    /// How it stands.
    pub stand: Stand,
    /// Since when it stands so.
    pub since: Duration,
    /// Where it was suspended last, and for what; `None`: it was not polled yet.
    pub suspended: Option<(Wait, Option<Place>)>,
    /// The async functions it is suspended in; `None`: they were not recorded.
    pub frames: Option<Frames>,
    /// Clones of its waker that others kept after its last poll.
    pub wakers: usize,
    /// Polls so far.
    pub polls: u32,
    /// The event that made it ready last, and who did it.
    pub woken: Option<(u64, Actor)>,
    /// The tasks whose end it awaits, as of its latest poll, the first 4,096.
    pub awaits: Vec<TaskId>,
    /// Whether nobody is left who could wake it.
    pub lost: bool,
    /// Whether it was asked to end.
    pub cancelled: bool,
    /// What became of its handle.
    pub handle: Handle,
    /// How long its polls took.
    pub busy: Duration,
    /// How long it was in the ready queue.
    pub queued: Duration,
    /// How long it was suspended.
    pub waited: Duration,
    /// Whether it joined the queue while it was running.
    again: bool,
    /// Its place in the ready queue; `None`: it is not there.
    place: Spot,
}

impl Task {
    /// One that is heard of for the first time.
    pub(crate) fn found(task: TaskId, stand: Stand, time: Duration) -> Task {
        Task {
            name: format!("task-{}", task.0).into(),
            by: Actor::Loop,
            spawned_at: None,
            future: "",
            size: 0,
            stand,
            since: time,
            suspended: None,
            frames: None,
            wakers: 0,
            polls: 0,
            woken: None,
            awaits: Vec::new(),
            lost: false,
            cancelled: false,
            handle: Handle::Held,
            busy: Duration::ZERO,
            queued: Duration::ZERO,
            waited: Duration::ZERO,
            again: false,
            place: Spot(None),
        }
    }

    /// The line it would go on from: where it is suspended, or where it was spawned.
    pub fn goes_on_at(&self) -> Option<Place> {
        self.suspended.and_then(|(_, place)| place).or(self.spawned_at)
    }

    /// Whether it is the main future of a run.
    pub fn is_main(&self) -> bool {
        &*self.name == "main" && self.by == Actor::Loop
    }

    /// It is in the queue; if it runs, then for another turn.
    #[cfg(feature = "cli")]
    pub(super) fn lined_up(&mut self, place: Spot) {
        (self.place, self.again) = (place, self.stand == Stand::Running);
    }

    /// From `time` on it stands so; the time until then is counted.
    fn turn_to(&mut self, stand: Stand, time: Duration) {
        let spent = time.saturating_sub(self.since);
        match self.stand {
            Stand::Ready => self.queued += spent,
            Stand::Running => self.busy += spent,
            Stand::Suspended => self.waited += spent,
        }
        (self.stand, self.since) = (stand, time);
    }
}

impl World {
    pub(super) fn of_tasks(&mut self, event: &Event) {
        match &event.kind {
            E::Spawn { task, name, by, site, future, size } => {
                let (name, by, woken) = (name.into(), by.clone(), Some((event.seq, by.clone())));
                let place = Spot(Some(self.ready.push(Ready::Task(*task))));
                let found = Task::found(*task, Stand::Ready, self.time);
                let spawned_at = Some(*site);
                let task_now = Task { name, by, spawned_at, future, size: *size, woken, place, ..found };
                // A recording may say twice what happens once.
                if let Some(before) =
                    self.tasks.insert(*task, Arc::new(task_now)).and_then(|task| task.place.0)
                {
                    self.ready.remove(before);
                }
                self.spawned = self.spawned.saturating_add(1);
            }
            E::Wake { task, by, effect: WakeEffect::Queued | WakeEffect::WhileRunning } => {
                self.wake(*task, (event.seq, by.clone()));
            }
            E::PollBegin { task, poll, .. } => self.begin_poll(*task, *poll),
            E::PollEnd { task, suspended, wakers, .. } => self.end_poll(*task, *suspended, *wakers),
            E::Chain { task, frames } => {
                self.task(*task, Stand::Running).frames = Some(frames.clone());
            }
            E::JoinWait { task, by: Actor::Task(by), .. } => {
                let awaits = &mut self.task(*by, Stand::Running).awaits;
                if awaits.len() < MOST_AWAITS && !awaits.contains(task) {
                    awaits.push(*task);
                }
            }
            E::Lost { task } => self.task(*task, Stand::Suspended).lost = true,
            E::Cancel { task, .. } => self.task(*task, Stand::Suspended).cancelled = true,
            E::HandleDrop { task, .. } => {
                if let Some(known) = self.tasks.get_mut(task) {
                    Arc::make_mut(known).handle = Handle::Dropped;
                }
            }
            E::TaskEnd { task, outcome, .. } => self.end_task(*task, *outcome),
            _ => {}
        }
    }

    /// A task, to be changed; one that is heard of for the first time stands so.
    fn task(&mut self, task: TaskId, stand: Stand) -> &mut Task {
        let time = self.time;
        Arc::make_mut(self.tasks.entry(task).or_insert_with(|| Arc::new(Task::found(task, stand, time))))
    }

    fn wake(&mut self, task: TaskId, by: (u64, Actor)) {
        let (time, place) = (self.time, self.ready.push(Ready::Task(task)));
        let known = self.task(task, Stand::Suspended);
        known.woken = Some(by);
        if known.stand == Stand::Running {
            known.again = true;
        } else {
            known.turn_to(Stand::Ready, time);
        }
        // A recording may say twice what happens once.
        if let Some(before) = known.place.0.replace(place) {
            self.ready.remove(before);
        }
    }

    fn begin_poll(&mut self, task: TaskId, poll: u32) {
        self.running = Some(Ready::Task(task));
        let time = self.time;
        let known = self.task(task, Stand::Ready);
        known.turn_to(Stand::Running, time);
        known.polls = poll;
        known.awaits.clear();
        if let Some(place) = known.place.0.take() {
            self.ready.remove(place);
        }
    }

    fn end_poll(&mut self, task: TaskId, suspended: Option<(Wait, Option<Place>)>, wakers: usize) {
        self.running = None;
        let time = self.time;
        let known = self.task(task, Stand::Running);
        let again = std::mem::take(&mut known.again);
        known.wakers = wakers;
        // After its last poll a task is not suspended: its end comes next.
        let stand = match suspended {
            _ if again => Stand::Ready,
            Some(_) => Stand::Suspended,
            None => Stand::Running,
        };
        known.turn_to(stand, time);
        known.suspended = suspended.or(known.suspended);
        // A future that does not say where it waits has no chain either.
        if !matches!(suspended, Some((_, Some(_)))) {
            known.frames = None;
        }
    }

    fn end_task(&mut self, task: TaskId, outcome: Outcome) {
        let Some(known) = self.tasks.remove(&task) else { return };
        self.ended = self.ended.saturating_add(1);
        if let Some(place) = known.place.0 {
            self.ready.remove(place);
        }
        // The mark behind which the run ends. A main future that was dropped left none.
        if known.is_main() && outcome != Outcome::Cancelled && self.run_end.0.is_none() {
            self.run_end = Spot(Some(self.ready.push(Ready::RunEnd)));
        }
    }
}
