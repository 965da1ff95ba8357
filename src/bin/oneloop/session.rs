//! Going through a run by command: forwards, backwards, and into everything that can be seen on the way.
//!
//! The same commands serve a recording, of which everything is known, and a program that stands still between two events.
//! Which of them it is, only a [`Feed`] knows: it gives the next event, and may have commands of its own.
//!
//! ```text
//!   commands.rs ──▶ session.rs ──▶ moves.rs   to another moment of the run
//!    (words)                  └──▶ show.rs    what there is in this one, each thing in a sentence (things.rs)
//!                                  fetch.rs   what comes of the run
//!                                  places.rs  the line of the source that a moment is at
//! ```

pub mod commands;
pub mod keyboard;
pub mod sources;
pub mod places;
pub mod things;
mod scan;
pub mod story;
mod show;
mod fetch;
mod moves;

use std::io::{self, Write};
use std::sync::Arc;

use oneloop::trace::Event;
use oneloop::trace::findings::Findings;
use oneloop::trace::fold::{History, World};
use oneloop::trace::read::Output;

use self::commands::{Command, Entry};
use self::keyboard::Keyboard;
use self::places::Line;
use self::scan::Scan;
use self::sources::Sources;

/// Where events come from.
pub trait Feed {
    /// What comes next. If the program stands still, it goes on for one event, or, with `running`, until it is
    /// stopped. A recording, of which everything is known, only has an end.
    fn next(&mut self, running: bool) -> News;

    /// What the run is called in a sentence: `recording` or `program`.
    fn called(&self) -> &'static str;

    /// Has a program that goes on stop at its next event.
    fn stop(&mut self) {}

    /// Whether the program is on its way by itself, or something has come of it that was not taken yet.
    fn is_moving(&self) -> bool {
        false
    }

    /// The commands that only it has.
    fn commands(&self) -> &'static [Entry] {
        &[]
    }

    /// Carries out one of them: the first word is the one it was found by. `world` is the state the program is in. What
    /// there is to say is returned, and what was wrong with it is the error.
    fn command(&mut self, words: &[&str], world: &World) -> Result<String, String> {
        let _ = (words, world);
        Err("that cannot be done here".into())
    }
}

/// Looks on while a command is carried out.
pub trait Watch {
    /// Asked before each event that is gone on to, and now and then while none comes: whether to go on. `history` and
    /// `written` are what is known so far.
    fn goes_on(&mut self, history: &History, written: &[Written]) -> bool;
}

/// What comes next.
#[derive(Debug)]
pub enum News {
    /// Nothing yet: some milliseconds have passed.
    Nothing,
    /// An event.
    Event(Event),
    /// The program wrote something.
    Written(Written),
    /// Another loop begins; what came before is forgotten.
    NewLoop,
    /// Something to be said.
    Say(String),
    /// There will be no more, for this reason (a sentence).
    End(String),
}

/// Something that the program wrote.
#[derive(Clone, Debug)]
pub struct Written {
    /// How many events there were before it.
    pub after: usize,
    /// Whether it went to standard error.
    pub stderr: bool,
    /// Whether it was written just there, and not only at about that time.
    pub exact: bool,
    pub text: Arc<str>,
}

impl From<Output> for Written {
    fn from(output: Output) -> Written {
        let Output { after, stderr, exact, text, .. } = output;
        Written { after, stderr, exact, text }
    }
}

/// One way through a run.
pub struct Session<F, W> {
    feed: F,
    out: W,
    history: History,
    /// What the program wrote, in order.
    written: Vec<Written>,
    /// How many bytes that is, about.
    kept_output: usize,
    /// How many events are kept at most.
    keep: usize,
    /// How many were let go.
    gone: usize,
    sources: Sources,
    /// Why nothing comes any more.
    ended: Option<String>,
    /// The last command, which a bare Enter repeats.
    last: String,
    /// What the rules find on the way, once they were asked.
    scan: Scan,
    /// Whether stops are not told, since somebody shows them.
    shown: bool,
    /// The line of the last stop that was not told, and how many events had happened then.
    stop: Option<(usize, Line)>,
}

impl<F: Feed, W: Write> Session<F, W> {
    /// At the beginning of a run. Sources that are not found where they are said to be are looked for in `folder`.
    pub fn new(feed: F, out: W, history: History, written: Vec<Written>, folder: &str) -> Session<F, W> {
        let (sources, last) = (Sources::new(folder), String::from("next"));
        Session {
            feed,
            out,
            history,
            written,
            kept_output: 0,
            keep: usize::MAX,
            gone: 0,
            sources,
            ended: None,
            last,
            scan: Scan::default(),
            shown: false,
            stop: None,
        }
    }

    /// The same for whoever shows each moment, and needs no words for it: of a stop only that is told which is not in
    /// the moment itself.
    pub fn shown(self) -> Session<F, W> {
        Session { shown: true, ..self }
    }

    /// With these rules for what is wrong, which were shown no event yet.
    pub fn scanned_by(self, findings: Findings) -> Session<F, W> {
        Session { scan: Scan::by(findings), ..self }
    }

    /// The run, at the moment that is looked at.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What the program wrote, in order, as far as it is known.
    pub fn written(&self) -> &[Written] {
        &self.written
    }

    /// The line that the moment is at, if it is where a command has stopped.
    pub fn line(&self) -> Option<Line> {
        self.stop.filter(|(at, _)| *at == self.history.at()).map(|(_, line)| line)
    }

    /// Why nothing comes any more; `None`: something may come.
    pub fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    /// Where events come from.
    pub fn feed(&self) -> &F {
        &self.feed
    }

    /// Where answers go.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// Keeps no more than so many events, from now on.
    pub fn keep(&mut self, events: usize) {
        self.keep = events;
    }

    /// Carries out one command after the other, until there are no more or one of them is `quit`.
    ///
    /// # Errors
    /// If nobody reads what is written, or commands cannot be read.
    pub fn run(&mut self, keyboard: &mut Keyboard) -> io::Result<()> {
        while let Some(line) = keyboard.ask(&mut self.out)? {
            if !self.command(line.trim(), keyboard)? {
                break;
            }
        }
        self.out.flush()
    }

    /// Carries out one command; whether there may be another one. `watch` may stop it on its way.
    ///
    /// # Errors
    /// If nobody reads what is written.
    pub fn command(&mut self, line: &str, watch: &mut dyn Watch) -> io::Result<bool> {
        if !line.is_empty() {
            self.last = line.to_owned();
        }
        let line = self.last.clone();
        let command = match commands::parse(&line, self.feed.commands()) {
            Ok(command) => command,
            Err(error) => return self.say(&error).map(|()| true),
        };
        match command {
            Command::Forward(until, times) => self.forward(&until, times, watch)?,
            Command::Back(until, times) => self.back(until, times)?,
            Command::Go(seq) => self.go(seq, watch)?,
            Command::Where => self.where_now()?,
            Command::Show(what) => self.show(&what)?,
            Command::Help => {
                let help = commands::help(self.feed.commands());
                self.out.write_all(help.as_bytes())?;
            }
            Command::Quit => return Ok(false),
            Command::Own => self.own(&line)?,
        }
        Ok(true)
    }

    /// A command that only the feed knows. It is about what is now, and cannot be given while looking back.
    fn own(&mut self, line: &str) -> io::Result<()> {
        if !self.history.is_at_end() {
            let last = self.history.events().last().map_or(0, |event| event.seq);
            return self.say(&format!(
                "You are looking back, and what has happened cannot be changed. `go {last}` brings you to where the program is."
            ));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let said = self.feed.command(&words, self.history.world());
        self.say(&said.unwrap_or_else(|error| error))
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() { Ok(()) } else { writeln!(self.out, "{text}") }
    }
}
