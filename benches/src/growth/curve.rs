//! What a curve is, and all of them.

use super::{blocking, echo, tasks, timers, waiting};
use crate::row::{self, Peer, Row};

/// Who takes part in every curve, in the order in which they run: oneloop, tokio's current-thread runtime, and smol's
/// `LocalExecutor` with async-io. tokio is `tokio::spawn`, but for the curves where another variant is clearly faster in
/// the table: `LocalRuntime` for `ping_pong`, a `LocalSet` for `spawn_join` and
/// `blocking`.
pub const PEERS: [&str; 3] = ["oneloop", "tokio", "smol"];

/// Does the work at a size, and returns the figure for one operation. Runs in a process of its own.
pub use row::Measure;

/// One operation, measured at sizes far apart.
pub struct Curve {
    pub name: &'static str,
    /// What one operation is, in a few words.
    pub title: &'static str,
    /// What there are so many of.
    pub counted: &'static str,
    pub unit: Unit,
    pub sizes: &'static [u64],
    /// In the order of [`PEERS`].
    pub measures: [Measure; PEERS.len()],
}

/// What a figure counts. Less is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Nanos,
    CpuNanos,
    Bytes,
    NanosLate,
}

impl Unit {
    pub fn label(self) -> &'static str {
        match self {
            Unit::Nanos => "ns",
            Unit::CpuNanos => "CPU ns",
            Unit::Bytes => "bytes",
            Unit::NanosLate => "ns late",
        }
    }
}

/// The measures of a row of the table, whose number of operations is then the size.
pub const fn of_row(row: &Row) -> [Measure; PEERS.len()] {
    [of_peer(row, Peer::Oneloop), of_peer(row, Peer::Tokio), of_peer(row, Peer::Smol)]
}

const fn of_peer(row: &Row, peer: Peer) -> Measure {
    let mut place = 0;
    // A row without this peer would end the compilation here.
    while row.peers[place].0 as u8 != peer as u8 {
        place += 1;
    }
    row.peers[place].1
}

/// From a hundred to a million.
pub const DECADES: &[u64] = &[100, 1_000, 10_000, 100_000, 1_000_000];
/// Memory is counted in pages, which are too coarse for a hundred tasks.
pub const FROM_A_THOUSAND: &[u64] = &[1_000, 10_000, 100_000, 1_000_000];
/// A connection takes two ports, with that of the listener it was made by, and two descriptors of the one process.
/// `connections` has more of them.
pub const CONNECTIONS: &[u64] = &[10, 100, 1_000, 4_000];

/// In the order of the sheet and of the page.
pub const ALL: [&Curve; 12] = [
    &tasks::YIELD,
    &tasks::PING_PONG,
    &tasks::SPAWN_JOIN,
    &tasks::CANCEL,
    &waiting::QUEUE,
    &waiting::BROADCAST,
    &timers::FIRE,
    &timers::LATE,
    &timers::CANCEL,
    &tasks::MEMORY,
    &echo::ECHO,
    &blocking::JOBS,
];

/// The curve of this name.
pub fn named(name: &str) -> Result<&'static Curve, String> {
    let names = || ALL.map(|curve| curve.name).join(", ");
    let found = ALL.into_iter().find(|curve| curve.name == name);
    found.ok_or_else(|| format!("there is no curve {name}; the curves are {}", names()))
}
