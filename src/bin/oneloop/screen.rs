//! The full screen: the same run, the same commands, and everything that can be seen at once.
//!
//! A key makes of the model another model, and perhaps a request to the session; the view makes a picture of both. Neither
//! knows of a terminal. What is left is this file, which asks for keys, hands requests over, and has pictures shown.
//!
//! ```text
//!   terminal.rs ── key ──▶ model.rs ── request ──▶ session (as in line mode)
//!        ▲                    │                        │
//!        └──── picture ──── view.rs ◀──── scene.rs ◀───┘
//! ```
//!
//! While a command goes on (a program that runs to its end, say), the session asks now and then whether it is to: then
//! keys are looked at, and the picture is drawn anew.

mod look;
mod key;
mod keys;
mod prompt;
mod index;
mod scene;
mod model;
mod view;
mod taken;
mod terminal;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use oneloop::trace::fold::History;
use signal_hook::consts::SIGHUP;

pub use self::look::Look;

use self::index::Index;
use self::key::Key;
use self::model::{Model, Request};
use self::scene::Scene;
use self::terminal::{Input, Terminal};
use crate::hangup;
use crate::session::places::line;
use crate::session::sources::Sources;
use crate::session::{Feed, Session, Watch, Written};

/// How long keys are waited for before signals are looked at again.
const LOOK_UP: Duration = Duration::from_millis(50);

/// How often the picture is drawn while a command goes on.
const FRAME: Duration = Duration::from_millis(60);

/// Whether there is a screen, and what of it can be shown: arguments of `step` and `play`.
#[derive(clap::Args)]
pub struct Way {
    /// Line by line, as where there is no terminal
    #[arg(long)]
    plain: bool,
    /// Draw with letters of ASCII only
    #[arg(long)]
    ascii: bool,
}

impl Way {
    /// `None`: line by line.
    pub fn look(&self) -> Option<Look> {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        (terminal && !self.plain && !dumb).then(|| Look::of_environment(self.ascii))
    }
}

/// What is shown, and how.
pub struct Shown<'a> {
    /// What the run is called: a program or a file.
    pub name: &'a str,
    /// Where its sources may be.
    pub folder: &'a str,
    /// What there is to say at the beginning.
    pub say: &'a str,
    /// The first command.
    pub first: &'a str,
    pub look: Look,
}

/// Everything but the session.
struct Screen<'a> {
    terminal: Terminal,
    model: Model,
    index: Index,
    sources: Sources,
    shown: &'a Shown<'a>,
    is_program: bool,
    /// When it was drawn last.
    drawn: Instant,
    /// Whether a command is to stop where it is.
    stop: bool,
    /// Why it ends: a signal, or 0 if somebody wants it to.
    quit: Option<usize>,
    /// What went wrong while a command went on.
    failed: Option<io::Error>,
}

/// Shows a session until somebody ends it: by a key, or by the signal that is returned.
///
/// # Errors
/// If the terminal cannot be used.
pub fn run<F: Feed>(session: Session<F, Vec<u8>>, shown: &Shown) -> io::Result<Option<usize>> {
    let mut session = session.shown();
    let mut screen = Screen {
        terminal: Terminal::open()?,
        model: Model::default(),
        index: Index::default(),
        sources: Sources::new(shown.folder),
        shown,
        is_program: session.feed().called() == "program",
        drawn: Instant::now(),
        stop: false,
        quit: None,
        failed: None,
    };
    match screen.show(&mut session) {
        // Whatever failed then, this is why.
        Err(_) if hangup::is_gone(io::stdin()) => Ok(Some(SIGHUP.unsigned_abs() as usize)),
        shown => shown.map(|()| screen.quit.filter(|signal| *signal != 0)),
    }
}

impl Screen<'_> {
    /// Shows it until somebody ends it.
    fn show<F: Feed>(&mut self, session: &mut Session<F, Vec<u8>>) -> io::Result<()> {
        self.command(session, self.shown.first)?;
        self.model.say(self.shown.say);
        self.draw_session(session)?;
        while self.quit.is_none() {
            let input = self.terminal.next(LOOK_UP)?;
            if input != Input::Nothing {
                self.take(input, session)?;
                // Of a thousand keys at once, what they lead to is to be seen, and not each of them.
                if self.drawn.elapsed() >= FRAME || !self.terminal.has_more()? {
                    self.draw_session(session)?;
                }
            }
        }
        Ok(())
    }

    fn take<F: Feed>(&mut self, input: Input, session: &mut Session<F, Vec<u8>>) -> io::Result<()> {
        let request = match input {
            Input::Key(key) => {
                self.index.update(session.history());
                let scene = scene(session, &self.index, self.shown.name);
                self.model.key(key, &scene)
            }
            Input::Paste(text) => {
                let prompt = self.model.prompt.as_mut();
                prompt.into_iter().for_each(|prompt| text.chars().for_each(|letter| prompt.put(letter)));
                Request::Nothing
            }
            Input::End(signal) => {
                self.quit = Some(signal);
                Request::Nothing
            }
            Input::Redraw => Request::Redraw,
            Input::Nothing => Request::Nothing,
        };
        match request {
            Request::Nothing => Ok(()),
            Request::Command(command) => self.command(session, &command),
            Request::Find { text, forward } => self.find(session, &text, forward),
            Request::Redraw => self.terminal.forget(),
            Request::Suspend => self.terminal.suspend(),
            Request::Quit => {
                self.quit = Some(0);
                Ok(())
            }
        }
    }

    /// Has the session carry out a command; what it says is shown.
    fn command<F: Feed>(&mut self, session: &mut Session<F, Vec<u8>>, command: &str) -> io::Result<()> {
        let at = session.history().at();
        (self.stop, self.drawn) = (false, Instant::now());
        if !session.command(command, self)? {
            self.quit.get_or_insert(0);
        }
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.index.update(session.history());
        if session.history().at() != at {
            self.model.came();
        }
        let said = std::mem::take(session.out());
        self.model.say(String::from_utf8_lossy(&said).trim_end());
        Ok(())
    }

    /// Goes to the next event, or the one before, whose sentence has this text.
    fn find<F: Feed>(
        &mut self,
        session: &mut Session<F, Vec<u8>>,
        text: &str,
        forward: bool,
    ) -> io::Result<()> {
        let (history, wanted) = (session.history(), text.to_lowercase());
        let at = history.at();
        let is_it = |index: &usize| {
            let sentence = self.index.sentence(history, &history.events()[*index]);
            sentence.to_lowercase().contains(&wanted)
        };
        let found = match forward {
            true => (at..history.events().len()).find(is_it),
            false => (0..at.saturating_sub(1)).rev().find(is_it),
        };
        match found.map(|index| history.events()[index].seq) {
            Some(seq) => self.command(session, &format!("go {seq}")),
            None => {
                let way = if forward { "after" } else { "before" };
                let text = oneloop::trace::narrate::plain(text);
                self.model.message =
                    Some(format!("No event {way} this one, as far as is known, says \"{text}\"."));
                Ok(())
            }
        }
    }

    fn draw_session<F: Feed>(&mut self, session: &Session<F, Vec<u8>>) -> io::Result<()> {
        self.index.update(session.history());
        let (index, name) = (std::mem::take(&mut self.index), self.shown.name);
        let drawn = self.draw(scene(session, &index, name));
        self.index = index;
        drawn
    }

    fn draw(&mut self, scene: Scene) -> io::Result<()> {
        let file = scene.ran().map(|line| line.place.file);
        let scene = Scene { page: file.and_then(|file| self.sources.lines(file)), ..scene };
        let (model, look) = (&self.model, self.shown.look);
        self.terminal.draw(|picture| view::draw(&scene, model, look, picture))?;
        self.drawn = Instant::now();
        Ok(())
    }

    /// Looks at the keys while a command goes on.
    fn look_up(&mut self, history: &History, written: &[Written]) -> io::Result<()> {
        loop {
            match self.terminal.next(Duration::ZERO)? {
                Input::Nothing => break,
                Input::End(signal) => (self.stop, self.quit) = (true, Some(signal)),
                Input::Key(Key::Ctrl('c') | Key::Letter('q')) => (self.stop, self.quit) = (true, Some(0)),
                Input::Key(Key::Ctrl('z')) => self.terminal.suspend()?,
                Input::Key(_) => self.stop = true,
                Input::Redraw => self.terminal.forget()?,
                Input::Paste(_) => {}
            }
            if self.quit.is_some() {
                return Ok(());
            }
        }
        let index = std::mem::take(&mut self.index);
        let at = history.at().checked_sub(1);
        let drawn = self.draw(Scene {
            name: self.shown.name,
            is_program: self.is_program,
            history,
            index: &index,
            written,
            line: at.and_then(|at| line(history, at, history.world())),
            page: None,
            ended: None,
            goes_on: true,
        });
        self.index = index;
        drawn
    }
}

impl Watch for Screen<'_> {
    fn goes_on(&mut self, history: &History, written: &[Written]) -> bool {
        self.index.update(history);
        if self.drawn.elapsed() >= FRAME {
            self.failed = self.look_up(history, written).err();
        }
        !self.stop && self.failed.is_none()
    }
}

/// What is to be seen of a session that stands still.
fn scene<'a, F: Feed>(session: &'a Session<F, Vec<u8>>, index: &'a Index, name: &'a str) -> Scene<'a> {
    Scene {
        name,
        is_program: session.feed().called() == "program",
        history: session.history(),
        index,
        written: session.written(),
        line: session.line(),
        page: None,
        ended: session.ended(),
        goes_on: false,
    }
}
