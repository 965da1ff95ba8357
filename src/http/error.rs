//! Chapter 34, part 3: what can go wrong with a request, in which phase of it, and at which URL.
//!
//! A request walks through phases, and each has its own time limit and its own way to fail:
//!
//! ```text
//! Request ─ Queue ─ Resolve ─ Connect ─ Handshake ─ Send ─ Head ─ Body ─ done
//!    ▲        └── skipped when a kept connection is free ──┘    │
//!    └──────────────────── Redirect ◄──────────────────────────┘
//! ```
//!
//! [`Error`] carries the URL, the [`Phase`] and the [`ErrorKind`]; it is one word wide, so that a
//! `Result<T, Error>` stays small. The protocol code below it ([`wire`](super::wire),
//! [`body`](super::body)) knows no URL and no phase: it returns the bare kind.
//!
//! Before: `http/limits.rs`. Next: `http/buffer.rs`, where bytes wait.

use std::fmt;
use std::io;
use std::time::Duration;

/// Why a request failed: the URL, the phase, and what happened.
///
/// The text of an I/O error is part of [`Display`](fmt::Display), so there is no
/// [`source`](std::error::Error::source); match on [`Error::kind`] to get at the `io::Error`.
#[derive(thiserror::Error)]
#[error("{}: {}: {}", .0.url, .0.phase, .0.kind)]
pub struct Error(Box<Report>);

/// What an [`Error`] points to.
struct Report {
    /// Never with user name, password or fragment.
    url: String,
    phase: Phase,
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(url: impl Into<String>, phase: Phase, kind: ErrorKind) -> Error {
        Error(Box::new(Report { url: url.into(), phase, kind }))
    }

    /// The URL that failed; after a redirect, the one redirected to.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// How far the request came.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// What happened.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Whether a time limit ended the request: the phase's own or the total one.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout { .. } | ErrorKind::TotalTimeout { .. })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("url", &self.0.url)
            .field("phase", &self.0.phase)
            .field("kind", &self.0.kind)
            .finish()
    }
}

/// The part of a request in which it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The request was refused before anything was done: a bad URL, a bad header.
    Request,
    /// Waiting for a turn, because the host has as many connections as it may have.
    Queue,
    /// Looking up the host's name.
    Resolve,
    /// Connecting to one of its addresses.
    Connect,
    /// The TLS handshake, certificate included.
    Handshake,
    /// Writing the request.
    Send,
    /// Waiting for the response's head, and reading it.
    Head,
    /// Reading the response's body.
    Body,
    /// Following a redirect.
    Redirect,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Request => "the request was not sent",
            Phase::Queue => "waiting for a free connection",
            Phase::Resolve => "looking up the host",
            Phase::Connect => "connecting",
            Phase::Handshake => "TLS handshake",
            Phase::Send => "sending the request",
            Phase::Head => "reading the response head",
            Phase::Body => "reading the body",
            Phase::Redirect => "following a redirect",
        })
    }
}

/// What happened, without where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL or the `Location` cannot be requested.
    #[error("bad URL: {reason}")]
    BadUrl {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The request cannot be written down as HTTP: a line break in a header, a header that the
    /// client sets itself.
    #[error("bad request: {reason}")]
    BadRequest {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The phase took longer than it may.
    #[error("nothing came of it within {limit:?}")]
    Timeout {
        /// The phase's limit, from [`Timeouts`](super::Timeouts).
        limit: Duration,
    },
    /// The whole request, redirects included, took longer than it may.
    #[error("the whole request did not end within {limit:?}")]
    TotalTimeout {
        /// The total limit.
        limit: Duration,
    },
    /// The operating system or TLS refused: connection refused, reset, no such name.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The other side sent, or promised, more than it may.
    #[error("the {what} is larger than the limit of {limit}")]
    TooLarge {
        /// `head`, `number of headers`, `body`, `chunk extensions`, `trailers` or
        /// `number of interim responses`.
        what: &'static str,
        /// The limit, from [`Limits`](super::Limits), in the unit it is counted in there.
        limit: u64,
    },
    /// The head is no HTTP, or says how the body is framed in two ways.
    #[error("bad head: {reason}")]
    BadHead {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The chunked framing is broken.
    #[error("bad body: {reason}")]
    BadBody {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The connection ended before the body did.
    #[error("the body ended after {got} bytes{}", .expected.map(|n| format!(" of {n}")).unwrap_or_default())]
    ShortBody {
        /// The promised length; `None` for a chunked body.
        expected: Option<u64>,
        /// How many bytes of the body came.
        got: u64,
    },
    /// The other side closed the connection before it had sent a whole head.
    #[error("the connection was closed after {got} bytes of the head")]
    Closed {
        /// How many bytes came.
        got: usize,
    },
    /// More redirects than allowed: most often a circle.
    #[error("more than {limit} redirects")]
    TooManyRedirects {
        /// The limit that was passed.
        limit: usize,
    },
}
