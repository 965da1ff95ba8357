//! What a head says of the body behind it, and of the connection.

use http::{HeaderMap, HeaderValue, Method, Version};
use oneloop::http::body::Framing;
use oneloop::http::wire;

use crate::{request, response};

fn request_framing(lines: &str) -> Result<Framing, String> {
    let text = format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
    let head = request(text.as_bytes()).map_err(|kind| kind.to_string())?;
    wire::request_framing(&head.expect("a whole head").0).map_err(|kind| kind.to_string())
}

fn response_framing(method: Method, start: &str, lines: &str) -> Result<Framing, String> {
    let text = format!("{start}\r\n{lines}\r\n");
    let head = response(text.as_bytes()).map_err(|kind| kind.to_string())?;
    wire::response_framing(&method, &head.expect("a whole head").0).map_err(|kind| kind.to_string())
}

#[test]
fn a_length_is_digits_and_only_one_number() {
    assert_eq!(request_framing(""), Ok(Framing::Length(0)));
    assert_eq!(request_framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
    assert_eq!(request_framing("Content-Length: 5\r\nContent-Length: 5\r\n"), Ok(Framing::Length(5)));
    let max = format!("Content-Length: {}\r\n", u64::MAX);
    assert_eq!(request_framing(&max), Ok(Framing::Length(u64::MAX)));
    for bad in [
        "Content-Length: +5",                        // RUSTSEC-2021-0078
        "Content-Length: -5",                        //
        "Content-Length: 5, 5",                      //
        "Content-Length: 0x5",                       //
        "Content-Length: 5_0",                       //
        "Content-Length: 5 0",                       //
        "Content-Length: \u{0665}",                  // CVE-2025-69224: digits of other scripts
        "Content-Length:",                           //
        "Content-Length: 18446744073709551616",      // 2^64
        "Content-Length: 5\r\nContent-Length: 6",    //
        "Content-Length: 5\r\nContent-Length: five", //
    ] {
        assert!(request_framing(&format!("{bad}\r\n")).is_err(), "{bad}");
        assert!(response_framing(Method::GET, "HTTP/1.1 200 OK", &format!("{bad}\r\n")).is_err(), "{bad}");
    }
}

#[test]
fn transfer_encoding_is_chunked_alone_or_an_error() {
    assert_eq!(request_framing("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
    for bad in [
        "Transfer-Encoding: chunked\r\nContent-Length: 5", // RUSTSEC-2021-0020
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding:",
    ] {
        assert!(request_framing(&format!("{bad}\r\n")).is_err(), "{bad}");
        assert!(response_framing(Method::GET, "HTTP/1.1 200 OK", &format!("{bad}\r\n")).is_err(), "{bad}");
    }
    let old = response_framing(Method::GET, "HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n");
    assert!(old.is_err(), "RFC 9112, section 6.1");
}

#[test]
fn some_responses_have_no_body_whatever_their_head_says() {
    let said = "Content-Length: 5\r\n";
    let none = Ok(Framing::Length(0));
    assert_eq!(response_framing(Method::HEAD, "HTTP/1.1 200 OK", said), none);
    assert_eq!(response_framing(Method::GET, "HTTP/1.1 204 No Content", said), none);
    assert_eq!(response_framing(Method::GET, "HTTP/1.1 304 Not Modified", said), none);
    assert_eq!(response_framing(Method::GET, "HTTP/1.1 103 Early Hints", said), none);
    assert_eq!(response_framing(Method::GET, "HTTP/1.1 200 OK", said), Ok(Framing::Length(5)));
    assert_eq!(response_framing(Method::GET, "HTTP/1.1 200 OK", ""), Ok(Framing::UntilClose));
}

#[test]
fn a_connection_is_kept_as_version_and_header_say() {
    let keeps = |version, lines: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("connection", HeaderValue::from_static(line));
        }
        wire::keeps_alive(version, &headers)
    };
    assert!(keeps(Version::HTTP_11, &[]));
    assert!(!keeps(Version::HTTP_11, &["Close"]));
    assert!(!keeps(Version::HTTP_11, &["upgrade", "te , close"]));
    assert!(!keeps(Version::HTTP_10, &[]));
    assert!(keeps(Version::HTTP_10, &["Keep-Alive"]));
    assert!(!keeps(Version::HTTP_10, &["keep-alive, close"]));
}
