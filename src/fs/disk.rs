//! Chapter 31, part 3: the thread's side of an open file: read ahead, write behind.
//!
//! Before: `fs/job.rs`. Next: `fs/file.rs`, the loop's side.

use std::fs::{self, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use super::explained;

/// How much is read ahead, and how much gathers before it is written: enough that a job's cost does not count.
const BUFFER: usize = 64 * 1024;

/// The most that one job reads, however big the reader's buffer is.
const MOST: usize = 1024 * 1024;

/// An open file: with its `File` while nothing is done with it, otherwise with the thread that does it.
pub(super) struct Disk {
    file: fs::File,
    pub(super) path: Arc<Path>,
    /// What was read ahead. The system's position in the file is after it.
    ahead: Vec<u8>,
    /// How much of that was given out.
    given: usize,
    /// What was accepted and is not written yet. It belongs where the reader is.
    behind: Vec<u8>,
}

/// What can be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Read ahead, for a reader whose buffer is so long.
    Fill(usize),
    Seek(SeekFrom),
    /// Write what is behind. All others begin with that, too.
    Flush,
    SyncAll,
    SyncData,
    SetLen(u64),
    Metadata,
}

impl Op {
    /// Whether the reply to `other` is a reply to this. One reader's buffer is as good as another's.
    pub(super) fn is_same(self, other: Op) -> bool {
        self == other || matches!((self, other), (Op::Fill(_), Op::Fill(_)))
    }
}

/// What came of it.
pub(super) enum Reply {
    Done,
    Position(u64),
    Metadata(Metadata),
    Failed(io::Error),
    /// What was accepted could not be written, which somebody is to be told; the rest was not tried.
    NotWritten(io::Error),
}

impl Disk {
    pub(super) fn new(file: fs::File, path: Arc<Path>) -> Disk {
        Disk { file, path, ahead: Vec::new(), given: 0, behind: Vec::new() }
    }

    /// What can be given out without a job; empty if there is none, or something has to be written before.
    pub(super) fn at_hand(&self) -> &[u8] {
        if self.behind.is_empty() { &self.ahead[self.given..] } else { &[] }
    }

    /// So much of it was given out.
    pub(super) fn give(&mut self, length: usize) {
        self.given = self.ahead.len().min(self.given + length);
    }

    /// Accepts some of `bytes`; none only if there are none.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> usize {
        let length = bytes.len().min(MOST);
        self.behind.extend_from_slice(&bytes[..length]);
        length
    }

    /// Whether enough was accepted to be written.
    pub(super) fn is_full(&self) -> bool {
        self.behind.len() >= BUFFER
    }

    pub(super) fn has_unwritten(&self) -> bool {
        !self.behind.is_empty()
    }

    /// Blocks, on a thread of the pool.
    pub(super) fn run(&mut self, op: Op) -> Reply {
        if let Err(error) = self.write_out() {
            return Reply::NotWritten(explained(&format!("write {:?}", self.path), &error));
        }
        let (what, reply) = match op {
            Op::Fill(wanted) => ("read", self.fill(wanted).map(|()| Reply::Done)),
            Op::Seek(to) => ("seek in", self.seek(to).map(Reply::Position)),
            Op::Flush => ("write", Ok(Reply::Done)),
            Op::SyncAll => ("sync", self.file.sync_all().map(|()| Reply::Done)),
            Op::SyncData => ("sync", self.file.sync_data().map(|()| Reply::Done)),
            Op::SetLen(length) => ("set the length of", self.set_len(length).map(|()| Reply::Done)),
            Op::Metadata => ("look at", self.file.metadata().map(Reply::Metadata)),
        };
        reply.unwrap_or_else(|error| Reply::Failed(explained(&format!("{what} {:?}", self.path), &error)))
    }

    fn unread(&self) -> i64 {
        (self.ahead.len() - self.given) as i64
    }

    /// Forgets what was read ahead, and puts the system's position to where the reader is.
    fn go_back(&mut self) -> io::Result<()> {
        if self.unread() > 0 {
            match self.file.seek(SeekFrom::Current(-self.unread())) {
                // A pipe, a terminal: its reader and its writer have no common position.
                Err(error) if error.kind() == io::ErrorKind::NotSeekable => return Ok(()),
                sought => _ = sought?,
            }
        }
        (self.given, self.ahead) = (0, Vec::new());
        Ok(())
    }

    fn write_out(&mut self) -> io::Result<()> {
        if self.behind.is_empty() {
            return Ok(());
        }
        // Taken first: what could not be written once is not tried again, which might write half of it twice.
        let mut behind = std::mem::take(&mut self.behind);
        self.go_back()?;
        self.file.write_all(&behind)?;
        if behind.capacity() <= 2 * BUFFER {
            behind.clear();
            self.behind = behind;
        }
        Ok(())
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.unread() > 0 {
            return Ok(());
        }
        self.given = 0;
        self.ahead.resize(wanted.clamp(BUFFER, MOST), 0);
        let length = loop {
            match self.file.read(&mut self.ahead) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.ahead.truncate(*length.as_ref().unwrap_or(&0));
        length.map(drop)
    }

    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let beyond = || io::Error::new(io::ErrorKind::InvalidInput, "the place is beyond any file's end");
        let to = match to {
            SeekFrom::Current(by) => SeekFrom::Current(by.checked_sub(self.unread()).ok_or_else(beyond)?),
            other => other,
        };
        let position = self.file.seek(to)?;
        (self.given, self.ahead) = (0, Vec::new());
        Ok(position)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.go_back()?;
        self.file.set_len(length)
    }
}

impl Drop for Disk {
    /// What was accepted is written, whatever becomes of the `File`.
    fn drop(&mut self) {
        if let Err(error) = self.write_out() {
            log::error!(target: "oneloop", "{:?} was dropped before it was flushed, and cannot be written: {error}", self.path);
        }
    }
}
