//! On what was measured: the processor, the kernel, the compiler, the day.

use std::fs;
use std::process::Command;
use std::thread;

/// In one line, without a full stop.
pub fn described() -> String {
    let (compiler, day) = (says("rustc", "--version"), says("date", "+%F"));
    format!("{}, {} cores; {}; {compiler}; {day}", processor(), cores(), kernel())
}

/// `Linux` and its version, without what a distribution has put behind it.
pub fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", release.split(['-', '+', '\n']).next().unwrap_or_default())
}

/// How many cores this process may use.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Where and when some things were measured, each by its name: once, if that is the same for all.
pub fn told<'a>(measured: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut places: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, place) in measured {
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, names)) => names.push(name),
            None => places.push((place, vec![name])),
        }
    }
    match &places[..] {
        [(place, _)] => (*place).to_owned(),
        several => {
            let told = several.iter().map(|(place, names)| format!("{}: {place}", names.join(", ")));
            told.collect::<Vec<_>>().join(". ")
        }
    }
}

fn processor() -> String {
    let all = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = all.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown processor", |(_, model)| model).to_string()
}

/// The first line of what a command prints.
pub fn says(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("unknown").to_string()
}
