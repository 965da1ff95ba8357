//! Chapter 31, part 4: the loop's side of an open file: with whom is it now?
//!
//! ```text
//!            read: more than is at hand · write: enough has gathered · seek · flush · sync …
//!   Idle(disk) ─────────────────────────────────────────────────────────────────▶ Busy(job)
//!       ▲                                                                             │
//!       └───────── whoever polls next, the one who asked or another ◀── reply ────────┘
//! ```
//!
//! One job at a time, so operations happen in the order in which they were asked for. A future dropped half way
//! leaves the job to itself; what the job brings stays with the file: bytes read ahead are there for the next
//! read, and an error in writing is told to whoever comes next.
//!
//! Before: `fs/disk.rs`. Next: `fs/file/waits.rs`, the futures.

mod waits;

use std::fmt;
use std::fs::{self, Metadata};
use std::future::Future;
use std::io::{self, SeekFrom};
use std::mem;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

pub use self::waits::{FileRead, FileWrite, FileWriteAll, Operation};
use super::disk::{Disk, Op, Reply};
use super::{FileJob, job_error};
use crate::blocking::{BlockingHandle, spawn_blocking};
use crate::current;

/// An open file, read and written on the blocking pool. The other libraries' counterpart is `aiofiles.open`.
///
/// Reading and writing are buffered, as Python's files are: 64 KiB are read ahead, and what is written gathers
/// until there are 64 KiB, so small reads and writes cost no job. **Others see what was written after
/// [`flush`](File::flush)**, and only that tells whether it could be written. What was accepted is
/// written also if the file is dropped without it, soon after; errors then go to the log.
///
/// It has the traits of `futures-io` (`AsyncRead`, `AsyncBufRead`, `AsyncWrite`, `AsyncSeek`), so that the
/// ecosystem's `lines` or `copy` work with it. All of it is to be awaited inside a loop, and panics elsewhere.
///
/// ```
/// use oneloop::fs::File;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("notes");
/// oneloop::run(async {
///     let mut file = File::create(&path).await?;
///     file.write_all(b"first\nsecond\n").await?;
///     file.flush().await?;
///     file.rewind().await?;
///     let mut buffer = [0; 5];
///     assert_eq!(file.read(&mut buffer).await?, 5);
///     assert_eq!(&buffer, b"first");
///     Ok::<(), std::io::Error>(())
/// })
/// # ?; Ok::<(), std::io::Error>(())
/// ```
pub struct File {
    place: Place,
    /// Why something accepted was not written; whoever comes next is told.
    failure: Option<io::Error>,
    path: Arc<Path>,
}

/// With whom the file is.
enum Place {
    Idle(Disk),
    /// With a job that does this; `None`: whoever asked for it is gone.
    Busy(BlockingHandle<(Disk, Reply)>, Option<Op>),
    /// Nowhere: its job was refused by a loop that closed.
    Lost,
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    ///
    /// # Cancellation
    /// A job that has started opens the file and closes it again.
    pub fn open(path: impl AsRef<Path>) -> OpenFile {
        File::open_with(fs::OpenOptions::new().read(true), path)
    }

    /// Makes a file, or empties the one that is there, and opens it for reading and writing.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    ///
    /// # Cancellation
    /// A job that has started makes or empties the file.
    pub fn create(path: impl AsRef<Path>) -> OpenFile {
        File::open_with(fs::OpenOptions::new().read(true).write(true).create(true).truncate(true), path)
    }

    /// Opens a file in another way: to append, to make a new one or none.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    pub fn open_with(options: &fs::OpenOptions, path: impl AsRef<Path>) -> OpenFile {
        let options = options.clone();
        OpenFile(FileJob::new("open", path, move |path| Ok(Disk::new(options.open(path)?, path.into()))))
    }

    /// Takes over a file that is open already, at its present position. Errors name it `path`.
    pub fn from_std(file: fs::File, path: impl AsRef<Path>) -> File {
        File::around(Disk::new(file, path.as_ref().into()))
    }

    fn around(disk: Disk) -> File {
        File { path: Arc::clone(&disk.path), place: Place::Idle(disk), failure: None }
    }

    /// Reads what is there into `buffer`: the number of bytes, 0 at the end of the file (or if the buffer is empty).
    ///
    /// # Cancellation
    /// Nothing is lost: what the job reads is there for the next read.
    pub fn read<'a>(&'a mut self, buffer: &'a mut [u8]) -> FileRead<'a> {
        FileRead::new(self, buffer)
    }

    /// Accepts some of `bytes`, to be written soon: the number of bytes. Waits only while a job is at work.
    ///
    /// # Errors
    /// Why something accepted earlier could not be written; nothing of `bytes` was accepted then.
    ///
    /// # Cancellation
    /// Nothing was accepted.
    pub fn write<'a>(&'a mut self, bytes: &'a [u8]) -> FileWrite<'a> {
        FileWrite::new(self, bytes)
    }

    /// Accepts all of `bytes`, to be written soon.
    ///
    /// # Errors
    /// Why something accepted earlier could not be written.
    ///
    /// # Cancellation
    /// Some of the bytes may have been accepted, and will be written.
    pub fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> FileWriteAll<'a> {
        FileWriteAll::new(self, bytes)
    }

    /// Waits until all that was accepted is written: the operating system has it, and every other program sees it.
    ///
    /// # Errors
    /// What the operating system says, with the path. What was accepted is then lost.
    ///
    /// # Cancellation
    /// It is written all the same.
    pub fn flush(&mut self) -> Operation<'_, ()> {
        Operation::new(self, Op::Flush, drop)
    }

    /// [`flush`](File::flush), and waits until the disk has it, with all that is known of the file: it is there after
    /// a loss of power.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    pub fn sync_all(&mut self) -> Operation<'_, ()> {
        Operation::new(self, Op::SyncAll, drop)
    }

    /// [`sync_all`](File::sync_all) without what is not needed to read the file again, such as its times.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    pub fn sync_data(&mut self) -> Operation<'_, ()> {
        Operation::new(self, Op::SyncData, drop)
    }

    /// Goes to another place, for reading and writing: the distance from the beginning.
    ///
    /// # Errors
    /// What the operating system says, with the path: `InvalidInput` for a place before the beginning,
    /// `NotSeekable` for a pipe.
    ///
    /// # Cancellation
    /// The file may be at the old place or at the new one.
    pub fn seek(&mut self, to: SeekFrom) -> Operation<'_, u64> {
        Operation::new(self, Op::Seek(to), |reply| match reply {
            Reply::Position(position) => position,
            _ => unreachable!("a seek replies with a position"),
        })
    }

    /// Goes to the beginning.
    ///
    /// # Errors
    /// As [`seek`](File::seek).
    pub fn rewind(&mut self) -> Operation<'_, ()> {
        Operation::new(self, Op::Seek(SeekFrom::Start(0)), drop)
    }

    /// Cuts the file off at `length` bytes, or fills it up with zeros. The place for reading and writing stays.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    pub fn set_len(&mut self, length: u64) -> Operation<'_, ()> {
        Operation::new(self, Op::SetLen(length), drop)
    }

    /// Size, times, permissions, with all that was accepted.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    pub fn metadata(&mut self) -> Operation<'_, Metadata> {
        Operation::new(self, Op::Metadata, |reply| match reply {
            Reply::Metadata(metadata) => metadata,
            _ => unreachable!("a look replies with what was seen"),
        })
    }

    /// The path it was opened with.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until no job is at work.
    #[track_caller]
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut Disk>> {
        if let Place::Busy(job, _) = &mut self.place {
            let ended = ready!(Pin::new(job).poll(cx));
            self.place = Place::Lost;
            let (disk, reply) = ended.map_err(|error| job_error(&error))?;
            self.place = Place::Idle(disk);
            if let Reply::NotWritten(error) = reply {
                self.failure = Some(error);
            }
        }
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Err(failure));
        }
        match &mut self.place {
            Place::Idle(disk) => Poll::Ready(Ok(disk)),
            _ => Poll::Ready(Err(io::Error::other(format!(
                "{:?} was lost when its loop was closed",
                self.path
            )))),
        }
    }

    /// Has a job do `op`; there is none at work.
    #[track_caller]
    fn begin(&mut self, op: Op) {
        if let Place::Idle(mut disk) = mem::replace(&mut self.place, Place::Lost) {
            let job = spawn_blocking(move || {
                let reply = disk.run(op);
                (disk, reply)
            });
            self.place = Place::Busy(job, Some(op));
        }
    }

    /// Does `op`: has a job do it, unless one is at it already, and waits for the reply.
    #[track_caller]
    fn poll_op(&mut self, cx: &mut Context<'_>, op: Op) -> Poll<io::Result<Reply>> {
        if !self.is_doing(op) {
            ready!(self.poll_idle(cx))?;
            self.begin(op);
        }
        let Place::Busy(job, _) = &mut self.place else {
            return Poll::Ready(Err(io::Error::other("this file has no job")));
        };
        let ended = ready!(Pin::new(job).poll(cx));
        self.place = Place::Lost;
        let (disk, reply) = ended.map_err(|error| job_error(&error))?;
        self.place = Place::Idle(disk);
        match reply {
            Reply::Failed(error) | Reply::NotWritten(error) => Poll::Ready(Err(error)),
            reply => Poll::Ready(Ok(reply)),
        }
    }

    /// Whether a job is at work whose reply is one to `op`.
    fn is_doing(&self, op: Op) -> bool {
        matches!(self.place, Place::Busy(_, Some(running)) if running.is_same(op))
    }

    /// So much of what is at hand was used.
    fn consumed(&mut self, length: usize) {
        if let Place::Idle(disk) = &mut self.place {
            disk.give(length);
        }
    }

    /// Whoever asked for what is being done is gone, or has been told otherwise.
    fn abandon(&mut self) {
        if let Place::Busy(_, op) = &mut self.place {
            *op = None;
        }
    }
}

impl Drop for File {
    /// What was accepted and not written is left to a job. A loop that does not run has it written here and now.
    fn drop(&mut self) {
        if let Place::Idle(disk) = mem::replace(&mut self.place, Place::Lost)
            && disk.has_unwritten()
            && current::try_with(|_| ()).is_some()
        {
            drop(spawn_blocking(move || drop(disk)));
        }
        if let Some(failure) = self.failure.take() {
            log::error!(target: "oneloop", "nobody was told that {failure}");
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doing = match &self.place {
            Place::Idle(_) => "idle".to_owned(),
            Place::Busy(job, _) => format!("{job:?}"),
            Place::Lost => "lost".to_owned(),
        };
        write!(f, "<file {:?} {doing}>", self.path)
    }
}

/// The future of [`File::open`], [`File::create`] and [`File::open_with`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct OpenFile(FileJob<Disk>);

impl Future for OpenFile {
    type Output = io::Result<File>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_ok(File::around)
    }
}
