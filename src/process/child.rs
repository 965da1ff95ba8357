//! Chapter 32, part 5: its end, and how to bring it about.
//!
//! Before: `process/ending.rs`. Next: `process/communicate.rs`.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::{self, ExitStatus};
use std::task::{Context, Poll};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::SIGTERM;

use super::ending::{Ending, Waiting};
use super::pipes::{self, ChildStderr, ChildStdin, ChildStdout};
use super::reaper;
use crate::current;
use crate::signal::SignalKind;

/// A process that was started by [`Command::spawn`](super::Command::spawn). asyncio's `Process`.
///
/// Dropped before it has ended, it goes on without us (unless
/// [`kill_on_drop`](super::Command::kill_on_drop) says otherwise), and leaves no zombie: a thread, started when it is
/// needed, asks how it ended.
pub struct Child {
    /// What the child reads, if that is a pipe. Take it out to give it to another task; drop it to end the stream.
    pub stdin: Option<ChildStdin>,
    /// What the child writes, if that is a pipe.
    pub stdout: Option<ChildStdout>,
    /// What the child writes to its standard error, if that is a pipe.
    pub stderr: Option<ChildStderr>,
    /// `None` only while it is dropped.
    process: RefCell<Option<process::Child>>,
    ending: Ending,
    id: u32,
    kill_on_drop: bool,
    /// The most bytes that are gathered of its output.
    pub(super) most_output: usize,
    /// The command, for errors and `Debug`.
    pub(super) command: String,
}

impl Child {
    #[track_caller]
    pub(super) fn start(
        command: &mut process::Command,
        kill_on_drop: bool,
        most_output: usize,
    ) -> io::Result<Child> {
        current::with(|_| ()); // no process is to be started where it cannot be waited for
        let program = format!("{:?}", command.get_program());
        let explained =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot run {program}: {error}"));
        let mut process = command.spawn().map_err(explained)?;
        reaper::look_again();
        let id = process.id();
        let taken = Ending::of(id).and_then(|ending| Ok((ending, pipes::adopt(&mut process)?)));
        match taken {
            Ok((ending, (stdin, stdout, stderr))) => {
                let process = RefCell::new(Some(process));
                let command = program;
                Ok(Child { stdin, stdout, stderr, process, ending, id, kill_on_drop, most_output, command })
            }
            Err(error) => {
                // It runs, but nobody could wait for it: better that it does not.
                let _ = process.kill();
                reaper::adopt(process);
                Err(explained(error))
            }
        }
    }

    /// The operating system's number of the process (pid). After its end was asked for, another process may have it.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Waits until the process has ended: its exit status. Once it is known, it is given again at once.
    ///
    /// It closes no pipe. A child that reads its stdin to the end does not end while [`stdin`](Child::stdin) is
    /// open, and one that fills a pipe does not end while nobody reads:
    /// [`communicate`](Child::communicate) sees to both.
    ///
    /// # Errors
    /// What the operating system says, for instance that somebody else has asked for the end of all children.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn wait(&self) -> ChildWait<'_> {
        ChildWait { child: self, waiting: Waiting::default() }
    }

    /// How the process ended; `None` if it is running.
    ///
    /// # Errors
    /// As [`wait`](Child::wait).
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        let status = match &mut *self.process.borrow_mut() {
            Some(process) => process.try_wait(),
            None => Ok(None),
        };
        status.map_err(|error| self.explained("wait for", &error))
    }

    /// Ends the process at once (SIGKILL). It cannot prevent that; it is to be waited for as ever. One that has ended
    /// is left alone.
    ///
    /// # Errors
    /// What the operating system says, for instance that the process is now another user's.
    pub fn kill(&self) -> io::Result<()> {
        self.send_signal(SignalKind::from_raw(Signal::KILL.as_raw()))
    }

    /// Asks the process to end (SIGTERM). It may take its time, or not do it at all.
    ///
    /// # Errors
    /// As [`kill`](Child::kill).
    pub fn terminate(&self) -> io::Result<()> {
        self.send_signal(SignalKind::from_raw(SIGTERM))
    }

    /// Sends the process a signal. One that has ended is left alone.
    ///
    /// # Errors
    /// As [`kill`](Child::kill); `InvalidInput` for a number that is no signal's.
    pub fn send_signal(&self, signal: SignalKind) -> io::Result<()> {
        // As long as it was not asked for, the number is this process's, be it a zombie.
        if self.try_wait()?.is_some() {
            return Ok(());
        }
        let number = i32::try_from(self.id).ok().and_then(Pid::from_raw);
        let signal_number = Signal::from_named_raw(signal.as_raw());
        let (Some(number), Some(signal_number)) = (number, signal_number) else {
            let text = format!("{signal} cannot be sent to {}", self.command);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        };
        kill_process(number, signal_number)
            .map_err(|error| self.explained(&format!("send {signal} to"), &error.into()))
    }

    pub(super) fn explained(&self, doing: &str, error: &io::Error) -> io::Error {
        let Child { command, id, .. } = self;
        io::Error::new(error.kind(), format!("cannot {doing} {command} (process {id}): {error}"))
    }

    #[track_caller]
    pub(super) fn poll_wait(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
    ) -> Poll<io::Result<ExitStatus>> {
        self.ending.poll(cx, waiting, || self.try_wait())
    }

    /// A wait is given up.
    pub(super) fn forget(&self, waiting: &Waiting) {
        self.ending.forget(waiting);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.kill_on_drop
            && let Err(error) = self.kill()
        {
            log::warn!(target: "oneloop", "{error}");
        }
        if let Ok(None) = self.try_wait()
            && let Some(process) = self.process.take()
        {
            reaper::adopt(process);
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<process {} {}>", self.id, self.command)
    }
}

/// The future of [`Child::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct ChildWait<'a> {
    child: &'a Child,
    waiting: Waiting,
}

impl Future for ChildWait<'_> {
    type Output = io::Result<ExitStatus>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.child.poll_wait(cx, &mut this.waiting)
    }
}

impl Drop for ChildWait<'_> {
    fn drop(&mut self) {
        self.child.forget(&self.waiting);
    }
}

impl fmt::Debug for ChildWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildWait").field("child", self.child).finish_non_exhaustive()
    }
}

/// The future of [`Command::status`](super::Command::status).
#[must_use = "futures do nothing unless awaited"]
pub struct Status {
    /// The child, or why there is none.
    child: io::Result<Child>,
    waiting: Waiting,
}

impl Status {
    pub(super) fn new(child: io::Result<Child>) -> Status {
        Status { child, waiting: Waiting::default() }
    }
}

impl Future for Status {
    type Output = io::Result<ExitStatus>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match &this.child {
            Ok(child) => child.poll_wait(cx, &mut this.waiting),
            Err(error) => Poll::Ready(Err(io::Error::new(error.kind(), error.to_string()))),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status").field("child", &self.child).finish_non_exhaustive()
    }
}
