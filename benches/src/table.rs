//! The table, as Markdown that can be read as it stands.

use std::fmt::Write as _;

use crate::driver::{Measured, Plan};
use crate::machine;
use crate::row::{Peer, Row};
use crate::rows;
use crate::sample::{self, Sample, Verdict};

/// The versions of the peers are those that this program was built with.
const LOCK: &str = include_str!("../Cargo.lock");

/// The whole report: where and with what, ratios, medians, ranges.
pub fn markdown(plan: &Plan, results: &[Measured]) -> String {
    let lines = || plan.rows.iter().zip(results.iter().map(|measured| &measured.samples));
    let mut text = surroundings(plan, results);
    text.push_str(
        "\nHow many times as much as oneloop the others take, the median of the rounds; for `bare`, how much oneloop adds to \
         it. In brackets: in how many rounds the target was met.\n\n",
    );
    let others = plan.peers.iter().filter(|peer| **peer != Peer::Oneloop).map(|peer| peer.name());
    let first = ["row"].into_iter().chain(others).chain(["target", "met"]).map(String::from).collect();
    let mut ratios = vec![first];
    ratios.extend(lines().map(|(row, samples)| ratio_line(plan, row, samples)));
    text.push_str(&aligned(&ratios));
    text.push_str("\nMedians:\n\n");
    let mut medians = vec![head(plan)];
    medians.extend(lines().map(|(row, samples)| line(plan, row, samples, |sample| figure(sample.median()))));
    text.push_str(&aligned(&medians));
    text.push_str("\nLeast and most:\n\n");
    let mut ranges = vec![head(plan)];
    let range = |sample: &Sample| format!("{}–{}", figure(sample.least()), figure(sample.most()));
    ranges.extend(lines().map(|(row, samples)| line(plan, row, samples, range)));
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

fn surroundings(plan: &Plan, results: &[Measured]) -> String {
    let places = plan.rows.iter().zip(results).map(|(row, measured)| (row.name, &*measured.place));
    let versions: Vec<String> =
        CRATES.into_iter().filter_map(|name| Some(format!("{name} {}", version(name)?))).collect();
    let length = if plan.quick { "short runs" } else { "full runs" };
    let mut text = format!(
        "{}. {} rounds of {length}, one process each, in turn; more of those that decide whether a target is met.\n\n{}; {}.\n",
        machine::told(places),
        plan.runs,
        versions.join(", "),
        machine::says("python3", "--version"),
    );
    for (peer, why) in &plan.absent {
        let _ = writeln!(text, "\nWithout {peer}: {why}.");
    }
    text
}

/// Those that are peers, or half of one.
const CRATES: [&str; 12] = [
    "tokio",
    "async-executor",
    "async-io",
    "async-channel",
    "blocking",
    "futures",
    "compio",
    "monoio",
    "local-sync",
    "hyper",
    "reqwest",
    "mio",
];

fn version(name: &str) -> Option<&'static str> {
    // Of several versions the last one is the newest; the others belong to peers.
    let (_, rest) = LOCK.rsplit_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split_once('"').map(|(version, _)| version)
}

fn head(plan: &Plan) -> Vec<String> {
    let peers = plan.peers.iter().map(|peer| peer.name());
    ["row", "unit"].into_iter().chain(peers).map(String::from).collect()
}

/// A row, and of each peer what `cell` says of it.
fn line(plan: &Plan, row: &Row, samples: &[Sample], cell: impl Fn(&Sample) -> String) -> Vec<String> {
    let mut line = vec![row.name.to_string(), row.unit.label().to_string()];
    line.extend(plan.peers.iter().map(|peer| sample::of(samples, *peer).map_or(blank(), &cell)));
    line
}

fn ratio_line(plan: &Plan, row: &Row, samples: &[Sample]) -> Vec<String> {
    let mut line = vec![row.name.to_string()];
    let ours = sample::of(samples, Peer::Oneloop);
    // A peer's sample beside oneloop's.
    let pair = |peer: Peer| Some((sample::of(samples, peer)?, ours?));
    let runtimes = plan.peers.iter().filter(|peer| peer.is_runtime());
    let best =
        runtimes.filter_map(|peer| pair(*peer)).map(|(theirs, ours)| theirs.times(ours)).reduce(f64::min);
    for peer in plan.peers.iter().filter(|peer| **peer != Peer::Oneloop) {
        line.push(pair(*peer).map_or(blank(), |(theirs, ours)| match theirs.times(ours) {
            _ if *peer == Peer::Bare => format!("{:+.1} %", (ours.times(theirs) - 1.0) * 100.0),
            times if Some(times) == best => format!("**{times:.2} ×**"),
            times => format!("{times:.2} ×"),
        }));
    }
    line.push(row.target.to_string());
    line.push(Verdict::of(row.target, samples).map_or(blank(), |verdict| said(&verdict)));
    line
}

fn said(verdict: &Verdict) -> String {
    let met = if verdict.met { "met" } else { "NOT met" };
    let all_agree = verdict.rounds_met == 0 || verdict.rounds_met == verdict.rounds;
    let how = if verdict.is_clear() || all_agree { "" } else { ", barely" };
    format!("{met}{how} ({} of {})", verdict.rounds_met, verdict.rounds)
}

fn blank() -> String {
    "–".to_string()
}

/// One digit behind the point, or none above a hundred.
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
