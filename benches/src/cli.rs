//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::connections;
use crate::costs;
use crate::driver::Plan;
use crate::growth;
use crate::instructions;
use crate::row::{Peer, Row};
use crate::rows;
use crate::start;
use crate::watching;

/// Compares oneloop with tokio's current-thread runtime, smol, futures' LocalPool, compio, monoio, Python's asyncio and
/// uvloop, and work written by hand.
///
/// Every measurement is a process of its own; the peers of a row run in turn, round by round, and the tables give how
/// many times as much as oneloop each peer takes, medians and ranges. Less is better in every row. Those that decide
/// whether a row meets its target are measured on until that is clear. A peer that the kernel refuses, or that is
/// not installed, is left out with a word on why. Without arguments: all rows, up to three quarters of an hour.
#[derive(Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  cargo run --release --manifest-path benches/Cargo.toml
  cargo run --release --manifest-path benches/Cargo.toml -- --row yield --row tcp_echo --runs 9
  cargo run --release --manifest-path benches/Cargo.toml -- --quick --markdown docs/performance.md
  cargo run --release --manifest-path benches/Cargo.toml -- costs
  cargo run --release --manifest-path benches/Cargo.toml -- instructions

benches/README.md says what each row measures."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Only this row; may be given several times [default: all; --list names them]
    #[arg(long = "row", value_name = "NAME")]
    rows: Vec<String>,

    /// Only this peer; may be given several times [default: all that take part in the row]
    #[arg(long = "peer", value_name = "NAME")]
    peers: Vec<String>,

    /// Runs of each peer in each row, one in each round [default: 5; 3 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: Option<u32>,

    /// Fewer rounds, and shorter ones where that changes little: a quarter of an hour, for a first impression
    #[arg(long)]
    quick: bool,

    /// Also writes the table, as Markdown, into the marked part of this file
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,

    /// Keeps the figures in this file; rows that it has already are not measured again
    #[arg(long, value_name = "FILE")]
    pub keep: Option<PathBuf>,

    /// Names the rows, what each measures and who takes part, and does nothing else
    #[arg(long)]
    pub list: bool,

    /// One measurement in this process, for a profiler: prints the figure alone
    #[arg(long, num_args = 3, value_names = ["ROW", "PEER", "OPS"],
          conflicts_with_all = ["rows", "peers", "runs", "quick", "markdown", "keep", "list"])]
    child: Option<Vec<String>>,
}

/// What else there is to measure than the rows.
#[derive(Subcommand)]
pub enum Command {
    /// As many connections as the limit of descriptors allows, all open at once
    Connections(connections::Arguments),
    /// What a task, a thread and a process cost, and what each is good for
    Costs(costs::Arguments),
    /// What an operation costs as the work grows, with pictures
    Growth(growth::Arguments),
    /// Instructions of each row under callgrind, compared with those in benches/instructions.txt
    Instructions(instructions::Arguments),
    /// What it costs a loop to be watched, an event at a time
    Watching(watching::Arguments),
}

/// One measurement.
pub struct Child {
    pub row: &'static Row,
    pub peer: Peer,
    pub ops: u64,
}

impl Arguments {
    /// What a child is to measure, if this process is one.
    pub fn child(&self) -> Option<Result<Child, String>> {
        let words = self.child.as_ref()?;
        Some(Child::parse(words))
    }

    /// What the driver is to measure.
    pub fn plan(&self) -> Result<Plan, String> {
        let rows = match self.rows.is_empty() {
            true => rows::ALL.to_vec(),
            false => self.rows.iter().map(|name| row(name)).collect::<Result<_, _>>()?,
        };
        let mut peers = match self.peers.is_empty() {
            true => Peer::ALL.to_vec(),
            false => self.peers.iter().map(|name| peer(name)).collect::<Result<_, _>>()?,
        };
        let absent: Vec<(Peer, String)> =
            peers.iter().filter_map(|peer| Some((*peer, start::check(*peer).err()?))).collect();
        peers.retain(|peer| !absent.iter().any(|(other, _)| other == peer));
        for (peer, why) in &absent {
            eprintln!("without {peer}: {why}");
        }
        let runs = self.runs.unwrap_or(if self.quick { 3 } else { 5 });
        Ok(Plan { rows, peers, runs, quick: self.quick, absent })
    }
}

impl Child {
    fn parse(words: &[String]) -> Result<Child, String> {
        let [row_name, peer_name, ops] = words else {
            return Err("--child takes a row, a peer and a number of operations".into());
        };
        let ops = ops.parse().map_err(|_| format!("{ops} is no number of operations"))?;
        Ok(Child { row: row(row_name)?, peer: peer(peer_name)?, ops })
    }
}

fn row(name: &str) -> Result<&'static Row, String> {
    let names = || rows::ALL.map(|row| row.name).join(", ");
    rows::named(name).ok_or_else(|| format!("there is no row {name}; the rows are {}", names()))
}

fn peer(name: &str) -> Result<Peer, String> {
    let names = || Peer::ALL.map(Peer::name).join(", ");
    let found = Peer::ALL.into_iter().find(|peer| peer.name() == name);
    found.ok_or_else(|| format!("there is no peer {name}; the peers are {}", names()))
}
