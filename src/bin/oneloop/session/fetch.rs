//! Taking up what comes of the run, and letting go of what is too much.

use std::io::{self, Write};

use super::places::Line;
use super::{Feed, News, Session, Written};

/// The most bytes of output that are kept; then half of it is let go.
const MOST_OUTPUT: usize = 64 << 20;

/// One event, as it was gone through.
pub(super) struct Told {
    pub(super) index: usize,
    pub(super) sentence: String,
    pub(super) line: Option<Line>,
}

/// A way from one moment to a later one.
#[derive(Default)]
pub(super) struct Way {
    /// Where it began.
    pub(super) start: usize,
    /// How many events were gone through.
    pub(super) steps: usize,
    /// The first of them, without the last: their places among all and their sentences. Not more than are told.
    pub(super) passed: Vec<(usize, String)>,
    /// The last of them, if it is what was looked for.
    pub(super) last: Option<Told>,
    /// How many more times it was to be found.
    pub(super) left: usize,
    /// Whether any of its events was new.
    pub(super) is_news: bool,
    /// How many pieces of output were shown at once.
    pub(super) shown: usize,
    /// Whether somebody has stopped it before the goal.
    pub(super) is_stopped: bool,
}

/// What the feed gives.
pub(super) enum Got {
    Event,
    /// Nothing yet.
    Nothing,
    /// There is no more.
    End,
}

impl<F: Feed, W: Write> Session<F, W> {
    /// Has the feed give one more event. With `running`, the program goes on without stops, and what it writes is shown at
    /// once.
    pub(super) fn fetch(&mut self, running: bool, way: &mut Way) -> io::Result<Got> {
        while self.ended.is_none() {
            match self.feed.next(running) {
                News::Nothing => return Ok(Got::Nothing),
                News::Event(event) => {
                    self.history.push(event);
                    way.is_news = true;
                    if self.history.events().len() > self.keep {
                        let gone = self.forget();
                        way.start = way.start.saturating_sub(gone);
                        way.passed.clear();
                    }
                    return Ok(Got::Event);
                }
                News::Written(written) => {
                    if running && !self.shown {
                        super::show::write_output(&mut self.out, &written)?;
                        self.out.flush()?;
                        way.shown += 1;
                    }
                    self.keep_output(written);
                }
                News::NewLoop => {
                    self.history = Default::default();
                    self.scan = Default::default();
                    self.written.clear();
                    self.kept_output = 0;
                    (way.start, way.steps, way.shown) = (0, 0, 0);
                    way.passed.clear();
                    self.say("The program made another loop, whose events are numbered from 0 again.")?;
                }
                News::Say(text) => self.say(&text)?,
                News::End(why) => self.ended = Some(why),
            }
        }
        Ok(Got::End)
    }

    /// There are more events than are kept: lets go of a quarter of them. Returns how many.
    fn forget(&mut self) -> usize {
        self.scan.before_forgetting(&self.history);
        let gone = self.history.forget(self.keep / 4);
        self.scan.forgot(gone);
        self.written.retain_mut(|written| {
            let known = written.after >= gone;
            written.after = written.after.saturating_sub(gone);
            known
        });
        self.gone += gone;
        gone
    }

    fn keep_output(&mut self, written: Written) {
        let after = self.history.events().len();
        self.kept_output += written.text.len();
        self.written.push(Written { after, ..written });
        if self.kept_output > MOST_OUTPUT {
            self.written.drain(..self.written.len() / 2);
            self.kept_output = self.written.iter().map(|written| written.text.len()).sum();
        }
    }

    /// The number of the first event that is known, if something was before it.
    pub(super) fn begin(&self) -> Option<u64> {
        let first = self.history.events().first().map_or(0, |event| event.seq);
        self.history
            .forgotten()
            .map(|last| first.max(last.saturating_add(1)))
            .or(Some(first).filter(|first| *first > 0))
    }
}
