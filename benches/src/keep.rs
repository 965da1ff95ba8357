//! Figures kept in a file, so that a table can be measured row by row, whenever the machine is quiet.
//!
//! ```text
//!   yield: 1000000 operations, quick, 3 rounds of oneloop tokio smol; AMD EPYC, 2 cores; …; 2026-11-21
//!    oneloop 7.7 8.2 7.6 7.7 7.5 …
//!    tokio 25.5 25.3 41.2 25.4 26.0 …
//!    smol 57.1 58.0 56.9
//! ```
//!
//! The figures are in the order of the rounds; those that decide whether the target is met have more of them.
//!
//! A row is taken from there only if it was measured as it would be now: with as many operations and rounds, and with the
//! same peers. Else it is measured anew and added, and of two the later one counts.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use crate::driver::{Measured, Plan};
use crate::row::{Peer, Row};
use crate::sample::Sample;

/// Such a file, or none.
pub struct Kept(Option<PathBuf>);

impl Kept {
    pub fn new(file: Option<PathBuf>) -> Kept {
        Kept(file)
    }

    /// What the file has of a row; `None`: it has to be measured.
    ///
    /// # Errors
    /// If the file is there and cannot be read, or is of another kind.
    pub fn find(&self, plan: &Plan, row: &Row) -> Result<Option<Measured>, String> {
        let Some(file) = &self.0 else { return Ok(None) };
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| format!("{}: {error}", file.display()))?,
        };
        let wanted = head(plan, row);
        let mut found = None;
        // Whether these lines are of the row.
        let mut inside = false;
        for line in text.lines() {
            if let Some(line) = line.strip_prefix(' ') {
                let sample =
                    sample(line).ok_or_else(|| format!("{}: {line:?} has no figures", file.display()))?;
                if let Some(Measured { samples, .. }) = found.as_mut().filter(|_| inside) {
                    samples.push(sample);
                }
            } else if let Some(place) = line.strip_prefix(&wanted) {
                inside = true;
                found = Some(Measured { samples: Vec::new(), place: place.to_owned() });
            } else {
                inside = false;
            }
        }
        Ok(found)
    }

    /// Adds what was measured of a row.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&self, plan: &Plan, row: &Row, measured: &Measured) -> Result<(), String> {
        let Some(file) = &self.0 else { return Ok(()) };
        let mut text = format!("{}{}\n", head(plan, row), measured.place);
        for sample in &measured.samples {
            let figures: Vec<String> = sample.figures().iter().map(f64::to_string).collect();
            text += &format!(" {} {}\n", sample.peer, figures.join(" "));
        }
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
        written.map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// How a row is measured; behind it, the file has where and when.
fn head(plan: &Plan, row: &Row) -> String {
    let peers: Vec<&str> = plan.peers_of(row).into_iter().map(Peer::name).collect();
    let quick = if plan.quick { "quick, " } else { "" };
    let (name, ops, rounds, peers) = (row.name, plan.ops(row), plan.runs, peers.join(" "));
    format!("{name}: {ops} operations, {quick}{rounds} rounds of {peers}; ")
}

fn sample(line: &str) -> Option<Sample> {
    let (name, figures) = line.split_once(' ')?;
    let peer = Peer::ALL.into_iter().find(|peer| peer.name() == name)?;
    Sample::of(peer, figures.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?)
}
