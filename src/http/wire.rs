//! Chapter 34, part 7: what stands on the wire: heads written down, and what a head says about its body.
//!
//! The three rules that keep two readers of one byte stream from seeing two different messages
//! ("request smuggling") all live in [`request_framing`] and [`response_framing`]:
//!
//! * `Content-Length` is digits only: no `+5`, no list, no overflow; two of them must be equal.
//! * `Transfer-Encoding` is exactly `chunked`, once, in HTTP/1.1.
//! * The two together are an error, not a case of which one wins.
//!
//! What is written takes its parts as types that cannot hold CR, LF or NUL (`Method`, `HeaderName`,
//! `HeaderValue`), and the target is checked here byte by byte. So no caller's input can end a line.
//!
//! Before: `http/head.rs`. Next: `http/date.rs`, the `Date` line.

use ::http::header::{CONNECTION, CONTENT_LENGTH, DATE, HOST, HeaderName, TRANSFER_ENCODING};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode, Version};

use super::body::Framing;
use super::error::ErrorKind;
pub use super::head::{HeadReader, RequestHead, ResponseHead};

/// How a response to `method` is framed: RFC 9112, section 6.3, in its order.
///
/// # Errors
///
/// [`ErrorKind::BadHead`] if the head says it in two ways, or in a way unknown.
pub fn response_framing(method: &Method, head: &ResponseHead) -> Result<Framing, ErrorKind> {
    let status = head.status;
    let bodiless =
        status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    if bodiless || *method == Method::HEAD {
        return Ok(Framing::Length(0));
    }
    Ok(stated_framing(head.version, &head.headers)?.unwrap_or(Framing::UntilClose))
}

/// How a request is framed: without a word about it, it has no body.
///
/// # Errors
///
/// [`ErrorKind::BadHead`] if the head says it in two ways, or in a way unknown.
pub fn request_framing(head: &RequestHead) -> Result<Framing, ErrorKind> {
    Ok(stated_framing(head.version, &head.headers)?.unwrap_or(Framing::Length(0)))
}

fn stated_framing(version: Version, headers: &HeaderMap) -> Result<Option<Framing>, ErrorKind> {
    let length = content_length(headers)?;
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(length.map(Framing::Length)) };
    if length.is_some() {
        return bad_head("both Content-Length and Transfer-Encoding");
    }
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return bad_head("a Transfer-Encoding other than chunked");
    }
    if version == Version::HTTP_10 {
        // RFC 9112, section 6.1: treat as if the framing is faulty.
        return bad_head("Transfer-Encoding in HTTP/1.0");
    }
    Ok(Some(Framing::Chunked))
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, ErrorKind> {
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        let this = digits(value.as_bytes());
        if this.is_none() {
            return bad_head("Content-Length is not a number of digits, or too large");
        }
        if length.is_some() && length != this {
            return bad_head("several different Content-Lengths");
        }
        length = this;
    }
    Ok(length)
}

/// `str::parse` would take a `+`.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// Whether the connection may be used again after this message: RFC 9112, section 9.3.
pub fn keeps_alive(version: Version, headers: &HeaderMap) -> bool {
    let says = |word: &str| {
        let lines = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|option| option.trim().eq_ignore_ascii_case(word))
    };
    if version == Version::HTTP_10 { says("keep-alive") && !says("close") } else { !says("close") }
}

/// What a client says about a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// The method; `CONNECT` makes no sense without a proxy, but is written all the same.
    pub method: &'a Method,
    /// Path and query, from the first `/`.
    pub target: &'a str,
    /// Host and port for the `Host` line, unless `headers` has one.
    pub host: &'a str,
    /// The caller's lines.
    pub headers: &'a HeaderMap,
    /// Lines for names that `headers` does not have.
    pub defaults: &'a HeaderMap,
    /// The length of the body; `None` for no body, which is not the same as an empty one.
    pub body: Option<u64>,
}

/// Appends the head of an HTTP/1.1 request.
///
/// # Errors
///
/// [`ErrorKind::BadRequest`] if target or host is not printable ASCII without spaces, or if
/// `headers` has a line that follows from the body (`Content-Length`, `Transfer-Encoding`).
pub fn write_request(out: &mut Vec<u8>, parts: &RequestParts<'_>) -> Result<(), ErrorKind> {
    let printable = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable(parts.target) || !printable(parts.host) {
        return Err(ErrorKind::BadRequest { reason: "the URL's host or path is not printable ASCII" });
    }
    check_framing_lines(parts.headers)?;
    for part in [parts.method.as_str(), " ", parts.target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    // RFC 9112, section 3.2: Host should come first.
    let host = parts.headers.get(HOST).map_or(parts.host.as_bytes(), |host| host.as_bytes());
    write_line(out, "host", host);
    for (name, value) in parts.defaults {
        if !parts.headers.contains_key(name) {
            write_line(out, name.as_str(), value.as_bytes());
        }
    }
    write_lines(out, parts.headers, &[HOST]);
    if let Some(length) = parts.body {
        write_number(out, "content-length", length);
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Framing follows from the body; a second word on it would be a smuggled request waiting to happen.
pub(crate) fn check_framing_lines(headers: &HeaderMap) -> Result<(), ErrorKind> {
    if headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING) {
        let reason = "Content-Length and Transfer-Encoding follow from the body and cannot be set";
        return Err(ErrorKind::BadRequest { reason });
    }
    Ok(())
}

/// What a server knows about a response beside its headers.
#[derive(Clone, Copy, Debug)]
pub struct ResponseFraming<'a> {
    /// `Content-Length`; `None` for a status that has no body (204, 304).
    pub length: Option<u64>,
    /// What the `Date` line says; empty for no such line.
    pub date: &'a str,
    /// Whether more requests may follow on the connection.
    pub keep_alive: bool,
    /// The version of the request: a client of HTTP/1.0 must be told that the connection stays.
    pub version: Version,
}

/// Appends the head of a response. Framing lines in `headers` are left out in favour of `framing`.
pub fn write_response(
    out: &mut Vec<u8>,
    status: StatusCode,
    headers: &HeaderMap,
    framing: &ResponseFraming<'_>,
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
    out.extend_from_slice(b"\r\n");
    write_lines(out, headers, &[CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION]);
    if !framing.date.is_empty() && !headers.contains_key(DATE) {
        write_line(out, "date", framing.date.as_bytes());
    }
    if let Some(length) = framing.length {
        write_number(out, "content-length", length);
    }
    match (framing.keep_alive, framing.version) {
        (false, _) => write_line(out, "connection", b"close"),
        (true, Version::HTTP_10) => write_line(out, "connection", b"keep-alive"),
        (true, _) => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Adds a caller's header line, if it is one; otherwise says why not.
pub(crate) fn append<N, V>(headers: &mut HeaderMap, name: N, value: V) -> Result<(), &'static str>
where
    N: TryInto<HeaderName>,
    V: TryInto<HeaderValue>,
{
    let name = name.try_into().map_err(|_| "a header name is no token")?;
    let value = value.try_into().map_err(|_| "a header value has a line break or another control byte")?;
    headers.try_append(name, value).map(drop).map_err(|_| "there are too many headers")
}

fn write_lines(out: &mut Vec<u8>, headers: &HeaderMap, except: &[HeaderName]) {
    for (name, value) in headers {
        if !except.contains(name) {
            write_line(out, name.as_str(), value.as_bytes());
        }
    }
}

fn write_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn write_number(out: &mut Vec<u8>, name: &str, number: u64) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

fn bad_head<T>(reason: &'static str) -> Result<T, ErrorKind> {
    Err(ErrorKind::BadHead { reason })
}
