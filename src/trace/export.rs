//! Chapter 35, part 45: how does a recording get into the viewers that others have made?
//!
//! Two formats: that of Perfetto (`ui.perfetto.dev`), and the older one of Chrome's tracing page, which many viewers read.
//! What is drawn is the same in both: `export/marks.rs` turns events into the marks of a timeline, and each format
//! writes those.
//!
//! ```text
//!   the loop   │ wait │wake│ poll task 1 │ poll task 2 │ wait …        one thing after the other
//!   task 1     │ ready     │ polled      │ waiting for a sleep …        its life, and what it is made of
//!   a thread   │       job 3                                            of the blocking pool
//!   arrows     from each wake to the poll it led to;  a curve: the length of the ready queue
//! ```
//!
//! Before: `trace/read/decode.rs`. Next: `trace/export/marks.rs`.

mod marks;
mod chrome;
mod protobuf;
mod perfetto;
mod part;

use std::io::{self, Write};
use std::ops::RangeInclusive;

use super::read::Recording;

/// Writes the events as Chrome's JSON, in its form with an object.
///
/// # Errors
/// Those of `out`.
pub fn chrome(recording: &Recording, out: impl Write) -> io::Result<()> {
    chrome::write(recording, out)
}

/// Writes the events as a trace of Perfetto, in protobuf.
///
/// # Errors
/// Those of `out`.
pub fn perfetto(recording: &Recording, out: impl Write) -> io::Result<()> {
    perfetto::write(recording, out)
}

/// Writes the events of these numbers as a recording, with the state of the loop before the first of them.
///
/// # Errors
/// Those of `out`.
pub fn part(recording: &Recording, events: RangeInclusive<u64>, out: impl Write) -> io::Result<()> {
    part::write(recording, events, out)
}
