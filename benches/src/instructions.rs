//! The command `instructions`: how many instructions one operation of a row takes, counted under callgrind.
//!
//! Unlike nanoseconds, a count hardly depends on the machine or on what else it does, so it can be compared with one
//! that was taken long ago: `benches/instructions.txt` holds it, and `.ci/run` compares. A row is counted twice, with few
//! operations and with many; the difference leaves out what starting and ending take.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::child;
use crate::machine::says;
use crate::progress::Progress;
use crate::row::Peer;
use crate::without_seam;

/// The command line of `instructions`.
#[derive(Args)]
pub struct Arguments {
    /// Writes what is counted into benches/instructions.txt, instead of comparing with it
    #[arg(long)]
    write: bool,

    /// Compares with a build in which nothing can be watched instead, which it makes; and the times of both
    #[arg(long, conflicts_with = "write")]
    without_seam: bool,
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");

/// What the file says about itself.
const HEAD: &str = "\
# Instructions that one operation of a row takes on oneloop, kernel not counted, in an optimised build.
# Written by: cargo run --release --manifest-path benches/Cargo.toml -- instructions --write
# Without --write, that command compares; a row more than 5 % above its line here fails.
#
# Two counts in a row differ by less than 1 %. Left out, because theirs differ by more, or cannot be taken:
#   timers_fire_1m, timers_fire_20k   the row reads the CPU clock in a way that valgrind does not know
#   blocking, blocking_64, wake_remote
#                                     two threads, and how often one finds the other asleep is left to chance
#   http_client, http_server          the same, and the other thread's instructions would count too
#   crawl                             another program
#   sleep_1ms, sleep_100us, and the same with _p99
#                                     how long the loop is awake before a deadline is left to chance
#   mem                               counts bytes
";

/// By how many per cent a row may rise.
pub const ALLOWED: f64 = 5.0;

/// A row, and the two numbers of operations.
pub type Counted = (&'static str, u64, u64);

/// What is counted.
pub const COUNTED: [Counted; 6] = [
    ("yield", 100_000, 300_000),
    ("ping_pong", 100_000, 300_000),
    ("spawn_join", 100_000, 300_000),
    ("channel", 100_000, 300_000),
    // The first 100,000 fill the ring, and drop nothing.
    ("timers_cancel", 100_000, 300_000),
    ("tcp_echo", 6_400, 19_200),
];

/// Does what the command line asks for.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.without_seam {
        return without_seam::run();
    }
    let toolchain = format!("toolchain {}", says("rustc", "--version"));
    if arguments.write {
        let mut text = format!("{HEAD}{toolchain}\n");
        for (row, count) in count_all()? {
            let _ = writeln!(text, "{row} {count:.1}");
        }
        print!("{text}");
        return fs::write(FILE, text).map_err(|error| format!("{FILE}: {error}"));
    }
    let known = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    if !known.lines().any(|line| line == toolchain) {
        return Err(format!("{FILE} was not made with this {toolchain}; --write makes one that is"));
    }
    compare(&known, &count_all()?)
}

fn compare(known: &str, counts: &[(&str, f64)]) -> Result<(), String> {
    let mut risen = Vec::new();
    for (row, count) in counts {
        let before =
            known.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix(' ')?.parse::<f64>().ok());
        let before = before.ok_or_else(|| format!("{FILE} has no line for {row}"))?;
        let percent = (count / before - 1.0) * 100.0;
        println!("{row:14} {count:8.1} instructions, {percent:+.1} %");
        if percent > ALLOWED {
            risen
                .push(format!("{row} takes {count:.1} instructions instead of {before:.1}, {percent:+.1} %"));
        }
    }
    if risen.is_empty() { Ok(()) } else { Err(risen.join("\n")) }
}

fn count_all() -> Result<Vec<(&'static str, f64)>, String> {
    let mut progress = Progress::new(COUNTED.len());
    let mut counts = Vec::new();
    let program = child::this_program()?;
    for counted in &COUNTED {
        progress.step(counted.0, Peer::Oneloop);
        counts.push((counted.0, per_operation(&program, counted)?));
    }
    progress.end();
    Ok(counts)
}

/// Instructions of one operation of a row, in `program`: this one, or another build of it.
pub fn per_operation(program: &Path, &(row, few, many): &Counted) -> Result<f64, String> {
    let (least, most) = (count(program, row, few)?, count(program, row, many)?);
    Ok(most.saturating_sub(least) as f64 / (many - few) as f64)
}

/// All instructions of one process that does so many operations.
fn count(program: &Path, row: &str, ops: u64) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--child", row, Peer::Oneloop.name(), &ops.to_string()])
        .env_remove("ONELOOP")
        .output()
        .map_err(|error| format!("valgrind cannot be started: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match collected {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(format!("{row}: callgrind counted nothing:\n{said}")),
    }
}
