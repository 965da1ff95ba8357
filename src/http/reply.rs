//! Chapter 34, part 19: what a handler of the server is given, and what it returns.
//!
//! Before: `http/client.rs`. Next: `http/conversation.rs`, one connection of the server.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};

use super::wire::{RequestHead, append};

/// A request that a client sent, with its whole body.
#[derive(Clone)]
pub struct Request {
    head: RequestHead,
    body: Vec<u8>,
    peer: SocketAddr,
}

impl Request {
    pub(crate) fn new(head: RequestHead, body: Vec<u8>, peer: SocketAddr) -> Request {
        Request { head, body, peer }
    }

    /// The method. `HEAD` may be answered as `GET`: the server leaves the body away.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// The target as it came: path and query, and for a proxy's request scheme and host before them.
    pub fn target(&self) -> &str {
        &self.head.target
    }

    /// The path, `%` escapes and all; `*` for an `OPTIONS` about the whole server.
    ///
    /// It is a stranger's text: `..` and `//` are in it where they came. Look it up in a table, or check
    /// it part by part before it gets near a file.
    pub fn path(&self) -> &str {
        let (path, _) = self.split();
        path
    }

    /// What stands behind the `?`, undecoded.
    pub fn query(&self) -> Option<&str> {
        let (_, query) = self.split();
        query
    }

    /// All header lines.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// `HTTP/1.0` or `HTTP/1.1`.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The body; empty if there is none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, to keep.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Where the client is.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn split(&self) -> (&str, Option<&str>) {
        let target = match self.head.target.split_once("://") {
            // Absolute form (RFC 9112, section 3.2.2): the path begins behind the host.
            Some((_, rest)) if !self.head.target.starts_with('/') => {
                rest.find(['/', '?']).map_or("/", |at| &rest[at..])
            }
            _ => &*self.head.target,
        };
        match target.split_once('?') {
            Some((path, query)) => (if path.is_empty() { "/" } else { path }, Some(query)),
            None => (target, None),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.head.method)
            .field("target", &self.head.target)
            .field("headers", &self.head.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("peer", &self.peer)
            .finish()
    }
}

/// The body of a [`Reply`]; none of the three is copied to be sent, if it is not very small.
#[derive(Clone)]
pub enum ReplyBody {
    /// Part of the program.
    Static(&'static [u8]),
    /// Made once, sent often.
    Shared(Arc<[u8]>),
    /// Made for this reply.
    Owned(Vec<u8>),
}

impl ReplyBody {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            ReplyBody::Static(bytes) => bytes,
            ReplyBody::Shared(bytes) => bytes,
            ReplyBody::Owned(bytes) => bytes,
        }
    }
}

impl From<&'static str> for ReplyBody {
    fn from(text: &'static str) -> ReplyBody {
        ReplyBody::Static(text.as_bytes())
    }
}

impl From<&'static [u8]> for ReplyBody {
    fn from(bytes: &'static [u8]) -> ReplyBody {
        ReplyBody::Static(bytes)
    }
}

impl From<Arc<[u8]>> for ReplyBody {
    fn from(bytes: Arc<[u8]>) -> ReplyBody {
        ReplyBody::Shared(bytes)
    }
}

impl From<Vec<u8>> for ReplyBody {
    fn from(bytes: Vec<u8>) -> ReplyBody {
        ReplyBody::Owned(bytes)
    }
}

impl From<String> for ReplyBody {
    fn from(text: String) -> ReplyBody {
        ReplyBody::Owned(text.into_bytes())
    }
}

/// What a handler answers: a status, headers and a body.
///
/// The server writes `Content-Length`, `Date` and `Connection` itself.
#[derive(Clone)]
pub struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: ReplyBody,
    /// Whether a header could not be written; then an empty 500 is sent instead.
    pub(crate) broken: bool,
}

impl Reply {
    /// An empty reply.
    ///
    /// ```
    /// use oneloop::http::{Reply, StatusCode};
    ///
    /// let reply = Reply::new(StatusCode::SEE_OTHER).header("location", "/elsewhere");
    /// ```
    ///
    /// # Panics
    ///
    /// If the status is informational (1xx): those do not end a request.
    #[track_caller]
    pub fn new(status: StatusCode) -> Reply {
        assert!(!status.is_informational(), "a 1xx status does not end a request: reply with another one");
        Reply { status, headers: HeaderMap::new(), body: ReplyBody::Static(&[]), broken: false }
    }

    /// 200 with plain text in UTF-8.
    pub fn text(body: impl Into<ReplyBody>) -> Reply {
        Reply::typed("text/plain; charset=utf-8", body)
    }

    /// 200 with HTML in UTF-8.
    pub fn html(body: impl Into<ReplyBody>) -> Reply {
        Reply::typed("text/html; charset=utf-8", body)
    }

    /// 200 with a body of this `Content-Type`.
    pub fn typed(content_type: &'static str, body: impl Into<ReplyBody>) -> Reply {
        Reply::new(StatusCode::OK).header(CONTENT_TYPE, content_type).body(body)
    }

    /// 404 with a line of text.
    pub fn not_found() -> Reply {
        Reply::text("404 Not Found\n").status(StatusCode::NOT_FOUND)
    }

    /// The same reply with another status.
    ///
    /// # Panics
    ///
    /// If the status is informational (1xx).
    #[track_caller]
    pub fn status(mut self, status: StatusCode) -> Reply {
        self.status = Reply::new(status).status;
        self
    }

    /// Adds a header line. If it cannot be written (a line break in a value that came from outside, say) an
    /// empty 500 is sent instead of this reply.
    pub fn header<N, V>(mut self, name: N, value: V) -> Reply
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.broken |= append(&mut self.headers, name, value).is_err();
        self
    }

    /// The body.
    pub fn body(mut self, body: impl Into<ReplyBody>) -> Reply {
        self.body = body.into();
        self
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.bytes().len()))
            .finish()
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes().len())
    }
}
