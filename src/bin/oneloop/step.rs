//! `oneloop step`: a program, gone through by command while it runs.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::thread;

use oneloop::trace::fold::{History, World};
use oneloop::trace::narrate::plain;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::live::Live;
use crate::live::end::ToEnd;
use crate::program::Level;
use crate::screen::{self, Look, Shown, Way};
use crate::session::commands::Entry;
use crate::session::keyboard::{Interrupt, Keyboard};
use crate::session::{Feed, News, Session};
use crate::{Ended, hangup, program, what_if};

/// Go through a program while it runs, event by event, forwards and backwards.
///
/// The program runs in a process of its own and stands still between two events; its clock stands still with it. Its
/// standard input is empty, and what it writes is shown, marked, where it was written. On a terminal everything is seen
/// at once, and `?` shows the keys. Elsewhere, or with --plain, commands are read from standard input, one a line: n p t
/// go on to the next event, poll or turn, bn bp bt go back, and `help` lists all of them.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    way: Way,
    /// How much is told, and stopped at; `leaf`, or with `frame` also the chains of awaits
    #[arg(short, long)]
    level: Option<Level>,
    /// How many of the latest events can be gone back to (each takes some 160 bytes)
    #[arg(long, value_name = "EVENTS", default_value_t = KEEP, value_parser = clap::value_parser!(u64).range(4_000..))]
    keep: u64,
    /// The program: an example of this crate, or a path with a slash
    program: OsString,
    /// The program's own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// How many events are kept, if nothing is said.
const KEEP: u64 = 1_000_000;

impl Feed for Live {
    fn next(&mut self, running: bool) -> News {
        Live::next(self, running)
    }

    fn called(&self) -> &'static str {
        "program"
    }

    fn commands(&self) -> &'static [Entry] {
        what_if::COMMANDS
    }

    fn stop(&mut self) {
        Live::stop(self);
    }

    fn is_moving(&self) -> bool {
        Live::is_moving(self)
    }

    fn command(&mut self, words: &[&str], world: &World) -> Result<String, String> {
        if Live::is_moving(self) {
            return Err(
                "The program does not stand still, so nothing can be changed; `n` goes to its next event."
                    .into(),
            );
        }
        if !self.is_stopped() {
            return Err("There is no loop any more, so nothing can be changed.".into());
        }
        let (line, said) = what_if::wish(words, world)?;
        self.send(&line);
        Ok(said)
    }
}

/// Steps it.
pub fn run(args: &Args) -> Ended {
    let executable = program::find(&args.program, args.level)?;
    let live = Live::start(&executable, &args.args, args.level)?;
    let name = plain(&args.program.to_string_lossy());
    let program = live.to_end();
    hangup::watch(move || program.end())?;
    let keep = usize::try_from(args.keep).unwrap_or(usize::MAX);
    let ended = match args.way.look() {
        Some(look) => on_screen(live, &name, keep, look),
        None => {
            let mut keyboard = Keyboard::new();
            watch_signals(live.to_end(), keyboard.interrupt())?;
            step(live, &name, keep, &mut keyboard).map(|()| ExitCode::SUCCESS)
        }
    };
    match ended {
        Ok(code) => Ok(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}

fn on_screen(live: Live, name: &str, keep: usize, look: Look) -> io::Result<ExitCode> {
    let mut session = Session::new(live, Vec::new(), History::default(), Vec::new(), "");
    session.keep(keep);
    let name = name.rsplit('/').next().unwrap_or(name);
    let signal = screen::run(session, &Shown { name, folder: "", say: "", first: "n", look })?;
    Ok(signal.map_or(ExitCode::SUCCESS, |signal| ExitCode::from(128 + signal as u8)))
}

fn step(live: Live, name: &str, keep: usize, keyboard: &mut Keyboard) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let pid = live.pid();
    writeln!(
        out,
        "`{name}` is process {pid}, and stops at each event. `n` goes on to the next, a bare Enter repeats, `help` lists all commands."
    )?;
    let mut session = Session::new(live, out, History::default(), Vec::new(), "");
    session.keep(keep);
    session.command("n", keyboard)?;
    session.run(keyboard)
}

/// Has the program ended when this process is: by `kill`, for instance.
fn watch_signals(program: ToEnd, interrupt: Interrupt) -> Result<(), String> {
    let told = |error: io::Error| format!("signals cannot be waited for: {error}");
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(told)?;
    let wait = move || {
        if let Some(signal) = signals.forever().find(|signal| *signal != SIGINT || interrupt.is_end()) {
            program.end();
            // As a shell has it.
            std::process::exit(128 + signal);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(wait).map(drop).map_err(told)
}
