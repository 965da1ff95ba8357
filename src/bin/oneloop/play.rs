//! `oneloop play`: a recording, gone through by command.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use oneloop::trace::findings::{Findings, Limits};
use oneloop::trace::fold::History;
use oneloop::trace::narrate::{count, plain, span};
use oneloop::trace::read::Recording;

use crate::screen::{self, Look, Shown, Way};
use crate::session::keyboard::Keyboard;
use crate::session::{Feed, News, Session};
use crate::{Ended, hangup, recording};

/// Go through a recording, forwards and backwards.
///
/// On a terminal everything is seen at once, and `?` shows the keys. Elsewhere, or with --plain, commands are read from
/// standard input, one a line: n p t go to the next event, poll or turn, bn bp bt go back, and `help` lists all of them.
/// Each stop is a sentence, with the line of the source it is at.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    way: Way,
    /// The recording
    file: PathBuf,
}

/// Everything is known already.
struct Known;

impl Feed for Known {
    fn next(&mut self, _: bool) -> News {
        News::End(String::new())
    }

    fn called(&self) -> &'static str {
        "recording"
    }
}

/// Plays it.
pub fn run(args: &Args) -> Ended {
    let recording = recording::open(&args.file)?;
    hangup::watch(|| {})?;
    let ended = match args.way.look() {
        Some(look) => on_screen(recording, &args.file, look),
        None => play(recording).map(|()| ExitCode::SUCCESS),
    };
    match ended {
        Ok(code) => Ok(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}

fn on_screen(recording: Recording, file: &Path, look: Look) -> io::Result<ExitCode> {
    let warnings: Vec<String> = recording.warnings().iter().map(ToString::to_string).collect();
    let (name, say) =
        (plain(&file.file_name().unwrap_or(file.as_os_str()).to_string_lossy()), warnings.join("\n"));
    let findings = Findings::of(&recording, Limits::default());
    let Recording { header, begin, events, output, .. } = recording;
    let history = History::beginning_with(begin, events);
    let written = output.into_iter().map(Into::into).collect();
    let session = Session::new(Known, Vec::new(), history, written, &header.folder).scanned_by(findings);
    let shown = Shown { name: &name, folder: &header.folder, say: &say, first: "n", look };
    let signal = screen::run(session, &shown)?;
    Ok(signal.map_or(ExitCode::SUCCESS, |signal| ExitCode::from(128 + signal as u8)))
}

fn play(recording: Recording) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    writeln!(out, "{}", begin(&recording))?;
    for warning in recording.warnings() {
        writeln!(out, "{warning}")?;
    }
    let findings = Findings::of(&recording, Limits::default());
    let Recording { header, begin, events, output, .. } = recording;
    let history = History::beginning_with(begin, events);
    let written = output.into_iter().map(Into::into).collect();
    let mut session = Session::new(Known, out, history, written, &header.folder).scanned_by(findings);
    session.run(&mut Keyboard::new())
}

/// What the recording is of.
fn begin(recording: &Recording) -> String {
    let mut program = vec![recording.header.program.as_str()];
    program.extend(recording.header.args.iter().map(String::as_str));
    let time = recording.events.last().map(|event| span(event.time)).unwrap_or_default();
    format!(
        "A recording of `{}`: {}, {time}. `n` goes to the first, a bare Enter repeats, `help` lists all commands.",
        plain(&program.join(" ")),
        count(recording.events.len(), "event"),
    )
}
