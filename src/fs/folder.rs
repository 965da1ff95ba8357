//! Chapter 31, part 6: folders: what is in them, some at a time.
//!
//! A folder may hold millions of files. They are asked for in batches, one job each, so that neither
//! memory nor the pool's thread is taken for long, and a program that stops half way has not paid for the rest.
//!
//! Before: `fs/file/waits.rs`. Next: `process.rs`, other programs.

use std::fs::DirEntry;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::{fmt, fs, vec};

use super::{FileJob, explained};

/// How many entries one job brings.
const BATCH: usize = 128;

/// What is in a folder, in the order in which the file system has it, which is none. asyncio's programs have
/// `os.scandir`, or that of aiofiles.
///
/// Nothing is asked for before the first [`next_entry`](ReadDir::next_entry).
///
/// ```
/// let folder = tempfile::tempdir()?;
/// oneloop::run(async {
///     oneloop::fs::write(folder.path().join("one"), "").await?;
///     let mut entries = oneloop::fs::read_dir(folder.path());
///     while let Some(entry) = entries.next_entry().await? {
///         assert_eq!(entry.file_name(), "one");
///     }
///     Ok::<(), std::io::Error>(())
/// })
/// # ?; Ok::<(), std::io::Error>(())
/// ```
pub fn read_dir(path: impl AsRef<Path>) -> ReadDir {
    ReadDir {
        path: path.as_ref().into(),
        folder: Arc::default(),
        batch: Vec::new().into_iter(),
        asked: None,
        at_end: false,
    }
}

/// A folder being read: the result of [`read_dir`].
pub struct ReadDir {
    path: PathBuf,
    /// The folder, for whichever job is at work; `None` before the first.
    folder: Arc<Mutex<Option<fs::ReadDir>>>,
    /// What was brought and not yet given out.
    batch: vec::IntoIter<io::Result<DirEntry>>,
    /// The job that brings more; `None`: there is none.
    asked: Option<FileJob<Vec<io::Result<DirEntry>>>>,
    /// Whether the last batch was the last.
    at_end: bool,
}

impl ReadDir {
    /// The next entry; `None` at the end. Its `file_type` is mostly known already; its `metadata` asks the disk,
    /// here and now: use [`fs::metadata`](crate::fs::symlink_metadata) with its `path` instead.
    ///
    /// # Errors
    /// What the operating system says, with the path. An entry that cannot be read does not end the reading: the
    /// next call goes on. A folder that cannot be opened is at its end after the error.
    ///
    /// # Cancellation
    /// Nothing is lost: what a job has brought is there for the next call.
    pub fn next_entry(&mut self) -> NextEntry<'_> {
        NextEntry(self)
    }

    fn ask(&self) -> FileJob<Vec<io::Result<DirEntry>>> {
        let folder = Arc::clone(&self.folder);
        FileJob::new("read the folder", &self.path, move |path| {
            let mut folder = folder.lock().unwrap_or_else(PoisonError::into_inner);
            let entries = match &mut *folder {
                Some(entries) => entries,
                none => none.insert(fs::read_dir(path)?),
            };
            Ok(entries.by_ref().take(BATCH).collect())
        })
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<folder {:?}>", self.path)
    }
}

/// The future of [`ReadDir::next_entry`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct NextEntry<'a>(&'a mut ReadDir);

impl Future for NextEntry<'_> {
    type Output = io::Result<Option<DirEntry>>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let folder = &mut *self.0;
        loop {
            match folder.batch.next() {
                Some(Ok(entry)) => return Poll::Ready(Ok(Some(entry))),
                Some(Err(error)) => {
                    return Poll::Ready(Err(explained(
                        &format!("read the folder {:?}", folder.path),
                        &error,
                    )));
                }
                None if folder.at_end => return Poll::Ready(Ok(None)),
                None => {}
            }
            if folder.asked.is_none() {
                folder.asked = Some(folder.ask());
            }
            let Some(job) = &mut folder.asked else { continue };
            let batch = ready!(Pin::new(job).poll(cx));
            folder.asked = None;
            folder.at_end = batch.as_ref().map_or(true, |batch| batch.len() < BATCH);
            folder.batch = batch?.into_iter();
        }
    }
}
