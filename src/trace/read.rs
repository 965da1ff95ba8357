//! Chapter 35, part 36: how does a recording become events again?
//!
//! A recording is a file of lines, each one JSON object, packed with gzip or plain. The first line is the header, with the
//! version; a `site` line gives a number to a place in the source; most of the others are events. `docs/trace-format.md`
//! describes it all.
//!
//! ```text
//!   {"k":"oneloop","v":1,…}                                               the header
//!   {"k":"site","id":5,"file":"src/main.rs","line":7,"col":9}             a place, before its first use
//!   {"k":"wake","n":41,"t":500200000,"c":40,"task":2,"by":{"timer":3},…}  Event { seq: 41, … }
//! ```
//!
//! What comes out are the very [`Event`]s that the loop told, so that whatever watches a live loop, the sentences above
//! all, works on a recording too.
//!
//! A file may be cut at any byte (the program was killed, the disk was full), written by a later version that knows more,
//! or made by somebody who means harm. What can be read is read: a cut is reported beside the events before it, kinds and
//! fields that are not known are passed over, and everything is bounded by the limits below.
//!
//! Before: `trace/live/attach.rs`. Next: `trace/read/lines.rs`.

mod lines;
mod names;
mod fields;
mod actors;
mod sites;
mod kinds;
mod snapshot;
mod decode;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use decode::{Decoder, Item};

use self::lines::{Ending, Lines};
use super::event::{Event, EventKind};
use super::fold::World;
use super::narrate::plain;

/// The latest version of the trace format that is understood.
pub const VERSION: u64 = 1;

/// The longest line, in bytes; a longer one is passed over.
pub const MAX_LINE: usize = 16 << 20;
/// The most bytes of a recording, unpacked. Reading ends there. Most of them may have to be kept in memory.
pub const MAX_BYTES: u64 = 2 << 30;
/// The most events that are kept. Reading ends there.
pub const MAX_EVENTS: usize = 8_000_000;
/// The most pieces of program output that are kept; later ones are passed over.
pub const MAX_OUTPUTS: usize = 1_000_000;
/// The longest name (of a task, a thread, a file, a type), in bytes; a longer one is cut.
pub const MAX_NAME: usize = 1_024;
/// The most arguments of the program that are kept.
pub const MAX_ARGS: usize = 256;
/// The longest text (a report, the message of a panic, a piece of program output), in bytes; a longer one is cut.
pub const MAX_TEXT: usize = 64 << 10;
/// The most different file and type names of all recordings that a process reads: they are kept until it ends. What
/// comes after them is called `(one name too many)`.
pub const MAX_NAMES: usize = 1 << 16;
/// The most places in the source of one recording; later ones are unknown.
pub const MAX_SITES: usize = 1 << 20;

/// All that a recording tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recording {
    /// What its first line says.
    pub header: Header,
    /// The state of the loop before the first event; `None`: the recording begins with the loop.
    pub begin: Option<World>,
    /// The events, by increasing `seq`. There may be gaps: not every level records every kind.
    pub events: Vec<Event>,
    /// What the program wrote, in order.
    pub output: Vec<Output>,
    /// Where and why reading ended before the end; `None`: the recording is whole.
    pub cut: Option<Cut>,
    /// Lines that make no sense, and were passed over.
    pub faults: Faults,
    /// Lines of kinds that are not known, and were passed over.
    pub unknown: u64,
}

/// The first line of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Header {
    /// The version of the format.
    pub version: u64,
    /// The program, as it was called; empty if it is not said.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What was recorded: `loop`, `task`, `leaf` or `frame`; empty if it is not said.
    pub level: String,
    /// Its clock: `real` or `virtual`; empty if it is not said.
    pub clock: String,
    /// When it began, as the recording writes it; empty if it is not said.
    pub started: String,
    /// The folder that relative file names are to be looked for in; empty if it is not said.
    pub folder: String,
    /// Events that happened before the first one that was kept.
    pub lost: u64,
    /// Whether what happened after the last one is left out.
    pub goes_on: bool,
}

/// Something that the program wrote.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// How many events were recorded before it.
    pub after: usize,
    /// When it was noticed, on the loop's clock.
    pub time: Duration,
    /// Whether it went to standard error.
    pub stderr: bool,
    /// Whether it was written just there, and not only at about that time.
    pub exact: bool,
    /// What it wrote, as it wrote it: not fit to be shown before [`plain`] has cleaned it.
    pub text: Arc<str>,
}

/// Where reading ended early.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Cut {
    /// The line, from 1, that could not be read.
    pub line: u64,
    /// What was the matter, in words.
    pub why: String,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the recording ends early, in line {}: {}", self.line, self.why)
    }
}

/// Lines that make no sense.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Faults {
    /// How many there are.
    pub count: u64,
    /// What was the matter with the first, and its line.
    pub first: Option<(u64, String)>,
}

impl Faults {
    fn add(&mut self, line: u64, what: String) {
        self.count += 1;
        self.first.get_or_insert((line, what));
    }
}

/// Why a file gives no recording at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    Io(io::Error),
    /// It is something else, or is cut within its first line; the words say which.
    NoRecording(String),
    /// It was written in this later version of the format.
    Newer(u64),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => write!(f, "it cannot be read: {error}"),
            ReadError::NoRecording(why) => write!(f, "it is no recording of oneloop: {why}"),
            ReadError::Newer(version) => write!(
                f,
                "it is written in version {version} of the trace format, and this oneloop reads up to version {VERSION}: \
                 use the oneloop that made it, or a later one"
            ),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or not even its header makes sense. If it is only cut, there is no error, but
    /// [`cut`](Recording::cut).
    pub fn open(path: impl AsRef<Path>) -> Result<Recording, ReadError> {
        Recording::read(File::open(path)?)
    }

    /// Reads a recording, packed or plain, to its end.
    ///
    /// # Errors
    /// As [`open`](Recording::open).
    pub fn read(input: impl Read) -> Result<Recording, ReadError> {
        let mut lines = Lines::new(input)?;
        let mut decoder = Decoder::new();
        let header = read_header(&mut lines, &mut decoder)?;
        let (events, output, faults) = (Vec::new(), Vec::new(), Faults::default());
        let mut recording = Recording { header, begin: None, events, output, cut: None, faults, unknown: 0 };
        recording.cut = recording.read_lines(&mut lines, &mut decoder);
        Ok(recording)
    }

    /// Reads all lines after the header; says where that ended early.
    fn read_lines<R: Read>(&mut self, lines: &mut Lines<R>, decoder: &mut Decoder) -> Option<Cut> {
        loop {
            let whole = match lines.next() {
                Ending::Line => true,
                Ending::Unfinished => false,
                Ending::TooLong => {
                    self.faults.add(lines.number(), format!("it is longer than {MAX_LINE} bytes"));
                    continue;
                }
                Ending::End => return None,
                Ending::Cut(why) => return Some(Cut { line: lines.number(), why }),
                Ending::Enough(why) => return Some(self.enough(lines.number(), why)),
            };
            match decoder.decode(lines.line()) {
                Ok(_) if self.events.len() == MAX_EVENTS => {
                    let why = format!("more than {MAX_EVENTS} events are not read");
                    return Some(self.enough(lines.number(), why));
                }
                Ok(Item::Event(event)) => {
                    // A snapshot counts only before the first event.
                    if self.events.is_empty() {
                        self.begin = decoder.take_snapshot();
                    }
                    self.add_event(event, lines.number());
                }
                Ok(Item::Output(output)) if self.output.len() < MAX_OUTPUTS => {
                    self.output.push(Output { after: self.events.len(), ..output });
                }
                Ok(Item::Unknown) => self.unknown += 1,
                Ok(Item::Header(_) | Item::Table | Item::Output(_)) => {}
                Err(_) if !whole => {
                    let why = String::from("it is cut in the middle of this line");
                    return Some(Cut { line: lines.number(), why });
                }
                Err(what) => self.faults.add(lines.number(), what),
            }
        }
    }

    /// Reading ends here, though the run goes on.
    fn enough(&mut self, line: u64, why: String) -> Cut {
        self.header.goes_on = true;
        Cut { line, why }
    }

    fn add_event(&mut self, event: Event, line: u64) {
        match self.events.last_mut() {
            // It had the number of whatever comes next: the poll went on.
            Some(last) if last.seq == event.seq && matches!(last.kind, EventKind::HeldUp { .. }) => {
                *last = event
            }
            Some(last) if last.seq >= event.seq => {
                let what = format!("event {} comes after event {}", event.seq, last.seq);
                self.faults.add(line, what);
            }
            _ => self.events.push(event),
        }
    }

    /// What is to be said about a recording that is not whole: one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.header.lost > 0 {
            warnings.push(format!(
                "It begins in the middle of the run: the {} events before were not kept.",
                self.header.lost
            ));
        }
        if let Some(cut) = &self.cut {
            warnings.push(format!("What follows is not all: {cut}."));
        }
        if let Some((line, what)) = &self.faults.first {
            let count = self.faults.count;
            warnings.push(format!(
                "Lines that make no sense were passed over: {count}, the first of them line {line} ({}).",
                plain(what)
            ));
        }
        if self.unknown > 0 {
            let count = self.unknown;
            warnings
                .push(format!("Lines of kinds that this oneloop does not know were passed over: {count}."));
        }
        warnings
    }
}

fn read_header<R: Read>(lines: &mut Lines<R>, decoder: &mut Decoder) -> Result<Header, ReadError> {
    let none = |why: &str| Err(ReadError::NoRecording(why.to_owned()));
    match lines.next() {
        Ending::Line | Ending::Unfinished => {}
        Ending::TooLong => return none("its first line is far too long"),
        Ending::End => return none("it is empty"),
        Ending::Cut(why) | Ending::Enough(why) => {
            return Err(ReadError::NoRecording(format!("its first line is cut: {why}")));
        }
    }
    match decoder.decode(lines.line()) {
        Ok(Item::Header(header)) if header.version > VERSION => Err(ReadError::Newer(header.version)),
        Ok(Item::Header(header)) => Ok(header),
        _ => none("its first line is not {\"k\":\"oneloop\",\"v\":1,…}"),
    }
}
