//! Chapter 35, part 51: what is wrong with a program, as its events tell it.
//!
//! Most mistakes in an async program leave no error behind: a task is never woken, a lock is granted to a future that
//! nobody polls, one slow poll makes everything late. The program hangs, or is slow, and says nothing. But the loop's
//! events hold the whole story, and each such mistake has a shape in them. A *rule* knows one shape. It is a small
//! state machine that is shown event after event, and speaks up with a [`Finding`]: a sentence with the lines
//! concerned, what to do, and the events that prove it.
//!
//! ```text
//!   events ──▶ rules, one after another ──▶ findings ──▶ oneloop check, the stepper, an observer of your own
//!     │           ▲
//!     └──▶ story ─┘    who is who: names, lines, what each task waits for
//! ```
//!
//! The rules see an event before the story takes it up, so they can compare what was with what is. They neither know nor
//! care whether the events come from a live loop or out of a file. Each rule, with a program that breaks it, is in
//! `docs/findings.md`, which also says what events cannot tell.
//!
//! Left out on purpose: whatever would be a guess. What is only likely is a [`Level::Hint`].
//!
//! Before: `trace/export/part.rs`. Next: `trace/findings/story.rs`.

mod story;
mod begin;
mod polls;
mod wakes;
mod waits;
mod lives;
mod pool;
mod why;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

#[cfg(test)]
use crate::trace::event::EventKind;
use crate::trace::event::{Event, Place, TaskId};
use crate::trace::fold::World;
use crate::trace::narrate::{capital, place};
use crate::trace::observer::Observer;
use crate::trace::read::Recording;

use story::Story;
pub use why::{Whys, why};

/// How sure it is that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It may well be meant.
    Hint,
    /// It is hardly meant: slow, late, unfair, or thrown away.
    Warning,
    /// Something can never go on, or failed and nobody knows.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Hint => "hint",
            Level::Warning => "warning",
            Level::Error => "error",
        })
    }
}

/// All rules by name, in the order of `docs/findings.md`.
#[rustfmt::skip] // as in the groups there
pub const RULES: [&str; 22] = [
    "slow_poll", "starved_task", "late_timers", "poll_stuck", "pool_saturated",
    "lost_waker", "waker_outside", "self_wake_storm", "polls_without_progress", "redundant_wakes", "wake_after_done",
    "deadlock", "wait_cycle", "granted_not_polled", "stalled_subfuture",
    "dropped_error", "never_polled", "left_at_exit", "cancelled_midway", "large_future", "one_at_a_time", "keeps_loop_alive",
];

/// So many tasks are listed in a sentence; of as many a finding has the lines and events.
const LISTED: usize = 5;

/// The most different findings; what there is beyond them is passed over.
pub const MOST_FOUND: usize = 10_000;

/// Something wrong with the program.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// Which rule found it: `slow_poll`.
    pub rule: &'static str,
    /// How sure that is.
    pub level: Level,
    /// The task it is about, if it is about one.
    pub task: Option<TaskId>,
    /// What is wrong, in one sentence.
    pub text: String,
    /// What to do, in one sentence.
    pub advice: &'static str,
    /// The lines of the program concerned, the most telling first.
    pub places: Vec<Place>,
    /// The numbers of the events that show it, in their order.
    pub evidence: Vec<u64>,
    /// How often the rule found this at these lines; the sentence is about the first time.
    pub times: usize,
}

impl fmt::Display for Finding {
    /// ```text
    /// warning[slow_poll] Task 3 (resize) held the loop up for 152 ms, from src/main.rs:18 to src/main.rs:25.
    ///   at src/main.rs:18, src/main.rs:25 · events 40, 41 · 3 times
    ///   do: Move what takes long to `spawn_blocking`, or give way in between with `yield_now().await`.
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { rule, level, text, advice, .. } = self;
        write!(f, "{level}[{rule}] {text}")?;
        let places: Vec<String> = self.places.iter().copied().map(place).collect();
        let events: Vec<String> = self.evidence.iter().map(u64::to_string).collect();
        let mut facts = Vec::new();
        if !places.is_empty() {
            facts.push(format!("at {}", places.join(", ")));
        }
        if !events.is_empty() {
            facts.push(format!("event{} {}", if events.len() == 1 { "" } else { "s" }, events.join(", ")));
        }
        if self.times > 1 {
            facts.push(format!("{} times", self.times));
        }
        if !facts.is_empty() {
            write!(f, "\n  {}", facts.join(" · "))?;
        }
        write!(f, "\n  do: {advice}")
    }
}

/// From where on the rules call something slow, many, or large.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A poll or a call of this length holds the loop up; a timer or a job that much later is late.
    pub slow: Duration,
    /// Who lies in the ready queue that long is starved.
    pub starved: Duration,
    /// So many polls that do nothing, one after another, are too many.
    pub idle_polls: u32,
    /// So many wakes that changed nothing are too many.
    pub vain_wakes: u32,
    /// A future of so many bytes is large.
    pub large: usize,
    /// So many tasks, each awaited before the next is spawned, are one at a time.
    pub in_a_row: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            slow: Duration::from_millis(100),
            starved: Duration::from_secs(1),
            idle_polls: 1_000,
            vain_wakes: 100,
            large: 16 * 1024,
            in_a_row: 3,
        }
    }
}

/// One shape of a mistake.
trait Rule {
    /// The events begin in the middle of a run, when the loop stood like this.
    fn begin(&mut self, world: &World) {
        let _ = world;
    }

    /// An event happened, which the story does not know yet.
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>);

    /// There are no more events. Whoever takes that for the end of the run is to ask [`Story::goes_on`].
    fn end(&mut self, story: &Story, found: &mut Vec<Finding>) {
        let _ = (story, found);
    }
}

/// All rules at work: show it the events of one loop from the first on, and ask what it has found.
///
/// ```
/// use oneloop::trace::findings::{Level, Watch};
///
/// let watch = Watch::default();
/// let event_loop = oneloop::EventLoop::builder().observer(watch.clone()).build()?;
/// event_loop.run_until_complete(async {
///     drop(oneloop::spawn(async { panic!("no such file") }));
///     oneloop::yield_now().await;
/// });
/// let findings = watch.findings();
/// let dropped = findings.iter().find(|finding| finding.rule == "dropped_error");
/// assert_eq!(dropped.map(|finding| finding.level), Some(Level::Error));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Findings {
    story: Story,
    rules: Vec<Box<dyn Rule>>,
    found: Vec<Finding>,
    /// Where in `found` a rule's finding at some lines is. Those at no line are not in it: no two of them are one.
    shapes: HashMap<(&'static str, Vec<Place>), usize>,
}

impl Default for Findings {
    fn default() -> Findings {
        Findings::new(Limits::default())
    }
}

impl Findings {
    /// All rules, with these limits.
    pub fn new(limits: Limits) -> Findings {
        let mut rules = polls::rules(limits);
        rules.extend(wakes::rules(limits));
        rules.extend(waits::rules(limits));
        rules.extend(lives::rules(limits));
        rules.extend(pool::rules(limits));
        Findings { story: Story::default(), rules, found: Vec::new(), shapes: HashMap::new() }
    }

    /// All rules, for events that begin in the middle of a run, when the loop stood like this.
    pub fn after(begin: &World, limits: Limits) -> Findings {
        let mut findings = Findings { story: Story::after(begin), ..Findings::new(limits) };
        findings.rules.iter_mut().for_each(|rule| rule.begin(begin));
        findings
    }

    /// All rules, for the events of a recording, whether it is whole or begins or ends in the middle of a run.
    pub fn of(recording: &Recording, limits: Limits) -> Findings {
        let mut findings = match &recording.begin {
            Some(world) => Findings::after(world, limits),
            None => Findings::new(limits),
        };
        let header = &recording.header;
        // With nothing known of the events before, nothing can be said of what should be there at the end.
        findings.story.goes_on = header.goes_on || header.lost > 0 && recording.begin.is_none();
        findings
    }

    /// An event happened. Returns what was found in it for the first time.
    pub fn event(&mut self, event: &Event) -> &[Finding] {
        let mut found = Vec::new();
        for rule in &mut self.rules {
            rule.event(event, &self.story, &mut found);
        }
        self.story.event(event);
        self.add(found)
    }

    /// There are no more events. Returns what could only be said now. To be called once.
    pub fn end(&mut self) -> &[Finding] {
        let mut found = Vec::new();
        for rule in &mut self.rules {
            rule.end(&self.story, &mut found);
        }
        self.add(found)
    }

    /// What was found so far, in that order.
    pub fn found(&self) -> &[Finding] {
        &self.found
    }

    /// The same shape at the same lines is the same finding once more.
    fn add(&mut self, new: Vec<Finding>) -> &[Finding] {
        let before = self.found.len();
        for finding in new {
            let shape = (finding.rule, finding.places.clone());
            if let Some(known) = self.shapes.get(&shape) {
                self.found[*known].times += 1;
            } else if self.found.len() < MOST_FOUND {
                if !finding.places.is_empty() {
                    self.shapes.insert(shape, self.found.len());
                }
                self.found.push(finding);
            }
        }
        &self.found[before..]
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Findings").field("found", &self.found).finish_non_exhaustive()
    }
}

/// All findings in these events, which are all of one loop's.
pub fn check<'a>(events: impl IntoIterator<Item = &'a Event>, limits: Limits) -> Findings {
    let mut findings = Findings::new(limits);
    for event in events {
        findings.event(event);
    }
    findings.end();
    findings
}

/// All findings in a recording, whether it is whole or begins or ends in the middle of a run.
pub fn check_recording(recording: &Recording, limits: Limits) -> Findings {
    check_part(recording, &recording.events, limits)
}

/// All findings in the first events of a recording. If there are more of them, the last of these is not taken for the end
/// of the run.
pub fn check_part(recording: &Recording, events: &[Event], limits: Limits) -> Findings {
    let mut findings = Findings::of(recording, limits);
    for event in events {
        findings.event(event);
    }
    findings.story.goes_on |= events.len() < recording.events.len();
    findings.end();
    findings
}

/// The rules as an observer of a live loop. A clone is another handle.
#[derive(Clone, Debug, Default)]
pub struct Watch(Rc<RefCell<Findings>>);

impl Watch {
    /// With limits of its own.
    pub fn new(limits: Limits) -> Watch {
        Watch(Rc::new(RefCell::new(Findings::new(limits))))
    }

    /// What was found so far.
    pub fn findings(&self) -> Vec<Finding> {
        self.0.borrow().found().to_vec()
    }

    /// Shows what is known so far to `ask`.
    pub fn ask<R>(&self, ask: impl FnOnce(&Findings) -> R) -> R {
        ask(&self.0.borrow())
    }

    /// The loop is gone: what can be said only at the end is found too.
    pub fn end(&self) -> Vec<Finding> {
        self.0.borrow_mut().end();
        self.findings()
    }
}

impl Observer for Watch {
    fn event(&self, event: &Event) {
        self.0.borrow_mut().event(event);
    }
}

/// A finding that is made of its parts, for the rules.
fn finding(
    rule: &'static str,
    level: Level,
    task: Option<TaskId>,
    text: String,
    advice: &'static str,
) -> Finding {
    let text = format!("{}.", capital(&text));
    Finding { rule, level, task, text, advice, places: Vec::new(), evidence: Vec::new(), times: 1 }
}

impl Finding {
    fn at(mut self, places: impl IntoIterator<Item = Place>) -> Finding {
        for place in places {
            if !self.places.contains(&place) {
                self.places.push(place);
            }
        }
        self
    }

    fn shown_by(mut self, events: impl IntoIterator<Item = u64>) -> Finding {
        self.evidence.extend(events);
        self.evidence.sort_unstable();
        self.evidence.dedup();
        self
    }
}

/// Shows a rule what happens next.
#[cfg(test)]
fn show(rule: &mut dyn Rule, story: &mut Story, kinds: impl IntoIterator<Item = EventKind>) -> Vec<Finding> {
    let mut found = Vec::new();
    for kind in kinds {
        let (time, seq) = story.now;
        let event = Event { seq: seq + 1, time, cause: None, thread: None, kind };
        rule.event(&event, story, &mut found);
        story.event(&event);
    }
    found
}
