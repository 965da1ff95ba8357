//! Chapter 35, part 32: a program that another one watches while it goes on.
//!
//! Two ways, both through a Unix-domain socket, both asked for with `ONELOOP` and off otherwise:
//!
//! ```text
//!   step=SOCKET   the program connects to the stepper, tells it each event and waits there      live/step.rs
//!                 until it is told to go on; what it may be told is in                           live/command.rs
//!   attach        the program listens, and says how its tasks stand to whoever asks              live/attach.rs
//! ```
//!
//! A stepper decides when the program goes on, and may decide otherwise where the loop chooses. One that attaches
//! changes nothing.
//!
//! Before: `trace/watchdog.rs`. Next: `trace/live/command.rs`.

pub(crate) mod command;
pub(crate) mod step;
pub(crate) mod attach;
