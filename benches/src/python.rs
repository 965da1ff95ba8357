//! The peers that are written in Python: a script beside this crate, run as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/asyncio_rows.py");

/// The interpreter found first on the path.
const PYTHON: &str = "python3";

/// Python needs hundreds of times as long for what others do a million times. A tenth of that tells as much of what one
/// takes.
pub const SHARE: u64 = 10;

/// Whether there is an interpreter, and it has this module.
///
/// # Errors
/// What there is not.
pub fn imports(module: &str) -> Result<(), String> {
    let output = Command::new(PYTHON).args(["-c", &format!("import {module}")]).output();
    let output = output.map_err(|error| format!("{PYTHON} cannot be started: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("it ends with an error").to_string();
    if output.status.success() { Ok(()) } else { Err(format!("{PYTHON}: {last}")) }
}

/// One figure of a row, of a tenth of the operations.
pub fn share(row: &str, event_loop: &str, ops: u64) -> f64 {
    all(row, event_loop, ops / SHARE)
}

/// One figure of a row, of that many operations.
pub fn all(row: &str, event_loop: &str, ops: u64) -> f64 {
    ask(row, event_loop, ops, "")
}

/// One figure of a row that asks a server.
pub fn ask(row: &str, event_loop: &str, ops: u64, url: &str) -> f64 {
    let mut child = started(row, event_loop, ops, url);
    let figure = first_line(&mut child);
    child.wait().expect("a child can be waited for");
    figure.parse().unwrap_or_else(|_| panic!("{row} on {event_loop}: {figure:?} is no figure"))
}

/// A server, to be killed, and its port; `None` if what it needs is not installed.
pub fn server(row: &str, event_loop: &str) -> Option<(Child, u16)> {
    let mut child = started(row, event_loop, 0, "");
    let port = first_line(&mut child).parse().ok()?;
    Some((child, port))
}

fn started(row: &str, event_loop: &str, ops: u64, url: &str) -> Child {
    let mut command = Command::new(PYTHON);
    command.args([SCRIPT, row, event_loop, &ops.to_string(), url]).stdout(Stdio::piped());
    command.spawn().expect("the interpreter was there a moment ago")
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let output = child.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("a pipe can be read");
    line.trim().to_string()
}
