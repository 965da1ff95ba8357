//! Chapter 34, part 15: an answer whose head is there and whose body is still coming.
//!
//! The body is read only as fast as it is asked for. When its last byte is read the connection goes back to
//! be used again; a [`Response`] dropped before that closes it, unless the rest had already come.
//!
//! Before: `http/connections.rs`. Next: `http/exchange.rs`, a request and its answer.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::{HeaderMap, StatusCode, Version};
use url::Url;

use super::body::Decoder;
use super::buffer::Buffer;
use super::connections::Lease;
use super::deadline::{Deadline, Timer};
use super::error::{Error, ErrorKind, Phase};
use super::redirect::shown;
use super::wire::ResponseHead;
use crate::current::suspended;
use crate::trace::event::Wait;

/// Memory given to a body on the word of `Content-Length` alone; more only as bytes come.
const PROMISED_STEP: usize = 1024 * 1024;
/// The same when no length was promised, and the most that one `chunk` holds.
const STEP: usize = 64 * 1024;
/// A redirect's body up to this size is read, so that its connection can be used again; beyond it a new
/// connection is cheaper.
const DISCARDED: u64 = 64 * 1024;

/// What a server answered: status and headers, and a body to be read.
///
/// Read it with [`bytes`](Response::bytes), [`text`](Response::text) or piece by piece with
/// [`chunk`](Response::chunk). It holds one of the host's connections until the body is read or it is dropped.
pub struct Response {
    head: ResponseHead,
    url: Url,
    incoming: Incoming,
}

impl Response {
    pub(crate) fn new(head: ResponseHead, url: Url, incoming: Incoming) -> Response {
        Response { head, url, incoming }
    }

    /// The status, whatever it is: a 404 is an answer, not an error.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// All header lines.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// `HTTP/1.0` or `HTTP/1.1`.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The URL that gave this answer, after all redirects.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How long the body will be in bytes, if that is known; 0 where there is none, as after `HEAD`.
    pub fn content_length(&self) -> Option<u64> {
        self.incoming.decoder.expected()
    }

    /// Waits for the rest of the body.
    ///
    /// # Errors
    ///
    /// In [`Phase::Body`]: it is short, too large, badly framed, or did not come in time.
    ///
    /// # Cancellation
    ///
    /// Dropped half way, what was read is lost and the connection is closed.
    pub fn bytes(self) -> ReadBytes {
        let mut out = Buffer::default();
        if let Some(length) = self.incoming.decoder.expected() {
            let left = length - self.incoming.decoder.got();
            out.grow(usize::try_from(left).map_or(PROMISED_STEP, |left| left.min(PROMISED_STEP)));
        }
        ReadBytes { url: self.url, incoming: self.incoming, out }
    }

    /// Waits for the rest of the body, as text: UTF-8, with `U+FFFD` in the place of what is none. A
    /// `charset` in the headers is not looked at.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Response::bytes).
    ///
    /// # Cancellation
    ///
    /// Dropped half way, what was read is lost and the connection is closed.
    pub fn text(self) -> ReadText {
        ReadText { bytes: self.bytes() }
    }

    /// Waits for the next piece of the body, as it comes and at most 64 KiB; `None` at its end.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Response::bytes); after an error, the same or [`ErrorKind::ShortBody`] again.
    ///
    /// # Cancellation
    ///
    /// Dropped half way, nothing is lost: the next call goes on there.
    pub fn chunk(&mut self) -> ReadChunk<'_> {
        ReadChunk { response: self, out: Buffer::default() }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("url", &self.url.as_str())
            .field("status", &self.head.status)
            .field("body", &format_args!("{} bytes so far", self.incoming.decoder.got()))
            .finish_non_exhaustive()
    }
}

/// A body on its way.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The connection; `None` once it is given back or lost.
    lease: Option<Lease>,
    decoder: Decoder,
    /// Whether the connection may be used again afterwards.
    keep: bool,
    timer: Timer,
}

impl Incoming {
    pub fn new(
        lease: Lease,
        decoder: Decoder,
        keep: bool,
        deadline: Deadline,
        limit: Option<Duration>,
    ) -> Incoming {
        let timer = Timer::new(deadline, limit);
        let mut incoming = Incoming { lease: Some(lease), decoder, keep, timer };
        incoming.finish();
        incoming
    }

    /// Appends some of the body to `out`; ready when something came or nothing more will.
    fn poll(&mut self, cx: &mut Context<'_>, out: &mut Buffer, step: usize) -> Poll<Result<(), ErrorKind>> {
        if self.decoder.is_done() {
            return Poll::Ready(Ok(()));
        }
        let Some(lease) = &mut self.lease else {
            let (expected, got) = (self.decoder.expected(), self.decoder.got());
            return Poll::Ready(Err(ErrorKind::ShortBody { expected, got }));
        };
        let result = match lease.connection.poll_body(cx, &mut self.decoder, out, step) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(ready!(self.timer.poll(cx))),
        };
        self.timer.reset();
        match result {
            Ok(()) => self.finish(),
            Err(_) => self.lease = None,
        }
        Poll::Ready(result)
    }

    /// At the end of the body, gives the connection back if it can be used again.
    fn finish(&mut self) {
        if self.decoder.is_done() {
            if let Some(lease) = self.lease.take_if(|_| self.keep) {
                lease.give_back();
            }
            self.lease = None;
        }
    }

    /// Reads the body and forgets it, if it is short and has come already; otherwise closes the connection.
    pub async fn discard(mut self) {
        let mut out = Buffer::default();
        while self.lease.is_some() && self.keep && self.decoder.got() <= DISCARDED {
            out.consume(out.len());
            let more = poll_fn(|cx| Poll::Ready(self.poll(cx, &mut out, STEP))).await;
            if !matches!(more, Poll::Ready(Ok(()))) {
                return;
            }
        }
    }
}

impl Drop for Incoming {
    /// If all that is missing has come already, the connection can be kept.
    fn drop(&mut self) {
        let Some(lease) = &mut self.lease else { return };
        if lease.connection.decode_received(&mut self.decoder, |_| {}).is_ok() {
            self.finish();
        }
    }
}

/// The future of [`Response::bytes`].
#[must_use = "futures do nothing unless awaited"]
pub struct ReadBytes {
    url: Url,
    incoming: Incoming,
    out: Buffer,
}

impl Future for ReadBytes {
    type Output = Result<Vec<u8>, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let step = if this.incoming.decoder.expected().is_some() { PROMISED_STEP } else { STEP };
        while !this.incoming.decoder.is_done() {
            match this.incoming.poll(cx, &mut this.out, step) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(kind)) => return Poll::Ready(Err(failed(&this.url, kind))),
                Poll::Pending => {
                    suspended(Wait::Body, Location::caller());
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(std::mem::take(&mut this.out).into_vec()))
    }
}

impl fmt::Debug for ReadBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let got = format_args!("{} bytes so far", self.out.len());
        f.debug_struct("ReadBytes").field("url", &self.url.as_str()).field("body", &got).finish()
    }
}

/// The future of [`Response::text`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct ReadText {
    bytes: ReadBytes,
}

impl Future for ReadText {
    type Output = Result<String, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let bytes = ready!(Pin::new(&mut self.bytes).poll(cx));
        let lossy =
            |error: std::string::FromUtf8Error| String::from_utf8_lossy(error.as_bytes()).into_owned();
        Poll::Ready(bytes.map(|bytes| String::from_utf8(bytes).unwrap_or_else(lossy)))
    }
}

/// The future of [`Response::chunk`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct ReadChunk<'a> {
    response: &'a mut Response,
    /// Room made by an earlier poll; bytes come into it only when a poll is ready.
    out: Buffer,
}

impl Future for ReadChunk<'_> {
    type Output = Result<Option<Vec<u8>>, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ReadChunk { response, out } = &mut *self;
        let Response { url, incoming, .. } = &mut **response;
        match incoming.poll(cx, out, STEP) {
            Poll::Ready(Ok(())) if out.is_empty() => Poll::Ready(Ok(None)),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Some(std::mem::take(out).into_vec()))),
            Poll::Ready(Err(kind)) => Poll::Ready(Err(failed(url, kind))),
            Poll::Pending => {
                suspended(Wait::Body, Location::caller());
                Poll::Pending
            }
        }
    }
}

fn failed(url: &Url, kind: ErrorKind) -> Error {
    Error::new(shown(url), Phase::Body, kind)
}
