//! Finding the program that is meant, and starting it with `ONELOOP` set.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use serde_json::Value;

/// The environment variable that a program with oneloop reads.
pub const VARIABLE: &str = "ONELOOP";

/// How much of what happens is told.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// Turns, waits, callbacks, and the begin and the end of each task
    Loop,
    /// And every wake and poll, timers, sources and jobs
    Task,
    /// And what each future at the end of a chain of awaits does
    Leaf,
    /// And the chains: the program must be built with the feature `stacks`, as an example then is
    Frame,
}

impl Level {
    /// Its name in `ONELOOP`.
    fn word(self) -> &'static str {
        match self {
            Level::Loop => "loop",
            Level::Task => "task",
            Level::Leaf => "leaf",
            Level::Frame => "frame",
        }
    }
}

/// The executable that `name` means: with a slash it is a path, without one an example, which is built, with what the
/// level takes.
///
/// # Errors
/// If there is no such file, or the example cannot be built; what cargo has to say, it has said.
pub fn find(name: &OsStr, level: Option<Level>) -> Result<PathBuf, String> {
    let path = Path::new(name);
    if name.as_encoded_bytes().contains(&b'/') {
        return match path.is_file() {
            true => Ok(path.to_owned()),
            false => Err(format!("there is no program {}", path.display())),
        };
    }
    build_example(name, level)
}

/// What a recording of this program is called by itself: `hello` for `target/debug/hello`.
pub fn stem(name: &OsStr) -> String {
    Path::new(name).file_stem().unwrap_or(name).to_string_lossy().into_owned()
}

fn build_example(name: &OsStr, level: Option<Level>) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--message-format=json-render-diagnostics", "--example"]).arg(name);
    if level == Some(Level::Frame) {
        // An example of another crate has this feature under the name that its Cargo.toml gives it.
        build.args(["--features", "stacks"]);
    }
    let shown = name.to_string_lossy();
    let hint =
        format!("`{shown}` has no slash, so it is taken for an example; for a program write ./{shown}");
    let built = build.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let built = built.map_err(|error| format!("cargo cannot be started ({error}); {hint}"))?;
    if !built.status.success() {
        return Err(format!("cargo could not build the example `{shown}`; {hint}"));
    }
    let executable =
        String::from_utf8_lossy(&built.stdout).lines().rev().find_map(|line| executable_of(line, &shown));
    executable.ok_or_else(|| format!("cargo built no program for the example `{shown}`; {hint}"))
}

/// The executable that a message of cargo's tells of.
fn executable_of(message: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_it = message["target"]["name"] == name && message["target"]["kind"][0] == "example";
    message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
}

/// The value of `ONELOOP` for a program: what it is now, and one word more, or two.
///
/// # Errors
/// If the file's name cannot be written there.
pub fn with_words(key: &str, file: &Path, level: Option<Level>) -> Result<OsString, String> {
    if file.as_os_str().as_encoded_bytes().contains(&b',') {
        return Err(format!("{}: a file name with a comma cannot be handed to the program", file.display()));
    }
    let mut words = std::env::var_os(VARIABLE).filter(|words| !words.is_empty()).unwrap_or_default();
    if !words.is_empty() {
        words.push(",");
    }
    words.push(key);
    words.push("=");
    words.push(file);
    if let Some(level) = level {
        words.push(",level=");
        words.push(level.word());
    }
    Ok(words)
}

/// A program's end as an exit status of ours: its own, or as a shell has it for a signal.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
