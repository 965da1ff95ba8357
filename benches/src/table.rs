//! The table, as Markdown that can be read as it stands.

use std::fmt::Write as _;

use crate::driver::{Plan, Sample};
use crate::machine;
use crate::row::{Peer, Row, Target};
use crate::rows;

/// The versions of the peers are those that this program was built with.
const LOCK: &str = include_str!("../Cargo.lock");

/// The whole report: where and with what, medians and ratios, ranges.
pub fn markdown(plan: &Plan, results: &[Vec<Sample>]) -> String {
    let lines = || plan.rows.iter().zip(results);
    let mut text = surroundings(plan);
    text.push_str(
        "\nMedians, and how many times as much the others take (for `bare`: what oneloop adds):\n\n",
    );
    let mut medians = vec![head(plan, &["vs tokio", "vs smol", "vs bare", "target", "met"])];
    medians.extend(lines().map(|(row, samples)| median_line(plan, row, samples)));
    text.push_str(&aligned(&medians));
    text.push_str("\nLeast and most:\n\n");
    let mut ranges = vec![head(plan, &[])];
    ranges.extend(lines().map(|(row, samples)| range_line(plan, row, samples)));
    text.push_str(&aligned(&ranges));
    text
}

/// What `--list` prints.
pub fn list() -> String {
    let mut text = String::new();
    for row in rows::ALL {
        let peers: Vec<&str> =
            Peer::ALL.into_iter().filter(|peer| row.measure(*peer).is_some()).map(Peer::name).collect();
        let _ =
            writeln!(text, "{}: {}; {}\n    {}", row.name, row.operation, row.unit.label(), peers.join(", "));
    }
    text
}

fn surroundings(plan: &Plan) -> String {
    let versions: Vec<String> = ["tokio", "async-executor", "async-io", "async-channel", "blocking", "mio"]
        .into_iter()
        .map(|name| format!("{name} {}", version(name).unwrap_or("(unknown)")))
        .collect();
    let length = if plan.quick { "short runs" } else { "full runs" };
    format!(
        "{}. {} {length} of each, one process each, in turn.\n\n{}.\n",
        machine::described(),
        plan.runs,
        versions.join(", ")
    )
}

fn version(name: &str) -> Option<&'static str> {
    let (_, rest) = LOCK.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split_once('"').map(|(version, _)| version)
}

fn head(plan: &Plan, more: &[&str]) -> Vec<String> {
    let peers = plan.peers.iter().map(|peer| peer.name());
    ["row", "unit"].into_iter().chain(peers).chain(more.iter().copied()).map(String::from).collect()
}

fn median_line(plan: &Plan, row: &Row, samples: &[Sample]) -> Vec<String> {
    let mut line = vec![row.name.to_string(), row.unit.label().to_string()];
    line.extend(plan.peers.iter().map(|peer| median(samples, *peer).map_or(blank(), figure)));
    let ours = median(samples, Peer::Oneloop);
    let (tokio, smol, bare) = (best_tokio(samples), median(samples, Peer::Smol), median(samples, Peer::Bare));
    line.push(times(ours, tokio));
    line.push(times(ours, smol));
    line.push(
        pair(ours, bare).map_or(blank(), |(ours, bare)| format!("{:+.1} %", (ours / bare - 1.0) * 100.0)),
    );
    let (target, met) = match row.target {
        Target::TimesTokio(times) => {
            (format!("≥ {times} × tokio"), pair(ours, tokio).map(|(ours, tokio)| tokio / ours >= times))
        }
        Target::AtMost(most) => (format!("≤ {most}"), ours.map(|ours| ours <= most)),
        Target::AboveBare(percent) => (
            format!("≤ bare + {percent} %"),
            pair(ours, bare).map(|(ours, bare)| ours <= bare * (1.0 + percent / 100.0)),
        ),
        Target::None => (blank(), None),
    };
    line.push(target);
    line.push(met.map_or(blank(), |met| if met { "met" } else { "NOT met" }.to_string()));
    line
}

fn range_line(plan: &Plan, row: &Row, samples: &[Sample]) -> Vec<String> {
    let range = |peer: &Peer| {
        let sample = samples.iter().find(|sample| sample.peer == *peer);
        sample.map_or(blank(), |sample| format!("{}–{}", figure(sample.least()), figure(sample.most())))
    };
    let mut line = vec![row.name.to_string(), row.unit.label().to_string()];
    line.extend(plan.peers.iter().map(range));
    line
}

fn median(samples: &[Sample], peer: Peer) -> Option<f64> {
    samples.iter().find(|sample| sample.peer == peer).map(Sample::median)
}

fn best_tokio(samples: &[Sample]) -> Option<f64> {
    samples.iter().filter(|sample| sample.peer.is_tokio()).map(Sample::median).reduce(f64::min)
}

fn pair(ours: Option<f64>, theirs: Option<f64>) -> Option<(f64, f64)> {
    ours.zip(theirs)
}

/// How many times as much `theirs` is.
fn times(ours: Option<f64>, theirs: Option<f64>) -> String {
    pair(ours, theirs).map_or(blank(), |(ours, theirs)| format!("{:.2} ×", theirs / ours))
}

fn blank() -> String {
    "–".to_string()
}

/// Three digits that count.
fn figure(value: f64) -> String {
    match value {
        value if value < 99.95 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

/// A Markdown table with columns of even width; the first line is the head.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines[0].len();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} |"));
        let _ = writeln!(text, "|{}", cells.collect::<String>());
        if index == 0 {
            let rules = widths.iter().map(|width| format!("{}|", "-".repeat(width + 2)));
            let _ = writeln!(text, "|{}", rules.collect::<String>());
        }
    }
    text
}
