//! Starts the measurements, one process each, and collects their figures.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::keep::Kept;
use crate::progress::Progress;
use crate::row::{Peer, Row};
use crate::sample::{Sample, Verdict};
use crate::{child, machine};

/// What is to be measured.
pub struct Plan {
    pub rows: Vec<&'static Row>,
    pub peers: Vec<Peer>,
    /// How often each peer is measured, once in a round.
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

/// The peers in turn, and as often as was asked: A B C, C B A, A B C, … Then on with those that decide whether the row's
/// target is met, until that is clear, and the ratio exact.
fn measure_row(plan: &Plan, row: &'static Row, progress: &mut Progress) -> Result<Vec<Sample>, String> {
    let mut rounds = Rounds::new(plan, row)?;
    for _ in 0..plan.runs {
        rounds.next(|_| true, progress)?;
    }
    let decides = |peer| peer == Peer::Oneloop || row.target.is_about(peer);
    let begun = Instant::now();
    let time = if plan.quick { QUICK_TIME } else { MOST_TIME };
    while rounds.done < MOST_ROUNDS && begun.elapsed() < time && rounds.is_open() {
        progress.more(plan.peers_of(row).into_iter().filter(|peer| decides(*peer)).count());
        rounds.next(decides, progress)?;
    }
    Ok(rounds.samples())
}

/// Rounds beyond which a row is too close to its target, or too restless, to tell more: then the median has to do.
const MOST_ROUNDS: u32 = 100;

/// How long is measured on for one row's target.
const MOST_TIME: Duration = Duration::from_secs(180);

/// The same with `--quick`.
const QUICK_TIME: Duration = Duration::from_secs(60);

/// The measurements of a row so far.
struct Rounds {
    row: &'static Row,
    program: PathBuf,
    ops: u64,
    done: u32,
    figures: Vec<(Peer, Vec<f64>)>,
}

impl Rounds {
    fn new(plan: &Plan, row: &'static Row) -> Result<Rounds, String> {
        let figures = plan.peers_of(row).into_iter().map(|peer| (peer, Vec::new())).collect();
        Ok(Rounds { row, program: child::this_program()?, ops: plan.ops(row), done: 0, figures })
    }

    /// Measures once each peer for which `takes_part` holds. Every other round runs backwards, so that a machine that slows
    /// down, or heats up, does not do so always before the same peer.
    fn next(&mut self, takes_part: impl Fn(Peer) -> bool, progress: &mut Progress) -> Result<(), String> {
        let mut peers: Vec<_> = self.figures.iter_mut().filter(|(peer, _)| takes_part(*peer)).collect();
        if self.done % 2 == 1 {
            peers.reverse();
        }
        for (peer, figures) in peers {
            progress.step(self.row.name, *peer);
            figures.push(measure(&self.program, self.row, *peer, self.ops)?);
        }
        self.done += 1;
        Ok(())
    }

    /// Whether a round more may tell more. A target that oneloop's own figures decide has had its rounds.
    fn is_open(&self) -> bool {
        let rivals = self.figures.iter().any(|(peer, _)| self.row.target.is_about(*peer));
        let verdict = Verdict::of(self.row.target, &self.samples());
        rivals && verdict.is_some_and(|verdict| !(verdict.is_clear() && verdict.is_exact()))
    }

    fn samples(&self) -> Vec<Sample> {
        self.figures.iter().filter_map(|(peer, figures)| Sample::of(*peer, figures.clone())).collect()
    }
}

/// One measurement, in a process of its own: `program` is this one, or another build of it. NaN: it cannot be made on this
/// machine, and said why.
pub fn measure(program: &Path, row: &Row, peer: Peer, ops: u64) -> Result<f64, String> {
    child::figure(program, &["--child", row.name, peer.name(), &ops.to_string()])
}
