//! What there is in the moment that is looked at.

use std::collections::BTreeMap;
use std::io::{self, Write};

use oneloop::trace::fold::{Step, World, slot};
use oneloop::trace::narrate::{count, plain, span};
use oneloop::trace::{LoopEnd, Ready};

use super::commands::Show;
use super::{Feed, Session, Written, things};

/// The most lines of one list.
const LINES: usize = 200;

impl<F: Feed, W: Write> Session<F, W> {
    pub(super) fn show(&mut self, what: &Show) -> io::Result<()> {
        let world = self.history.world();
        let (title, lines) = match what {
            Show::Everything => everything(world),
            Show::Ready => ready(world),
            Show::Timers => timers(world),
            Show::Io => io(world),
            Show::Pool => pool(world),
            Show::Locks => locks(world),
            Show::Tasks => tasks(world),
            Show::Task(name) => match self.task_called(name) {
                Ok(task) => super::story::story(&self.history, task),
                Err(error) => (error, Vec::new()),
            },
            Show::Why(name) => match name.as_deref().map(|name| self.task_called(name)).transpose() {
                Ok(task) => super::story::why_waiting(&self.history, task),
                Err(error) => (error, Vec::new()),
            },
            Show::Output => return self.output(),
        };
        write_list(&mut self.out, &title, &lines)
    }

    /// What was written before the moment that is looked at.
    fn output(&mut self) -> io::Result<()> {
        let at = self.history.at();
        let written = &self.written[..self.written.partition_point(|written| written.after <= at)];
        if written.is_empty() {
            return writeln!(self.out, "The program has written nothing so far.");
        }
        if written.iter().any(|written| !written.exact) {
            writeln!(self.out, "(When something was written is known only roughly.)")?;
        }
        written.iter().try_for_each(|written| write_output(&mut self.out, written))
    }
}

fn write_list(out: &mut impl Write, title: &str, lines: &[String]) -> io::Result<()> {
    writeln!(out, "{title}")?;
    for line in lines.iter().take(LINES) {
        writeln!(out, "  {line}")?;
    }
    match lines.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more"),
    }
}

/// What the program wrote, marked as such.
pub(super) fn write_output(out: &mut impl Write, written: &Written) -> io::Result<()> {
    let mark = if written.stderr { "error │" } else { "output│" };
    written.text.lines().try_for_each(|line| writeln!(out, "{mark} {}", plain(line)))
}

type List = (String, Vec<String>);

fn everything(world: &World) -> List {
    let step = match world.step {
        Step::Outside => "between two turns",
        Step::Plan => "in step 1 (plan)",
        Step::Wait => "in step 2 (wait)",
        Step::Wake => "in step 3 (wake)",
        Step::Fire => "in step 4 (fire)",
        _ => "in step 5 (run)",
    };
    let title = match (world.turn, world.end) {
        (None, _) => String::from("No turn has begun yet."),
        (Some(turn), None) => format!("Turn {turn}, {step}; the loop's time is {}.", span(world.time)),
        (Some(turn), Some(end)) => {
            let how = match end {
                LoopEnd::MainDone => "the main future returned",
                LoopEnd::Stopped => "the loop was stopped",
                LoopEnd::Panicked => "the main future panicked",
                _ => "it could never have gone on",
            };
            format!("The run ended after turn {turn}: {how}.")
        }
    };
    let mut lines = Vec::new();
    match world.running {
        Some(Ready::Task(task)) => lines.push(format!("running: {}", things::task_name(task, world))),
        Some(Ready::Callback(callback)) => lines.push(format!("running: {callback}")),
        _ => {}
    }
    lines.push(format!("ready queue: {}", count_entries(world.ready.len())));
    lines.push(format!("tasks: {} alive, {} ended", world.tasks.len(), world.ended));
    lines.push(format!("timers armed: {}", world.timers.len()));
    lines.push(format!("callbacks not called yet: {}", world.callbacks.len()));
    lines.push(format!("sources of I/O: {}", world.sources.len()));
    lines.push(format!("locks, semaphores and queues held or waited for: {}", world.lines.len()));
    lines.push(format!("jobs with the pool: {}; its threads: {}", world.jobs.len(), world.threads.len()));
    (title, lines)
}

fn count_entries(number: usize) -> String {
    if number == 0 { "empty".into() } else { number.to_string() }
}

fn ready(world: &World) -> List {
    if world.ready.is_empty() {
        return ("The ready queue is empty.".into(), Vec::new());
    }
    let lines = world.ready.iter().enumerate();
    let lines = lines.map(|(index, entry)| format!("{}. {}", index + 1, things::ready(entry, world)));
    ("The ready queue, the next one first:".into(), lines.collect())
}

/// By level and slot, the nearest first.
fn timers(world: &World) -> List {
    if world.timers.is_empty() {
        return ("No timer is armed.".into(), Vec::new());
    }
    let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (id, timer) in &world.timers {
        places.entry(slot(timer.at, world.looked)).or_default().push((timer.at, *id, timer));
    }
    let mut lines = Vec::new();
    for (place, mut timers) in places {
        lines.push(match place {
            None => String::from("this tick (the front)"),
            Some((level, slot)) => {
                format!("level {level}, slot {slot} (a slot is {})", length_of_slot(level))
            }
        });
        timers.sort_by_key(|(at, id, _)| (*at, *id));
        lines.extend(
            timers.into_iter().map(|(_, id, timer)| format!("  {}", things::timer(id, timer, world))),
        );
    }
    (format!("The timer wheel: {}.", count(world.timers.len(), "timer")), lines)
}

fn length_of_slot(level: u8) -> String {
    span(std::time::Duration::from_millis(1) * 64_u32.saturating_pow(u32::from(level)))
}

fn io(world: &World) -> List {
    let lines: Vec<_> = world.sources.iter().map(|(id, source)| things::source(*id, source, world)).collect();
    match lines.len() {
        0 => ("No source of I/O is registered.".into(), lines),
        number => (format!("The reactor: {}.", count(number, "source")), lines),
    }
}

fn pool(world: &World) -> List {
    let mut lines: Vec<String> = world
        .threads
        .iter()
        .map(|(name, job)| match job {
            Some(job) => format!("thread {}: at {job}", plain(name)),
            None => format!("thread {}: idle", plain(name)),
        })
        .collect();
    lines.extend(world.jobs.iter().map(|(id, job)| things::job(*id, job, world)));
    let title = match (world.threads.len(), world.jobs.len()) {
        (0, 0) => String::from("The blocking pool has no threads and no jobs."),
        (threads, jobs) => {
            format!("The blocking pool: {}, {}.", count(threads, "thread"), count(jobs, "job"))
        }
    };
    (title, lines)
}

fn locks(world: &World) -> List {
    if world.lines.is_empty() {
        return ("No lock, semaphore or queue is held or waited for.".into(), Vec::new());
    }
    let mut lines = Vec::new();
    for (id, line) in &world.lines {
        lines.push(things::line(*id, line, world));
        lines
            .extend(line.in_order().into_iter().map(|waiter| format!("  {}", things::waiter(waiter, world))));
    }
    (format!("What is held or waited for: {}.", count(world.lines.len(), "object")), lines)
}

fn tasks(world: &World) -> List {
    let lines: Vec<_> = world.tasks.iter().map(|(id, task)| things::task(*id, task, world)).collect();
    let title = match lines.len() {
        0 => String::from("No task is alive"),
        number => count(number, "task"),
    };
    (format!("{title}; {} ended.", world.ended), lines)
}
