//! Chapter 35, part 56: rules about waiting for each other: circles, loops that can never go on, and grants that nobody
//! takes.
//!
//! Before: `trace/findings/wakes.rs`. Next: `trace/findings/lives.rs`.

use std::collections::HashSet;
use std::mem;

use super::story::TaskStory;
use super::{Finding, LISTED, Level, Limits, Rule, Story, finding};
use crate::trace::event::{Event, EventKind as E, Place, TaskId, Wait, WaitReason, WakeEffect};
use crate::trace::narrate::{count, place};

pub(super) fn rules(_: Limits) -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(Deadlock { waits: None }),
        Box::new(WaitCycle { suspended: Vec::new() }),
        Box::new(NotPolled { woken: false }),
    ]
}

/// The most tasks of a circle that is found: from each task that is suspended so many others are looked at.
const MOST_IN_CIRCLE: usize = 256;

/// `deadlock`: the loop can never go on.
struct Deadlock {
    /// The event that began a wait without limit, which is going on.
    waits: Option<u64>,
}

impl Deadlock {
    fn found(story: &Story, level: Level, what: &str, seq: u64) -> Finding {
        let (live, listed) = (story.tasks.len(), || story.tasks.iter().take(LISTED));
        let mut lines: Vec<_> =
            listed().map(|(task, known)| format!("{} {}", story.name(*task), known.standing())).collect();
        if live > LISTED {
            lines.push(format!("and {} more", live - LISTED));
        }
        let text = match live {
            0 => format!("{what}; no task is left"),
            _ => format!("{what}; {}: {}", waiting(live), lines.join("; ")),
        };
        const ADVICE: &str = "find out who was to wake them: a value that is never sent though its sender is kept, a lock \
            that is never unlocked, a task that is awaited and waits itself";
        finding("deadlock", level, listed().next().map(|(task, _)| *task), text, ADVICE)
            .at(listed().map(|(_, known)| known.line()))
            .shown_by(listed().map(|(_, known)| known.since).chain([seq]))
    }
}

fn waiting(tasks: usize) -> String {
    format!("{} {}", count(tasks, "task"), if tasks == 1 { "waits" } else { "wait" })
}

impl Rule for Deadlock {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::Stuck { .. } => {
                let what = "the loop can never go on, and nothing is left that could wake anybody";
                found.push(Deadlock::found(story, Level::Error, what, event.seq));
                self.waits = None;
            }
            E::WaitBegin { timeout: None, why: WaitReason::Forever } => self.waits = Some(event.seq),
            _ => self.waits = None,
        }
    }

    /// Nobody has looked whether the loop is stuck, but the events end while it waits without limit, for nobody in sight.
    fn end(&mut self, story: &Story, found: &mut Vec<Finding>) {
        let Some(seq) = self.waits.filter(|_| story.ended.is_none() && story.tells_polls && !story.goes_on)
        else {
            return;
        };
        // What the loop keeps of a task, for a handle that it awaits or a timer, is no clone of its waker: a clone is
        // somebody's who may wake.
        let may_go_on = |known: &TaskStory| known.wakers > 0 || known.may_wake > 0;
        if !story.jobs.is_empty() || !story.running.is_empty() || story.tasks.values().any(may_go_on) {
            return;
        }
        let what =
            "when the events end the loop waits without limit, and nobody is in sight who could end that";
        found.push(Deadlock::found(story, Level::Hint, what, seq));
    }
}

/// `wait_cycle`: tasks wait for each other in a circle.
struct WaitCycle {
    /// Tasks suspended in this turn, which may have closed a circle.
    suspended: Vec<TaskId>,
}

/// Why a task waits for another one.
struct Edge {
    to: TaskId,
    /// In words, after the task's name.
    why: String,
    site: Place,
    /// The event that began the wait.
    seq: u64,
}

/// The one task without which `task` cannot go on; `None`: there is none, or the events leave it open.
fn edge(story: &Story, task: TaskId) -> Option<Edge> {
    let known = story.tasks.get(&task).filter(|known| !known.queued && !known.cancelled)?;
    let (wait, site) = known.suspended?;
    let mut tickets = story.tickets_of(task);
    match (wait, known.awaits.as_slice(), tickets.next(), tickets.next()) {
        (Wait::Join, [to], None, _) if known.wakers == 0 => {
            let why = format!("at {} awaits the end of {}", place(site?), story.name(*to));
            Some(Edge { to: *to, why, site: site?, seq: known.since })
        }
        (Wait::Lock, [], Some((line, ticket)), None) if ticket.granted.is_none() && known.wakers == 0 => {
            let mut holders = story.holders(line);
            let to = holders.next().filter(|_| holders.next().is_none())?;
            let whose = if to == task {
                "it has locked itself".into()
            } else {
                format!("{} has locked", story.name(to))
            };
            let why = format!("at {} waits for a mutex that {whose}", place(ticket.site));
            Some(Edge { to, why, site: ticket.site, seq: ticket.polled })
        }
        _ => None,
    }
}

/// The circle that `task` is in, unless it has more tasks than are looked at.
fn circle(story: &Story, task: TaskId) -> Option<Vec<(TaskId, Edge)>> {
    let mut way: Vec<(TaskId, Edge)> = Vec::new();
    let mut at = task;
    while way.is_empty() || at != task {
        if way.len() == MOST_IN_CIRCLE {
            return None;
        }
        let edge = edge(story, at)?;
        let next = edge.to;
        way.push((at, edge));
        at = next;
    }
    // With a timer or a socket of its own a task may be woken otherwise.
    let alone = |task| story.task(task).is_some_and(|known| known.may_wake == 0);
    way.iter().all(|(task, _)| alone(*task)).then_some(way)
}

impl Rule for WaitCycle {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::PollEnd { task, suspended: Some((Wait::Join | Wait::Lock, _)), .. } => {
                self.suspended.push(*task)
            }
            E::TurnEnd { .. } => {
                let mut seen = HashSet::new();
                for task in mem::take(&mut self.suspended) {
                    let Some(way) = circle(story, task).filter(|_| !seen.contains(&task)) else { continue };
                    seen.extend(way.iter().map(|(task, _)| *task));
                    found.push(told(story, &way));
                }
            }
            _ => {}
        }
    }
}

fn told(story: &Story, way: &[(TaskId, Edge)]) -> Finding {
    let steps: Vec<_> =
        way.iter().map(|(task, edge)| format!("{} {}", story.name(*task), edge.why)).collect();
    let text = match steps.as_slice() {
        [own] => format!("{own}, so it can never go on"),
        _ => format!(
            "{} wait for each other and can never go on: {}",
            count(way.len(), "task"),
            steps.join("; ")
        ),
    };
    const ADVICE: &str =
        "take locks in the same order everywhere, and hold none while awaiting what may need it";
    let task = way.first().map(|(task, _)| *task);
    finding("wait_cycle", Level::Error, task, text, ADVICE)
        .at(way.iter().map(|(_, edge)| edge.site))
        .shown_by(way.iter().map(|(_, edge)| edge.seq))
}

/// `granted_not_polled` and `stalled_subfuture`: what a task waited for is there, but the future that would take it is
/// not polled.
struct NotPolled {
    /// Whether the task being polled was woken meanwhile: it will be polled again, and may get to it then.
    woken: bool,
}

/// A task that is polled again and again gets to all its futures within so many polls.
const PATIENCE: u32 = 10;

impl Rule for NotPolled {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::PollBegin { .. } => self.woken = false,
            E::Wake { task, effect: WakeEffect::WhileRunning, .. } => {
                self.woken |= story.poll.is_some_and(|(polled, ..)| polled == *task);
            }
            E::PollEnd { task, suspended: Some((wait, site)), .. } => {
                let Some((_, began, _)) = story.poll else { return };
                for (_, ticket) in story.tickets_of(*task) {
                    let Some((granted, polls)) = ticket.granted.filter(|(granted, _)| *granted < began)
                    else {
                        continue;
                    };
                    let since = story.task(*task).map_or(0, |known| known.polls.saturating_sub(polls));
                    let rule = match self.woken {
                        false => "granted_not_polled",
                        true if since == PATIENCE => "stalled_subfuture",
                        true => continue,
                    };
                    let at = site.map(|site| format!(" at {}", place(site))).unwrap_or_default();
                    let text = format!(
                        "{} was granted what it waits for at {}, {}, but the future there is not polled: the task waits{at} \
                         for {wait} instead, and nobody else gets what was granted",
                        story.name(*task),
                        place(ticket.site),
                        ticket.wait
                    );
                    const ADVICE: &str = "do not keep a future that was polled once beside an `.await`: drop it first, race \
                        it again, or spawn it as a task of its own";
                    let not_polled = finding(rule, Level::Warning, Some(*task), text, ADVICE);
                    found.push(
                        not_polled
                            .at([Some(ticket.site), *site].into_iter().flatten())
                            .shown_by([granted, event.seq]),
                    );
                }
            }
            _ => {}
        }
    }
}
