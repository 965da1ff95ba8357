//! `instructions --without-seam`: what it costs, while nobody watches, that somebody could.
//!
//! This program is built once more, into a folder of its own, with `--cfg oneloop_unwatched`. There the one question that a
//! loop asks, whether anybody watches, has its answer when the program is compiled, and the compiler leaves out all that
//! would follow from a yes. Of both the instructions are counted, and the time is taken, in turn:
//!
//! ```text
//!   usual build   ─┐ count   ─┐ time ─┐ time ─┐ …      a row of the table is the ratio of the two counts,
//!   without       ─┘ count   ─┘ time ─┘ time ─┘        and the median of the ratios of times
//! ```

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child;
use crate::driver;
use crate::instructions::{ALLOWED, COUNTED, per_operation};
use crate::measure::median;
use crate::progress::Progress;
use crate::row::{Peer, Row};
use crate::rows;

/// What leaves the seam out.
const FLAG: &str = "--cfg oneloop_unwatched";

/// Times are taken so often of each build.
const RUNS: usize = 9;

/// Builds, counts, and prints the table.
pub fn run() -> Result<(), String> {
    let with = child::this_program()?;
    let without = build(&with)?;
    let mut progress = Progress::new(COUNTED.len());
    let (mut lines, mut above) = (Vec::new(), Vec::new());
    for counted in &COUNTED {
        let row = rows::named(counted.0).ok_or_else(|| format!("there is no row {}", counted.0))?;
        progress.step(row.name, Peer::Oneloop);
        let [least, most] = [per_operation(&without, counted)?, per_operation(&with, counted)?];
        let ratio = most / least;
        lines.push(format!(
            "| {} | {least:.1} | {most:.1} | {ratio:.3} | {} |",
            row.name,
            times(row, &without, &with)?
        ));
        if (ratio - 1.0) * 100.0 > ALLOWED {
            above.push(format!("{}: {most:.1} instructions with the seam, {least:.1} without", row.name));
        }
    }
    progress.end();
    println!("| row | instructions without | with the seam | ratio | ns without | with the seam | ratio |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    println!("{}", lines.join("\n"));
    if above.is_empty() { Ok(()) } else { Err(above.join("\n")) }
}

/// Three cells: median times, and the median of their ratios.
fn times(row: &Row, without: &Path, with: &Path) -> Result<String, String> {
    let mut figures: [Vec<f64>; 3] = Default::default();
    for _ in 0..RUNS {
        let measure = |program| driver::measure(program, row, Peer::Oneloop, row.quick_ops);
        let (least, most) = (measure(without)?, measure(with)?);
        for (list, figure) in figures.iter_mut().zip([least, most, most / least]) {
            list.push(figure);
        }
    }
    let [least, most, ratio] = figures.map(|list| median(&list));
    Ok(format!("{least:.1} | {most:.1} | {ratio:.3}"))
}

/// Builds this program without the seam, in the folder `unwatched` beside the usual build; returns where it is.
fn build(with: &Path) -> Result<PathBuf, String> {
    let target =
        with.ancestors().nth(2).ok_or("this program lies in no folder of cargo's")?.join("unwatched");
    eprintln!("building without the seam, in {}", target.display());
    let flags = env::var("RUSTFLAGS").map(|flags| format!("{flags} {FLAG}")).unwrap_or_else(|_| FLAG.into());
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", flags)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !status.success() {
        return Err(format!("the build without the seam ended with {status}"));
    }
    Ok(target.join("release").join(with.file_name().unwrap_or_default()))
}
