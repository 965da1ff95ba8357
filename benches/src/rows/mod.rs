//! The rows, one file each. Each file has the work, written once as a generic function, and a list of how
//! each peer is given it.

mod another_thread;
pub mod blocking;
mod channel;
mod crawl;
mod http;
pub mod mem;
pub mod ping_pong;
mod sleep;
pub mod spawn_join;
pub mod tcp_echo;
pub mod timers_cancel;
pub mod timers_fire;
mod wake_remote;
mod yield_now;

use crate::row::Row;

/// In the order of the table.
pub const ALL: [&Row; 19] = [
    &yield_now::ROW,
    &ping_pong::ROW,
    &spawn_join::ROW,
    &channel::ROW,
    &timers_fire::MANY,
    &timers_fire::FEW,
    &timers_cancel::ROW,
    &mem::ROW,
    &blocking::ONE,
    &blocking::MANY,
    &wake_remote::ROW,
    &tcp_echo::ROW,
    &sleep::MILLISECOND,
    &sleep::MILLISECOND_P99,
    &sleep::TENTH,
    &sleep::TENTH_P99,
    &http::CLIENT,
    &http::SERVER,
    &crawl::ROW,
];

/// The row of this name.
pub fn named(name: &str) -> Option<&'static Row> {
    ALL.into_iter().find(|row| row.name == name)
}
