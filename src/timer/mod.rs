//! Chapter 6: time: the wheel, which knows no clock, and the clock, which knows no wheel.
//!
//! The idea of a timing wheel, with a worked example, is told in `wheel.rs`; the three files before it are what
//! it is made of, and can be read after it.
//!
//! Before: `tasks/seen.rs`. Next: `timer/list.rs`.

mod list;
pub(crate) mod slots;
mod front;
pub(crate) mod wheel;
pub(crate) mod clock;
