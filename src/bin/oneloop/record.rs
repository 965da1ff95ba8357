//! `oneloop record`: a program runs as ever, and what its loop does is written to a file.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use oneloop::trace::narrate::count;

use crate::program::Level;
use crate::shown::Shown;
use crate::{Ended, program, recording};

/// Run a program and write what its event loop does to a file.
///
/// The program runs as ever: its input, output and exit status are its own. What it writes is shown at once and recorded
/// too; it goes through a pipe, so to the program its output is no terminal (see --no-output). Otherwise it is the same
/// as running it with ONELOOP=record=FILE in its environment.
#[derive(clap::Args)]
pub struct Args {
    /// The file to write; PROGRAM.trace in this folder if left out
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How much to record; `task` if left out
    #[arg(short, long)]
    level: Option<Level>,
    /// Leave the program's output alone: it goes straight to where ours goes, so that a terminal is one to the program
    /// too, and it is not recorded
    #[arg(long)]
    no_output: bool,
    /// The program, an example of this crate or a path with a slash; and its own arguments
    #[arg(required = true, value_names = ["PROGRAM", "ARGS"], trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

/// Runs it.
pub fn run(args: Args) -> Ended {
    let Args { output, level, no_output, program } = args;
    let [program, args @ ..] = program.as_slice() else { return Err("which program?".into()) };
    let file = output.unwrap_or_else(|| format!("{}.trace", program::stem(program)).into());
    // The program may go to another folder before it makes its loop.
    let file = std::path::absolute(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let executable = program::find(program, level)?;
    remove_older(&file)?;
    let mut words = program::with_words("record", &file, level)?;
    // An interrupt is for the program; how it ends, and what was recorded until then, is still to be said.
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
    let mut command = Command::new(&executable);
    command.args(args);
    let told = |error: io::Error| format!("{} cannot be started: {error}", executable.display());
    let status = match no_output {
        true => command.env(program::VARIABLE, words).status().map_err(told)?,
        false => {
            let shown = Shown::new().map_err(|error| format!("no socket can be made: {error}"))?;
            words.push(",output=");
            words.push(shown.socket());
            command.env(program::VARIABLE, words).stdout(Stdio::piped()).stderr(Stdio::piped());
            let (status, left) = shown.run(command.spawn().map_err(told)?).map_err(told)?;
            left.append_to(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            status
        }
    };
    let _ = writeln!(io::stderr(), "oneloop: {}", result(&file)?);
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => program::exit_code(status),
    })
}

/// The files of a program's loops: `run.trace`, `run.trace.2` and so on.
fn files(file: &Path) -> impl Iterator<Item = PathBuf> {
    let numbered = move |number: usize| {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".{number}"));
        name.into()
    };
    [file.to_owned()].into_iter().chain((2..).map(numbered))
}

/// Removes what an earlier program has left under these names: it would be taken for this one's.
fn remove_older(file: &Path) -> Result<(), String> {
    for file in files(file) {
        // A device or a pipe is nothing that a program has left.
        if fs::metadata(&file).is_ok_and(|found| !found.is_file()) {
            return Err(format!("{}: it is no regular file; name another one with -o", file.display()));
        }
        match fs::remove_file(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            removed => removed.map_err(|error| {
                format!("{} is in the way and cannot be removed: {error}", file.display())
            })?,
        }
    }
    Ok(())
}

/// What has been recorded, in a sentence.
fn result(file: &Path) -> Result<String, String> {
    let mut text = String::new();
    for file in files(file).take_while(|file| file.exists()) {
        let recording = recording::open(&file)?;
        let events = count(recording.events.len(), "event");
        let more = if text.is_empty() { "" } else { ", and of its next loop " };
        text.push_str(&format!("{more}{events} recorded in {}", file.display()));
        for warning in recording.warnings() {
            text.push_str(". ");
            text.push_str(warning.trim_end_matches('.'));
        }
    }
    if text.is_empty() {
        let why = "the program made no event loop on its main thread, or was built with an oneloop that cannot record";
        return Err(format!("nothing was recorded: {why}"));
    }
    Ok(text)
}
