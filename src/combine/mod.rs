//! Chapter 24: several futures at once: all of them, the first of two, as they come, with a limit of time.
//!
//! Before: `sleep.rs`. Next: `combine/gather.rs`.

mod gather;
mod try_gather;
mod race;
mod shield;
mod several;
mod wait;
mod wait_for;
mod as_completed;
mod timeout;

pub use as_completed::{AsCompleted, AsCompletedWithin, NextCompleted, as_completed};
pub use gather::{Gather, gather};
pub use race::{Either, Race, race};
pub use shield::{Shield, shield};
pub use timeout::{Limit, Timeout, timeout, timeout_at};
pub use try_gather::{TryGather, try_gather};
pub use wait::{ReturnWhen, WaitTasks, Waited, wait};
pub use wait_for::{TimedOut, WaitFor, wait_for};
