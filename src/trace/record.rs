//! Chapter 56: how does a run become a file?
//!
//! The trace format is lines of JSON, one for each event: people can read it, any language can, and packed with gzip it
//! takes a dozen bytes an event. `docs/trace-format.md` describes it.
//!
//! ```text
//!   an event ──▶ line.rs ──▶ {"k":"wake","n":8,"t":500001,"c":7,"task":1,"by":{"timer":0},"effect":"queued"}
//! ```
//!
//! Before: `trace/narrate/words.rs`. Next: `trace/record/json.rs`, numbers and strings.

pub(crate) mod json;
mod words;
mod line;
mod level;
mod header;

#[cfg(test)]
pub(crate) mod samples;

pub(crate) use header::About;
pub(crate) use level::Level;
pub(crate) use line::Lines;
