//! `oneloop summary`: where the time of a run went.

mod figures;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use oneloop::trace::Place;
use oneloop::trace::narrate::{count, place, plain, span};
use oneloop::trace::read::Recording;

use self::figures::{Figures, Life};
use crate::{Ended, recording};

/// The most lines of one table, unless more are asked for.
const LINES: usize = 10;

/// Say where the time of a recorded run went.
///
/// Which tasks kept the loop busy, were ready, or waited; the longest polls; how late timers fired; and at which lines
/// tasks waited, equal lines counted together.
#[derive(clap::Args)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// The most lines of each table
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = LINES)]
    lines: usize,
}

/// Says it.
pub fn run(args: &Args) -> Ended {
    let recording = recording::open(&args.file)?;
    recording::say_warnings(&recording);
    let figures = figures::of(&recording);
    match write(&mut io::stdout().lock(), &recording, &figures, args.lines) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn write(out: &mut impl Write, recording: &Recording, figures: &Figures, lines: usize) -> io::Result<()> {
    let Figures { world, busy, .. } = figures;
    let (events, turns) = (count(recording.events.len(), "event"), count(figures.turns, "turn"));
    writeln!(out, "{}: {events}, {turns}, {}", plain(&recording.header.program), span(world.time))?;
    let (tasks, alive) = (count(figures.lives.len(), "task"), world.tasks.len());
    writeln!(out, "{tasks}, {alive} of them still alive at the end; the loop was busy for {}", span(*busy))?;
    write_tasks(out, figures, lines)?;
    write_polls(out, figures, lines)?;
    write_timers(out, figures)?;
    write_waits(out, figures, lines)?;
    write_left(out, figures, lines)
}

fn write_tasks(out: &mut impl Write, figures: &Figures, lines: usize) -> io::Result<()> {
    let mut lives: Vec<&Life> = figures.lives.values().collect();
    lives.sort_by_key(|life| (std::cmp::Reverse((life.busy, life.queued, life.waited)), life.task));
    writeln!(out, "\nTasks, by the time they kept the loop busy")?;
    writeln!(out, "  {:>6} {:>10} {:>10} {:>10}  task", "polls", "busy", "queued", "waiting")?;
    for life in lives.iter().take(lines) {
        let Life { polls, busy, queued, waited, .. } = life;
        let times = [busy, queued, waited].map(|time| span(*time));
        writeln!(out, "  {polls:>6} {:>10} {:>10} {:>10}  {}", times[0], times[1], times[2], life.called())?;
    }
    more(out, lives.len(), lines)
}

fn write_polls(out: &mut impl Write, figures: &Figures, lines: usize) -> io::Result<()> {
    writeln!(out, "\nLongest polls")?;
    for poll in figures.longest.iter().take(lines) {
        let (from, to) = (at(poll.from), poll.to.map_or_else(|| "its end".into(), at));
        let called = figures.lives.get(&poll.task).map_or_else(|| poll.task.to_string(), Life::called);
        writeln!(
            out,
            "  {:>10}  {called}, poll {}, event {}: from {from} to {to}",
            span(poll.took),
            poll.number,
            poll.seq
        )?;
    }
    Ok(())
}

fn at(at: Option<Place>) -> String {
    at.map_or_else(|| "an unknown line".into(), place)
}

fn write_timers(out: &mut impl Write, figures: &Figures) -> io::Result<()> {
    let (late, cancelled) = (&figures.late, figures.cancelled);
    writeln!(out, "\nTimers: {} fired, {cancelled} cancelled", late.len())?;
    let (Some(middle), Some(last)) = (late.get(late.len() / 2), late.last()) else { return Ok(()) };
    let nine = late[late.len() * 9 / 10];
    let span = |time: Duration| span(time);
    writeln!(
        out,
        "  late by {} (half of them less), {} (9 of 10 less), {} at most",
        span(*middle),
        span(nine),
        span(*last)
    )
}

/// The lines at which tasks waited, in the whole run.
fn write_waits(out: &mut impl Write, figures: &Figures, lines: usize) -> io::Result<()> {
    let mut waits: Vec<_> = figures.waits.iter().collect();
    waits.sort_by_key(|(point, waits)| (std::cmp::Reverse((waits.total, waits.times)), *point));
    writeln!(out, "\nWhere tasks waited, by all the time they did")?;
    writeln!(out, "  {:>6} {:>6} {:>10} {:>10}  line", "tasks", "times", "together", "longest")?;
    for (point, waits) in waits.iter().take(lines) {
        let (tasks, total, longest) = (waits.tasks.len(), span(waits.total), span(waits.longest));
        writeln!(out, "  {tasks:>6} {:>6} {total:>10} {longest:>10}  {point}", waits.times)?;
    }
    more(out, waits.len(), lines)
}

/// What still waits at the end, equal lines together.
fn write_left(out: &mut impl Write, figures: &Figures, lines: usize) -> io::Result<()> {
    let mut left: Vec<_> = figures.left.iter().collect();
    left.sort_by_key(|(point, tasks)| (std::cmp::Reverse(tasks.len()), *point));
    if !left.is_empty() {
        writeln!(out, "\nStill waiting at the end")?;
    }
    for (point, tasks) in left.iter().take(lines) {
        let who = match tasks.as_slice() {
            [task] => {
                format!("{} waits", figures.lives.get(task).map_or_else(|| task.to_string(), Life::called))
            }
            tasks => format!("{} tasks wait", tasks.len()),
        };
        writeln!(out, "  {who} at {point}")?;
    }
    more(out, left.len(), lines)
}

fn more(out: &mut impl Write, all: usize, shown: usize) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more (-n shows more)"),
    }
}
