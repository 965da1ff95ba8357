//! Chapter 35, part 46: why does a task not run, what would wake it, and can anyone still?
//!
//! Before: `trace/findings/pool.rs`. Next: `trace/page.rs`.

use std::time::Duration;

use super::story::{Story, TaskStory};
use crate::trace::event::{TaskId, Wait};
use crate::trace::narrate::{count, place, span};

/// Why a task does not run, after the latest event that the story knows: what it does, who could wake it, and the same of
/// whoever it waits for. One sentence a line; `None`: there is no such task (any more).
pub fn why(story: &Story, task: TaskId) -> Option<Vec<String>> {
    story.task(task)?;
    let (mut lines, mut seen) = (Vec::new(), Vec::new());
    explain(story, task, &mut seen, &mut lines);
    Some(lines)
}

/// A chain of tasks that wait for each other is followed no further.
const CHAIN: usize = 20;

fn explain(story: &Story, task: TaskId, seen: &mut Vec<TaskId>, lines: &mut Vec<String>) {
    let who = story.name(task);
    let Some(known) = story.task(task) else {
        return lines.push(format!("{who} has ended, and its result was taken."));
    };
    if seen.contains(&task) {
        return lines.push(format!("{who}: see above, which closes the circle."));
    }
    if seen.len() == CHAIN {
        return lines.push(String::from("The chain goes on."));
    }
    seen.push(task);
    lines.push(format!("{who}, spawned at {}, {}.", place(known.spawned_at), state(story, task, known)));
    let polled = story.poll.is_some_and(|(polled, ..)| polled == task);
    if known.ended || known.queued || polled {
        return;
    }
    let (found, next) = wakers(story, task, known);
    match found.is_empty() {
        true => lines.push(nobody(known, &who)),
        false => lines.extend(found.into_iter().map(|found| format!("  It goes on {found}."))),
    }
    for other in next {
        explain(story, other, seen, lines);
    }
}

fn state(story: &Story, task: TaskId, known: &TaskStory) -> String {
    let lasted = |since: Duration| match story.now.0.saturating_sub(since) {
        Duration::ZERO => String::new(),
        time => format!(" for {}", span(time)),
    };
    match known {
        TaskStory { ended: true, .. } => {
            String::from("has ended; its result waits for whoever awaits its handle")
        }
        _ if story.poll.is_some_and(|(polled, ..)| polled == task) => polled(story, known),
        TaskStory { queued: true, polls: 0, .. } => String::from("is in the ready queue, for its first poll"),
        TaskStory { queued: true, .. } => String::from("is in the ready queue: it runs when its turn comes"),
        _ => {
            format!("is suspended{} {}{}", lasted(known.since.1), known.standing(), known.through())
        }
    }
}

/// Of a task that is being polled: since when, and from which line on.
fn polled(story: &Story, known: &TaskStory) -> String {
    let from = match known.suspended {
        Some((_, Some(site))) => format!(", from {} on", place(site)),
        _ => String::new(),
    };
    match &story.held_up {
        Some((_, took)) => {
            format!("has been polled for more than {}{from}, and holds the loop up", span(*took))
        }
        None => format!("is being polled{from}"),
    }
}

/// When it goes on, as far as the events tell, and the tasks that this depends on.
fn wakers(story: &Story, task: TaskId, known: &TaskStory) -> (Vec<String>, Vec<TaskId>) {
    let (mut found, mut next) = (Vec::new(), Vec::new());
    for (at, timer) in story.timers_of(task) {
        let left = at.saturating_sub(story.now.0);
        found.push(match left {
            Duration::ZERO => format!("when {timer} fires, which is due"),
            _ => format!("when {timer} fires, in {}", span(left)),
        });
    }
    for (source, wait) in story.interests_of(task) {
        let what = story.sources.get(&source).map(|what| format!(" ({what})")).unwrap_or_default();
        found.push(format!("when {source}{what} has {wait}"));
    }
    for (line, ticket) in story.tickets_of(task) {
        let holders: Vec<_> = story.holders(line).collect();
        let at = place(ticket.site);
        if ticket.granted.is_some() {
            found.push(format!("as soon as the future at {at} is polled, which was granted {}", ticket.wait));
        } else if holders.is_empty() {
            found.push(format!("when somebody gives it {} at {at} ({line})", ticket.wait));
        } else {
            let names: Vec<_> = holders.iter().map(|holder| story.name(*holder)).collect();
            found.push(format!(
                "when {} gives back {}, for which it waits at {at}",
                names.join(" or "),
                ticket.wait
            ));
            next.extend(holders.into_iter().filter(|holder| *holder != task));
        }
    }
    for awaited in &known.awaits {
        found.push(format!("when {} has ended", story.name(*awaited)));
        next.push(*awaited);
    }
    for (job, known) in story.jobs.iter().filter(|(_, job)| job.task == Some(task) && !job.ended) {
        let where_it_is = if known.started.is_some() { "is on a thread" } else { "waits for a thread" };
        found.push(format!("when {job} has ended, which {where_it_is}"));
    }
    let others = known.wakers.saturating_sub(known.awaits.len());
    if others > 0 && found.is_empty() {
        let kept = if others == 1 { "is" } else { "are" };
        found.push(format!(
            "when one of its wakers is used, of which {} {kept} kept elsewhere",
            count(others, "clone")
        ));
    }
    (found, next)
}

/// What to say where the events show nobody who could wake it.
fn nobody(known: &TaskStory, who: &str) -> String {
    match known.suspended {
        _ if known.lost => format!("  Nobody can wake it any more: nobody has a waker of {who}."),
        Some((Wait::Receive, _)) => String::from("  It goes on when the sender sends, or is dropped."),
        Some((wait, _)) if wait != Wait::Custom => {
            format!("  It goes on when there is what it waits for: {wait}.")
        }
        _ => String::from("  The events show nobody who could wake it."),
    }
}
