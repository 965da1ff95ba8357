//! The commands that have a program do something otherwise than it would by itself.
//!
//! What is typed is made one line for the program (`trace/live/command.rs` of the library says which there are), after
//! everything that can be wrong with it was looked up in the world as it is.

use std::time::Duration;

use oneloop::trace::fold::World;
use oneloop::trace::narrate::{plain, span};
use oneloop::trace::{CallbackId, Ready, SourceId, TaskId, TimerId};

use crate::session::commands::Entry;

/// For the help.
pub const COMMANDS: &[Entry] = &[
    Entry { names: &["run"], usage: "run TASK", does: "let this task run next (or `run callback 3`)" },
    Entry {
        names: &["fire"],
        usage: "fire TIMER",
        does: "have a timer fire now: the clock jumps to its time",
    },
    Entry { names: &["jump"], usage: "jump TIME", does: "move the clock forward, as in `jump 2s`" },
    Entry { names: &["cancel"], usage: "cancel TASK", does: "cancel a task" },
    Entry {
        names: &["fail"],
        usage: "fail SOURCE [OP]",
        does: "have the next operation on a source fail (`fail 4 read timed_out`)",
    },
    Entry {
        names: &["delay"],
        usage: "delay SOURCE [N]",
        does: "have operations on a source put off by a turn",
    },
];

/// The operations that can fail; `any` is the usual one.
const OPERATIONS: [&str; 6] = ["any", "connect", "accept", "read", "write", "wait"];

/// The ways in which they can; the first is the usual one.
const FAILURES: [&str; 9] = [
    "connection_reset",
    "timed_out",
    "connection_refused",
    "connection_aborted",
    "broken_pipe",
    "unexpected_eof",
    "permission_denied",
    "not_found",
    "other",
];

/// When the loop comes to what was asked for between two steps.
const WHEN: &str = "When the next turn begins, or instead of the wait that is about to begin,";

/// The line for the program, and what there is to say of it.
///
/// # Errors
/// What is wrong with the command, and how it would be right.
pub fn wish(words: &[&str], world: &World) -> Result<(String, String), String> {
    match words {
        ["run", "callback", number] => run_callback(number, world),
        ["run", "task", task] | ["run", task] => run(task, world),
        ["fire", "timer", timer] | ["fire", timer] => fire(timer, world),
        ["jump", time] | ["jump", "by", time] => jump(time, world),
        ["cancel", "task", task] | ["cancel", task] => cancel(task, world),
        ["fail", "source", rest @ ..] | ["fail", rest @ ..] if !rest.is_empty() => fail(rest, world),
        ["delay", "source", rest @ ..] | ["delay", rest @ ..] if !rest.is_empty() => delay(rest, world),
        [name, ..] => {
            let entry = COMMANDS.iter().find(|entry| entry.names.contains(name));
            let usage = entry.map_or("help", |entry| entry.usage);
            Err(format!("It is `{usage}`."))
        }
        [] => Err("It is `help`.".into()),
    }
}

fn run(task: &str, world: &World) -> Result<(String, String), String> {
    let (id, name) = task_called(task, world)?;
    let said = match world.ready.iter().any(|ready| ready == Ready::Task(id)) {
        true => {
            format!("{name} will be the next to run, as soon as the loop takes one from the ready queue.")
        }
        false => format!("{name} is not ready; once it is, it will run before the others."),
    };
    Ok((format!("run {}", id.0), said))
}

fn run_callback(number: &str, world: &World) -> Result<(String, String), String> {
    let known = world.callbacks.keys().copied();
    let CallbackId(id) = number_of(number, known, "callback", |id| id.0)?;
    Ok((format!("run callback {id}"), format!("Callback {id} will be called next, once it is ready.")))
}

fn fire(timer: &str, world: &World) -> Result<(String, String), String> {
    let id: TimerId = number_of(timer, world.timers.keys().copied(), "timer", |id| id.0)?;
    let at = world.timers[&id].at;
    let earlier = world.timers.values().filter(|timer| timer.at < at).count();
    let earlier = if earlier == 0 { "" } else { " Timers that are due before it fire first." };
    let said = format!("{WHEN} the clock will jump to {}: timer {} is due then.{earlier}", span(at), id.0);
    Ok((format!("jump {}", nanos(at)), said))
}

fn jump(time: &str, world: &World) -> Result<(String, String), String> {
    let by = duration(time).ok_or_else(|| {
        format!(
            "`{}` is no time; it is a number and a unit, as in `jump 500ms`, `jump 2s`, `jump 1h`.",
            plain(time)
        )
    })?;
    let to = world.time.saturating_add(by);
    Ok((format!("jump {}", nanos(to)), format!("{WHEN} the clock will jump to {}.", span(to))))
}

fn cancel(task: &str, world: &World) -> Result<(String, String), String> {
    let (id, name) = task_called(task, world)?;
    if world.tasks[&id].is_main() {
        return Err("The main task cannot be cancelled: it ends when its future returns.".into());
    }
    Ok((format!("cancel {}", id.0), format!("{WHEN} {} will be cancelled.", name.replacen('T', "t", 1))))
}

fn fail(words: &[&str], world: &World) -> Result<(String, String), String> {
    let id = source_called(words[0], world)?;
    let (op, failure) = match words[1..] {
        [] => (OPERATIONS[0], FAILURES[0]),
        [op] if OPERATIONS.contains(&op) => (op, FAILURES[0]),
        [failure] => (OPERATIONS[0], failure),
        [op, failure] => (op, failure),
        _ => return Err("It is `fail SOURCE [OPERATION] [ERROR]`.".into()),
    };
    let op = one_of(op, &OPERATIONS, "operation")?;
    let failure = one_of(failure, &FAILURES, "error")?;
    let what = if op == OPERATIONS[0] { "operation" } else { op };
    let said =
        format!("The next {what} on source {id} will not be tried, and fail: {}.", failure.replace('_', " "));
    Ok((format!("fail {id} {op} {failure}"), said))
}

fn delay(words: &[&str], world: &World) -> Result<(String, String), String> {
    let id = source_called(words[0], world)?;
    let times: u64 = match words[1..] {
        [] => 1,
        [times] => times
            .parse()
            .ok()
            .filter(|times| (1..=1_000_000).contains(times))
            .ok_or_else(|| format!("`{}` is no number of operations from 1 to 1000000.", plain(times)))?,
        _ => return Err("It is `delay SOURCE [TIMES]`.".into()),
    };
    let what = if times == 1 { "operation".into() } else { format!("{times} operations") };
    let said = format!("The next {what} on source {id} will be put off, each to the task's next turn.");
    Ok((format!("delay {id} {times}"), said))
}

/// A task by its number or name, and what it is called at the begin of a sentence.
fn task_called(wanted: &str, world: &World) -> Result<(TaskId, String), String> {
    let number = wanted.parse().ok().map(TaskId);
    let mut named = world.tasks.iter().filter(|(_, task)| *task.name == *wanted).map(|(id, _)| *id);
    let id = match number.filter(|id| world.tasks.contains_key(id)).or_else(|| named.next()) {
        Some(id) => id,
        None => {
            let known =
                listed(world.tasks.iter().map(|(id, task)| match *task.name == format!("task-{}", id.0) {
                    true => id.0.to_string(),
                    false => format!("{} ({})", id.0, plain(&task.name)),
                }));
            return Err(format!("There is no task `{}` now; there is {known}.", plain(wanted)));
        }
    };
    let name = &world.tasks[&id].name;
    let name = if **name == format!("task-{}", id.0) { String::new() } else { format!(" ({})", plain(name)) };
    Ok((id, format!("Task {}{name}", id.0)))
}

fn source_called(wanted: &str, world: &World) -> Result<u64, String> {
    number_of(wanted, world.sources.keys().copied(), "source", |id: SourceId| id.0).map(|id| id.0)
}

/// One of those there are, by its number.
fn number_of<I: Copy>(
    wanted: &str,
    known: impl Iterator<Item = I> + Clone,
    thing: &str,
    number: impl Fn(I) -> u64,
) -> Result<I, String> {
    let found = wanted.parse().ok().and_then(|wanted: u64| known.clone().find(|id| number(*id) == wanted));
    found.ok_or_else(|| {
        let known = listed(known.map(|id| number(id).to_string()));
        format!("There is no {thing} `{}` now; there is {known}.", plain(wanted))
    })
}

fn listed(known: impl Iterator<Item = String>) -> String {
    const MOST: usize = 20;
    let mut known: Vec<String> = known.take(MOST + 1).collect();
    if known.is_empty() {
        return "none".into();
    }
    if known.len() > MOST {
        known[MOST] = "…".into();
    }
    known.join(", ")
}

fn one_of<'a>(wanted: &str, known: &[&'a str], thing: &str) -> Result<&'a str, String> {
    let found = known.iter().find(|known| **known == wanted.replace('-', "_"));
    found.copied().ok_or_else(|| format!("`{}` is no {thing}; there is {}.", plain(wanted), known.join(", ")))
}

/// `500ms`, `2s`, `1.5m`; a bare number is seconds.
fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|next: char| !next.is_ascii_digit() && next != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = match &text[end..] {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_number_and_a_unit() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("1.5m"), Some(Duration::from_secs(90)));
        assert_eq!(duration("2"), Some(Duration::from_secs(2)));
        for text in ["", "s", "-1s", "1x", "1s2", "nan", "1e400s", "9999999999999999999999h", "."] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_exist_is_said_not_to_and_nothing_is_sent() {
        let world = World::new();
        for words in
            [&["run", "7"][..], &["cancel", "x"], &["fire", "1"], &["fail", "1"], &["delay", "1", "2"]]
        {
            let error = wish(words, &world).expect_err("there is nothing in this world");
            assert!(error.starts_with("There is no ") && error.ends_with("there is none."), "{error}");
        }
        for words in [&["run"][..], &["fail"], &["jump"], &["cancel", "1", "2"]] {
            let error = wish(words, &world).expect_err("something is missing");
            assert!(error.starts_with("It is `"), "{error}");
        }
    }
}
