//! Chapter 35, part 12: how does a run become a file?
//!
//! The trace format is lines of JSON, one for each event: people can read it, any language can, and packed with gzip it
//! takes a dozen bytes an event. `docs/trace-format.md` describes it.
//!
//! ```text
//!   loop's thread                         another thread
//!   an event ──▶ queue ──▶ lines ──▶ {"k":"wake","n":8,"t":500001,"c":7,"task":1,"by":{"timer":0},"effect":"queued"}
//!                            └─▶ packed, and appended to the file ten times a second
//! ```
//!
//! Before: `trace/fold/history.rs`. Next: `trace/record/json.rs`.

pub(crate) mod json;
mod words;
mod line;
mod snapshot;
mod level;
mod header;
mod compact;
mod queue;
mod pieces;
mod output;
mod writer;
mod flight;
mod recorder;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(all(test, feature = "cli"))]
mod format_page;

pub(crate) use header::About;
pub use level::Level;
pub(crate) use line::Lines;
pub(crate) use output::Output;
pub(crate) use recorder::{Beside, Recorder, Target};
