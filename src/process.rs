//! Chapter 32: other programs.
//!
//! A *child* is a process that this one has started. The parent can talk to it through pipes, send it signals, and
//! must ask how it ended: until then its entry stays in the system's table, as a *zombie*. Asking in the usual way
//! blocks until the child ends. Here it is one more source of the reactor:
//!
//! ```text
//!   Command ──spawn──▶ Child ─┬─ stdin   a pipe: WriteAll, AsyncWrite        process/pipes.rs
//!                             ├─ stdout  a pipe: Read, AsyncRead
//!                             ├─ stderr  a pipe: Read, AsyncRead
//!                             ├─ wait         a pidfd, readable at its end   process/ending.rs
//!                             ├─ communicate  all of these at once           process/communicate.rs
//!                             └─ dropped      the reaper asks in its place   process/reaper.rs
//! ```
//!
//! asyncio's counterpart is `asyncio.create_subprocess_exec`; for `create_subprocess_shell` give `sh` the arguments
//! `-c` and the line.
//!
//! Before: `fs/folder.rs`. Next: `process/pipes.rs`, the pipes.

mod pipes;
mod reaper;
mod ending;
mod child;
mod communicate;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::process;

pub use std::process::{ExitStatus, Output, Stdio};

pub use self::child::{Child, ChildWait, Status};
pub use self::communicate::{Collect, Communicate, MOST_OUTPUT};
pub use self::pipes::{ChildStderr, ChildStdin, ChildStdout};

/// A program to be run, and how: that of the standard library, with futures.
///
/// ```
/// use oneloop::process::Command;
///
/// oneloop::run(async {
///     let output = Command::new("echo").arg("hello").output().await?;
///     assert!(output.status.success());
///     assert_eq!(output.stdout, b"hello\n");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub struct Command {
    command: process::Command,
    /// Which of stdin, stdout and stderr the program has chosen; the others depend on how the child is started.
    chosen: [bool; 3],
    kill_on_drop: bool,
    /// The most bytes of output that are gathered.
    most_output: usize,
}

impl Command {
    /// The program at the path `program`, or found by that name in the folders of `PATH`. With no arguments, and
    /// the environment, working directory and streams of this process.
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        Command::from(process::Command::new(program))
    }

    /// Adds an argument. No shell sees it: it arrives as it is.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Command {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Command {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Command {
        self.command.env(name, value);
        self
    }

    /// Sets variables of the child's environment.
    pub fn envs<N, V>(&mut self, variables: impl IntoIterator<Item = (N, V)>) -> &mut Command
    where
        N: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.command.envs(variables);
        self
    }

    /// Takes a variable out of the child's environment.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Command {
        self.command.env_remove(name);
        self
    }

    /// Takes everything out of the child's environment that was not set here.
    pub fn env_clear(&mut self) -> &mut Command {
        self.command.env_clear();
        self
    }

    /// Starts the child in this folder.
    pub fn current_dir(&mut self, folder: impl AsRef<Path>) -> &mut Command {
        self.command.current_dir(folder);
        self
    }

    /// What the child reads: `Stdio::piped()` makes [`Child::stdin`]. If nothing is said, what this process reads;
    /// nothing for [`output`](Command::output).
    pub fn stdin(&mut self, stdin: impl Into<Stdio>) -> &mut Command {
        self.command.stdin(stdin);
        self.chosen[0] = true;
        self
    }

    /// Where the child writes to: `Stdio::piped()` makes [`Child::stdout`]. If nothing is said, where this process
    /// writes to; for [`output`](Command::output) a pipe.
    pub fn stdout(&mut self, stdout: impl Into<Stdio>) -> &mut Command {
        self.command.stdout(stdout);
        self.chosen[1] = true;
        self
    }

    /// Where the child writes errors to; as [`stdout`](Command::stdout).
    pub fn stderr(&mut self, stderr: impl Into<Stdio>) -> &mut Command {
        self.command.stderr(stderr);
        self.chosen[2] = true;
        self
    }

    /// Whether a [`Child`] that is dropped before it ended is killed (SIGKILL). By default it goes on without this
    /// program. Processes that the child has started are not killed with it.
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Command {
        self.kill_on_drop = kill;
        self
    }

    /// The most bytes that [`output`](Command::output) and [`Child::communicate`] gather of each stream; more is an
    /// error. The default is [`MOST_OUTPUT`].
    pub fn most_output(&mut self, bytes: usize) -> &mut Command {
        self.most_output = bytes;
        self
    }

    /// The command inside, for settings that are not here, such as those of
    /// [`CommandExt`](std::os::unix::process::CommandExt): user, group, process group. Set the three streams with
    /// the methods here.
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.command
    }

    /// Starts the program. That takes this thread some tenths of a millisecond: the call comes back when the program
    /// was found and could be started.
    ///
    /// # Errors
    /// What the operating system says, with the program: `NotFound`, `PermissionDenied`, no descriptors left. If the
    /// program was started and there is no descriptor to wait for it by, it is killed.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.start([Stdio::inherit, Stdio::inherit, Stdio::inherit])
    }

    /// Starts the program and waits for its end. asyncio's programs await `Process.wait()`.
    ///
    /// The program is started at once, by this call; errors in that come out of the future.
    ///
    /// # Errors
    /// As [`spawn`](Command::spawn).
    ///
    /// # Cancellation
    /// The child goes on, unless it is to be [killed](Command::kill_on_drop).
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn status(&mut self) -> Status {
        Status::new(self.spawn())
    }

    /// Starts the program, waits for its end, and gathers what it writes to stdout and stderr meanwhile.
    /// asyncio's programs await `Process.communicate()`.
    ///
    /// The program is started at once, by this call; errors in that come out of the future.
    ///
    /// # Errors
    /// As [`spawn`](Command::spawn), and as [`Child::communicate`].
    ///
    /// # Cancellation
    /// What it wrote is lost, and writing more gives it a broken pipe. It goes on otherwise, unless it is to be
    /// [killed](Command::kill_on_drop).
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn output(&mut self) -> Collect {
        Collect::new(self.start([Stdio::null, Stdio::piped, Stdio::piped]))
    }

    #[track_caller]
    fn start(&mut self, otherwise: [fn() -> Stdio; 3]) -> io::Result<Child> {
        let [stdin, stdout, stderr] = otherwise;
        let command = &mut self.command;
        if !self.chosen[0] {
            command.stdin(stdin());
        }
        if !self.chosen[1] {
            command.stdout(stdout());
        }
        if !self.chosen[2] {
            command.stderr(stderr());
        }
        Child::start(command, self.kill_on_drop, self.most_output)
    }
}

impl From<process::Command> for Command {
    /// The three streams are to be set afterwards.
    fn from(command: process::Command) -> Command {
        Command { command, chosen: [false; 3], kill_on_drop: false, most_output: MOST_OUTPUT }
    }
}

impl fmt::Debug for Command {
    /// As a shell would be given it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.fmt(f)
    }
}
