//! The figures of a run: a fold of its own, beside the state of the loop.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oneloop::trace::fold::{Stand, Task, World};
use oneloop::trace::narrate::{named, place};
use oneloop::trace::read::Recording;
use oneloop::trace::{Event, EventKind as E, Frames, Place, TaskId, Wait, WakeEffect};

/// How many of the longest polls are kept.
const LONGEST: usize = 1_000;

/// What a run is in figures.
#[derive(Debug, Default)]
pub struct Figures {
    /// The loop at the end.
    pub world: World,
    pub turns: usize,
    /// How long polls and callbacks took together.
    pub busy: Duration,
    pub lives: BTreeMap<TaskId, Life>,
    /// The longest polls, the longest first.
    pub longest: Vec<Poll>,
    /// How late each timer fired, the least first.
    pub late: Vec<Duration>,
    /// Timers that were cancelled.
    pub cancelled: usize,
    /// What was waited for at which point.
    pub waits: HashMap<Point, Waits>,
    /// Who waits there at the end.
    pub left: HashMap<Point, Vec<TaskId>>,
}

/// A point at which tasks wait. Tasks that came there through the same functions are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// The line; where it is not known, the one that spawned the task.
    place: Option<Place>,
    /// What is waited for, in words.
    wait: String,
    /// The async functions, if there are several and they were recorded.
    through: String,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(at) => write!(f, "{}, for {}", place(at), self.wait)?,
            None => write!(f, "an unknown line, for {}", self.wait)?,
        }
        if self.through.is_empty() { Ok(()) } else { write!(f, ", through {}", self.through) }
    }
}

/// A task from its beginning to its end.
#[derive(Debug)]
pub struct Life {
    pub task: TaskId,
    pub name: Arc<str>,
    pub polls: u32,
    pub busy: Duration,
    pub queued: Duration,
    pub waited: Duration,
}

impl Life {
    /// `task 2 (fetch)`.
    pub fn called(&self) -> String {
        named(self.task, &self.name)
    }
}

/// One poll.
#[derive(Debug)]
pub struct Poll {
    pub took: Duration,
    pub task: TaskId,
    pub number: u32,
    /// The event that ended it.
    pub seq: u64,
    /// The lines between which it ran; an outer `None`: it was the last poll.
    pub from: Option<Place>,
    pub to: Option<Option<Place>>,
}

/// The waits at one line.
#[derive(Debug, Default)]
pub struct Waits {
    pub tasks: BTreeSet<TaskId>,
    pub times: u64,
    pub total: Duration,
    pub longest: Duration,
}

/// Works them out.
pub fn of(recording: &Recording) -> Figures {
    let world = recording.begin.clone().unwrap_or_default();
    let mut figures = Figures { world, ..Figures::default() };
    for event in &recording.events {
        figures.look(event);
        figures.world.apply(event);
    }
    let world = std::mem::take(&mut figures.world);
    for (id, task) in &world.tasks {
        figures.lives.insert(*id, life(*id, task, world.time));
        if task.stand == Stand::Suspended {
            figures.waited(*id, task, world.time.saturating_sub(task.since));
            figures.left.entry(point(task)).or_default().push(*id);
        }
    }
    figures.world = world;
    figures.late.sort_unstable();
    figures.keep_longest();
    figures
}

/// A task's life until now: it has stood as it stands.
fn life(id: TaskId, task: &Task, now: Duration) -> Life {
    let Task { ref name, polls, busy, queued, waited, .. } = *task;
    let mut life = Life { task: id, name: Arc::clone(name), polls, busy, queued, waited };
    let spent = now.saturating_sub(task.since);
    match task.stand {
        Stand::Ready => life.queued += spent,
        Stand::Running => life.busy += spent,
        _ => life.waited += spent,
    }
    life
}

fn point(task: &Task) -> Point {
    let (wait, place) = task.suspended.unwrap_or((Wait::Custom, None));
    let frames = task.frames.as_ref().filter(|frames| frames.places().len() > 1);
    let through = frames.map(Frames::to_string).unwrap_or_default();
    Point { place: place.or(task.spawned_at), wait: wait.to_string(), through }
}

impl Figures {
    /// What an event adds. The world is as it was before.
    fn look(&mut self, event: &Event) {
        match &event.kind {
            E::TurnBegin { .. } => self.turns += 1,
            E::CallbackEnd { took, .. } => self.busy += *took,
            E::PollEnd { task, poll, took, suspended, .. } => {
                self.busy += *took;
                let from = self.world.tasks.get(task).and_then(|task| task.goes_on_at());
                let to = suspended.map(|(_, place)| place);
                self.longest.push(Poll { took: *took, task: *task, number: *poll, seq: event.seq, from, to });
                if self.longest.len() >= 2 * LONGEST {
                    self.keep_longest();
                }
            }
            E::Wake { task, effect: WakeEffect::Queued, .. } => self.end_of_wait(*task, event.time),
            E::TaskEnd { task, .. } => {
                self.end_of_wait(*task, event.time);
                let Some(known) = self.world.tasks.get(task) else { return };
                self.lives.insert(*task, life(*task, known, event.time));
            }
            E::TimerFire { late, .. } => self.late.push(*late),
            E::TimerCancel { .. } => self.cancelled += 1,
            _ => {}
        }
    }

    fn end_of_wait(&mut self, id: TaskId, now: Duration) {
        let task = self.world.tasks.get(&id).filter(|task| task.stand == Stand::Suspended).map(Arc::clone);
        if let Some(task) = task {
            self.waited(id, &task, now.saturating_sub(task.since));
        }
    }

    fn waited(&mut self, id: TaskId, task: &Task, time: Duration) {
        let waits = self.waits.entry(point(task)).or_default();
        waits.tasks.insert(id);
        waits.times += 1;
        waits.total += time;
        waits.longest = waits.longest.max(time);
    }

    fn keep_longest(&mut self) {
        self.longest.sort_by_key(|poll| std::cmp::Reverse((poll.took, u64::MAX - poll.seq)));
        self.longest.truncate(LONGEST);
    }
}
