//! Chapter 35, part 53: who was there before the first event, where a recording begins in the middle.
//!
//! A dump of a flight recorder, or a part of a recording, has the state of the loop ahead of its events. Without it a task of
//! which nothing is heard looks as if it had never been; with it, the rules know as much as if they had seen it all, but for
//! the numbers of the events: what happened before has that of the last one.
//!
//! Before: `trace/findings/story.rs`. Next: `trace/findings/polls.rs`.

use super::story::{JobStory, MOST, Story, TaskStory, Ticket};
use crate::trace::event::{Actor, Place, TaskId};
use crate::trace::fold::{Handle, JobStand, Stand, Task, World};
use crate::trace::observer::Ready;

/// A place before the recording begins.
const BEFORE: Place = Place { file: "?", line: 0, column: 0 };

impl Story {
    /// What is to be known when the loop stands like this.
    pub(super) fn after(world: &World) -> Story {
        let seq = world.seq.unwrap_or_default();
        let mut story = Story {
            tasks: world.tasks.iter().map(|(id, task)| (*id, known(task, seq))).collect(),
            tells_polls: world.tasks.values().any(|task| task.polls > 0),
            ended: world.end,
            now: (world.time, seq),
            ..Story::default()
        };
        if let Some(Ready::Task(task)) = world.running {
            story.poll = world.tasks.get(&task).map(|known| (task, seq, known.since));
        }
        story.in_lines(world);
        story.callbacks = world.callbacks.iter().map(|(id, known)| (*id, known.site)).collect();
        for (id, timer) in world.timers.iter().filter(|(_, timer)| timer.callback.is_none()) {
            if let Some(task) = task_of(&timer.by) {
                story.arm(*id, task);
            }
        }
        for (id, source) in &world.sources {
            let waits = source.waits.iter().filter_map(|(wait, by)| Some((*wait, task_of(by)?)));
            waits.for_each(|waits| story.interest(*id, waits));
        }
        for (id, job) in &world.jobs {
            let known = JobStory { site: job.site, task: task_of(&job.by) };
            if matches!(job.stand, JobStand::Running(_)) && story.running.len() < MOST {
                story.running.insert(*id, (job.since, known));
            }
            if !job.abandoned {
                story.jobs.insert(*id, known);
            }
        }
        story
    }

    fn in_lines(&mut self, world: &World) {
        for (id, line) in &world.lines {
            if !line.holders.is_empty() {
                self.permits.insert(*id, line.holders.clone());
            }
            for (ticket, waiter) in &line.waiters {
                let Some(task) = task_of(&waiter.by) else { continue };
                let Some(known) = self.tasks.get_mut(&task) else { continue };
                if known.tickets.len() < MOST {
                    known.tickets.push((*id, *ticket));
                }
                let granted = waiter.granted.map(|seq| (seq, known.polls));
                let stands =
                    Ticket { task, wait: waiter.wait, site: waiter.site, polled: waiter.seq, granted };
                self.tickets.insert((*id, *ticket), stands);
            }
        }
    }
}

fn task_of(by: &Actor) -> Option<TaskId> {
    if let Actor::Task(task) = by { Some(*task) } else { None }
}

fn known(task: &Task, seq: u64) -> TaskStory {
    TaskStory {
        name: task.name.clone(),
        spawned_at: task.spawned_at.unwrap_or(BEFORE),
        spawned: seq,
        polls: task.polls,
        suspended: task.suspended,
        since: seq,
        wakers: task.wakers,
        may_wake: 0,
        queued: task.stand == Stand::Ready,
        awaits: task.awaits.clone(),
        tickets: Vec::new(),
        cancelled: task.cancelled,
        released: task.handle == Handle::Dropped,
    }
}
