//! Chapter 34, part 2: how much the other side may make us hold, wait for and work through.
//!
//! Everything that comes from a network is bounded by one of these. They hold for bodies that are
//! thrown away too (a redirect's, say), and however the bytes are cut up on their way: one at a time
//! costs no more memory and, per byte, no more work than all at once.
//!
//! Before: `http/mod.rs`. Next: `http/error.rs`, what can go wrong.

use std::time::Duration;

/// A head is at most 64 KiB; browsers and servers stop between 8 and 256 KiB.
pub const HEAD_BYTES: usize = 64 * 1024;
/// A head has at most 128 header lines.
pub const HEADERS: usize = 128;
/// A body is at most 64 MiB.
pub const BODY_BYTES: u64 = 64 * 1024 * 1024;
/// All chunk extensions of one body together are at most 16 KiB. Nobody uses them, and an extension
/// per byte of data is an old way to make a receiver work (CVE-2023-39326).
pub const CHUNK_EXTENSION_BYTES: usize = 16 * 1024;
/// The trailers of one body are at most 16 KiB.
pub const TRAILER_BYTES: usize = 16 * 1024;
/// At most 16 interim responses (`100 Continue`, `103 Early Hints`) come before the real one.
pub const INTERIM_HEADS: usize = 16;

/// Sizes that the other side may not pass; what does is [`TooLarge`](super::ErrorKind::TooLarge).
///
/// ```
/// let mut limits = oneloop::http::Limits::default();
/// limits.body_bytes = 1 << 30;
/// let client = oneloop::http::Client::builder().limits(limits).build();
/// # drop(client);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a head, from the first line to the empty line. Default: [`HEAD_BYTES`].
    pub head_bytes: usize,
    /// Header lines of a head. Default: [`HEADERS`].
    pub headers: usize,
    /// Bytes of a body, framing not counted. Default: [`BODY_BYTES`].
    pub body_bytes: u64,
    /// Bytes of all chunk extensions of a body. Default: [`CHUNK_EXTENSION_BYTES`].
    pub chunk_extension_bytes: usize,
    /// Bytes of the trailers behind a chunked body. Default: [`TRAILER_BYTES`].
    pub trailer_bytes: usize,
    /// Interim responses before the final one. Default: [`INTERIM_HEADS`].
    pub interim_heads: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head_bytes: HEAD_BYTES,
            headers: HEADERS,
            body_bytes: BODY_BYTES,
            chunk_extension_bytes: CHUNK_EXTENSION_BYTES,
            trailer_bytes: TRAILER_BYTES,
            interim_heads: INTERIM_HEADS,
        }
    }
}

/// Looking up a name may take 10 s.
pub const RESOLVE: Duration = Duration::from_secs(10);
/// Connecting may take 10 s, all addresses of the host together.
pub const CONNECT: Duration = Duration::from_secs(10);
/// A TLS handshake may take 10 s.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// Between two writes of a request there may be 30 s.
pub const SEND: Duration = Duration::from_secs(30);
/// A response's head may take 30 s to come.
pub const HEAD: Duration = Duration::from_secs(30);
/// Between two reads of a body there may be 30 s.
pub const BODY: Duration = Duration::from_secs(30);
/// A whole request may take 5 minutes, as in aiohttp. This is what ends a server that sends one
/// byte now and then, and so passes each of the limits above.
pub const TOTAL: Duration = Duration::from_secs(300);

/// How long each phase of a request may take; `None` means: as long as it takes.
///
/// What passes one is a [`Timeout`](super::ErrorKind::Timeout) in that phase, or a
/// [`TotalTimeout`](super::ErrorKind::TotalTimeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Looking up the name. Default: [`RESOLVE`].
    pub resolve: Option<Duration>,
    /// Connecting, all addresses together. Default: [`CONNECT`].
    pub connect: Option<Duration>,
    /// The TLS handshake. Default: [`HANDSHAKE`].
    pub handshake: Option<Duration>,
    /// Between two writes of the request. Default: [`SEND`].
    pub send: Option<Duration>,
    /// From the request's last byte to the end of the response's head. Default: [`HEAD`].
    pub head: Option<Duration>,
    /// Between two reads of the body. Default: [`BODY`].
    pub body: Option<Duration>,
    /// Everything, from `send` to the body's last byte, the wait for a turn and all redirects
    /// included. Default: [`TOTAL`].
    pub total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            resolve: Some(RESOLVE),
            connect: Some(CONNECT),
            handshake: Some(HANDSHAKE),
            send: Some(SEND),
            head: Some(HEAD),
            body: Some(BODY),
            total: Some(TOTAL),
        }
    }
}

/// A server keeps a connection open for 15 s between two requests: longer than clients do, so that it is
/// the client that closes.
pub const SERVER_IDLE: Duration = Duration::from_secs(15);
/// A request's head may take 10 s to come.
pub const SERVER_HEAD: Duration = Duration::from_secs(10);
/// A request's body may pause for 10 s.
pub const SERVER_BODY: Duration = Duration::from_secs(10);
/// A whole request may take 60 s to come.
pub const SERVER_REQUEST: Duration = Duration::from_secs(60);
/// A client may take nothing of a reply for 30 s.
pub const SERVER_SEND: Duration = Duration::from_secs(30);
/// A request's body is at most 1 MiB, as the whole of it is held.
pub const SERVER_BODY_BYTES: u64 = 1024 * 1024;
/// A server has at most 1,000 connections; further ones wait in the system's queue.
pub const SERVER_CONNECTIONS: usize = 1000;

/// How long a server waits for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerTimeouts {
    /// Between two requests, and before the first. Default: [`SERVER_IDLE`].
    pub idle: Duration,
    /// From a request's first byte to the end of its head; then 408. Default: [`SERVER_HEAD`].
    pub head: Duration,
    /// Between two reads of a request's body; then 408. Default: [`SERVER_BODY`].
    pub body: Duration,
    /// From a request's first byte to its last; then 408. Default: [`SERVER_REQUEST`].
    pub request: Duration,
    /// Between two writes of a reply; then the connection is closed. Default: [`SERVER_SEND`].
    pub send: Duration,
}

impl Default for ServerTimeouts {
    fn default() -> ServerTimeouts {
        ServerTimeouts {
            idle: SERVER_IDLE,
            head: SERVER_HEAD,
            body: SERVER_BODY,
            request: SERVER_REQUEST,
            send: SERVER_SEND,
        }
    }
}
