//! The rows, one file each. Each file has the work, written once as a generic function, and a list of how
//! each peer is given it.

mod blocking;
mod channel;
pub mod mem;
pub mod ping_pong;
mod sleep;
pub mod spawn_join;
mod tcp_echo;
mod timers_cancel;
mod timers_fire;
mod yield_now;

use crate::row::Row;

/// In the order of the table.
pub const ALL: [&Row; 11] = [
    &yield_now::ROW,
    &ping_pong::ROW,
    &spawn_join::ROW,
    &channel::ROW,
    &timers_fire::MANY,
    &timers_fire::FEW,
    &timers_cancel::ROW,
    &mem::ROW,
    &blocking::ROW,
    &tcp_echo::ROW,
    &sleep::ROW,
];

/// The row of this name.
pub fn named(name: &str) -> Option<&'static Row> {
    ALL.into_iter().find(|row| row.name == name)
}
