//! One measurement in a process of its own: this program, or another build of it, started again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::start::SMOL_POOL;

/// This program, to be started again.
pub fn this_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("this program's own path: {error}"))
}

/// The figure that a program prints when it is given these arguments. NaN: it cannot be measured on this machine, and the
/// program said why.
pub fn figure(program: &Path, arguments: &[&str]) -> Result<f64, String> {
    let what = arguments.join(" ");
    let (variable, value) = SMOL_POOL;
    let output = Command::new(program)
        .args(arguments)
        .env(variable, value)
        .env_remove("ONELOOP")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{what}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{what}: the measurement ended with {}", output.status));
    }
    let figure = String::from_utf8_lossy(&output.stdout);
    figure.trim().parse().map_err(|_| format!("{what}: {figure:?} is no figure"))
}
