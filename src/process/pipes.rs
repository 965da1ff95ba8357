//! Chapter 32, part 2: a child's three streams.
//!
//! They are streams like any other (`net/stream.rs`), one way each.
//!
//! Before: `process.rs`. Next: `process/reaper.rs`.

use std::io;
use std::process;

use mio::unix::pipe::{Receiver, Sender};

use crate::net::source::Source;
use crate::net::stream::{Read, Stream, Write, WriteAll, read_traits, write_traits};

/// The end of a pipe to write to, that the child reads: [`Child::stdin`](super::Child::stdin). Dropped or closed, it
/// lets the child read the end of the stream.
#[derive(Debug)]
pub struct ChildStdin(
    /// `None` once it is closed.
    Option<Source<Sender>>,
);

impl ChildStdin {
    /// Writes some of `bytes`, waiting until there is room: the number of bytes taken.
    ///
    /// # Errors
    /// `BrokenPipe` if the child has closed its end, or has ended.
    ///
    /// # Cancellation
    /// Nothing was written.
    pub fn write<'a>(&'a self, bytes: &'a [u8]) -> Write<'a, ChildStdin> {
        Write::new(self, bytes)
    }

    /// Writes all of `bytes`. A child that does not read while it writes itself fills both pipes, and waits as we
    /// do, for ever: read from it meanwhile, or use [`communicate`](super::Child::communicate).
    ///
    /// # Errors
    /// `BrokenPipe` if the child has closed its end, or has ended; some of the bytes may have been written.
    ///
    /// # Cancellation
    /// Some of the bytes may have been written.
    pub fn write_all<'a>(&'a self, bytes: &'a [u8]) -> WriteAll<'a, ChildStdin> {
        WriteAll::new(self, bytes)
    }
}

impl Stream for ChildStdin {
    type Io = Sender;
    const IS_SOCKET: bool = false;

    fn source(&self) -> Option<&Source<Sender>> {
        self.0.as_ref()
    }
}

write_traits!(ChildStdin, ChildStdin, |stdin| {
    stdin.0 = None;
    Ok(())
});

/// The end of a pipe to read from, that the child writes to: [`Child::stdout`](super::Child::stdout).
#[derive(Debug)]
pub struct ChildStdout(Source<Receiver>);

/// The end of a pipe to read from, that the child writes errors to: [`Child::stderr`](super::Child::stderr).
#[derive(Debug)]
pub struct ChildStderr(Source<Receiver>);

impl ChildStdout {
    /// Reads what is there into `buffer`, waiting until there is something: the number of bytes, 0 if the child, and
    /// every process that has the pipe from it, has closed it or ended (or the buffer is empty).
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Read<'a, ChildStdout> {
        Read::new(self, buffer)
    }
}

impl ChildStderr {
    /// As [`ChildStdout::read`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Read<'a, ChildStderr> {
        Read::new(self, buffer)
    }
}

impl Stream for ChildStdout {
    type Io = Receiver;
    const IS_SOCKET: bool = false;

    fn source(&self) -> Option<&Source<Receiver>> {
        Some(&self.0)
    }
}

impl Stream for ChildStderr {
    type Io = Receiver;
    const IS_SOCKET: bool = false;

    fn source(&self) -> Option<&Source<Receiver>> {
        Some(&self.0)
    }
}

read_traits!(ChildStdout);
read_traits!(ChildStderr);

/// Makes our ends of a child's pipes sources of the current loop.
#[track_caller]
pub(super) fn adopt(
    child: &mut process::Child,
) -> io::Result<(Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>)> {
    let stdin = child.stdin.take().map(Sender::from);
    let stdout = child.stdout.take().map(Receiver::from);
    let stderr = child.stderr.take().map(Receiver::from);
    // The child's ends stay as they are: each end has this setting for itself.
    stdin.iter().try_for_each(|pipe| pipe.set_nonblocking(true))?;
    stdout.iter().chain(&stderr).try_for_each(|pipe| pipe.set_nonblocking(true))?;
    let stdin = stdin.map(|pipe| Source::new(pipe, "pipe")).transpose()?;
    let stdout = stdout.map(|pipe| Source::new(pipe, "pipe")).transpose()?;
    let stderr = stderr.map(|pipe| Source::new(pipe, "pipe")).transpose()?;
    Ok((stdin.map(|pipe| ChildStdin(Some(pipe))), stdout.map(ChildStdout), stderr.map(ChildStderr)))
}
