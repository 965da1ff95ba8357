//! One small picture: a curve for each peer, both axes logarithmic, names at the ends of the lines.
//!
//! Logarithmic upwards too, since what matters is by how many times a cost grows: that is the same height anywhere.

use std::fmt::Write as _;

use super::curve::{Curve, PEERS, Unit};
use super::kept::{Kept, Point};

pub const WIDTH: f64 = 312.0;
pub const HEIGHT: f64 = 226.0;

/// Where the curves are drawn, within the picture; the rest is for names and numbers.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 240.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 182.0;

/// Names of two lines stand at least so far apart.
const LINE_HEIGHT: f64 = 13.0;

/// The least height, in powers of ten: what hardly differs is to look so.
const LEAST_DECADES: f64 = 1.3;

/// A logarithmic axis.
struct Scale {
    /// The powers of ten at both ends.
    from: f64,
    to: f64,
    /// Where these ends are in the picture.
    at: (f64, f64),
}

impl Scale {
    fn place(&self, value: f64) -> f64 {
        let part = (value.log10() - self.from) / (self.to - self.from);
        self.at.0 + part * (self.at.1 - self.at.0)
    }

    /// The powers of ten that lie on it.
    fn powers(&self) -> std::ops::RangeInclusive<i32> {
        self.from.ceil() as i32..=self.to.floor() as i32
    }
}

/// The picture's elements, to be put where the sheet wants them.
pub fn panel(curve: &Curve, kept: &Kept) -> String {
    let lines = PEERS.map(|peer| kept.points(curve.name, peer));
    let points = || lines.iter().flatten();
    let x = Scale {
        from: (curve.sizes[0] as f64).log10(),
        to: (curve.sizes[curve.sizes.len() - 1] as f64).log10(),
        at: (LEFT, RIGHT),
    };
    let least = points().map(|point| point.least).fold(f64::INFINITY, f64::min);
    let most = points().map(|point| point.most).fold(0.0, f64::max);
    let y = upwards(least, most);
    let mut svg = String::new();
    let _ = writeln!(svg, r#"<text class="title" x="0" y="14">{}</text>"#, curve.title);
    let _ = writeln!(svg, r#"<text class="quiet" x="0" y="30">{}</text>"#, curve.unit.axis());
    grid(&mut svg, curve, &x, &y);
    for (peer, points) in PEERS.iter().zip(&lines).rev() {
        line(&mut svg, peer, points, &x, &y);
    }
    names(&mut svg, &lines, &y);
    svg
}

/// An axis with some room above and below.
fn upwards(least: f64, most: f64) -> Scale {
    let (from, to) = (least.log10() - 0.12, most.log10() + 0.12);
    let missing = (LEAST_DECADES - (to - from)).max(0.0);
    Scale { from: from - missing / 2.0, to: to + missing / 2.0, at: (BOTTOM, TOP) }
}

fn grid(svg: &mut String, curve: &Curve, x: &Scale, y: &Scale) {
    // A picture of few powers of ten gets the steps between them, too.
    let steps: &[f64] = if y.to - y.from < 2.2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    for power in y.powers().start() - 1..=*y.powers().end() {
        for value in steps.iter().map(|step| step * 10_f64.powi(power)) {
            let height = y.place(value);
            if (TOP..=BOTTOM).contains(&height) {
                let _ = writeln!(svg, r#"<path class="grid" d="M{LEFT} {height:.1}H{RIGHT}"/>"#);
                let (label, right, below) = (curve.unit.says(value), LEFT - 7.0, height + 4.0);
                let _ = writeln!(svg, r#"<text class="tick end" x="{right}" y="{below:.1}">{label}</text>"#);
            }
        }
    }
    for &size in curve.sizes {
        let (place, below) = (x.place(size as f64), BOTTOM + 17.0);
        let label = of_size(size);
        let _ = writeln!(svg, r#"<path class="axis" d="M{place:.1} {BOTTOM}v4"/>"#);
        let _ = writeln!(svg, r#"<text class="tick middle" x="{place:.1}" y="{below}">{label}</text>"#);
    }
    let _ = writeln!(svg, r#"<path class="axis" d="M{LEFT} {BOTTOM}H{RIGHT}"/>"#);
    let (middle, below) = (f64::midpoint(LEFT, RIGHT), BOTTOM + 33.0);
    let _ = writeln!(svg, r#"<text class="quiet middle" x="{middle}" y="{below}">{}</text>"#, curve.counted);
}

/// A band from least to most, the medians, and a dot at each.
fn line(svg: &mut String, peer: &str, points: &[&Point], x: &Scale, y: &Scale) {
    let place =
        |point: &&Point, value: f64| format!("{:.1} {:.1}", x.place(point.size as f64), y.place(value));
    let above = points.iter().map(|point| place(point, point.most));
    let below = points.iter().rev().map(|point| place(point, point.least));
    let band: Vec<String> = above.chain(below).collect();
    let medians: Vec<String> = points.iter().map(|point| place(point, point.median)).collect();
    let _ = writeln!(svg, r#"<g class="{peer}">"#);
    let _ = writeln!(svg, r#"<path class="band" d="M{}Z"/>"#, band.join("L"));
    let _ = writeln!(svg, r#"<path class="line" d="M{}"/>"#, medians.join("L"));
    for point in points {
        let (x, y) = (x.place(point.size as f64), y.place(point.median));
        let _ = writeln!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="2.6"/>"#);
    }
    svg.push_str("</g>\n");
}

/// Each peer's name at the end of its line, or as near to it as the others leave room.
fn names(svg: &mut String, lines: &[Vec<&Point>], y: &Scale) {
    let end = |points: &Vec<&Point>| points.last().map(|point| y.place(point.median));
    let mut places: Vec<(f64, &str)> =
        lines.iter().zip(PEERS).filter_map(|(points, peer)| Some((end(points)?, peer))).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Those that stand too near are moved apart, half by half, until all have room.
    for _ in 0..100 {
        for upper in 1..places.len() {
            let missing = LINE_HEIGHT - (places[upper].0 - places[upper - 1].0);
            if missing > 0.0 {
                places[upper - 1].0 -= missing / 2.0;
                places[upper].0 += missing / 2.0;
            }
        }
    }
    for (place, peer) in places {
        let (right, below) = (RIGHT + 9.0, place + 4.0);
        let _ = writeln!(svg, r#"<text class="name {peer}" x="{right}" y="{below:.1}">{peer}</text>"#);
    }
}

impl Unit {
    /// What the axis counts.
    fn axis(self) -> &'static str {
        match self {
            Unit::Bytes => "bytes each",
            Unit::NanosLate => "time after it was due",
            Unit::CpuNanos => "CPU time each",
            Unit::Nanos => "time each",
        }
    }

    fn says(self, value: f64) -> String {
        match self {
            Unit::Bytes if value < 1e3 => format!("{value} B"),
            Unit::Bytes => format!("{} kB", value / 1e3),
            _ if value < 1e3 => format!("{value} ns"),
            _ if value < 1e6 => format!("{} µs", value / 1e3),
            _ if value < 1e9 => format!("{} ms", value / 1e6),
            _ => format!("{} s", value / 1e9),
        }
    }
}

/// A power of ten as such, any other size in digits.
fn of_size(size: u64) -> String {
    let exponent = size.ilog10();
    if size == 10_u64.pow(exponent) { power_of_ten(exponent as i32) } else { size.to_string() }
}

/// `10⁴`.
pub fn power_of_ten(exponent: i32) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    format!("10{}", RAISED[exponent.unsigned_abs() as usize % 10])
}
