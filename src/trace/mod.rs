//! Chapter 1: the events of a loop, and who is told of them.
//!
//! Next: `trace/who.rs`, who and where.

pub(crate) mod who;
pub(crate) mod event;
pub mod narrate;
#[allow(dead_code, unused_imports, reason = "the recorder that uses it comes next")]
pub(crate) mod record;
pub(crate) mod observer;
#[cfg(feature = "cli")]
pub mod read;

pub use event::*;
pub use observer::{Choice, Decision, Observer, Ready};
