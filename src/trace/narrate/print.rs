//! Chapter 35, part 2: the two observers that put a run in words while it goes on.
//!
//! Before: `trace/narrate.rs`. Next: `trace/narrate/sentences.rs`.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use super::Narrator;
use crate::trace::event::{Event, EventKind};
use crate::trace::observer::Observer;

/// One event, ready to be shown.
struct Line {
    seq: u64,
    time: Duration,
    text: String,
}

/// Tells a run without the turns in which nothing happened: the beginning of a turn is held back until
/// something follows it, and a look at I/O that did not wait and found nothing is left out.
#[derive(Default)]
struct Story {
    narrator: Narrator,
    /// The beginning of the turn, if nothing has happened in it yet.
    turn: Option<Line>,
    /// Whether step 2 of this turn was a look at I/O without waiting.
    glance: bool,
}

impl Story {
    /// The lines that the event makes due, in order.
    fn tell(&mut self, event: &Event) -> Vec<Line> {
        let line = Line { seq: event.seq, time: event.time, text: self.narrator.sentence(event) };
        match event.kind {
            EventKind::TurnBegin { .. } => {
                self.turn = Some(line);
                return Vec::new();
            }
            EventKind::WaitBegin { timeout, .. } => {
                self.glance = timeout == Some(Duration::ZERO);
                if self.glance {
                    return Vec::new();
                }
            }
            EventKind::WaitEnd { sources: 0, .. } if self.glance => return Vec::new(),
            EventKind::TurnEnd { .. } if self.turn.take().is_some() => return Vec::new(),
            _ => {}
        }
        self.turn.take().into_iter().chain([line]).collect()
    }
}

/// Writes each event as one line on standard error: the time on the loop's clock in seconds, the event's
/// number, and the sentence. What `ONELOOP=print` installs.
///
/// ```text
///      seconds    seq  what happened
///     0.000000      2  Turn 0 begins: 1 in the ready queue.
///     0.000000      5  The loop polls task 0 (main) for the 1st time.
/// ```
///
/// Turns in which nothing happened are left out, and looks at I/O that found nothing, so numbers are missing. An
/// event of another thread comes when the loop hears of it, with the time it had. When standard error cannot be
/// written to, for instance because whoever read it has gone, the lines are lost and the program goes on.
pub struct Print {
    story: RefCell<Story>,
    /// `None`: standard error.
    out: RefCell<Option<Box<dyn Write>>>,
    /// Whether the heading is still to be written.
    fresh: std::cell::Cell<bool>,
}

impl Print {
    /// Writes to standard error.
    pub fn new() -> Print {
        Print { story: RefCell::default(), out: RefCell::new(None), fresh: std::cell::Cell::new(true) }
    }

    /// Writes to `out` instead, which must not use the loop.
    pub fn to(out: impl Write + 'static) -> Print {
        Print { out: RefCell::new(Some(Box::new(out))), ..Print::new() }
    }

    /// All lines in one call, so that those of several threads do not mix.
    fn write(&self, text: &str) -> io::Result<()> {
        match &mut *self.out.borrow_mut() {
            Some(out) => out.write_all(text.as_bytes()),
            None => io::stderr().lock().write_all(text.as_bytes()),
        }
    }
}

impl Default for Print {
    fn default() -> Print {
        Print::new()
    }
}

impl Observer for Print {
    fn event(&self, event: &Event) {
        let lines = self.story.borrow_mut().tell(event);
        if lines.is_empty() {
            return;
        }
        let mut text = String::new();
        if self.fresh.replace(false) {
            text.push_str("     seconds    seq  what happened\n");
        }
        for Line { seq, time, text: sentence } in lines {
            text.push_str(&format!("{:5}.{:06} {seq:6}  {sentence}\n", time.as_secs(), time.subsec_micros()));
        }
        // A program is not to fail because nobody reads what it says of itself.
        let _ = self.write(&text);
    }

    fn decides(&self) -> bool {
        false
    }
}

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Print").finish_non_exhaustive()
    }
}

/// Gives the sentences to the `log` crate, at level `trace` under the target `oneloop`. A loop has this
/// observer if a logger wants such records at the time it is made: `RUST_LOG=oneloop=trace` with env_logger.
///
/// Turns in which nothing happened are left out, and looks at I/O that found nothing.
#[derive(Default)]
pub struct Log {
    story: RefCell<Story>,
}

impl Log {
    /// Speaks to the logger of the program.
    pub fn new() -> Log {
        Log::default()
    }
}

impl Observer for Log {
    fn event(&self, event: &Event) {
        // Collected first: a logger may be the user's code, and may come back to the loop.
        let lines = self.story.borrow_mut().tell(event);
        for line in lines {
            log::trace!(target: "oneloop", "{}", line.text);
        }
    }

    fn decides(&self) -> bool {
        false
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}
