//! Whoever types commands, and stops the one that goes on.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Stdin, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use oneloop::trace::fold::History;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Watch, Written};

/// The longest command that is read.
const MAX_COMMAND: u64 = 4_096;

/// How often it is looked whether a key was pressed.
const LOOK: Duration = Duration::from_millis(20);

/// Standard input, line by line. From a terminal, each line is asked for, and a line that is typed while a command goes on
/// stops it.
pub struct Keyboard {
    input: BufReader<Stdin>,
    is_terminal: bool,
    /// Where Ctrl-C is told.
    interrupt: Interrupt,
    /// When it is looked next whether a key was pressed; `None`: not during this command, with which others were typed.
    look: Option<Instant>,
    /// Whether a command was stopped by a line that is still to be read.
    pressed: bool,
}

/// What Ctrl-C does.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<AtomicU8>);

/// A command is being carried out.
const BUSY: u8 = 0;
/// The same, and is to stop.
const STOP: u8 = 1;
/// A command is awaited.
const PROMPT: u8 = 2;
/// The same, and Ctrl-C was pressed.
const WARNED: u8 = 3;

impl Keyboard {
    pub fn new() -> Keyboard {
        let input = BufReader::new(io::stdin());
        let is_terminal = io::stdin().is_terminal();
        Keyboard { input, is_terminal, interrupt: Interrupt::default(), look: None, pressed: false }
    }

    /// For whoever is told of signals.
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Waits for a command; `None`: there are no more.
    ///
    /// # Errors
    /// If it cannot be read, or `out` cannot be written to.
    pub fn ask(&mut self, out: &mut impl Write) -> io::Result<Option<String>> {
        if std::mem::take(&mut self.pressed) {
            out.flush()?;
            // Enter alone has done its work; whatever else was typed is a command.
            let line = self.read()?;
            if line.as_ref().is_none_or(|line| !line.trim().is_empty()) {
                return Ok(line);
            }
        }
        self.interrupt.0.store(PROMPT, Ordering::Relaxed);
        if self.is_terminal {
            write!(out, "> ")?;
        }
        out.flush()?;
        let line = self.read();
        self.interrupt.0.store(BUSY, Ordering::Relaxed);
        self.look = (self.is_terminal && !self.has_more()).then(Instant::now);
        line
    }

    fn read(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let length = self.input.by_ref().take(MAX_COMMAND).read_until(b'\n', &mut line)?;
        Ok((length > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
    }

    /// Whether there is something to read.
    fn has_more(&self) -> bool {
        const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        let stdin = self.input.get_ref();
        let mut stdin = [PollFd::new(stdin, PollFlags::IN)];
        !self.input.buffer().is_empty() || !matches!(poll(&mut stdin, Some(&NOW)), Ok(0))
    }
}

impl Watch for Keyboard {
    fn goes_on(&mut self, _: &History, _: &[Written]) -> bool {
        if self.look.is_some_and(|look| look <= Instant::now()) {
            self.look = Some(Instant::now() + LOOK);
            self.pressed = self.has_more();
        }
        !self.pressed && self.interrupt.0.load(Ordering::Relaxed) != STOP
    }
}

impl Interrupt {
    /// Ctrl-C was pressed; whether that is the end.
    pub fn is_end(&self) -> bool {
        if !io::stdin().is_terminal() {
            return true;
        }
        match self.0.load(Ordering::Relaxed) {
            WARNED => return true,
            PROMPT => {
                self.0.store(WARNED, Ordering::Relaxed);
                // Standard output is held by whoever waits for the command.
                let _ = write!(io::stderr(), "\nCtrl-C once more, or `q`, is the end.\n> ");
            }
            _ => self.0.store(STOP, Ordering::Relaxed),
        }
        false
    }
}
