//! What is being measured now, in one line on standard error, if that is a terminal.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr};

pub struct Progress {
    shown: bool,
    done: usize,
    total: usize,
}

impl Progress {
    pub fn new(total: usize) -> Progress {
        Progress { shown: stderr().is_terminal(), done: 0, total }
    }

    /// So many measurements more than were planned.
    pub fn more(&mut self, measurements: usize) {
        self.total += measurements;
    }

    /// The next measurement begins.
    pub fn step(&mut self, row: &str, peer: impl Display) {
        self.done += 1;
        if self.shown {
            self.line(&format!("[{}/{}] {row}: {peer}", self.done, self.total));
        }
    }

    /// Takes the line away.
    pub fn end(&self) {
        if self.shown {
            self.line("");
        }
    }

    fn line(&self, text: &str) {
        // A terminal that has gone away is no reason to stop measuring.
        let _ = write!(stderr(), "\r\x1b[K{text}");
        let _ = stderr().flush();
    }
}
