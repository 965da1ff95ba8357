//! Starts the measurements, one process each, and collects their figures.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::keep::Kept;
use crate::progress::Progress;
use crate::row::{Peer, Row};
use crate::start::SMOL_POOL;

/// What is to be measured.
pub struct Plan {
    pub rows: Vec<&'static Row>,
    pub peers: Vec<Peer>,
    pub runs: u32,
    pub quick: bool,
    /// The peers that were asked for and cannot be measured here, and why.
    pub absent: Vec<(Peer, String)>,
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
    /// `None` if there is no figure.
    pub fn of(peer: Peer, mut figures: Vec<f64>) -> Option<Sample> {
        figures.retain(|figure| !figure.is_nan());
        figures.sort_by(f64::total_cmp);
        (!figures.is_empty()).then_some(Sample { peer, figures })
    }

    pub fn figures(&self) -> &[f64] {
        &self.figures
    }

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

/// Does the whole plan, row by row, save for the rows that are kept. Returns a list of samples per row.
pub fn run(plan: &Plan, kept: &Kept) -> Result<Vec<Vec<Sample>>, String> {
    let total: usize = plan.rows.iter().map(|row| plan.peers_of(row).len() * plan.runs as usize).sum();
    let mut progress = Progress::new(total);
    let mut results = Vec::new();
    for row in &plan.rows {
        let mut samples = kept.samples(row, &plan.peers)?;
        if samples.is_empty() {
            samples = measure_row(plan, row, &mut progress)?;
            kept.add(row, &samples)?;
        }
        results.push(samples);
    }
    progress.end();
    Ok(results)
}

/// The peers in turn: A B C, A B C, …
fn measure_row(plan: &Plan, row: &Row, progress: &mut Progress) -> Result<Vec<Sample>, String> {
    let peers = plan.peers_of(row);
    let program = env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    let mut figures = vec![Vec::new(); peers.len()];
    for _ in 0..plan.runs {
        for (peer, figures) in peers.iter().zip(&mut figures) {
            progress.step(row.name, peer);
            figures.push(measure(&program, row, *peer, plan.ops(row))?);
        }
    }
    Ok(peers.into_iter().zip(figures).filter_map(|(peer, figures)| Sample::of(peer, figures)).collect())
}

/// One measurement, in a process of its own: `program` is this one, or another build of it. NaN: it cannot be made on this
/// machine, and said why.
pub fn measure(program: &Path, row: &Row, peer: Peer, ops: u64) -> Result<f64, String> {
    let what = format!("{} {peer}", row.name);
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
