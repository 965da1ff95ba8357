//! The figures as `benches/growth.txt` keeps them: a line for each point of each curve.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;

use super::curve::{self, ALL, PEERS};
use crate::measure::median;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/growth.txt");

/// What the file says about itself.
const HEAD: &str = "\
# What one operation costs as the work grows.
# Written by: cargo run --release --manifest-path benches/Cargo.toml -- growth --write
# A line is: curve, peer, size, median, least, most.
";
/// At the head of the lines that were measured there.
const MEASURED_ON: &str = "# Measured on: ";

/// What one peer needs for one operation at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub curve: String,
    pub peer: String,
    pub size: u64,
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Point {
    /// Of the figures of some measurements.
    pub fn of(curve: &str, peer: &str, size: u64, mut figures: Vec<f64>) -> Point {
        figures.sort_by(f64::total_cmp);
        let (least, most) = (figures[0], figures[figures.len() - 1]);
        let (curve, peer) = (curve.to_owned(), peer.to_owned());
        Point { curve, peer, size, median: median(&figures), least, most }
    }

    fn parse(line: &str) -> Option<Point> {
        let [curve, peer, size, median, least, most] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let (curve, peer) = (curve.to_owned(), peer.to_owned());
        let (median, least, most) = (median.parse().ok()?, least.parse().ok()?, most.parse().ok()?);
        Some(Point { curve, peer, size: size.parse().ok()?, median, least, most })
    }

    fn is_where(&self, other: &Point) -> bool {
        (&self.curve, &self.peer, self.size) == (&other.curve, &other.peer, other.size)
    }
}

/// All that has been measured.
pub struct Kept {
    points: Vec<Point>,
    /// On what machine and when each curve was measured, by its name.
    places: HashMap<String, String>,
}

impl Kept {
    /// Reads the file; without one, nothing has been measured.
    pub fn read() -> Result<Kept, String> {
        let mut kept = Kept { points: Vec::new(), places: HashMap::new() };
        let Ok(text) = fs::read_to_string(FILE) else { return Ok(kept) };
        let mut place = "";
        for line in text.lines() {
            if let Some(next) = line.strip_prefix(MEASURED_ON) {
                place = next;
            } else if !line.starts_with('#') {
                let point = Point::parse(line);
                let point = point.ok_or_else(|| format!("{FILE}: {line:?} is no point of a curve"))?;
                kept.measured(&point.curve, place);
                kept.points.push(point);
            }
        }
        Ok(kept)
    }

    /// Where and when a curve was measured; empty if it was not.
    pub fn place(&self, curve: &str) -> &str {
        self.places.get(curve).map_or("", |place| place)
    }

    /// A curve was measured there.
    pub fn measured(&mut self, curve: &str, place: &str) {
        self.places.insert(curve.to_owned(), place.to_owned());
    }

    /// A point takes the place of one measured before.
    pub fn replace(&mut self, point: Point) {
        self.points.retain(|known| !known.is_where(&point));
        self.points.push(point);
    }

    /// What is known of a peer's curve, by size.
    pub fn points(&self, curve: &str, peer: &str) -> Vec<&Point> {
        let of_these = |point: &&Point| point.curve == curve && point.peer == peer;
        let mut points: Vec<&Point> = self.points.iter().filter(of_these).collect();
        points.sort_by_key(|point| point.size);
        points
    }

    /// Writes the file, in the order of the page. A point of a curve or a size that there is no more is left out.
    pub fn write(&self) -> Result<(), String> {
        let mut text = HEAD.to_owned();
        let mut place = "";
        for curve in ALL {
            if self.place(curve.name) != place {
                place = self.place(curve.name);
                let _ = writeln!(text, "{MEASURED_ON}{place}");
            }
            for peer in PEERS {
                for point in self.points(curve.name, peer) {
                    if curve::named(&point.curve)?.sizes.contains(&point.size) {
                        let Point { curve, peer, size, median, least, most } = point;
                        let _ = writeln!(text, "{curve} {peer} {size} {median:.1} {least:.1} {most:.1}");
                    }
                }
            }
        }
        fs::write(FILE, text).map_err(|error| format!("{FILE}: {error}"))
    }
}
