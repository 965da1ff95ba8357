//! Chapter 31, part 5: the futures of an open file, and its traits.
//!
//! Before: `fs/file.rs`. Next: `fs/folder.rs`, what is in a folder.

use std::fmt;
use std::future::Future;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite};

use super::File;
use crate::fs::disk::{Op, Reply};

impl File {
    /// Sees to it that bytes are at hand, for a reader whose buffer is `wanted` bytes long; none at the end.
    #[track_caller]
    fn poll_at_hand(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<io::Result<()>> {
        if !self.is_doing(Op::Fill(wanted)) && !ready!(self.poll_idle(cx))?.at_hand().is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.poll_op(cx, Op::Fill(wanted)).map_ok(drop)
    }

    #[track_caller]
    fn poll_read_some(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_at_hand(cx, buffer.len()))?;
        let disk = ready!(self.poll_idle(cx))?;
        let length = disk.at_hand().len().min(buffer.len());
        buffer[..length].copy_from_slice(&disk.at_hand()[..length]);
        disk.give(length);
        Poll::Ready(Ok(length))
    }

    #[track_caller]
    fn poll_accept(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let disk = ready!(self.poll_idle(cx))?;
        let accepted = disk.accept(bytes);
        if disk.is_full() {
            self.begin(Op::Flush);
        }
        Poll::Ready(Ok(accepted))
    }
}

/// The future of [`File::read`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct FileRead<'a> {
    file: &'a mut File,
    buffer: &'a mut [u8],
}

impl<'a> FileRead<'a> {
    pub(super) fn new(file: &'a mut File, buffer: &'a mut [u8]) -> FileRead<'a> {
        FileRead { file, buffer }
    }
}

impl Future for FileRead<'_> {
    type Output = io::Result<usize>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.file.poll_read_some(cx, this.buffer)
    }
}

impl Drop for FileRead<'_> {
    /// What the job finds counts for the next read only if it is bytes: the end may have moved until then.
    fn drop(&mut self) {
        self.file.abandon();
    }
}

/// The future of [`File::write`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct FileWrite<'a> {
    file: &'a mut File,
    bytes: &'a [u8],
}

impl<'a> FileWrite<'a> {
    pub(super) fn new(file: &'a mut File, bytes: &'a [u8]) -> FileWrite<'a> {
        FileWrite { file, bytes }
    }
}

impl Future for FileWrite<'_> {
    type Output = io::Result<usize>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.file.poll_accept(cx, this.bytes)
    }
}

/// The future of [`File::write_all`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct FileWriteAll<'a> {
    file: &'a mut File,
    /// What has not been accepted yet.
    bytes: &'a [u8],
}

impl<'a> FileWriteAll<'a> {
    pub(super) fn new(file: &'a mut File, bytes: &'a [u8]) -> FileWriteAll<'a> {
        FileWriteAll { file, bytes }
    }
}

impl Future for FileWriteAll<'_> {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while !this.bytes.is_empty() {
            let accepted = ready!(this.file.poll_accept(cx, this.bytes))?;
            this.bytes = &this.bytes[accepted..];
        }
        Poll::Ready(Ok(()))
    }
}

/// The future of [`File::flush`], [`File::seek`] and the other operations on the file as a whole.
///
/// # Cancellation
/// A job that was handed to the pool does it all the same.
#[must_use = "futures do nothing unless awaited"]
pub struct Operation<'a, T> {
    file: &'a mut File,
    op: Op,
    take: fn(Reply) -> T,
}

impl<'a, T> Operation<'a, T> {
    pub(super) fn new(file: &'a mut File, op: Op, take: fn(Reply) -> T) -> Operation<'a, T> {
        // What is being done was asked for by somebody else, except that a flush is a flush.
        if op != Op::Flush {
            file.abandon();
        }
        Operation { file, op, take }
    }
}

impl<T> Future for Operation<'_, T> {
    type Output = io::Result<T>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.file.poll_op(cx, this.op).map_ok(this.take)
    }
}

impl<T> fmt::Debug for Operation<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("file", self.file).field("op", &self.op).finish()
    }
}

impl<T> Drop for Operation<'_, T> {
    fn drop(&mut self) {
        self.file.abandon();
    }
}

impl AsyncRead for File {
    #[track_caller]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_some(cx, buffer)
    }
}

impl AsyncBufRead for File {
    #[track_caller]
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let file = self.get_mut();
        ready!(file.poll_at_hand(cx, 0))?;
        file.poll_idle(cx).map_ok(|disk| disk.at_hand())
    }

    fn consume(mut self: Pin<&mut Self>, length: usize) {
        self.consumed(length);
    }
}

impl AsyncWrite for File {
    #[track_caller]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_accept(cx, bytes)
    }

    #[track_caller]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_op(cx, Op::Flush).map_ok(drop)
    }

    #[track_caller]
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for File {
    #[track_caller]
    fn poll_seek(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: SeekFrom) -> Poll<io::Result<u64>> {
        match ready!(self.poll_op(cx, Op::Seek(to)))? {
            Reply::Position(position) => Poll::Ready(Ok(position)),
            _ => Poll::Ready(Err(io::Error::other("a seek without a position"))),
        }
    }
}
