//! The heads of requests and responses.

use http::{Method, StatusCode, Version};
use oneloop::http::wire::HeadReader;
use oneloop::http::{ErrorKind, Limits};

use crate::{request, response};

#[test]
fn a_response_head_cut_at_every_byte_is_the_same_head() {
    let text = b"HTTP/1.1 200 All right\r\nServer: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nbody";
    let whole = text.len() - 4;
    for cut in 0..=whole {
        let mut reader = HeadReader::new();
        let early = reader.response(&text[..cut], &Limits::default()).expect("a good head");
        assert_eq!(early.is_some(), cut == whole, "after {cut} bytes");
        if early.is_none() {
            let (head, used) = reader.response(text, &Limits::default()).unwrap().expect("all is there");
            assert_eq!((head.status, head.version, used), (StatusCode::OK, Version::HTTP_11, whole));
            let cookies: Vec<_> = head.headers.get_all("set-cookie").iter().collect();
            assert_eq!(cookies, ["a=1", "b=2"]);
        }
    }
}

#[test]
fn a_request_head_that_comes_byte_by_byte_is_the_same_head() {
    let text = b"\r\nGET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut reader = HeadReader::new();
    for end in 0..text.len() {
        assert!(reader.request(&text[..end], &Limits::default()).unwrap().is_none(), "after {end} bytes");
    }
    let (head, used) = reader.request(text, &Limits::default()).unwrap().expect("all is there");
    assert_eq!((head.method, &*head.target, used), (Method::GET, "/a?b=c", text.len()));
}

#[test]
fn an_endless_head_ends_at_the_limit_in_one_piece_and_byte_by_byte() {
    let limits = Limits::default();
    let mut text = b"HTTP/1.1 200 OK\r\n".to_vec();
    while text.len() < limits.head_bytes + 10 {
        text.extend_from_slice(format!("X: {}\r\n", "y".repeat(1000)).as_bytes());
    }
    let too_large = |kind| matches!(kind, ErrorKind::TooLarge { what: "head", limit: 65_536 });
    assert!(too_large(response(&text).unwrap_err()), "in one piece");
    let mut reader = HeadReader::new();
    let ended = (0..=text.len()).find_map(|end| Some((end, reader.response(&text[..end], &limits).err()?)));
    let (end, kind) = ended.expect("a limit that holds byte by byte (CVE-2026-54277)");
    assert!(too_large(kind));
    assert_eq!(end, limits.head_bytes);
}

#[test]
fn a_head_of_exactly_the_limit_is_taken() {
    let limits = {
        let mut limits = Limits::default();
        limits.head_bytes = 23;
        limits
    };
    let text = b"HTTP/1.1 200 OK\r\nA:b\r\n\r\n";
    assert_eq!(text.len(), 24);
    assert!(HeadReader::new().response(text, &limits).is_err());
    assert!(HeadReader::new().response(&text[1..], &limits).is_err(), "no status line");
    let mut limits = limits;
    limits.head_bytes = 24;
    assert!(HeadReader::new().response(text, &limits).unwrap().is_some());
}

#[test]
fn too_many_header_lines_are_refused_whatever_the_limit() {
    for limit in [1, 128, 300] {
        let mut limits = Limits::default();
        limits.headers = limit;
        let text = |lines: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(lines));
        let (head, _) = HeadReader::new().response(text(limit).as_bytes(), &limits).unwrap().unwrap();
        assert_eq!(head.headers.len(), limit);
        let kind = HeadReader::new().response(text(limit + 1).as_bytes(), &limits).unwrap_err();
        assert!(
            matches!(kind, ErrorKind::TooLarge { what: "number of headers", limit: l } if l == limit as u64)
        );
    }
}

#[test]
fn what_is_no_http_is_refused() {
    let bad: &[&[u8]] = &[
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 x\r\n\r\n",
        b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nName : value\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\x7f\r\n\r\n",
    ];
    for text in bad {
        assert!(response(text).is_err(), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn a_client_bears_what_old_servers_send() {
    let (head, _) = response(b"HTTP/1.0 200\nA: b\n\n").unwrap().expect("bare LF in a response head");
    assert_eq!((head.version, head.headers["a"].as_bytes()), (Version::HTTP_10, &b"b"[..]));
    assert!(response(b"HTTP/1.1 404 Nicht gef\xfcnden\r\nA: \xe4\r\n\r\n").unwrap().is_some());
}

#[test]
fn a_server_takes_no_request_that_another_could_read_otherwise() {
    let bad: &[&[u8]] = &[
        b"GET / HTTP/1.1\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n\n",
        b"GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
        b"GET / http/1.1\r\nHost: h\r\n\r\n",
        b"GET /\r\n\r\n",
        b"G{T / HTTP/1.1\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    ];
    for text in bad {
        assert!(request(text).is_err(), "{}", String::from_utf8_lossy(text));
    }
}
