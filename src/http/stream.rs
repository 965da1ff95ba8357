//! Chapter 34, part 12: one connection, plain or TLS, and the bytes that came on it too early.
//!
//! Client and server both hold a [`Connection`]: it reads into its [`Buffer`], or past it straight into
//! a body, and writes a head and a body as one piece.
//!
//! Before: `http/deadline.rs`. Next: `http/dial.rs`, from a URL to a connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use super::body::Decoder;
use super::buffer::Buffer;
use super::error::ErrorKind;
use crate::net::TcpStream;
use crate::net::tls::TlsStream;

/// The bytes below HTTP.
#[derive(Debug)]
pub(crate) enum Stream {
    /// `http:`
    Plain(TcpStream),
    /// `https:`; boxed, as it is many times larger.
    Tls(Box<TlsStream>),
}

impl Stream {
    pub fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_close(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_close(cx),
        }
    }
}

/// A read into the buffer asks for this much: a head, and often a whole small response with it.
const HEAD_STEP: usize = 8 * 1024;
/// The same inside a chunked body, where the buffer is all there is to read into.
const CHUNKED_STEP: usize = 64 * 1024;
/// A body up to this size is copied behind its head: cheaper than a second slice to write.
const SMALL_BODY: usize = 4 * 1024;

/// A stream with its buffers.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    /// What came and was not yet asked for.
    buffer: Buffer,
    /// What is being sent: a head, and a small body. Kept for its memory; empty between messages.
    pub outgoing: Vec<u8>,
}

/// How much of a message was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    bytes: usize,
}

impl Connection {
    pub fn new(stream: Stream) -> Connection {
        Connection { stream, buffer: Buffer::default(), outgoing: Vec::new() }
    }

    /// What came and was not used.
    pub fn received(&self) -> &[u8] {
        self.buffer.filled()
    }

    pub fn consume(&mut self, n: usize) {
        self.buffer.consume(n);
    }

    /// Reads more into the buffer; 0 is the end.
    pub fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_fill(cx, HEAD_STEP)
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, step: usize) -> Poll<io::Result<usize>> {
        let room = self.buffer.room(step);
        let n = ready!(self.stream.poll_read(cx, room))?;
        self.buffer.added(n);
        Poll::Ready(Ok(n))
    }

    /// Appends some of a body to `out`; ready when some came, or when the body is done. Where `out` has
    /// no room left it is given `step` bytes more, or doubled.
    pub fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        decoder: &mut Decoder,
        out: &mut Buffer,
        step: usize,
    ) -> Poll<Result<(), ErrorKind>> {
        let before = decoder.got();
        loop {
            self.decode_received(decoder, |data| out.extend(data))?;
            if decoder.got() > before || decoder.is_done() {
                return Poll::Ready(Ok(()));
            }
            let n = match decoder.straight() {
                0 => ready!(self.poll_fill(cx, CHUNKED_STEP))?,
                left => {
                    let left = usize::try_from(left).unwrap_or(usize::MAX);
                    let room = out.room(left.min(step.max(out.len())));
                    let most = left.min(room.len());
                    // Straight to its final place: this is data and nothing else.
                    let n = ready!(self.stream.poll_read(cx, &mut room[..most]))?;
                    out.added(n);
                    decoder.took(n as u64)?;
                    n
                }
            };
            if n == 0 {
                return Poll::Ready(decoder.end_of_input());
            }
        }
    }

    /// Lets the decoder see what the buffer holds, and no more than the body.
    pub fn decode_received(
        &mut self,
        decoder: &mut Decoder,
        mut data: impl FnMut(&[u8]),
    ) -> Result<(), ErrorKind> {
        while !self.buffer.is_empty() && !decoder.is_done() {
            let (used, found) = decoder.decode(self.buffer.filled())?;
            data(found);
            self.buffer.consume(used);
        }
        Ok(())
    }

    /// Appends `body` to what is sent, if that is cheaper than sending it as a second slice; returns what
    /// is left to be passed to [`poll_send`](Self::poll_send).
    pub fn join_small<'a>(&mut self, body: &'a [u8]) -> &'a [u8] {
        if body.len() > SMALL_BODY {
            return body;
        }
        self.outgoing.extend_from_slice(body);
        &[]
    }

    /// Sends some more of `outgoing` and then `body`, both in one system call where they fit; ready with
    /// `true` when all is sent. `sent` counts from one call to the next.
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        body: &[u8],
        sent: &mut Sent,
    ) -> Poll<io::Result<bool>> {
        let head = self.outgoing.len();
        if sent.bytes < head + body.len() {
            let rest_of_head = &self.outgoing[sent.bytes.min(head)..];
            let rest_of_body = &body[sent.bytes.saturating_sub(head)..];
            let slices = [IoSlice::new(rest_of_head), IoSlice::new(rest_of_body)];
            let slices = match (rest_of_head.is_empty(), rest_of_body.is_empty()) {
                (true, _) => &slices[1..],
                (_, true) => &slices[..1],
                _ => &slices[..],
            };
            let n = ready!(self.stream.poll_write(cx, slices))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            sent.bytes += n;
        }
        if sent.bytes < head + body.len() {
            return Poll::Ready(Ok(false));
        }
        ready!(self.stream.poll_flush(cx))?;
        self.outgoing.clear();
        Poll::Ready(Ok(true))
    }

    /// Closes our side, so that the other one sees the end.
    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_close(cx)
    }

    /// Reads and forgets; 0 is the end.
    pub fn poll_forget(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.buffer.consume(self.buffer.len());
        self.poll_receive(cx)
    }

    /// Whether the connection may be used for another request: nothing came that nobody asked for, and the
    /// other side has not closed. The operating system is asked (0.3 µs), as the reactor may not have heard of
    /// it yet, and a request written into a closed connection cannot always be repeated.
    pub fn is_quiet(&mut self, cx: &mut Context<'_>) -> bool {
        let quiet = match &mut self.stream {
            Stream::Plain(stream) => stream.is_quiet(),
            // What rustls holds already, and then what it has not seen.
            Stream::Tls(stream) => {
                Pin::new(&mut *stream).poll_read(cx, &mut [0]).is_pending() && stream.tcp().is_quiet()
            }
        };
        quiet && self.buffer.is_empty()
    }

    /// Gives back the memory of a large message before the connection is kept.
    pub fn rest(&mut self) {
        self.buffer.shrink(HEAD_STEP);
        if self.outgoing.capacity() > HEAD_STEP {
            self.outgoing = Vec::new();
        }
    }
}
