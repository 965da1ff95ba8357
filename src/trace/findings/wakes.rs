//! Chapter 35, part 55: rules about wakes: those that never come, come for nothing, or never stop.
//!
//! Before: `trace/findings/polls.rs`. Next: `trace/findings/waits.rs`.

use std::collections::HashMap;
use std::time::Duration;

use super::story::MOST;
use super::{Finding, Level, Limits, Rule, Story, finding};
use crate::trace::event::{Actor, Event, EventKind as E, Place, TaskId, Wait, WakeEffect};
use crate::trace::narrate::count;

pub(super) fn rules(limits: Limits) -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(LostWaker { stopping: false }),
        Box::new(WakerOutside),
        Box::new(Idle { most: limits.idle_polls, runs: HashMap::new(), now: None }),
        Box::new(VainWakes { most: limits.vain_wakes, live: HashMap::new(), ended: HashMap::new() }),
    ]
}

/// `lost_waker`: a task is suspended, and nobody is left who could wake it.
struct LostWaker {
    /// Whether the run is to end after this turn: what waits for nothing then is not meant to go on.
    stopping: bool,
}

impl Rule for LostWaker {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match event.kind {
            E::Stop { .. } => self.stopping = true,
            E::LoopEnd { .. } => self.stopping = false,
            _ => {}
        }
        let E::Lost { task } = event.kind else { return };
        let Some(known) = story.task(task).filter(|_| !self.stopping) else { return };
        let text = format!(
            "{} is suspended, and nobody can ever wake it: the future it waits for returned `Pending` and kept no waker",
            story.name(task)
        );
        const ADVICE: &str =
            "in `poll`, clone `cx.waker()` and keep it where the value will come from, and wake it then";
        let lost = finding("lost_waker", Level::Error, Some(task), text, ADVICE);
        found.push(lost.at([known.line(), known.spawned_at]).shown_by([known.since, event.seq]));
    }
}

/// `waker_outside`: at the end a task still waits for somebody whom the loop does not know.
struct WakerOutside;

impl Rule for WakerOutside {
    fn event(&mut self, _: &Event, _: &Story, _: &mut Vec<Finding>) {}

    fn end(&mut self, story: &Story, found: &mut Vec<Finding>) {
        // A run that ended has no more need of its tasks.
        if story.ended.is_some() || story.goes_on {
            return;
        }
        for (&task, known) in &story.tasks {
            let custom = known.suspended.is_some_and(|(wait, _)| wait == Wait::Custom);
            if !custom || known.queued || known.wakers == 0 {
                continue;
            }
            let text = format!(
                "{} waits for a future that oneloop did not write; {} of its waker {} kept outside of the loop, by code or \
                 by a thread that alone can wake it",
                story.name(task),
                count(known.wakers, "clone"),
                if known.wakers == 1 { "is" } else { "are" }
            );
            const ADVICE: &str = "if it should have gone on, look at who keeps its waker: whether it wakes, and the latest one";
            let outside = finding("waker_outside", Level::Hint, Some(task), text, ADVICE);
            found.push(outside.at([known.line(), known.spawned_at]).shown_by([known.since]));
        }
    }
}

/// `self_wake_storm` and `polls_without_progress`: poll after poll of a task that does nothing but ask for the next one.
struct Idle {
    most: u32,
    /// How many such polls in a row, and in which the run began.
    runs: HashMap<TaskId, IdleRun>,
    /// The poll that is going on, and whether it has woken itself; `None`: it did something else too.
    now: Option<(TaskId, bool)>,
}

#[derive(Clone, Copy)]
struct IdleRun {
    polls: u32,
    began: u64,
    wait: Wait,
    site: Option<Place>,
}

/// A poll that takes longer does something, even if it tells nothing.
const BRIEF: Duration = Duration::from_micros(20);

impl Idle {
    fn poll_ended(&mut self, event: &Event, story: &Story) -> Option<Finding> {
        let E::PollEnd { task, took, suspended, .. } = &event.kind else { return None };
        let idle = self.now.take().is_some_and(|(_, woke)| woke) && *took < BRIEF;
        let Some((wait, site)) =
            suspended.filter(|(wait, _)| idle && matches!(wait, Wait::Custom | Wait::Yield))
        else {
            self.runs.remove(task);
            return None;
        };
        let run = self.runs.entry(*task).or_insert(IdleRun { polls: 0, began: event.seq, wait, site });
        if (run.wait, run.site) != (wait, site) {
            *run = IdleRun { polls: 0, began: event.seq, wait, site };
        }
        run.polls += 1;
        let known = story.task(*task)?;
        (run.polls == self.most).then(|| {
            let who = story.name(*task);
            let times = count(self.most as usize, "poll");
            let (rule, level, text, advice) = match wait {
                Wait::Custom => (
                    "self_wake_storm",
                    Level::Warning,
                    format!("{who} woke itself in {times} one after another, and did nothing else: it keeps the loop busy with waiting"),
                    "keep the waker and wake when there is something, instead of calling `wake_by_ref` before each `Pending`",
                ),
                _ => (
                    "polls_without_progress",
                    Level::Hint,
                    format!("{who} gave way in {times} one after another, and did nothing in any: it seems to ask again and again for something that it could wait for"),
                    "wait for it: with an `Event`, a `Queue`, a `oneshot`, or with a `sleep` between two looks",
                ),
            };
            finding(rule, level, Some(*task), text, advice)
                .at(site.into_iter().chain([known.spawned_at]))
                .shown_by([run.began, event.seq])
        })
    }
}

impl Rule for Idle {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::PollBegin { task, .. } => self.now = Some((*task, false)),
            E::Wake { task, by: Actor::Task(by), .. } if task == by => {
                self.now = self.now.filter(|(own, _)| own == task).map(|(own, _)| (own, true));
            }
            E::PollEnd { .. } => found.extend(self.poll_ended(event, story)),
            E::TaskEnd { task, .. } => drop(self.runs.remove(task)),
            // Something happened in the poll: it has done something.
            _ => self.now = None,
        }
    }
}

/// `redundant_wakes` and `wake_after_done`: wakes that changed nothing.
struct VainWakes {
    most: u32,
    /// The wakes of tasks that have not ended.
    live: HashMap<TaskId, Wakes>,
    /// The wakes of tasks that have ended, since then. When it is full, it begins anew.
    ended: HashMap<TaskId, Wakes>,
}

#[derive(Clone, Default)]
struct Wakes {
    all: u32,
    /// Those that changed nothing, and the event of the first of them.
    vain: u32,
    first: u64,
}

impl Wakes {
    /// One more. Whether it is the vain one that makes `most`.
    fn count(&mut self, seq: u64, is_vain: bool, most: u32) -> bool {
        self.all = self.all.saturating_add(1);
        self.vain = self.vain.saturating_add(is_vain.into());
        if is_vain && self.vain == 1 {
            self.first = seq;
        }
        is_vain && self.vain == most
    }
}

impl VainWakes {
    /// What is to be said of the wakes of a task, of which this one is the last.
    fn woken(&mut self, seq: u64, task: TaskId, effect: WakeEffect) -> Option<(Wakes, &'static str)> {
        if effect == WakeEffect::AfterDone {
            if self.ended.len() >= MOST && !self.ended.contains_key(&task) {
                self.ended.clear();
            }
            let wakes = self.ended.entry(task).or_default();
            return wakes.count(seq, true, self.most).then_some((wakes.clone(), "wake_after_done"));
        }
        let wakes = self.live.entry(task).or_default();
        let is_enough = wakes.count(seq, effect == WakeEffect::AlreadyQueued, self.most);
        (is_enough && wakes.vain > wakes.all / 2).then_some((wakes.clone(), "redundant_wakes"))
    }
}

impl Rule for VainWakes {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        let (task, effect) = match event.kind {
            E::Wake { task, effect, .. } => (task, effect),
            E::TaskEnd { task, .. } => {
                self.live.remove(&task);
                return;
            }
            E::Joined { task, .. } => {
                self.ended.remove(&task);
                return;
            }
            _ => return,
        };
        let Some((wakes, rule)) = self.woken(event.seq, task, effect) else { return };
        let (who, times) = (story.name(task), count(wakes.vain as usize, "wake"));
        let (text, advice) = match rule {
            "redundant_wakes" => (
                format!("{times} of {who}, more than half of all, found it in the ready queue already"),
                "wake once when there is something new; who is woken can look at all of it in one poll",
            ),
            _ => (
                format!("{times} of {who} came after it had ended"),
                "drop a waker with the future it was kept for",
            ),
        };
        let vain = finding(rule, Level::Hint, Some(task), text, advice);
        let site = story.task(task).map(|known| known.spawned_at);
        found.push(vain.at(site).shown_by([wakes.first, event.seq]));
    }
}

#[cfg(test)]
mod tests {
    use super::super::show;
    use super::*;
    use crate::trace::event::Outcome;

    #[test]
    fn of_the_wakes_of_tasks_that_ended_only_so_many_are_kept() {
        let mut rule = VainWakes { most: 2, live: HashMap::new(), ended: HashMap::new() };
        let (mut story, mut found) = (Story::default(), Vec::new());
        for task in (0..2 * MOST as u64).map(TaskId) {
            let wake = |effect| E::Wake { task, by: Actor::Loop, effect };
            found.extend(show(
                &mut rule,
                &mut story,
                [
                    wake(WakeEffect::AlreadyQueued),
                    E::TaskEnd { task, outcome: Outcome::Done, at: None },
                    wake(WakeEffect::AfterDone),
                ],
            ));
        }
        assert_eq!((found.len(), rule.live.len(), rule.ended.len()), (0, 0, MOST));
        let last =
            E::Wake { task: TaskId(2 * MOST as u64 - 1), by: Actor::Loop, effect: WakeEffect::AfterDone };
        assert_eq!(show(&mut rule, &mut story, [last]).len(), 1);
    }
}
