//! Chapter 1: the events of a loop, and who is told of them.
//!
//! Next: `trace/who.rs`, who and where.

pub(crate) mod who;
pub(crate) mod frames;
pub(crate) mod event;
pub mod narrate;
pub mod fold;
pub(crate) mod record;
pub(crate) mod observer;
pub(crate) mod watchdog;
pub(crate) mod live;
#[cfg(feature = "cli")]
pub mod read;
#[cfg(feature = "cli")]
pub mod export;
#[cfg(feature = "cli")]
pub mod findings;
#[cfg(feature = "cli")]
pub mod page;

pub use event::*;
pub use frames::Frames;
pub use observer::{Choice, Decision, Observer, Ready};
pub use record::Level;
