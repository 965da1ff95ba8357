//! Starts the measurements, one process each, and collects their figures.

use std::env;
use std::process::{Command, Stdio};

use crate::progress::Progress;
use crate::row::{Peer, Row};
use crate::start::SMOL_POOL;

/// What is to be measured.
pub struct Plan {
    pub rows: Vec<&'static Row>,
    pub peers: Vec<Peer>,
    pub runs: u32,
    pub quick: bool,
}

impl Plan {
    /// The peers of a row that were asked for, in the order of the columns.
    pub fn peers_of(&self, row: &Row) -> Vec<Peer> {
        let takes_part = |peer: &Peer| self.peers.contains(peer) && row.measure(*peer).is_some();
        Peer::ALL.into_iter().filter(takes_part).collect()
    }

    pub fn ops(&self, row: &Row) -> u64 {
        if self.quick { row.quick_ops } else { row.ops }
    }
}

/// All figures of one peer in one row.
pub struct Sample {
    pub peer: Peer,
    /// In ascending order; never empty.
    figures: Vec<f64>,
}

impl Sample {
    pub fn median(&self) -> f64 {
        let middle = self.figures.len() / 2;
        match self.figures.len() % 2 {
            1 => self.figures[middle],
            _ => f64::midpoint(self.figures[middle - 1], self.figures[middle]),
        }
    }

    pub fn least(&self) -> f64 {
        self.figures[0]
    }

    pub fn most(&self) -> f64 {
        self.figures[self.figures.len() - 1]
    }
}

/// Does the whole plan: row by row, and in each row A B C, A B C, … Returns a list of samples per row.
pub fn run(plan: &Plan) -> Result<Vec<Vec<Sample>>, String> {
    let total: usize = plan.rows.iter().map(|row| plan.peers_of(row).len() * plan.runs as usize).sum();
    let mut progress = Progress::new(total);
    let mut results = Vec::new();
    for row in &plan.rows {
        let empty = |peer| Sample { peer, figures: Vec::new() };
        let mut samples: Vec<Sample> = plan.peers_of(row).into_iter().map(empty).collect();
        for _ in 0..plan.runs {
            for sample in &mut samples {
                progress.step(row.name, sample.peer);
                sample.figures.push(measure(row, sample.peer, plan.ops(row))?);
            }
        }
        for sample in &mut samples {
            sample.figures.sort_by(f64::total_cmp);
        }
        results.push(samples);
    }
    progress.end();
    Ok(results)
}

/// One measurement, in a process of its own.
fn measure(row: &Row, peer: Peer, ops: u64) -> Result<f64, String> {
    let what = format!("{} {peer}", row.name);
    let program = env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    let (variable, value) = SMOL_POOL;
    let output = Command::new(program)
        .args(["--child", row.name, peer.name(), &ops.to_string()])
        .env(variable, value)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{what}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{what}: the measurement ended with {}", output.status));
    }
    let figure = String::from_utf8_lossy(&output.stdout);
    figure.trim().parse().map_err(|_| format!("{what}: {figure:?} is no figure"))
}
