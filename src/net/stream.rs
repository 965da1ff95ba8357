//! Chapter 28, part 3: bytes in, bytes out.
//!
//! A TCP connection, a Unix connection and a pipe to a child process differ in how they are made. Reading and
//! writing are the same for all, so they are here once: three named futures around `Source::poll_bytes`, for
//! whatever is a [`Stream`].
//!
//! ```text
//!   TcpStream   ─┐                  ┌─ Read      what is there, at least one byte
//!   UnixStream  ─┼─ Stream: source ─┼─ Write     what there is room for, at least one byte
//!   ChildStdin … ┘                  └─ WriteAll  all
//! ```
//!
//! There is no state of its own here: a read that is dropped half way has read nothing, a `write` has written
//! nothing, and a `write_all` has written what it has written. Each leaves its *interest* with the reactor while
//! it waits, and takes it back when it is dropped: a source does not gather the remains of those who gave up.
//!
//! Before: `net/source.rs`. Next: `net/stream/system.rs`, what the system is asked.

mod system;
mod traits;

use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use self::system::MOST_SLICES;
pub(crate) use self::traits::{end, read_traits, write_traits};
use super::source::Source;
use crate::reactor::Interest;
use crate::trace::event::IoOp;

/// A stream of bytes over one source of the reactor. Nobody outside of the crate can name or implement it.
pub trait Stream {
    /// What the operating system gave.
    type Io: mio::event::Source + AsFd;

    /// Whether that is a socket, which has calls of its own.
    const IS_SOCKET: bool;

    /// `None` if this side has closed it.
    fn source(&self) -> Option<&Source<Self::Io>>;
}

/// The source, or the error of an operation on what was closed.
fn open<S: Stream>(stream: &S) -> io::Result<&Source<S::Io>> {
    let closed = || io::Error::new(io::ErrorKind::BrokenPipe, "this side of the stream was closed before");
    stream.source().ok_or_else(closed)
}

#[inline(always)]
#[track_caller]
pub(crate) fn poll_read<S: Stream>(
    stream: &S,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
    interest: Option<&mut Interest>,
) -> Poll<io::Result<usize>> {
    let wanted = buffer.len();
    let read = |io: &S::Io| system::read::<S>(io, buffer);
    open(stream)?.poll_bytes(cx, IoOp::Read, wanted, interest, read)
}

#[inline(always)]
#[track_caller]
pub(crate) fn poll_write<S: Stream>(
    stream: &S,
    cx: &mut Context<'_>,
    bytes: &[u8],
    interest: Option<&mut Interest>,
) -> Poll<io::Result<usize>> {
    let write = |io: &S::Io| system::write::<S>(io, bytes);
    open(stream)?.poll_bytes(cx, IoOp::Write, bytes.len(), interest, write)
}

/// Reads into several buffers at once, for the traits.
#[track_caller]
pub(crate) fn poll_read_vectored<S: Stream>(
    stream: &S,
    cx: &mut Context<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> Poll<io::Result<usize>> {
    let most = buffers.len().min(MOST_SLICES);
    let buffers = &mut buffers[..most];
    let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
    let read = |io: &S::Io| system::read_vectored::<S>(io, buffers);
    open(stream)?.poll_bytes(cx, IoOp::Read, wanted, None, read)
}

/// Writes several slices at once, for the traits.
#[track_caller]
pub(crate) fn poll_write_vectored<S: Stream>(
    stream: &S,
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let slices = &slices[..slices.len().min(MOST_SLICES)];
    let wanted = slices.iter().map(|slice| slice.len()).sum();
    let write = |io: &S::Io| system::write_vectored::<S>(io, slices);
    open(stream)?.poll_bytes(cx, IoOp::Write, wanted, None, write)
}

/// A wait for `op` is given up.
#[inline]
pub(crate) fn forget<S: Stream>(stream: &S, op: IoOp, interest: &Interest) {
    if let Some(source) = stream.source() {
        source.forget(op, interest);
    }
}

/// The future of `read`: [`TcpStream::read`](crate::net::TcpStream::read) and those of the other streams.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Read<'a, S: Stream> {
    stream: &'a S,
    buffer: &'a mut [u8],
    interest: Interest,
}

impl<'a, S: Stream> Read<'a, S> {
    #[inline]
    pub(crate) fn new(stream: &'a S, buffer: &'a mut [u8]) -> Read<'a, S> {
        Read { stream, buffer, interest: Interest::default() }
    }
}

impl<S: Stream> Drop for Read<'_, S> {
    #[inline]
    fn drop(&mut self) {
        forget(self.stream, IoOp::Read, &self.interest);
    }
}

impl<S: Stream> Future for Read<'_, S> {
    type Output = io::Result<usize>;

    #[inline(always)]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        poll_read(this.stream, cx, this.buffer, Some(&mut this.interest))
    }
}

/// The future of `write`: [`TcpStream::write`](crate::net::TcpStream::write) and those of the other streams.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Write<'a, S: Stream> {
    stream: &'a S,
    bytes: &'a [u8],
    interest: Interest,
}

impl<'a, S: Stream> Write<'a, S> {
    #[inline]
    pub(crate) fn new(stream: &'a S, bytes: &'a [u8]) -> Write<'a, S> {
        Write { stream, bytes, interest: Interest::default() }
    }
}

impl<S: Stream> Drop for Write<'_, S> {
    #[inline]
    fn drop(&mut self) {
        forget(self.stream, IoOp::Write, &self.interest);
    }
}

impl<S: Stream> Future for Write<'_, S> {
    type Output = io::Result<usize>;

    #[inline(always)]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        poll_write(this.stream, cx, this.bytes, Some(&mut this.interest))
    }
}

/// The future of `write_all`: [`TcpStream::write_all`](crate::net::TcpStream::write_all) and those of the other
/// streams.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct WriteAll<'a, S: Stream> {
    stream: &'a S,
    /// What has not been written yet.
    bytes: &'a [u8],
    interest: Interest,
}

impl<'a, S: Stream> WriteAll<'a, S> {
    #[inline]
    pub(crate) fn new(stream: &'a S, bytes: &'a [u8]) -> WriteAll<'a, S> {
        WriteAll { stream, bytes, interest: Interest::default() }
    }
}

impl<S: Stream> Drop for WriteAll<'_, S> {
    #[inline]
    fn drop(&mut self) {
        forget(self.stream, IoOp::Write, &self.interest);
    }
}

impl<S: Stream> Future for WriteAll<'_, S> {
    type Output = io::Result<()>;

    #[inline(always)]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while !this.bytes.is_empty() {
            let written = ready!(poll_write(this.stream, cx, this.bytes, Some(&mut this.interest)))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.bytes = &this.bytes[written..];
        }
        Poll::Ready(Ok(()))
    }
}
