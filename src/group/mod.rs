//! Chapter 26: how can one be sure that no task is left over?
//!
//! A spawned task goes on by itself, and its failure is heard by whoever thinks of asking. A task group ties tasks
//! to a piece of the program: what is started inside has ended, all of it, before the piece is left; and the first
//! failure stops the rest. This is called structured concurrency.
//!
//! ```text
//!   TaskGroup::scope(async |group| {     body ──────────┐ waits ┐
//!       group.spawn(a);                    a ─────────────✗ error: body and b are cancelled, and only
//!       group.spawn(b);                    b ───────────────┘       when both have ended
//!       …                                                   ▼
//!   }).await                                             Err(GroupError)
//! ```
//!
//! The parts: `error` is what a failed group returns, `members` knows who is in it and ends them, `handle` is what
//! `spawn` returns, and `scope` is the group itself with the future that runs its body.
//!
//! Before: `sync/oneshot.rs`. Next: `group/error.rs`.

mod error;
mod members;
mod handle;
mod scope;

pub use error::{GroupError, GroupFailure};
pub use handle::GroupHandle;
pub use scope::{GroupScope, TaskGroup};
