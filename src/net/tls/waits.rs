//! Chapter 28, part 13: how does a wait on TLS show the line of the `.await`?
//!
//! The traits of `futures-io` are enough to use a [`TlsStream`], through the combinators of any library. Then the
//! line that is seen to wait is in that library. These four do the same with futures of their own, whose
//! `poll` knows its caller, as those of [`TcpStream`](crate::net::TcpStream) do.
//!
//! Before: `net/tls.rs`. Next: `net/tls/failure.rs`, what a refusal says.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use super::TlsStream;

impl TlsStream {
    /// Reads what is there into `buffer`, waiting until there is something: the number of bytes, 0 if the peer has
    /// said that it is done (or the buffer is empty).
    ///
    /// # Errors
    /// `UnexpectedEof` if the connection ended without that word, `InvalidData` if what came was not from the
    /// peer, and what the operating system says.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn read<'a>(&'a mut self, buffer: &'a mut [u8]) -> Read<'a> {
        Read { stream: self, buffer }
    }

    /// Writes all of `bytes`. Up to 64 KiB of it may then wait inside, until a `flush`, a `read` or a `close`.
    ///
    /// # Errors
    /// `BrokenPipe` after a `close`, and what the operating system says; some may have been written by then.
    ///
    /// # Cancellation
    /// Some of the bytes may have been written.
    pub fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> WriteAll<'a> {
        WriteAll { stream: self, bytes }
    }

    /// Waits until all that was written is with the operating system.
    ///
    /// # Cancellation
    /// Nothing is lost; what was not yet sent still waits inside.
    pub fn flush(&mut self) -> Flush<'_> {
        Flush { stream: self }
    }

    /// Flushes, says `close_notify`, and ends the sending side; reads go on. Closing again does nothing.
    ///
    /// # Cancellation
    /// The stream takes no more writes; close again to finish.
    pub fn close(&mut self) -> Close<'_> {
        Close { stream: self }
    }
}

/// The future of [`TlsStream::read`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Read<'a> {
    stream: &'a mut TlsStream,
    buffer: &'a mut [u8],
}

impl Future for Read<'_> {
    type Output = io::Result<usize>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        Pin::new(&mut *this.stream).poll_read(cx, this.buffer)
    }
}

/// The future of [`TlsStream::write_all`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct WriteAll<'a> {
    stream: &'a mut TlsStream,
    /// What has not been taken yet.
    bytes: &'a [u8],
}

impl Future for WriteAll<'_> {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while !this.bytes.is_empty() {
            let taken = ready!(Pin::new(&mut *this.stream).poll_write(cx, this.bytes))?;
            this.bytes = &this.bytes[taken..];
        }
        Poll::Ready(Ok(()))
    }
}

/// The future of [`TlsStream::flush`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Flush<'a> {
    stream: &'a mut TlsStream,
}

impl Future for Flush<'_> {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }
}

/// The future of [`TlsStream::close`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Close<'a> {
    stream: &'a mut TlsStream,
}

impl Future for Close<'_> {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.stream).poll_close(cx)
    }
}
