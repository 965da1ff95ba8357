//! Several futures at once: all of them, the first of two, one with a limit of time.

mod gather;
mod try_gather;
mod race;
mod wait_for;

pub use gather::{Gather, gather};
pub use race::{Either, Race, race};
pub use try_gather::{TryGather, try_gather};
pub use wait_for::{TimedOut, WaitFor, wait_for};
