//! Chapter 35, part 54: rules about time: who holds the loop up, and who is late for it.
//!
//! Before: `trace/findings/begin.rs`. Next: `trace/findings/wakes.rs`.

use std::time::Duration;

use super::{Finding, Level, Limits, Rule, Story, finding};
use crate::trace::event::{Actor, CallbackId, Event, EventKind as E, Place, TaskId};
use crate::trace::narrate::{count, place, span};

pub(super) fn rules(limits: Limits) -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(SlowPoll { slow: limits.slow }),
        Box::new(Late { limits, first: None, slow: None }),
        Box::new(PollStuck { slow: limits.slow }),
    ]
}

/// `slow_poll`: one poll, or one call of a callback, held the loop up.
struct SlowPoll {
    slow: Duration,
}

const SLOW: &str =
    "move what takes long to `spawn_blocking`, or give way in between with `yield_now().await`";

impl SlowPoll {
    fn poll(
        &self,
        event: &Event,
        story: &Story,
        task: TaskId,
        took: Duration,
        to: Option<Option<Place>>,
    ) -> Finding {
        let known = story.task(task);
        let (from, before) = poll_from(story, task);
        let end = to.map_or("its end".into(), await_at);
        let text = format!("{} held the loop up for {}, from {from} to {end}", story.name(task), span(took));
        let places = [before, to.flatten(), known.map(|known| known.spawned_at)];
        let began = story.poll.map(|(_, seq, _)| seq);
        finding("slow_poll", Level::Warning, Some(task), text, SLOW)
            .at(places.into_iter().flatten())
            .shown_by(began.into_iter().chain([event.seq]))
    }
}

fn await_at(site: Option<Place>) -> String {
    site.map_or("an `.await` of unknown place".into(), place)
}

/// Where the poll of a task that is going on began, in words and, if it is known, as a place.
fn poll_from(story: &Story, task: TaskId) -> (String, Option<Place>) {
    let known = story.task(task);
    let before = known.and_then(|known| known.suspended).and_then(|(_, site)| site);
    match known.is_some_and(|known| known.polls > 1) {
        true => (await_at(before), before),
        false => (String::from("its beginning"), before),
    }
}

/// A callback that is being called, and the line that made it.
fn called(story: &Story, callback: CallbackId) -> (String, Option<Place>) {
    let site = story.callbacks.get(&callback).copied();
    let from = site.map(|site| format!(", which was handed to the loop at {},", place(site)));
    (format!("{callback}{}", from.unwrap_or_default()), site)
}

impl Rule for SlowPoll {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::PollEnd { task, took, suspended, .. } if *took >= self.slow => {
                found.push(self.poll(event, story, *task, *took, suspended.map(|(_, site)| site)));
            }
            E::CallbackEnd { callback, took, .. } if *took >= self.slow => {
                let (who, site) = called(story, *callback);
                let text = format!("{who} held the loop up for {}", span(*took));
                let slow = finding("slow_poll", Level::Warning, None, text, SLOW);
                found.push(slow.at(site).shown_by([event.seq]));
            }
            _ => {}
        }
    }
}

/// `late_timers` and `starved_task`: somebody was late, and no single poll is to blame.
struct Late {
    limits: Limits,
    /// The time of the first event: what was in the way before is not known.
    first: Option<Duration>,
    /// When the latest slow poll or call ended: what was late then is explained by it.
    slow: Option<Duration>,
}

const BUSY: &str =
    "do less at once: limit how many tasks work at the same time, or move work to `spawn_blocking`";

impl Late {
    /// Whether a slow poll lies within the time from `since` on, or may.
    fn is_explained(&self, since: Duration) -> bool {
        self.slow.is_some_and(|ended| ended >= since) || self.first.is_some_and(|first| since < first)
    }
}

impl Rule for Late {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        self.first.get_or_insert(event.time);
        match &event.kind {
            E::PollBegin { task, waited, .. }
                if *waited >= self.limits.starved
                    && !self.is_explained(event.time.saturating_sub(*waited)) =>
            {
                let text = format!(
                    "{} lay in the ready queue for {}, and no slow poll was in the way: the loop has more to do than it can",
                    story.name(*task),
                    span(*waited)
                );
                let starved = finding("starved_task", Level::Warning, Some(*task), text, BUSY);
                found.push(starved.at(story.task(*task).map(|known| known.line())).shown_by([event.seq]));
            }
            E::PollEnd { took, .. } | E::CallbackEnd { took, .. } if *took >= self.limits.slow => {
                self.slow = Some(event.time);
            }
            E::TimerFire { timer, late, .. } if *late >= self.limits.slow => {
                if self.is_explained(event.time.saturating_sub(*late)) {
                    return;
                }
                let task = story.timers.get(timer).copied();
                let whose = task.map(|task| format!(" of {}", story.name(task))).unwrap_or_default();
                let text =
                    format!("{timer}{whose} fired {} late, and no slow poll was in the way", span(*late));
                let site = task.and_then(|task| story.task(task)).map(|known| known.line());
                let late = finding("late_timers", Level::Hint, task, text, BUSY);
                found.push(late.at(site).shown_by([event.seq]));
            }
            _ => {}
        }
    }
}

/// `poll_stuck`: the events end in the middle of a poll.
struct PollStuck {
    slow: Duration,
}

const STUCK: &str = "look for a loop without an `.await`, or a lock of `std` that waits for this very thread";

/// What was seen by the watchdog, and was the last that was seen.
fn held_up(story: &Story, by: &Actor, took: Duration) -> Finding {
    const ENDING: &str = "the recording ended";
    let (task, text, places) = match by {
        Actor::Callback(callback) => {
            let (who, site) = called(story, *callback);
            (
                None,
                format!("{who} had held the loop up for more than {} when {ENDING}", span(took)),
                vec![site],
            )
        }
        Actor::Task(task) => {
            let ((from, before), spawned) =
                (poll_from(story, *task), story.task(*task).map(|known| known.spawned_at));
            let text = format!(
                "a poll of {} had held the loop up for more than {}, from {from} on, when {ENDING}",
                story.name(*task),
                span(took)
            );
            (Some(*task), text, vec![before, spawned])
        }
        _ => (
            None,
            format!("somebody had held the loop up for more than {} when {ENDING}", span(took)),
            Vec::new(),
        ),
    };
    let began = story.poll.map(|(_, seq, _)| seq);
    let stuck = finding("poll_stuck", Level::Error, task, text, STUCK);
    stuck.at(places.into_iter().flatten()).shown_by(began.into_iter().chain([story.now.1]))
}

impl Rule for PollStuck {
    fn event(&mut self, _: &Event, _: &Story, _: &mut Vec<Finding>) {}

    fn end(&mut self, story: &Story, found: &mut Vec<Finding>) {
        if let Some((by, took)) = &story.held_up {
            return found.push(held_up(story, by, *took));
        }
        let Some((task, seq, began)) = story.poll.filter(|_| !story.goes_on) else { return };
        let (now, last) = story.now;
        let told = now.saturating_sub(began);
        // Cut off at once, it may have been about to end: whatever ended the program came in the middle of a poll.
        let level = if told >= self.slow { Level::Warning } else { Level::Hint };
        let known = story.task(task);
        let events = count(last.saturating_sub(seq) as usize, "event");
        let text = format!(
            "the events end in the middle of a poll of {}, {} and {events} after it began: the poll never ended, or the \
             program was killed in it",
            story.name(task),
            span(told)
        );
        let stuck = finding("poll_stuck", level, Some(task), text, STUCK);
        found.push(stuck.at(known.map(|known| known.spawned_at)).shown_by([seq]));
    }
}
