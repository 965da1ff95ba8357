//! Starts the measurements, one process each, and collects their figures.

use std::path::Path;

use crate::keep::Kept;
use crate::measure::median;
use crate::progress::Progress;
use crate::row::{Peer, Row};
use crate::{child, machine};

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
        median(&self.figures)
    }

    pub fn least(&self) -> f64 {
        self.figures[0]
    }

    pub fn most(&self) -> f64 {
        self.figures[self.figures.len() - 1]
    }
}

/// What was measured of one row.
pub struct Measured {
    pub samples: Vec<Sample>,
    /// On what machine, and on what day.
    pub place: String,
}

/// Does the whole plan, row by row, save for the rows that are kept.
pub fn run(plan: &Plan, kept: &Kept) -> Result<Vec<Measured>, String> {
    let total: usize = plan.rows.iter().map(|row| plan.peers_of(row).len() * plan.runs as usize).sum();
    let mut progress = Progress::new(total);
    let mut results = Vec::new();
    for row in &plan.rows {
        let measured = match kept.find(plan, row)? {
            Some(measured) => measured,
            None => {
                let samples = measure_row(plan, row, &mut progress)?;
                let measured = Measured { samples, place: machine::described() };
                kept.add(plan, row, &measured)?;
                measured
            }
        };
        results.push(measured);
    }
    progress.end();
    Ok(results)
}

/// The peers in turn: A B C, A B C, …
fn measure_row(plan: &Plan, row: &Row, progress: &mut Progress) -> Result<Vec<Sample>, String> {
    let peers = plan.peers_of(row);
    let program = child::this_program()?;
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
    child::figure(program, &["--child", row.name, peer.name(), &ops.to_string()])
}
