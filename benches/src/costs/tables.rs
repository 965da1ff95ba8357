//! The tables as Markdown.

use super::rows::{WAIT, WAITS, crowd};
use super::{Figures, Way};
use crate::machine;
use crate::table::aligned;

/// Both tables, and on what they were measured.
pub fn tables(all: &[Figures], runs: u32) -> String {
    let row =
        |name: &str| all.iter().find(|figures| figures.name == name).expect("every row was taken").medians;
    let head =
        |first: &str| [first, "processes", "threads", "async: tasks on one loop"].map(String::from).to_vec();
    let line = |name: &str, cells: [String; 3]| {
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<String>>()
    };
    let answers = [
        head(""),
        line(
            "optimise waiting",
            row("waiting").map(|seconds| yes_or_no(waits_overlap(seconds), &waits(seconds))),
        ),
        line(
            "use all cores",
            row("cores").map(|times| yes_or_no(times > 1.5, &format!("{times:.1} × as fast"))),
        ),
        line("scalability", scalability(row("memory"))),
        line(
            "blocking functions",
            row("blocking").map(|seconds| yes_or_no(waits_overlap(seconds), &waits(seconds))),
        ),
    ];
    let mut crowds = Way::ALL.into_iter().zip(row("many"));
    let crowds = [(); 3].map(|()| crowds.next().expect("three ways"));
    let costs = [
        head("of one, median"),
        line("memory, waiting", row("memory").map(bytes)),
        line("address space", row("reserved").map(bytes)),
        line("start, and wait for its end", row("start").map(time)),
        line("hand over to another", row("switch").map(time)),
        line(
            "start many, and end them",
            crowds.map(|(way, seconds)| format!("{} in {}", thousands(crowd(way)), time(seconds * 1e9))),
        ),
    ];
    let (answers, costs) = (aligned(&answers), aligned(&costs));
    let (kernel, cores) = (machine::kernel(), machine::cores());
    format!("{kernel}, {cores} cores; medians of {runs}.\n\n{answers}\n{costs}")
}

/// Whether so many waits took less than half of what they take one after the other.
fn waits_overlap(seconds: f64) -> bool {
    seconds < WAIT.as_secs_f64() * WAITS as f64 / 2.0
}

fn waits(seconds: f64) -> String {
    format!("{WAITS} × {} ms in {}", WAIT.as_millis(), time(seconds * 1e9))
}

fn yes_or_no(yes: bool, figure: &str) -> String {
    format!("{}: {figure}", if yes { "yes" } else { "no" })
}

/// High for the one that takes the least memory, low for the one that takes the most.
fn scalability(memory: [f64; 3]) -> [String; 3] {
    memory.map(|own| {
        let smaller = memory.iter().filter(|other| **other < own).count();
        format!("{}: {} each", ["high", "medium", "low"][smaller], bytes(own))
    })
}

fn bytes(value: f64) -> String {
    match value {
        value if value < 1e3 => format!("{value:.0} bytes"),
        value if value < 1e6 => format!("{} kB", figure(value / 1e3)),
        value => format!("{} MB", figure(value / 1e6)),
    }
}

fn time(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 1e3 => format!("{} ns", figure(nanos)),
        nanos if nanos < 1e6 => format!("{} µs", figure(nanos / 1e3)),
        nanos if nanos < 1e9 => format!("{} ms", figure(nanos / 1e6)),
        nanos => format!("{} s", figure(nanos / 1e9)),
    }
}

/// Two or three digits that count.
fn figure(value: f64) -> String {
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}
