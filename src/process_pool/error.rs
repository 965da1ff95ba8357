//! Chapter 33, part 3: what can go wrong with a job in another process.
//!
//! Before: `process_pool/frame.rs`. Next: `process_pool/serve.rs`, the worker's side.

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a job of a [`ProcessPool`](crate::ProcessPool) has no result: its name, and what happened.
pub struct ProcessError(Box<Report>);

/// What a [`ProcessError`] points to.
struct Report {
    job: String,
    kind: ProcessErrorKind,
}

/// What happened to a job, and to its worker.
///
/// In every kind but the first two and the last the worker is gone, and the next job is given a new one.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProcessErrorKind {
    /// No job of this name was given to `serve`; these were.
    UnknownJob {
        /// The names given to `serve`.
        served: Vec<String>,
    },
    /// The input was larger than a message may be; the worker was not bothered with it.
    InputTooLarge {
        /// The size of the input.
        bytes: usize,
        /// The limit: [`ProcessPool::with_message_limit`](crate::ProcessPool::with_message_limit).
        limit: usize,
    },
    /// The output was larger than a message may be.
    OutputTooLarge {
        /// The size of the output.
        bytes: u64,
        /// The limit: [`ProcessPool::with_message_limit`](crate::ProcessPool::with_message_limit).
        limit: usize,
    },
    /// No worker could be started.
    NotStarted(io::Error),
    /// A worker was started, and ended or did something else instead of serving.
    NotServing {
        /// How it ended; the signal KILL if it was ended for this.
        end: Option<ExitStatus>,
    },
    /// The worker died at the job.
    Died {
        /// Its exit status, or the signal that killed it.
        end: Option<ExitStatus>,
    },
    /// The job took longer than it may, and its worker was killed.
    TimedOut {
        /// The limit: [`ProcessPool::with_time_limit`](crate::ProcessPool::with_time_limit).
        limit: Duration,
    },
    /// The job panicked.
    Panicked {
        /// The text of the panic.
        message: String,
    },
    /// What the worker sent is no answer: something in it uses its standard input, which is the pool's.
    Garbled,
    /// The pool was shut down before the job had started.
    Cancelled,
}

impl ProcessError {
    pub(super) fn new(job: &str, kind: ProcessErrorKind) -> ProcessError {
        ProcessError(Box::new(Report { job: job.to_owned(), kind }))
    }

    /// The name of the job.
    pub fn job(&self) -> &str {
        &self.0.job
    }

    /// What happened.
    pub fn kind(&self) -> &ProcessErrorKind {
        &self.0.kind
    }

    /// How the worker ended by itself: its exit status, or the signal that killed it. `None` if it did not.
    pub fn end(&self) -> Option<ExitStatus> {
        match self.0.kind {
            ProcessErrorKind::Died { end } | ProcessErrorKind::NotServing { end } => end,
            _ => None,
        }
    }

    /// Whether a time limit ended the job.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ProcessErrorKind::TimedOut { .. })
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {:?}: {}", self.0.job, self.0.kind)
    }
}

impl fmt::Display for ProcessErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = |end: &Option<ExitStatus>| match end {
            Some(end) => format!(" ({end})"),
            None => String::new(),
        };
        match self {
            Self::UnknownJob { served } => {
                write!(f, "no job of this name is served; these are: {}", served.join(", "))
            }
            Self::InputTooLarge { bytes, limit } => {
                write!(f, "its input has {bytes} bytes, and the limit is {limit}")
            }
            Self::OutputTooLarge { bytes, limit } => {
                write!(f, "its output has {bytes} bytes, and the limit is {limit}; its worker was killed")
            }
            Self::NotStarted(error) => write!(f, "no worker process could be started: {error}"),
            Self::NotServing { end } => write!(
                f,
                "its worker process did not come to ProcessPool::serve{}: call it first in `main`, whatever the \
                 arguments are",
                ended(end)
            ),
            Self::Died { end } => write!(f, "its worker process died{}", ended(end)),
            Self::TimedOut { limit } => {
                write!(f, "it took longer than {limit:?}, and its worker process was killed")
            }
            Self::Panicked { message } => write!(f, "it panicked: {message}"),
            Self::Garbled => f.write_str(
                "its worker process sent something that is no answer, and was killed: \
                 a job must leave standard input alone",
            ),
            Self::Cancelled => f.write_str("the pool was shut down before it had started"),
        }
    }
}

impl fmt::Debug for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessError").field("job", &self.0.job).field("kind", &self.0.kind).finish()
    }
}

/// The text of an I/O error is part of `Display`, so there is no source.
impl std::error::Error for ProcessError {}

const _: () = {
    const fn fits_in_any_error_box<T: Send + Sync>() {}
    fits_in_any_error_box::<ProcessError>();
};
