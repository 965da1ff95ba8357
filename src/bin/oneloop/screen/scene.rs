//! What is to be seen: the run at the moment that is looked at, what just happened, and what is next.

use oneloop::trace::fold::{History, Stand, Task, World};
use oneloop::trace::narrate::{capital, place, span};
use oneloop::trace::{Actor, Event, EventKind as E, Place, Ready, TaskId, Wait, WakeEffect};

use super::index::Index;
use crate::session::places::{self, Line, find};
use crate::session::{Written, story, things};

/// Everything that is drawn, but for what the user has chosen.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What is looked at: a program or a file.
    pub name: &'a str,
    /// Whether it is a program that runs, and not a recording.
    pub is_program: bool,
    pub history: &'a History,
    pub index: &'a Index,
    pub written: &'a [Written],
    /// The line of the last stop, if that is the moment that is looked at.
    pub line: Option<Line>,
    /// The file of that line.
    pub page: Option<&'a [String]>,
    /// Why nothing more comes.
    pub ended: Option<&'a str>,
    /// Whether a command goes on.
    pub goes_on: bool,
}

/// A way from one state of a task to another, as the chapter on tasks draws them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edge {
    Spawn,
    Poll,
    Suspend,
    Wake,
    /// Woken while it is polled.
    Again,
    Finish,
}

impl<'a> Scene<'a> {
    pub fn world(&self) -> &'a World {
        self.history.world()
    }

    /// What just happened.
    pub fn now(&self) -> Option<&'a Event> {
        self.history.events().get(self.history.at().checked_sub(1)?)
    }

    /// What happened next, where that is known.
    pub fn after(&self) -> Option<&'a Event> {
        self.history.events().get(self.history.at())
    }

    /// The number of the last event that is known.
    pub fn last(&self) -> Option<u64> {
        self.history.events().last().map(|event| event.seq)
    }

    pub fn sentence(&self, event: &Event) -> String {
        self.index.sentence(self.history, event)
    }

    /// The event that led to this one.
    pub fn cause(&self) -> Option<&'a Event> {
        find(self.history, self.now()?.cause?)
    }

    /// The line that just ran.
    pub fn ran(&self) -> Option<Line> {
        let index = self.history.at().checked_sub(1)?;
        self.line.or_else(|| places::line(self.history, index, self.world()))
    }

    /// What comes next, and its line: what did come, if that is known, and else what the loop will do.
    pub fn next(&self) -> (String, Option<Place>) {
        let world = self.world();
        if let Some(event) = self.after() {
            return (self.sentence(event), places::here(event, world));
        }
        if let Some(why) = self.ended {
            return (if why.is_empty() { "Nothing: this is the end.".into() } else { why.into() }, None);
        }
        match (world.running, world.ready.iter().next()) {
            (Some(Ready::Task(task)), _) => {
                (format!("{} goes on with its poll.", capital(&things::task_name(task, world))), None)
            }
            (Some(_), _) => ("The callback goes on.".into(), None),
            (None, _) if world.end.is_some() => ("The program goes on without the loop.".into(), None),
            (None, Some(Ready::Task(task))) => {
                let (name, at) = (things::task_name(task, world), self.task(task).and_then(Task::goes_on_at));
                (format!("{} is first in the ready queue.", capital(&name)), at)
            }
            (None, Some(Ready::Callback(callback))) => {
                let at = world.callbacks.get(&callback).map(|callback| callback.site);
                (format!("{} is first in the ready queue.", capital(&callback.to_string())), at)
            }
            (None, Some(_)) => ("The run ends: the main future has returned.".into(), None),
            (None, None) => (self.idle(), None),
        }
    }

    /// What the loop waits for, with nothing ready.
    fn idle(&self) -> String {
        let world = self.world();
        match world.timers.iter().min_by_key(|(id, timer)| (timer.at, **id)) {
            Some((id, timer)) => {
                let left = timer.at.saturating_sub(world.time);
                format!("Nothing is ready: the loop waits for {id}, in {}.", span(left))
            }
            None if world.turn.is_none() => "The first turn.".into(),
            None => {
                "Nothing is ready, and no timer is armed: the loop waits for I/O or another thread.".into()
            }
        }
    }

    pub fn task(&self, task: TaskId) -> Option<&'a Task> {
        self.world().tasks.get(&task).map(|task| &**task)
    }

    /// The task that the event is about; if it is about none, the one that runs, or else the one that ran last.
    pub fn main_task(&self) -> Option<TaskId> {
        let at = self.history.at();
        let events = self.history.events()[..at].iter().rev().take(1_000);
        let of = |event: &Event| {
            story::of(event).or_else(|| match story::by(event) {
                Some(Actor::Task(task)) => Some(*task),
                _ => None,
            })
        };
        match self.world().running {
            Some(Ready::Task(task)) => Some(self.now().and_then(story::of).unwrap_or(task)),
            _ => events.map(of).find(Option::is_some).flatten(),
        }
    }

    /// The way that a task just went.
    pub fn edge(&self, wanted: TaskId) -> Option<Edge> {
        let event = self.now().filter(|event| story::of(event) == Some(wanted))?;
        Some(match &event.kind {
            E::Spawn { .. } => Edge::Spawn,
            E::PollBegin { .. } => Edge::Poll,
            E::PollEnd { suspended: None, .. } => Edge::Finish,
            E::PollEnd { .. } => match self.task(wanted).map(|task| task.stand) {
                Some(Stand::Ready) => Edge::Again,
                _ => Edge::Suspend,
            },
            E::Wake { effect: WakeEffect::Queued, .. } => Edge::Wake,
            E::Wake { effect: WakeEffect::WhileRunning, .. } => Edge::Again,
            E::TaskEnd { .. } => Edge::Finish,
            _ => return None,
        })
    }

    /// What a task waits for, what that waits for, and so on: one line each, the task's own first.
    pub fn chain(&self, task: TaskId) -> Vec<String> {
        const DEEPEST: usize = 16;
        let (mut lines, mut seen, mut next) = (Vec::new(), Vec::new(), Some(task));
        while let Some(task) = next.take().filter(|task| !seen.contains(task) && seen.len() < DEEPEST) {
            let Some(known) = self.task(task) else { break };
            seen.push(task);
            let name = capital(&things::task_name(task, self.world()));
            match (known.stand, &known.suspended) {
                (Stand::Running, _) => lines.push(format!("{name} is running.")),
                (Stand::Ready, _) => lines.push(format!("{name} is ready.")),
                (_, Some((wait, at))) => {
                    let frames = known.frames.as_ref().map_or(&[][..], |frames| frames.places());
                    let at = match frames.first().filter(|_| frames.len() > 1) {
                        Some(first) => format!(", in {}", place(*first)),
                        None => at.map(|at| format!(", at {}", place(at))).unwrap_or_default(),
                    };
                    lines.push(format!("{name} waits for {wait}{at}."));
                    lines.extend(frames.iter().skip(1).map(|frame| format!("at {}", place(*frame))));
                    let (line, other) = self.beyond(task, *wait);
                    lines.extend(line);
                    next = other;
                }
                _ => lines.push(format!("{name} is suspended.")),
            }
        }
        lines
    }

    /// What will end a wait, or the task that will.
    fn beyond(&self, task: TaskId, wait: Wait) -> (Option<String>, Option<TaskId>) {
        let (world, me) = (self.world(), Actor::Task(task));
        let seq = self.now().map_or(0, |event| event.seq);
        let story = self.index.story(task);
        let known = &story[..story.partition_point(|event| *event <= seq)];
        if wait == Wait::Join {
            let joined = known.iter().rev().take(64).find_map(|seq| match &find(self.history, *seq)?.kind {
                E::JoinWait { task, by, .. } if *by == me => Some(*task),
                _ => None,
            });
            return (None, joined);
        }
        let timer = world.timers.iter().filter(|(_, timer)| timer.by == me).min_by_key(|(_, timer)| timer.at);
        let timer = timer.map(|(id, timer)| format!("{}.", capital(&things::timer(*id, timer, world))));
        let source = world.sources.iter().find(|(_, source)| source.waits.iter().any(|(_, by)| *by == me));
        let source = source.map(|(id, source)| format!("{}.", capital(&things::source(*id, source, world))));
        let job = world.jobs.iter().find(|(_, job)| job.by == me);
        let job = job.map(|(id, job)| format!("{}.", capital(&things::job(*id, job, world))));
        (if wait == Wait::Job { job.or(timer) } else { source.or(timer).or(job) }, None)
    }
}
