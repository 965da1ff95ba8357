//! Chapter 31, part 2: one call: a function of the file system as a future.
//!
//! Before: `fs.rs`. Next: `fs/disk.rs`, what a thread does with an open file.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{explained, job_error};
use crate::blocking::{BlockingHandle, spawn_blocking};

/// The future of the functions in [`fs`](crate::fs): a job that is handed to the blocking pool at the first poll.
///
/// # Cancellation
/// Nothing happens if it was never polled. A job that was handed over and has not started is dropped only if
/// the loop is closed first; otherwise it runs, to its end.
///
/// # Panics
/// When first polled with no loop running on this thread, and when awaited again after it gave its result.
#[must_use = "futures do nothing unless awaited"]
pub struct FileJob<T> {
    /// What is to be done, with which path, for errors and `Debug`.
    what: String,
    stage: Stage<T>,
}

/// The call that blocks.
type Call<T> = Box<dyn FnOnce() -> io::Result<T> + Send>;

/// How far a job is.
enum Stage<T> {
    New(Call<T>),
    /// With the pool.
    Asked(BlockingHandle<io::Result<T>>),
    Done,
}

impl<T: Send + 'static> FileJob<T> {
    /// `call` with `path`, which an error names: `cannot {doing} {path}`.
    pub(super) fn new<F>(doing: &str, path: impl AsRef<Path>, call: F) -> FileJob<T>
    where
        F: FnOnce(&Path) -> io::Result<T> + Send + 'static,
    {
        let path: Box<Path> = path.as_ref().into();
        FileJob { what: format!("{doing} {path:?}"), stage: Stage::New(Box::new(move || call(&path))) }
    }

    /// `call` with two paths, which an error names: `cannot {doing} {path} to {other}`.
    pub(super) fn with_other<F>(
        doing: &str,
        path: impl AsRef<Path>,
        other: impl AsRef<Path>,
        call: F,
    ) -> FileJob<T>
    where
        F: FnOnce(&Path, &Path) -> io::Result<T> + Send + 'static,
    {
        let (path, other): (Box<Path>, Box<Path>) = (path.as_ref().into(), other.as_ref().into());
        FileJob {
            what: format!("{doing} {path:?} to {other:?}"),
            stage: Stage::New(Box::new(move || call(&path, &other))),
        }
    }
}

impl<T: Send + 'static> Future for FileJob<T> {
    type Output = io::Result<T>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut handle = match mem::replace(&mut self.stage, Stage::Done) {
            Stage::New(call) => spawn_blocking(call),
            Stage::Asked(handle) => handle,
            Stage::Done => panic!("this job has given its result already: do not await it a second time"),
        };
        let Poll::Ready(result) = Pin::new(&mut handle).poll(cx) else {
            self.stage = Stage::Asked(handle);
            return Poll::Pending;
        };
        let result = result.unwrap_or_else(|error| Err(job_error(&error)));
        Poll::Ready(result.map_err(|error| explained(&self.what, &error)))
    }
}

impl<T> Unpin for FileJob<T> {}

impl<T> fmt::Debug for FileJob<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<job to {}>", self.what)
    }
}
