//! The protocol without I/O: heads and bodies, cut at every byte, and with every trick known to have
//! worked on somebody. The advisories behind a case are named beside it. What is written is tested here, what is
//! read in the modules.
#![cfg(feature = "http")]

mod bodies;
mod framing;
mod heads;
mod properties;

use http::{HeaderMap, HeaderValue, Method};
use oneloop::http::body::{Decoder, Framing};
use oneloop::http::wire::{self, HeadReader, RequestHead, RequestParts, ResponseHead};
use oneloop::http::{ErrorKind, Limits};

/// All the data of a body, given in these pieces; `Ok(surplus)` if it ended, `Err` if not or broken.
fn decode<'a>(
    framing: Framing,
    limits: &Limits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, Result<usize, String>) {
    let mut data = Vec::new();
    let mut surplus = 0;
    let mut decoder = match Decoder::new(framing, limits) {
        Ok(decoder) => decoder,
        Err(kind) => return (data, Err(kind.to_string())),
    };
    for piece in pieces {
        let mut rest = piece;
        while !rest.is_empty() && !decoder.is_done() {
            match decoder.decode(rest) {
                Ok((used, found)) => {
                    assert!(used > 0, "a decoder that uses nothing would be asked for ever");
                    data.extend_from_slice(found);
                    rest = &rest[used..];
                }
                Err(kind) => return (data, Err(kind.to_string())),
            }
        }
        surplus += rest.len();
    }
    (data, decoder.end_of_input().map(|()| surplus).map_err(|kind| kind.to_string()))
}

fn response(bytes: &[u8]) -> Result<Option<(ResponseHead, usize)>, ErrorKind> {
    HeadReader::new().response(bytes, &Limits::default())
}

fn request(bytes: &[u8]) -> Result<Option<(RequestHead, usize)>, ErrorKind> {
    HeadReader::new().request(bytes, &Limits::default())
}

#[test]
fn what_the_client_writes_is_exactly_this() {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("*/*"));
    headers.append("x-two", HeaderValue::from_static("1"));
    headers.append("x-two", HeaderValue::from_static("2"));
    let mut defaults = HeaderMap::new();
    defaults.insert("user-agent", HeaderValue::from_static("oneloop"));
    defaults.insert("accept", HeaderValue::from_static("the caller's is sent instead"));
    let (method, body) = (&Method::PUT, Some(1230));
    let parts =
        RequestParts { method, target: "/a?b", host: "h:81", headers: &headers, defaults: &defaults, body };
    let mut out = Vec::new();
    wire::write_request(&mut out, &parts).unwrap();
    let expected = "PUT /a?b HTTP/1.1\r\nhost: h:81\r\nuser-agent: oneloop\r\naccept: */*\r\n\
                    x-two: 1\r\nx-two: 2\r\ncontent-length: 1230\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

fn write(method: &Method, target: &str, headers: &HeaderMap) -> Result<Vec<u8>, ErrorKind> {
    let (defaults, body) = (&HeaderMap::new(), Some(0));
    let mut out = Vec::new();
    let parts = RequestParts { method, target, host: "host.example", headers, defaults, body };
    wire::write_request(&mut out, &parts).map(|()| out)
}

#[test]
fn framing_cannot_be_forged_through_headers() {
    for name in ["content-length", "transfer-encoding"] {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static("0"));
        let refused = write(&Method::GET, "/", &headers);
        assert!(matches!(refused, Err(ErrorKind::BadRequest { .. })), "{name}");
    }
}
