//! Chapter 35, part 57: rules about the lives of tasks: never begun, cut short, failed unheard, left behind, one at a time.
//!
//! Before: `trace/findings/waits.rs`. Next: `trace/findings/pool.rs`.

use std::collections::HashMap;
use std::time::Duration;

use super::story::JobStory;
use super::{Finding, LISTED, Level, Limits, Rule, Story, finding};
use crate::trace::event::{Actor, Event, EventKind as E, JobId, LoopEnd, Outcome, Place, TaskId};
use crate::trace::fold::{Handle, World};
use crate::trace::narrate::{count, named, place, plain};

pub(super) fn rules(limits: Limits) -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(DroppedError),
        Box::new(LargeFuture { limit: limits.large }),
        Box::new(CancelledMidway { dropped: HashMap::new() }),
        Box::new(AtExit::default()),
        Box::new(OneAtATime { in_a_row: limits.in_a_row as usize, rows: HashMap::new(), of: HashMap::new() }),
    ]
}

/// `dropped_error`: a task failed, and nobody will ever hear of it.
struct DroppedError;

impl Rule for DroppedError {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        let E::Unheard { task, name, how, text } = &event.kind else { return };
        let who = named(*task, name);
        let text = format!("{who} {}, and nobody took its result: {}", plain(how), plain(text));
        const ADVICE: &str = "await the handle, or handle the error inside the task";
        let dropped = finding("dropped_error", Level::Error, Some(*task), text, ADVICE);
        let site = story.task(*task).map(|known| known.spawned_at);
        found.push(dropped.at(site).shown_by([event.seq]));
    }
}

/// `large_future`: a task's future is so large that moving it about costs.
struct LargeFuture {
    limit: usize,
}

impl Rule for LargeFuture {
    fn event(&mut self, event: &Event, _: &Story, found: &mut Vec<Finding>) {
        let E::Spawn { task, name, site, size, .. } = &event.kind else { return };
        // A main future stays on the stack where it is.
        if *size < self.limit || &**name == "main" {
            return;
        }
        let who = named(*task, name);
        let text = format!("the future of {who}, spawned at {}, has {size} bytes", place(*site));
        const ADVICE: &str = "keep large arrays in a `Vec` or a `Box` across an `.await`, and box deep futures with `Box::pin`";
        found.push(
            finding("large_future", Level::Hint, Some(*task), text, ADVICE).at([*site]).shown_by([event.seq]),
        );
    }
}

/// `cancelled_midway`: a task was cut short because its handle was dropped while it was awaited, or a job goes on for
/// nobody.
struct CancelledMidway {
    /// Tasks cancelled so, and the event of that.
    dropped: HashMap<TaskId, (u64, Option<TaskId>)>,
}

impl Rule for CancelledMidway {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            // In a poll: a timeout was over, or a race lost. If who awaited it was cancelled itself, that was meant.
            E::HandleDrop { task, cancelled: true } => {
                if let Some((by, ..)) = story.poll {
                    self.dropped.insert(*task, (event.seq, Some(by)));
                }
            }
            E::TaskEnd { task, outcome, at } => {
                let Some((dropped, by)) = self.dropped.remove(task) else { return };
                let Some(known) = story.task(*task).filter(|known| known.polls > 0) else { return };
                if *outcome != Outcome::Cancelled {
                    return;
                }
                let by = by.map(|by| format!(" by {}", story.name(by))).unwrap_or_default();
                let standing = known.standing();
                let text = format!(
                    "{} was cancelled half way, {standing}, since its handle was dropped{by} while it was awaited",
                    story.name(*task)
                );
                const ADVICE: &str = "if it is to go on, await it through `shield`; if not, see that what it had begun may stay \
                    half done";
                let midway = finding("cancelled_midway", Level::Hint, Some(*task), text, ADVICE);
                let places = at.iter().copied().chain([known.spawned_at]);
                found.push(midway.at(places).shown_by([dropped, event.seq]));
            }
            E::JobAbandon { job } if story.ended.is_none() => {
                let Some((_, known)) = story.running.get(job) else { return };
                let text = format!(
                    "nobody waits any more for {job}, handed over at {}, but it has started and runs on to its end",
                    place(known.site)
                );
                const ADVICE: &str = "give the job a flag to look at, if it should end early";
                found.push(
                    finding("cancelled_midway", Level::Hint, known.task, text, ADVICE)
                        .at([known.site])
                        .shown_by([event.seq]),
                );
            }
            _ => {}
        }
    }
}

/// `never_polled`, `left_at_exit` and `keeps_loop_alive`: what was not done when the main future had returned.
#[derive(Default)]
struct AtExit {
    /// How the run ended, its event, and when that was.
    ended: Option<(LoopEnd, u64, Duration)>,
    /// Tasks that were dropped where they stood: their words, lines and events.
    left: Vec<(String, Place, u64)>,
    /// Jobs that were running then, and have ended since.
    jobs: Vec<(JobId, Place)>,
}

impl AtExit {
    /// A job and its line, if it was on its thread when the run ended.
    fn kept_alive(&self, job: JobId, (began, known): &(Duration, JobStory)) -> Option<(JobId, Place)> {
        self.ended.filter(|(.., ended)| began <= ended).map(|_| (job, known.site))
    }

    fn left_at_exit(&self, ended: u64) -> Finding {
        let listed = || self.left.iter().take(LISTED);
        let mut words: Vec<_> = listed().map(|(words, ..)| words.clone()).collect();
        if self.left.len() > words.len() {
            words.push(format!("and {} more", self.left.len() - words.len()));
        }
        let text = format!(
            "{} had not ended when the main future returned, and {} dropped in the middle: {}",
            count(self.left.len(), "task"),
            if self.left.len() == 1 { "was" } else { "were" },
            words.join("; ")
        );
        const ADVICE: &str = "await what must be done; cancel what need not be, so that it is said";
        finding("left_at_exit", Level::Hint, None, text, ADVICE)
            .at(listed().map(|(_, line, _)| *line))
            .shown_by(listed().map(|(_, _, seq)| *seq).chain([ended]))
    }

    fn task_ended(&mut self, event: &Event, story: &Story, task: TaskId, found: &mut Vec<Finding>) {
        let Some(known) = story.task(task).filter(|known| !known.cancelled && !known.is_main()) else {
            return;
        };
        if known.polls == 0 {
            let why = match self.ended {
                Some((LoopEnd::MainDone, ..)) => "the main future returned before it had a turn",
                Some((LoopEnd::Stopped, ..)) => "the loop was stopped before it had a turn",
                // Another failure is the story then.
                Some(_) => return,
                None => "it was spawned in a loop that was being closed, or dropped at once",
            };
            let text =
                format!("{}, spawned at {}, never ran: {why}", story.name(task), place(known.spawned_at));
            const ADVICE: &str = "await its handle before the end";
            let never = finding("never_polled", Level::Warning, Some(task), text, ADVICE);
            found.push(never.at([known.spawned_at]).shown_by([known.spawned, event.seq]));
        } else if let Some((LoopEnd::MainDone, ..)) = self.ended {
            let words = format!("{} {}", story.name(task), known.standing());
            self.left.push((words, known.line(), event.seq));
        }
    }
}

impl Rule for AtExit {
    fn begin(&mut self, world: &World) {
        self.ended = world.end.map(|why| (why, world.seq.unwrap_or_default(), world.time));
    }

    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::LoopEnd { why } => self.ended = Some((*why, event.seq, event.time)),
            // It is told later than it happened, on its thread.
            E::JobEnd { job, .. } if self.ended.is_some_and(|(.., ended)| event.time >= ended) => {
                if let Some(known) = story.running.get(job) {
                    self.jobs.extend(self.kept_alive(*job, known));
                }
            }
            E::TurnBegin { .. } => {
                self.ended = None;
                self.jobs.clear();
            }
            E::TaskEnd { task, outcome: Outcome::Cancelled, .. } => {
                self.task_ended(event, story, *task, found)
            }
            _ => {}
        }
    }

    fn end(&mut self, story: &Story, found: &mut Vec<Finding>) {
        let Some((_, ended, _)) = self.ended else { return };
        if !self.left.is_empty() {
            found.push(self.left_at_exit(ended));
        }
        let running = story.running.iter().filter_map(|(job, known)| self.kept_alive(*job, known));
        for (job, site) in self.jobs.iter().copied().chain(running) {
            let text = format!(
                "{job}, handed over at {}, was still running when the run ended: the loop is closed only once it has ended",
                place(site)
            );
            const ADVICE: &str = "await the job, or give it a flag to look at, so that it ends early";
            found.push(
                finding("keeps_loop_alive", Level::Hint, None, text, ADVICE).at([site]).shown_by([ended]),
            );
        }
    }
}

/// `one_at_a_time`: each task is awaited before the next is spawned at the same line, so that no two go on at once.
struct OneAtATime {
    in_a_row: usize,
    /// Of each task that has not ended, by the lines where it spawns.
    rows: HashMap<TaskId, HashMap<Place, Row>>,
    /// In which row the tasks are whose handles are there, and which event began it: it may have given way to another one.
    of: HashMap<TaskId, (TaskId, Place, u64)>,
}

/// Tasks of one line, one after the other.
#[derive(Default)]
struct Row {
    /// The event that began it.
    began: u64,
    /// Those that go on now.
    live: u32,
    /// Of the latest: whether its spawner waited for it, whether it has its result, and how often the task was polled.
    waited: bool,
    joined: bool,
    polls: u32,
    /// The events that spawned those of the row, up to one more than is looked for.
    spawned: Vec<u64>,
}

impl Row {
    /// Whether the latest was waited for, and had to wait for something itself.
    fn goes_on(&self) -> bool {
        self.live == 0 && self.waited && self.joined && self.polls > 1
    }
}

impl OneAtATime {
    /// The row that one more task joins.
    fn join(&mut self, task: TaskId, spawner: TaskId, site: Place, seq: u64) -> &mut Row {
        let rows = self.rows.entry(spawner).or_default();
        let row = rows.entry(site).or_insert_with(|| Row { began: seq, ..Row::default() });
        self.of.insert(task, (spawner, site, row.began));
        row
    }

    /// The row of a task, and whose it is, and where.
    fn row(&mut self, task: TaskId) -> Option<(TaskId, Place, &mut Row)> {
        let (spawner, site, began) = *self.of.get(&task)?;
        let row = self.rows.get_mut(&spawner)?.get_mut(&site).filter(|row| row.began == began)?;
        Some((spawner, site, row))
    }

    fn joined(&mut self, event: &Event, story: &Story, task: TaskId) -> Option<Finding> {
        let in_a_row = self.in_a_row;
        let (spawner, site, row) = self.row(task)?;
        row.joined = true;
        if row.spawned.len() != in_a_row || !row.goes_on() {
            return None;
        }
        let text = format!(
            "{} spawns tasks at {} one at a time: each is awaited before the next one is spawned, so {in_a_row} in a row \
             took as long as without tasks",
            story.name(spawner),
            place(site)
        );
        const ADVICE: &str = "spawn all of them first and await their handles then, or use `gather` or a `TaskGroup`; if \
            each needs the one before, await the futures without spawning";
        let one = finding("one_at_a_time", Level::Hint, Some(spawner), text, ADVICE);
        Some(one.at([site]).shown_by(row.spawned.iter().copied().chain([event.seq])))
    }
}

impl Rule for OneAtATime {
    fn begin(&mut self, world: &World) {
        let seq = world.seq.unwrap_or_default();
        for (id, task) in world.tasks.iter().filter(|(_, task)| task.handle == Handle::Held) {
            if let (Actor::Task(by), Some(site)) = (&task.by, task.spawned_at) {
                self.join(*id, *by, site, seq).live += 1;
            }
        }
    }

    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::Spawn { task, by: Actor::Task(by), site, .. } => {
                let in_a_row = self.in_a_row;
                let row = self.join(*task, *by, *site, event.seq);
                if !row.goes_on() {
                    row.spawned.clear();
                }
                if row.spawned.len() <= in_a_row {
                    row.spawned.push(event.seq);
                }
                (row.waited, row.joined, row.polls) = (false, false, 0);
                row.live += 1;
            }
            E::JoinWait { task, by: Actor::Task(by), .. } => {
                if let Some((_, _, row)) = self.row(*task).filter(|(spawner, ..)| spawner == by) {
                    row.waited = true;
                }
            }
            E::TaskEnd { task, .. } => {
                let polls = story.task(*task).map_or(0, |known| known.polls);
                if let Some((_, _, row)) = self.row(*task) {
                    (row.polls, row.live) = (polls, row.live.saturating_sub(1));
                }
                self.rows.remove(task);
            }
            E::Joined { task, .. } => {
                found.extend(self.joined(event, story, *task));
                self.of.remove(task);
            }
            // On its own from here on: others may go on beside it.
            E::HandleDrop { task, .. } => {
                if let Some((spawner, site, _)) = self.row(*task) {
                    self.rows.entry(spawner).or_default().remove(&site);
                }
                self.of.remove(task);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::show;
    use super::*;

    #[test]
    fn of_a_row_no_more_is_kept_than_is_looked_for_and_of_a_spawner_that_ended_nothing() {
        let mut rule = OneAtATime { in_a_row: 3, rows: HashMap::new(), of: HashMap::new() };
        let (mut story, site) = (Story::default(), Place { file: "src/main.rs", line: 7, column: 5 });
        let (spawner, mut found) = (TaskId(0), Vec::new());
        let end = |task| E::TaskEnd { task, outcome: Outcome::Done, at: None };
        for task in (1..100).map(TaskId) {
            let (by, name) = (|| Actor::Task(spawner), "x".into());
            let poll = |poll| E::PollBegin { task, poll, waited: Duration::ZERO };
            found.extend(show(
                &mut rule,
                &mut story,
                [
                    E::Spawn { task, name, by: by(), site, future: "", size: 1 },
                    E::JoinWait { task, by: by(), site },
                    poll(1),
                    poll(2),
                    end(task),
                    E::Joined { task, by: by() },
                ],
            ));
        }
        assert_eq!(found.len(), 1);
        assert_eq!((rule.rows[&spawner][&site].spawned.len(), rule.of.len()), (4, 0));
        show(&mut rule, &mut story, [end(spawner)]);
        assert!(rule.rows.is_empty());
    }
}
