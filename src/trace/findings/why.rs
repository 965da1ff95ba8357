//! Chapter 35, part 59: why does a task not run, what would wake it, and can anyone still?
//!
//! Before: `trace/findings/pool.rs`. Next: `trace/page.rs`.

use std::collections::HashMap;
use std::time::Duration;

use super::LISTED;
use crate::trace::event::{Actor, JobId, LineId, SourceId, TaskId, TimerId, Wait};
use crate::trace::fold::{Job, JobStand, Line, Stand, Task, Timer, Waiter, World};
use crate::trace::narrate::{count, named, place, plain, span};

/// Why a task does not run in this moment of a loop, line by line: how it stands, what would wake it, whether anyone still
/// can; and the same for the tasks that this depends on. `None`: there is no such task (any more).
///
/// For many tasks of one moment ask [`Whys`].
pub fn why(world: &World, task: TaskId) -> Option<Vec<String>> {
    Whys::new(world).of(task)
}

/// One moment of a loop, put in order by who waits for what.
#[derive(Debug)]
pub struct Whys<'a> {
    world: &'a World,
    timers: HashMap<TaskId, Vec<(Duration, TimerId)>>,
    sources: HashMap<TaskId, Vec<(SourceId, Wait)>>,
    /// With how many who still wait are ahead in the line.
    tickets: HashMap<TaskId, Vec<(LineId, &'a Line, &'a Waiter, usize)>>,
    jobs: HashMap<TaskId, Vec<(JobId, &'a Job)>>,
}

/// A chain of tasks that wait for each other is followed no further.
const CHAIN: usize = 20;

const GOES_ON: &str = "The chain goes on.";

impl<'a> Whys<'a> {
    /// Goes through all that is in the world, once.
    pub fn new(world: &'a World) -> Whys<'a> {
        let (timers, sources, tickets, jobs) = Default::default();
        let mut whys = Whys { world, timers, sources, tickets, jobs };
        for (id, Timer { at, by, .. }) in world.timers.iter().filter(|(_, timer)| timer.callback.is_none()) {
            note(&mut whys.timers, by, (*at, *id));
        }
        whys.timers.values_mut().for_each(|timers| timers.sort_unstable());
        for (id, source) in &world.sources {
            source.waits.iter().for_each(|(wait, by)| note(&mut whys.sources, by, (*id, *wait)));
        }
        for (id, line) in &world.lines {
            let mut ahead = 0;
            for waiter in line.in_order() {
                note(&mut whys.tickets, &waiter.by, (*id, line, waiter, ahead));
                ahead += usize::from(waiter.granted.is_none());
            }
        }
        for (id, job) in &world.jobs {
            note(&mut whys.jobs, &job.by, (*id, job));
        }
        whys
    }

    /// Why this task does not run: see [`why`].
    pub fn of(&self, task: TaskId) -> Option<Vec<String>> {
        self.world.tasks.get(&task)?;
        let (mut lines, mut seen) = (Vec::new(), Vec::new());
        self.explain(task, &mut seen, &mut lines);
        Some(lines)
    }

    fn explain(&self, task: TaskId, seen: &mut Vec<TaskId>, lines: &mut Vec<String>) {
        let who = self.name(task);
        let Some(known) = self.world.tasks.get(&task) else {
            return lines.push(format!("{who} has ended."));
        };
        if seen.contains(&task) {
            return lines.push(format!("{who}: see above, which closes the circle."));
        }
        if seen.len() == CHAIN {
            if lines.last().is_none_or(|last| last != GOES_ON) {
                lines.push(GOES_ON.into());
            }
            return;
        }
        seen.push(task);
        let spawned = known.spawned_at.map(|at| format!(", spawned at {},", place(at))).unwrap_or_default();
        lines.push(format!("{who}{spawned} {}.", self.state(known)));
        if known.stand != Stand::Suspended {
            return;
        }
        let (found, next) = self.wakers(task, known);
        match found.is_empty() {
            true => lines.push(nobody(known, &who)),
            false => lines.extend(found.into_iter().map(|found| format!("  It goes on {found}."))),
        }
        for other in next {
            self.explain(other, seen, lines);
        }
    }

    fn name(&self, task: TaskId) -> String {
        self.world.tasks.get(&task).map_or_else(|| task.to_string(), |known| named(task, &known.name))
    }

    fn state(&self, known: &Task) -> String {
        let lasted = match self.world.time.saturating_sub(known.since) {
            Duration::ZERO => String::new(),
            time => format!(" for {}", span(time)),
        };
        let through = match &known.frames {
            Some(frames) if frames.places().len() > 1 => format!(", through {frames}"),
            _ => String::new(),
        };
        match (known.stand, known.suspended) {
            (Stand::Running, suspended) => {
                let from = suspended.and_then(|(_, site)| site);
                let from = from.map(|site| format!(", from {} on", place(site))).unwrap_or_default();
                match self.world.held_up {
                    Some(took) => {
                        format!("has been polled for more than {}{from}, and holds the loop up", span(took))
                    }
                    None => format!("is being polled{from}"),
                }
            }
            (Stand::Ready, None) => String::from("is in the ready queue, for its first poll"),
            (Stand::Ready, _) => String::from("is in the ready queue: it runs when its turn comes"),
            (Stand::Suspended, Some((wait, Some(at)))) => {
                format!("is suspended{lasted} at {}, waiting for {wait}{through}", place(at))
            }
            (Stand::Suspended, Some((wait, None))) => format!("is suspended{lasted}, waiting for {wait}"),
            (Stand::Suspended, None) => format!("is suspended{lasted}"),
        }
    }

    /// When it goes on, as far as the events tell, and the tasks that this depends on.
    fn wakers(&self, task: TaskId, known: &Task) -> (Vec<String>, Vec<TaskId>) {
        let (mut found, mut next) = (Vec::new(), Vec::new());
        for (at, timer) in all(&self.timers, task) {
            found.push(match at.saturating_sub(self.world.time) {
                Duration::ZERO => format!("when {timer} fires, which is due"),
                left => format!("when {timer} fires, in {}", span(left)),
            });
        }
        for (source, wait) in all(&self.sources, task) {
            let what = self.world.sources.get(source).map(|known| format!(" ({})", plain(known.what)));
            found.push(format!("when {source}{} has {wait}", what.unwrap_or_default()));
        }
        for (id, line, waiter, ahead) in all(&self.tickets, task) {
            found.push(self.in_line(task, *id, line, waiter, *ahead));
            if waiter.granted.is_none() {
                next.extend(line.holders.iter().filter_map(task_of).filter(|holder| *holder != task));
            }
        }
        for awaited in &known.awaits {
            found.push(format!("when {} has ended", self.name(*awaited)));
            next.push(*awaited);
        }
        for (id, job) in all(&self.jobs, task).iter().filter(|(_, job)| job.stand != JobStand::Ended) {
            let where_it_is = match job.stand {
                JobStand::Queued => "waits for a thread",
                _ => "is on a thread",
            };
            found.push(format!("when {id} has ended, which {where_it_is}"));
        }
        if known.wakers > 0 && found.is_empty() {
            let kept = if known.wakers == 1 { "is" } else { "are" };
            let clones = count(known.wakers, "clone");
            found.push(format!("when one of its wakers is used, of which {clones} {kept} kept elsewhere"));
        }
        next.sort_unstable();
        next.dedup();
        (found, next)
    }

    /// When it is its turn in this line.
    fn in_line(&self, task: TaskId, id: LineId, line: &Line, waiter: &Waiter, ahead: usize) -> String {
        let (at, wait) = (place(waiter.site), waiter.wait);
        if waiter.granted.is_some() {
            return format!("as soon as the future at {at} is polled, which was granted {wait}");
        }
        let ahead = match ahead {
            0 => String::new(),
            ahead => format!(", behind {} in the line", count(ahead, "other")),
        };
        let holders: Vec<TaskId> = line.holders.iter().filter_map(task_of).collect();
        match wait {
            Wait::Receive => {
                return format!("when the sender sends or is dropped, for which it waits at {at} ({id})");
            }
            Wait::Join => return format!("when the task has ended that it awaits at {at} ({id})"),
            _ => {}
        }
        if holders.is_empty() {
            return format!("when somebody gives it {wait} at {at} ({id}){ahead}");
        }
        let mut names: Vec<String> = holders
            .iter()
            .take(LISTED)
            .map(|holder| match *holder == task {
                true => String::from("it itself"),
                false => self.name(*holder),
            })
            .collect();
        match holders.len() - names.len() {
            0 => {}
            1 => names.push("one other".into()),
            more => names.push(format!("one of {more} others")),
        }
        format!("when {} gives back {wait}, for which it waits at {at}{ahead}", names.join(" or "))
    }
}

fn task_of(by: &Actor) -> Option<TaskId> {
    if let Actor::Task(task) = by { Some(*task) } else { None }
}

fn note<T>(notes: &mut HashMap<TaskId, Vec<T>>, by: &Actor, thing: T) {
    if let Some(task) = task_of(by) {
        notes.entry(task).or_default().push(thing);
    }
}

fn all<T>(notes: &HashMap<TaskId, Vec<T>>, task: TaskId) -> &[T] {
    notes.get(&task).map(Vec::as_slice).unwrap_or_default()
}

/// What to say where the events show nobody who could wake it.
fn nobody(known: &Task, who: &str) -> String {
    match known.suspended {
        _ if known.lost => format!("  Nobody can wake it any more: nobody has a waker of {who}."),
        Some((Wait::Receive, _)) => String::from("  It goes on when the sender sends, or is dropped."),
        Some((wait, _)) if wait != Wait::Custom => {
            format!("  It goes on when there is what it waits for: {wait}.")
        }
        _ => String::from("  The events show nobody who could wake it."),
    }
}
