//! The command `growth`: what an operation costs when there are a hundred tasks, timers or connections, and what
//! when there are a million.
//!
//! Each measurement is a process of its own, as in the table, and the peers take turns. What comes of it is kept in
//! `benches/growth.txt`, from which the pictures and the tables of the page are made, so that a curve can be measured
//! anew without the others.

mod blocking;
mod chart;
mod curve;
mod echo;
mod kept;
mod sheet;
mod tables;
mod tasks;
mod timers;
mod waiting;

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::child;
use crate::growth::curve::{ALL, Curve, PEERS};
use crate::growth::kept::{Kept, Point};
use crate::machine;
use crate::page::Page;
use crate::progress::Progress;

/// The command line of `growth`.
#[derive(Args)]
pub struct Arguments {
    /// Only this curve; may be given several times [default: all]
    #[arg(long = "row", value_name = "NAME")]
    rows: Vec<String>,

    /// Measurements of each point, of which the median is taken
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,

    /// Keeps the figures in benches/growth.txt, and draws the pictures anew
    #[arg(long, group = "keeping")]
    write: bool,

    /// Draws what is kept, and measures nothing
    #[arg(long, group = "keeping", conflicts_with_all = ["rows", "runs", "write"])]
    draw: bool,

    /// Also writes the tables into the marked part of this file, with --write or --draw: it is to show what is kept
    #[arg(long, value_name = "FILE", requires = "keeping")]
    markdown: Option<PathBuf>,

    /// One measurement in this process: prints the figure alone
    #[arg(long, num_args = 3, value_names = ["ROW", "PEER", "SIZE"],
          conflicts_with_all = ["rows", "runs", "write", "draw", "markdown"])]
    child: Option<Vec<String>>,
}

const SHEET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/img/growth.svg");

/// Does what the command line asks for.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    if let Some(words) = &arguments.child {
        println!("{}", measure_here(words)?);
        return Ok(());
    }
    let page = arguments.markdown.as_ref().map(|file| Page::read(file, "growth")).transpose()?;
    let mut kept = Kept::read()?;
    if !arguments.draw {
        let curves = chosen(&arguments.rows)?;
        for point in measure_all(&curves, arguments.runs)? {
            kept.replace(point);
        }
        for curve in curves {
            kept.measured(curve.name, &machine::described());
        }
    }
    if arguments.write {
        kept.write()?;
    }
    if arguments.write || arguments.draw {
        fs::write(SHEET, sheet::svg(&kept)).map_err(|error| format!("{SHEET}: {error}"))?;
    }
    let tables = tables::markdown(&kept);
    print!("{tables}");
    page.map_or(Ok(()), |page| page.write(&tables))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Curve>, String> {
    match names.is_empty() {
        true => Ok(ALL.to_vec()),
        false => names.iter().map(|name| curve::named(name)).collect(),
    }
}

/// All points of these curves, in the order of the page.
fn measure_all(curves: &[&'static Curve], runs: u32) -> Result<Vec<Point>, String> {
    let sizes: usize = curves.iter().map(|curve| curve.sizes.len()).sum();
    let mut progress = Progress::new(sizes * PEERS.len() * runs as usize);
    let mut points = Vec::new();
    let program = child::this_program()?;
    for curve in curves {
        for &size in curve.sizes {
            let mut figures = PEERS.map(|_| Vec::new());
            for _ in 0..runs {
                for (peer, figures) in PEERS.iter().zip(&mut figures) {
                    progress.step(&format!("{} {size}", curve.name), peer);
                    let arguments = ["growth", "--child", curve.name, peer, &size.to_string()];
                    figures.push(child::figure(&program, &arguments)?);
                }
            }
            for (peer, figures) in PEERS.iter().zip(figures) {
                points.push(Point::of(curve.name, peer, size, figures));
            }
        }
    }
    progress.end();
    Ok(points)
}

/// A child's work.
fn measure_here(words: &[String]) -> Result<f64, String> {
    let [row, peer, size] = words else {
        return Err("--child takes a row, a peer and a size".into());
    };
    let size = size.parse().map_err(|_| format!("{size} is no size"))?;
    let place = PEERS.iter().position(|name| name == peer);
    let place =
        place.ok_or_else(|| format!("there is no peer {peer}; the peers are {}", PEERS.join(", ")))?;
    Ok(curve::named(row)?.measures[place](size))
}
