//! Figures kept in a file, so that a table can be measured row by row, whenever the machine is quiet.
//!
//! ```text
//!   yield oneloop 7.6 7.7 8.2
//!   yield tokio 25.3 25.5 41.2
//! ```

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use crate::driver::Sample;
use crate::row::{Peer, Row};

/// Such a file, or none.
pub struct Kept(Option<PathBuf>);

impl Kept {
    pub fn new(file: Option<PathBuf>) -> Kept {
        Kept(file)
    }

    /// What the file has of a row; empty if it has nothing.
    ///
    /// # Errors
    /// If the file is there and cannot be read, or is of another kind.
    pub fn samples(&self, row: &Row, peers: &[Peer]) -> Result<Vec<Sample>, String> {
        let Some(file) = &self.0 else { return Ok(Vec::new()) };
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|error| format!("{}: {error}", file.display()))?,
        };
        let mut samples = Vec::new();
        for line in text.lines() {
            let mut words = line.split(' ');
            let (name, peer) = (words.next(), words.next());
            let Some(peer) = peers.iter().find(|known| peer == Some(known.name())) else { continue };
            if name == Some(row.name) {
                let figures = words.map(str::parse).collect::<Result<Vec<f64>, _>>();
                let figures = figures.map_err(|_| format!("{}: {line:?} has no figures", file.display()))?;
                samples.extend(Sample::of(*peer, figures));
            }
        }
        Ok(samples)
    }

    /// Adds what was measured of a row.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&self, row: &Row, samples: &[Sample]) -> Result<(), String> {
        let Some(file) = &self.0 else { return Ok(()) };
        let lines = samples.iter().map(|sample| {
            let figures: Vec<String> = sample.figures().iter().map(f64::to_string).collect();
            format!("{} {} {}\n", row.name, sample.peer, figures.join(" "))
        });
        let text: String = lines.collect();
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
        written.map_err(|error| format!("{}: {error}", file.display()))
    }
}
