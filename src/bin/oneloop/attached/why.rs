//! Why does each task of a running program not go on, and what would wake it?

use std::fmt::Write as _;
use std::process::ExitCode;

use super::{Answer, Task, ask};
use crate::{Ended, say};

/// Asks, and explains what is answered of one task, by its number or its name, or of all.
pub fn run(pid: u32, task: Option<&str>) -> Ended {
    let answer = ask(pid)?;
    let is_it = |known: &Task, wanted: &str| wanted == known.number.to_string() || wanted == known.name;
    let wanted = |known: &Task| task.is_none_or(|wanted| is_it(known, wanted));
    let mut text = String::new();
    for task in answer.tasks.values().filter(|task| wanted(task)) {
        let _ = writeln!(text, "{}", reason(&answer, task));
    }
    if let (true, Some(wanted)) = (text.is_empty(), task) {
        return Err(format!("process {pid} has no task `{wanted}` that has not ended"));
    }
    if let Some(circle) = answer.circle() {
        let names: Vec<_> = circle.iter().map(|task| answer.named(*task)).collect();
        let _ = writeln!(text, "They wait for one another in a circle: {}.", names.join(" → "));
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A task, in a sentence or two.
fn reason(answer: &Answer, task: &Task) -> String {
    let name = answer.named(task.number);
    let standing = format!("T{} is {}", &name[1..], task.standing());
    if task.state == "ready" {
        return format!("{standing}: it is in the ready queue, and goes on when its turn comes.");
    }
    if task.state != "suspended" {
        return format!("{standing}.");
    }
    match task.wakers(answer).as_slice() {
        [] if task.wait.is_none() => {
            format!("{standing}. Nobody is known who could wake it. It was spawned at {}.", task.spawned)
        }
        // A lock, a queue, an event: whoever has it next is a task of this loop.
        [] => format!("{standing}. Only another task or a callback of this loop can wake it."),
        [one] => format!("{standing}. What wakes it: {one}."),
        several => format!("{standing}. What wakes it, whichever comes first: {}.", several.join("; ")),
    }
}
