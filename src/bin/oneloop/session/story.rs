//! All that happened to one task.

use oneloop::trace::findings::Whys;
use oneloop::trace::fold::History;
use oneloop::trace::narrate::span;
use oneloop::trace::{Actor, Event, EventKind as E, TaskId};

/// The most lines of a story.
const LINES: usize = 1_000;

/// The sentences of everything that a task did and that was done to it, from the first event that is known to the last.
/// The moment that is looked at is marked.
pub fn story(history: &History, task: TaskId) -> (String, Vec<String>) {
    let (mut narrator, mut lines, mut left_out) = (history.begin().narrator(), Vec::new(), 0);
    let mut marked = false;
    for (index, event) in history.events().iter().enumerate() {
        if index == history.at() && !lines.is_empty() {
            lines.push(String::from("────── you are here ──────"));
            marked = true;
        }
        if !is_about(event, task) {
            narrator.follow(event);
        } else if lines.len() < LINES {
            let sentence = narrator.sentence(event);
            lines.push(format!("{:>5} {:>9}  {sentence}", event.seq, span(event.time)));
        } else {
            narrator.follow(event);
            left_out += 1;
        }
    }
    if marked && lines.last().is_some_and(|line| line.starts_with('─')) {
        lines.pop();
    }
    if left_out > 0 {
        lines.push(format!("… and {left_out} events more"));
    }
    match lines.is_empty() {
        true if history.begin().tasks.contains_key(&task) => {
            (format!("Nothing happens to {task} in the events that are known."), lines)
        }
        true => (format!("Nothing is known of {task}."), lines),
        false => (format!("The story of {task}:"), lines),
    }
}

/// Why a task does not run in the moment that is looked at; why each of them does not, if none is named.
pub fn why_waiting(history: &History, task: Option<TaskId>) -> (String, Vec<String>) {
    let whys = Whys::new(history.world());
    let tasks = match task {
        Some(task) => vec![task],
        None => history.world().tasks.keys().copied().collect(),
    };
    let lines = tasks.iter().flat_map(|task| whys.of(*task).unwrap_or_default());
    let mut lines = lines.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    match (lines.next(), task) {
        (Some(first), _) => (first, lines.collect()),
        (None, Some(task)) => (format!("{task} is not alive now."), Vec::new()),
        (None, None) => (String::from("No task is alive now."), Vec::new()),
    }
}

/// Whether the task did it, or it was done to the task.
pub fn is_about(event: &Event, wanted: TaskId) -> bool {
    of(event) == Some(wanted) || by(event) == Some(&Actor::Task(wanted))
}

/// The task that an event is about.
pub fn of(event: &Event) -> Option<TaskId> {
    match &event.kind {
        E::Spawn { task, .. }
        | E::Wake { task, .. }
        | E::PollBegin { task, .. }
        | E::PollEnd { task, .. }
        | E::Chain { task, .. }
        | E::Cancel { task, .. }
        | E::TaskEnd { task, .. }
        | E::HandleDrop { task, .. }
        | E::JoinWait { task, .. }
        | E::Joined { task, .. }
        | E::Lost { task }
        | E::Unheard { task, .. } => Some(*task),
        _ => None,
    }
}

/// Who did it.
pub fn by(event: &Event) -> Option<&Actor> {
    match &event.kind {
        E::Stop { by }
        | E::HeldUp { by, .. }
        | E::CallbackNew { by, .. }
        | E::CallbackCancel { by, .. }
        | E::Spawn { by, .. }
        | E::Wake { by, .. }
        | E::Cancel { by, .. }
        | E::JoinWait { by, .. }
        | E::Joined { by, .. }
        | E::LineWait { by, .. }
        | E::LineGrant { by, .. }
        | E::LineLeave { by, .. }
        | E::PermitTake { by, .. }
        | E::PermitRelease { by, .. }
        | E::TimerArm { by, .. }
        | E::TimerCancel { by, .. }
        | E::IoOpen { by, .. }
        | E::LeafWait { by, .. }
        | E::IoInterest { by, .. }
        | E::IoForget { by, .. }
        | E::IoClose { by, .. }
        | E::JobNew { by, .. } => Some(by),
        _ => None,
    }
}
