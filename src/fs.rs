//! Chapter 31: files, honestly.
//!
//! A file is always "ready": the reactor cannot tell whether reading it will take a microsecond (it is in memory)
//! or a second (the disk has to spin up, the server of a network drive is slow). So there is no waiting for files,
//! only calls that block, and they go to the blocking pool like any other such call. What looks asynchronous here
//! is a job and somebody who waits for it:
//!
//! ```text
//!   fs::read("a").await   ──▶ job: std::fs::read("a") ──▶ the bytes
//!   file.read(&mut b)     ──▶ job: read 64 KiB ahead  ──▶ the first bytes of them
//!   file.read(&mut b)     ──▶ no job: they are there
//! ```
//!
//! Three things follow. A call costs some ten microseconds on top of the file's own time, so what is small and known
//! to be in memory is faster read with `std::fs`. Many slow calls fill the pool, and others wait for a thread. And
//! what has started cannot be stopped: **a dropped future leaves its job running**, to its end.
//!
//! The functions are those of `std::fs`, each a future that does nothing until it is first polled. The
//! other libraries' word for this is aiofiles (and aiofiles.os).
//!
//! Before: `signal/post.rs`. Next: `fs/job.rs`, one call.

mod job;
mod disk;
mod file;
mod folder;

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

pub use self::file::{File, FileRead, FileWrite, FileWriteAll, OpenFile, Operation};
pub use self::folder::{NextEntry, ReadDir, read_dir};
pub use self::job::FileJob;
use crate::task::JoinError;

/// Reads a whole file. There is no limit: the bytes of the file are to fit into memory (or use a [`File`]).
///
/// # Errors
/// What the operating system says, with the path.
///
/// # Cancellation
/// A read that has started goes on, and its bytes are dropped.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("greeting");
/// oneloop::run(async {
///     oneloop::fs::write(&path, "hello").await?;
///     assert_eq!(oneloop::fs::read(&path).await?, b"hello");
///     Ok::<(), std::io::Error>(())
/// })
/// # ?; Ok::<(), std::io::Error>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> FileJob<Vec<u8>> {
    FileJob::new("read", path, |path| fs::read(path))
}

/// Reads a whole file as text. asyncio's programs have `aiofiles.open(…).read()` for it.
///
/// # Errors
/// What the operating system says, with the path; `InvalidData` if it is not UTF-8.
///
/// # Cancellation
/// A read that has started goes on, and its text is dropped.
pub fn read_to_string(path: impl AsRef<Path>) -> FileJob<String> {
    FileJob::new("read", path, |path| fs::read_to_string(path))
}

/// Writes `bytes` as the whole content of a file, which is made if there is none. A `Vec` or `String` is moved,
/// anything else copied.
///
/// # Errors
/// What the operating system says, with the path. Some of the bytes may have been written.
///
/// # Cancellation
/// A write that has started goes on to its end.
pub fn write(path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) -> FileJob<()> {
    let bytes = bytes.into();
    FileJob::new("write", path, move |path| fs::write(path, bytes))
}

/// Copies a file with its permissions: the number of bytes.
///
/// # Errors
/// What the operating system says, with both paths.
///
/// # Cancellation
/// A copy that has started goes on to its end.
pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> FileJob<u64> {
    FileJob::with_other("copy", from, to, |from, to| fs::copy(from, to))
}

/// Gives a file or folder another name, in the place of what has that name.
///
/// # Errors
/// What the operating system says, with both paths: `CrossesDevices` from one file system to another.
///
/// # Cancellation
/// Either it is done or it is not; a job that has started does it.
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> FileJob<()> {
    FileJob::with_other("rename", from, to, |from, to| fs::rename(from, to))
}

/// Gives a file a second name, `link`.
///
/// # Errors
/// What the operating system says, with both paths.
pub fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> FileJob<()> {
    FileJob::with_other("link", original, link, |original, link| fs::hard_link(original, link))
}

/// Makes `link` a symbolic link to `original`, which need not exist.
///
/// # Errors
/// What the operating system says, with both paths.
pub fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> FileJob<()> {
    FileJob::with_other("link", original, link, |original, link| std::os::unix::fs::symlink(original, link))
}

/// Where a symbolic link leads to.
///
/// # Errors
/// What the operating system says, with the path: `InvalidInput` if it is no link.
pub fn read_link(path: impl AsRef<Path>) -> FileJob<PathBuf> {
    FileJob::new("read the link", path, |path| fs::read_link(path))
}

/// The path in full, with no links, `.` and `..` in it.
///
/// # Errors
/// What the operating system says, with the path: `NotFound` if there is nothing.
pub fn canonicalize(path: impl AsRef<Path>) -> FileJob<PathBuf> {
    FileJob::new("find", path, |path| fs::canonicalize(path))
}

/// Size, times, permissions and sort of a file or folder, or of what a link leads to.
///
/// # Errors
/// What the operating system says, with the path.
pub fn metadata(path: impl AsRef<Path>) -> FileJob<Metadata> {
    FileJob::new("look at", path, |path| fs::metadata(path))
}

/// As [`metadata`], but of a link itself.
///
/// # Errors
/// What the operating system says, with the path.
pub fn symlink_metadata(path: impl AsRef<Path>) -> FileJob<Metadata> {
    FileJob::new("look at", path, |path| fs::symlink_metadata(path))
}

/// Whether there is something at `path`.
///
/// # Errors
/// What the operating system says, with the path, where it cannot tell: for instance in a folder that may not be
/// looked into.
pub fn exists(path: impl AsRef<Path>) -> FileJob<bool> {
    FileJob::new("look for", path, |path| fs::exists(path))
}

/// Changes what may be done with a file or folder, and by whom.
///
/// # Errors
/// What the operating system says, with the path.
pub fn set_permissions(path: impl AsRef<Path>, permissions: Permissions) -> FileJob<()> {
    FileJob::new("change the permissions of", path, move |path| fs::set_permissions(path, permissions))
}

/// Makes a folder.
///
/// # Errors
/// What the operating system says, with the path: `AlreadyExists`, or `NotFound` if the folder it is to be in is
/// not there.
pub fn create_dir(path: impl AsRef<Path>) -> FileJob<()> {
    FileJob::new("make the folder", path, |path| fs::create_dir(path))
}

/// Makes a folder and all it is to be in, as far as they are not there.
///
/// # Errors
/// What the operating system says, with the path.
pub fn create_dir_all(path: impl AsRef<Path>) -> FileJob<()> {
    FileJob::new("make the folder", path, |path| fs::create_dir_all(path))
}

/// Removes a file.
///
/// # Errors
/// What the operating system says, with the path.
pub fn remove_file(path: impl AsRef<Path>) -> FileJob<()> {
    FileJob::new("remove", path, |path| fs::remove_file(path))
}

/// Removes an empty folder.
///
/// # Errors
/// What the operating system says, with the path: `DirectoryNotEmpty`.
pub fn remove_dir(path: impl AsRef<Path>) -> FileJob<()> {
    FileJob::new("remove the folder", path, |path| fs::remove_dir(path))
}

/// Removes a folder **and everything in it**. Links are removed, not followed.
///
/// # Errors
/// What the operating system says, with the path; some of it may be gone by then.
///
/// # Cancellation
/// A job that has started removes everything.
pub fn remove_dir_all(path: impl AsRef<Path>) -> FileJob<()> {
    FileJob::new("remove the folder", path, |path| fs::remove_dir_all(path))
}

/// The error of a job that was refused, because its loop was closed, or that panicked.
fn job_error(error: &JoinError) -> io::Error {
    io::Error::other(format!("its job of the blocking pool did not end: {error}"))
}

/// An error with what was to be done.
fn explained(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what}: {error}"))
}
