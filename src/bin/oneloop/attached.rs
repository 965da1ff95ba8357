//! Asking a running program, started with `ONELOOP=attach`, how its tasks stand.

pub mod answer;
pub mod why;

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use answer::{Answer, Task};

/// How long the program may take to answer; its loop has two seconds to come round.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer: a hundred thousand tasks.
const MAX_ANSWER: u64 = 64 << 20;

/// Asks the program with this process number.
///
/// # Errors
/// One sentence that says why there is no answer.
pub fn ask(pid: u32) -> Result<Answer, String> {
    let folders = folders();
    let sockets = || folders.iter().map(|folder| folder.join(format!("{pid}.sock")));
    let found = sockets().find(|socket| socket.exists());
    let Some(path) = found else {
        let why = match Path::new(&format!("/proc/{pid}")).exists() || !Path::new("/proc/self").exists() {
            true => "it was not started with ONELOOP=attach, or belongs to somebody else",
            false => "there is no such process",
        };
        return Err(format!("process {pid} cannot be asked: {why}"));
    };
    let told = |error: std::io::Error| match error.kind() {
        ErrorKind::ConnectionRefused => format!("process {pid} is gone, and has left its socket behind"),
        _ => format!("process {pid} does not answer at {}: {error}", path.display()),
    };
    let mut socket = UnixStream::connect(&path).map_err(told)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    socket.set_write_timeout(Some(PATIENCE)).map_err(told)?;
    socket.write_all(b"tasks\n").map_err(told)?;
    let mut text = Vec::new();
    socket.take(MAX_ANSWER).read_to_end(&mut text).map_err(told)?;
    answer::read(&text).map_err(|fault| format!("process {pid}: {fault}"))
}

/// Where the sockets are: as the program looks for a place, with its environment or with ours.
fn folders() -> Vec<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
    let runtime = runtime.map(|folder| Path::new(&folder).join("oneloop"));
    runtime.into_iter().chain([std::env::temp_dir().join(format!("oneloop-{user}"))]).collect()
}
