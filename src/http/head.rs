//! Chapter 34, part 6: reading heads, the lines before a body.
//!
//! A head ends at its first empty line. [`HeadReader`] is given everything that came so far, each
//! time more came, and answers "not yet" or the head and its length. It remembers how far it has
//! looked for the empty line and has `httparse` parse only when one is there, so a head that comes
//! one byte at a time costs linear time and not quadratic.
//!
//! **Line ends.** A server here takes CR LF only. A client also takes a bare LF in a *head*, which RFC
//! 9112, section 2.2, allows, because old servers send it and nothing behind a client could be
//! misled; in chunked framing neither takes it. A bare CR, NUL or a folded line is an error in both.
//!
//! Before: `http/body.rs`. Next: `http/wire.rs`, what stands on the wire.

use std::mem::MaybeUninit;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use httparse::Status;

use super::error::ErrorKind;
use super::limits::{HEADERS, Limits};

/// The head of a response.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub version: Version,
    /// 100 to 999.
    pub status: StatusCode,
    /// All header lines in their order, names in lower case.
    pub headers: HeaderMap,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub version: Version,
    /// Case matters: `get` is not `GET`.
    pub method: Method,
    /// What stands between method and version, as it came: printable ASCII without spaces.
    pub target: String,
    /// All header lines in their order, names in lower case.
    pub headers: HeaderMap,
}

/// Finds the end of one head among the bytes that come.
#[derive(Debug, Default)]
pub struct HeadReader {
    /// How many bytes were searched for the empty line; 0 before the first look.
    searched: usize,
}

impl HeadReader {
    /// A reader for one head.
    pub fn new() -> HeadReader {
        HeadReader::default()
    }

    /// The response head at the front of `bytes` and its length, or `None` if more is needed.
    /// `bytes` must be what it was at the last call, plus what came since.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadHead`] if this is no response, [`ErrorKind::TooLarge`] if a limit is passed.
    pub fn response(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Option<(ResponseHead, usize)>, ErrorKind> {
        let Some(bytes) = self.worth_parsing(bytes, limits)? else { return Ok(None) };
        with_slots(limits, |slots| {
            let mut parsed = httparse::Response::new(&mut []);
            let strict = httparse::ParserConfig::default();
            let status = strict.parse_response_with_uninit_headers(&mut parsed, bytes, slots);
            let Some(length) = complete(status, bytes.len(), limits)? else { return Ok(None) };
            let status = StatusCode::from_u16(parsed.code.unwrap_or(0));
            let status = status.map_err(|_| bad_head("the status is not between 100 and 999"))?;
            let (version, headers) = (version(parsed.version), header_map(parsed.headers)?);
            Ok(Some((ResponseHead { version, status, headers }, length)))
        })
    }

    /// The request head at the front of `bytes` and its length, or `None` if more is needed.
    /// `bytes` must be what it was at the last call, plus what came since.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadHead`] if this is no request, [`ErrorKind::TooLarge`] if a limit is passed.
    pub fn request(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Option<(RequestHead, usize)>, ErrorKind> {
        // RFC 9112, section 2.2: one empty line before a request is ignored.
        let skipped = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
        if bytes == b"\r" {
            return Ok(None);
        }
        let Some(bytes) = self.worth_parsing(&bytes[skipped..], limits)? else { return Ok(None) };
        with_slots(limits, |slots| {
            let mut parsed = httparse::Request::new(&mut []);
            let status = parsed.parse_with_uninit_headers(bytes, slots);
            let Some(length) = complete(status, bytes.len(), limits)? else { return Ok(None) };
            only_crlf(&bytes[..length])?;
            let method = Method::from_bytes(parsed.method.unwrap_or_default().as_bytes());
            let method = method.map_err(|_| bad_head("the method is no token"))?;
            let target = parsed.path.unwrap_or_default();
            if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(bad_head("the target is not printable ASCII"));
            }
            let (version, headers) = (version(parsed.version), header_map(parsed.headers)?);
            let head = RequestHead { version, method, target: target.to_owned(), headers };
            Ok(Some((head, skipped + length)))
        })
    }

    /// The part of `bytes` that may be a head, if parsing it can have changed its outcome.
    fn worth_parsing<'a>(&mut self, bytes: &'a [u8], limits: &Limits) -> Result<Option<&'a [u8]>, ErrorKind> {
        let head = &bytes[..bytes.len().min(limits.head_bytes)];
        if let Some(b'\r' | b'\n') = head.first() {
            return Err(bad_head("an empty line stands where the first line should"));
        }
        // The first look parses at once: nearly always the head is whole, and needs no search.
        let first = std::mem::replace(&mut self.searched, head.len());
        if first == 0 || has_empty_line(&head[first.saturating_sub(3)..]) {
            return Ok(Some(head));
        }
        if bytes.len() >= limits.head_bytes { Err(head_too_large(limits)) } else { Ok(None) }
    }
}

fn has_empty_line(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        // What stands behind the last LF is no line yet.
        if lines.peek().is_some() && matches!(line, b"" | b"\r") {
            return true;
        }
    }
    false
}

type Slots<'s, 'b> = &'s mut [MaybeUninit<httparse::Header<'b>>];

/// Room for the header lines: on the stack for the default limit, as it would be the one allocation
/// of a whole parse.
fn with_slots<'b, T>(limits: &Limits, parse: impl FnOnce(Slots<'_, 'b>) -> T) -> T {
    if limits.headers <= HEADERS {
        let mut slots = [const { MaybeUninit::uninit() }; HEADERS];
        parse(&mut slots[..limits.headers])
    } else {
        parse(&mut vec![MaybeUninit::uninit(); limits.headers])
    }
}

fn complete(
    status: httparse::Result<usize>,
    looked_at: usize,
    limits: &Limits,
) -> Result<Option<usize>, ErrorKind> {
    match status {
        Ok(Status::Complete(length)) => Ok(Some(length)),
        Ok(Status::Partial) if looked_at >= limits.head_bytes => Err(head_too_large(limits)),
        Ok(Status::Partial) => Ok(None),
        Err(error) => Err(head_error(error, limits)),
    }
}

fn head_error(error: httparse::Error, limits: &Limits) -> ErrorKind {
    bad_head(match error {
        httparse::Error::HeaderName => "a header name is no token",
        httparse::Error::HeaderValue => "a header value has a control byte",
        httparse::Error::NewLine => "CR without LF",
        httparse::Error::Status => "the status line is malformed",
        httparse::Error::Token => "the first line is malformed",
        httparse::Error::Version => "the version is not HTTP/1.0 or HTTP/1.1",
        httparse::Error::TooManyHeaders => {
            return ErrorKind::TooLarge { what: "number of headers", limit: limits.headers as u64 };
        }
    })
}

fn header_map(lines: &[httparse::Header<'_>]) -> Result<HeaderMap, ErrorKind> {
    // Both `try_` for the one case of a limit on headers raised beyond what a map can hold.
    let full = |_| bad_head("more headers than a map can hold");
    let mut map = HeaderMap::try_with_capacity(lines.len()).map_err(full)?;
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let name = name.map_err(|_| bad_head("a header name is no token"))?;
        let value = HeaderValue::from_bytes(line.value);
        let value = value.map_err(|_| bad_head("a header value has a control byte"))?;
        map.try_append(name, value).map_err(full)?;
    }
    Ok(map)
}

fn only_crlf(head: &[u8]) -> Result<(), ErrorKind> {
    let mut lines = head.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some() && line.last() != Some(&b'\r') {
            return Err(bad_head("a line ends in LF without CR"));
        }
    }
    Ok(())
}

/// `httparse` lets through 0 and 1 only.
fn version(minor: Option<u8>) -> Version {
    if minor == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 }
}

fn head_too_large(limits: &Limits) -> ErrorKind {
    ErrorKind::TooLarge { what: "head", limit: limits.head_bytes as u64 }
}

fn bad_head(reason: &'static str) -> ErrorKind {
    ErrorKind::BadHead { reason }
}
