//! Chapter 33, part 5: a worker, as the program sees it.
//!
//! Everything here blocks, and runs on a thread of the pool. A read or write is cut into pauses, to see between them
//! whether the time is over and whether the process is still there. The end of the stream tells of a death at
//! once; the look at the process is for a worker whose own children have kept the stream open.
//!
//! Before: `process_pool/serve.rs`. Next: `process_pool/pool.rs`.

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::ProcessErrorKind;
use super::frame::{self, Frame, Kind, Unread};
use super::serve::{MARK, served};

/// How long a new worker may take to come to `serve`, which is the first thing its `main` does.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The time between two looks at a silent worker.
const PAUSE: Duration = Duration::from_millis(500);

/// What a job may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From the moment its worker has it; `None`: no limit.
    pub(super) time: Option<Duration>,
    /// Bytes of an input, and of an output.
    pub(super) message: usize,
}

/// A worker process, killed when dropped.
pub(super) struct Worker {
    child: Child,
    stream: Arc<UnixStream>,
    /// Whether it has come to `serve`.
    ready: bool,
}

/// Ends a worker's job from any thread: whoever reads its answer finds the end of the stream.
pub(super) struct Cut(Arc<UnixStream>);

impl Cut {
    pub(super) fn cut(&self) {
        // It fails if the worker has gone already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Worker {
    /// Starts the program again.
    pub(super) fn start() -> io::Result<Worker> {
        let (own, other) = UnixStream::pair()?;
        let program = env::current_exe()?;
        let mut command = Command::new(&program);
        // A group of its own: Ctrl-C is for the program, which then decides what becomes of its workers.
        command.arg(MARK).env_remove("ONELOOP").stdin(Stdio::from(OwnedFd::from(other))).process_group(0);
        let child = command
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        Ok(Worker { child, stream: Arc::new(own), ready: false })
    }

    /// Whether the process is still there. An idle worker may have been killed by somebody else.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn cut(&self) -> Cut {
        Cut(Arc::clone(&self.stream))
    }

    /// Has the worker call `job`. After an error other than `UnknownJob` it is of no more use.
    pub(super) fn call(
        &mut self,
        job: &str,
        input: &[u8],
        limits: Limits,
    ) -> Result<Vec<u8>, ProcessErrorKind> {
        if !self.ready {
            self.wait_until_ready()?;
        }
        let until = limits.time.and_then(|limit| Instant::now().checked_add(limit));
        let mut line = Line { worker: self, until };
        let asked = frame::write(&mut line, Kind::Name, job.as_bytes())
            .and_then(|()| frame::write(&mut line, Kind::Input, input));
        let answer = asked.map_err(Unread::Io).and_then(|()| frame::read(&mut line, limits.message));
        match answer {
            Ok(Frame { kind: Kind::Done, bytes }) => Ok(bytes),
            Ok(Frame { kind: Kind::Panicked, bytes }) => {
                Err(ProcessErrorKind::Panicked { message: String::from_utf8_lossy(&bytes).into_owned() })
            }
            Ok(Frame { kind: Kind::Unknown, .. }) => {
                Err(ProcessErrorKind::UnknownJob { served: served().unwrap_or_default().to_vec() })
            }
            Ok(_) | Err(Unread::Garbled) => Err(ProcessErrorKind::Garbled),
            Err(Unread::TooLong(bytes)) => {
                Err(ProcessErrorKind::OutputTooLarge { bytes, limit: limits.message })
            }
            Err(Unread::Io(error)) => Err(match (error.kind(), limits.time) {
                (ErrorKind::TimedOut, Some(limit)) => ProcessErrorKind::TimedOut { limit },
                _ => ProcessErrorKind::Died { end: self.end() },
            }),
        }
    }

    fn wait_until_ready(&mut self) -> Result<(), ProcessErrorKind> {
        let until = Instant::now().checked_add(START_LIMIT);
        match frame::read(&mut Line { worker: self, until }, 0) {
            Ok(Frame { kind: Kind::Ready, .. }) => {
                self.ready = true;
                Ok(())
            }
            _ => Err(ProcessErrorKind::NotServing { end: self.end() }),
        }
    }

    /// Kills the process, if it still lives, and says how it ended. One that is ending by itself has its own end.
    fn end(&mut self) -> Option<ExitStatus> {
        // Fails only for a process that has been waited for, which `wait` then tells of.
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// A worker's stream, up to a moment.
struct Line<'a> {
    worker: &'a mut Worker,
    /// `None`: without limit.
    until: Option<Instant>,
}

impl Line<'_> {
    /// Tries until it succeeds, fails, the time is over, or the worker has gone.
    fn attempt(
        &mut self,
        pause: fn(&UnixStream, Option<Duration>) -> io::Result<()>,
        mut attempt: impl FnMut(&UnixStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut gone = false;
        loop {
            let left = self.until.map_or(PAUSE, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            pause(&self.worker.stream, Some(left.min(PAUSE)))?;
            match attempt(&self.worker.stream) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    // What it sent before it went is still to be read: once more.
                    if gone {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    gone = self.worker.child.try_wait()?.is_some();
                }
                done => return done,
            }
        }
    }
}

impl Read for Line<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.attempt(UnixStream::set_read_timeout, |mut stream| stream.read(buffer))
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(UnixStream::set_write_timeout, |mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
