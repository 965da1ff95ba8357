//! What a row of the table is: a piece of work, the peers that can do it, and what oneloop must reach.

use std::fmt;

/// A program that does a row's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Oneloop,
    /// tokio's current-thread runtime and `tokio::spawn`.
    Tokio,
    /// The same runtime with a `LocalSet` and `spawn_local`.
    TokioSet,
    /// tokio's `LocalRuntime` and `spawn_local`.
    TokioLocal,
    /// async-executor's `LocalExecutor` and async-io.
    Smol,
    /// `LocalPool` of the crate futures, which has tasks and queues, and neither timers nor sockets.
    LocalPool,
    /// compio, on io_uring.
    Compio,
    /// monoio, on io_uring, or on epoll where the kernel refuses that.
    Monoio,
    /// Python's asyncio, with its own loop.
    Asyncio,
    /// asyncio on uvloop, which is libuv.
    Uvloop,
    /// No runtime: the same work written by hand, on mio where it needs the kernel. The limit.
    Bare,
}

impl Peer {
    /// In the order of the table's columns, in which they also run; in every other round backwards.
    pub const ALL: [Peer; 11] = [
        Peer::Oneloop,
        Peer::Tokio,
        Peer::TokioSet,
        Peer::TokioLocal,
        Peer::Smol,
        Peer::LocalPool,
        Peer::Compio,
        Peer::Monoio,
        Peer::Asyncio,
        Peer::Uvloop,
        Peer::Bare,
    ];

    /// The name on the command line and at the head of the column.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Oneloop => "oneloop",
            Peer::Tokio => "tokio",
            Peer::TokioSet => "tokio-set",
            Peer::TokioLocal => "tokio-local",
            Peer::Smol => "smol",
            Peer::LocalPool => "local-pool",
            Peer::Compio => "compio",
            Peer::Monoio => "monoio",
            Peer::Asyncio => "asyncio",
            Peer::Uvloop => "uvloop",
            Peer::Bare => "bare",
        }
    }

    /// Whether it is a runtime other than oneloop.
    pub fn is_runtime(self) -> bool {
        !matches!(self, Peer::Oneloop | Peer::Bare)
    }

    /// Whether this is one of tokio's variants; ratios are taken to the best of them.
    pub fn is_tokio(self) -> bool {
        matches!(self, Peer::Tokio | Peer::TokioSet | Peer::TokioLocal)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a row's figure counts. Less is better in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    WallNanos,
    CpuNanos,
    Bytes,
    /// Microseconds later than asked.
    MicrosLate,
    WallMillis,
}

impl Unit {
    pub fn label(self) -> &'static str {
        match self {
            Unit::WallNanos => "ns",
            Unit::CpuNanos => "CPU ns",
            Unit::Bytes => "bytes",
            Unit::MicrosLate => "µs late",
            Unit::WallMillis => "ms",
        }
    }
}

/// What oneloop must reach in a row.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// So many times as fast as tokio's best variant.
    TimesTokio(f64),
    /// At most so much.
    AtMost(f64),
    /// At most so many per cent above the work written by hand.
    AboveBare(f64),
    /// Nothing is asked; the row is there to be known.
    None,
}

impl Target {
    /// Whether it compares oneloop with this peer.
    pub fn is_about(self, peer: Peer) -> bool {
        match self {
            Target::TimesTokio(_) => peer.is_tokio(),
            Target::AboveBare(_) => peer == Peer::Bare,
            Target::AtMost(_) | Target::None => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::TimesTokio(times) => write!(f, "≥ {times} × tokio"),
            Target::AtMost(most) => write!(f, "≤ {most}"),
            Target::AboveBare(percent) => write!(f, "≤ bare + {percent} %"),
            Target::None => write!(f, "–"),
        }
    }
}

/// Does so many operations, and returns the figure for one. Runs in a process of its own.
pub type Measure = fn(u64) -> f64;

/// One line of the table.
pub struct Row {
    pub name: &'static str,
    /// What one operation is, in one sentence.
    pub operation: &'static str,
    pub unit: Unit,
    /// Operations in one measurement.
    pub ops: u64,
    /// The same with `--quick`.
    pub quick_ops: u64,
    pub target: Target,
    pub peers: &'static [(Peer, Measure)],
}

impl Row {
    /// The peer's way to do this row, if it takes part.
    pub fn measure(&self, peer: Peer) -> Option<Measure> {
        self.peers.iter().find(|(other, _)| *other == peer).map(|(_, measure)| *measure)
    }
}
