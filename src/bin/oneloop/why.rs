//! `oneloop why`: why does a task not run, what would wake it, and can anyone still?

use std::path::PathBuf;
use std::process::ExitCode;

use oneloop::trace::TaskId;
use oneloop::trace::findings::Whys;
use oneloop::trace::fold::World;
use oneloop::trace::narrate::plain;

use crate::session::things::task_name;
use crate::{Ended, attached, recording, say};

/// Say why a task does not run, at the end of a recording, at one of its events, or now in a running program: what it
/// waits for, where, who could wake it, and why they do not.
#[derive(clap::Args)]
pub struct Args {
    /// The recording; or the process number of a running program that was started with ONELOOP=attach
    #[arg(value_name = "FILE|PID")]
    file: PathBuf,
    /// The task, by its number or its name; all that wait if left out
    task: Option<String>,
    /// After this event, instead of the last
    #[arg(long, value_name = "EVENT")]
    at: Option<u64>,
}

/// Says it.
pub fn run(args: Args) -> Ended {
    if let Some(pid) = args.file.to_str().and_then(|file| file.parse().ok()).filter(|_| !args.file.exists()) {
        return match args.at {
            Some(_) => Err("a running program is where it is: --at is for recordings".into()),
            None => attached::why::run(pid, args.task.as_deref()),
        };
    }
    let recording = recording::open(&args.file)?;
    let mut world = recording.begin.clone().unwrap_or_default();
    let until = args.at.unwrap_or(u64::MAX);
    recording.events.iter().take_while(|event| event.seq <= until).for_each(|event| world.apply(event));
    let whys = Whys::new(&world);
    let mut text = String::new();
    for task in wanted(&world, args.task.as_deref())? {
        for line in whys.of(task).unwrap_or_default() {
            text.push_str(&line);
            text.push('\n');
        }
        text.push('\n');
    }
    if text.is_empty() {
        text.push_str("No task is left that could wait: all have ended.\n");
    }
    for warning in recording.warnings() {
        text.push_str(&format!("note: {warning}\n"));
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The tasks asked for.
fn wanted(world: &World, task: Option<&str>) -> Result<Vec<TaskId>, String> {
    let Some(task) = task else { return Ok(world.tasks.keys().copied().collect()) };
    let number = task.parse().ok().map(TaskId);
    let live = world.tasks.iter();
    let found: Vec<TaskId> =
        live.filter(|(id, known)| Some(**id) == number || *known.name == *task).map(|(id, _)| *id).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let known: Vec<String> = world.tasks.keys().take(20).map(|task| task_name(*task, world)).collect();
    let known =
        if known.is_empty() { "none is left".into() } else { format!("there are {}", known.join(", ")) };
    Err(format!("there is no task `{}` that has not ended; {known}", plain(task)))
}
