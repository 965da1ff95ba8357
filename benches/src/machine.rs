//! On what was measured: the processor, the kernel, the compiler, the day.

use std::fs;
use std::process::Command;
use std::thread;

/// In one line, without a full stop.
pub fn described() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // Without what a distribution has put behind the version.
    let version = kernel.split(['-', '+', '\n']).next().unwrap_or_default();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (compiler, day) = (says("rustc", "--version"), says("date", "+%F"));
    format!("{}, {cores} cores; Linux {version}; {compiler}; {day}", processor())
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
