//! Requests that are refused, or could be: those with two meanings, the too large, and what a client is told
//! that sends on or waits.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;

use oneloop::http::{Limits, Reply, Server};
use oneloop::spawn;

use crate::{NEVER, body, run, start, start_with, status, talk};

#[test]
fn what_could_be_read_in_two_ways_is_refused_and_never_reaches_the_handler() {
    run(async {
        let server = Server::bind("127.0.0.1:0")?;
        let address = server.local_addr()?;
        let reached = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&reached);
        let _serving = spawn(server.serve(move |request| {
            seen.borrow_mut().push(request.target().to_owned());
            async { Reply::text("") }
        }));
        for bad in [
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\na",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
            "GET / HTTP/1.1\nHost: h\n\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nHost: other\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET nowhere HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
            "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
            "\x16\x03\x01\x02\x00\x01\x00 a TLS hello",
        ] {
            let answer = talk(address, bad).await;
            assert_eq!(status(&answer), "400", "{bad:?}: {answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
            assert_eq!(
                answer.matches("HTTP/1.1").count() - answer.matches("not HTTP/1.0 or HTTP/1.1").count(),
                1
            );
        }
        assert!(reached.borrow().is_empty(), "{reached:?}");
        Ok(())
    });
}

#[test]
fn what_is_too_large_is_refused_with_its_own_status() {
    run(async {
        let mut limits = Limits::default();
        (limits.head_bytes, limits.headers, limits.body_bytes) = (1000, 10, 100);
        let (address, _serving) = start_with(|server| server.limits(limits));
        let long = "x".repeat(2000);
        let chunk = format!("65\r\n{}\r\n0\r\n\r\n", "y".repeat(0x65));
        for (request, expected) in [
            (format!("GET /{long} HTTP/1.1\r\nHost: h\r\n\r\n"), "431"),
            (format!("GET / HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n"), "431"),
            (format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(10)), "431"),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n".to_owned(), "413"),
            (format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n{long}"), "413"),
            (format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", u64::MAX), "413"),
            (format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"), "413"),
            (format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{}", "z".repeat(100)), "200"),
        ] {
            assert_eq!(status(&talk(address, &request).await), expected, "{request}");
        }
        Ok(())
    });
}

#[test]
fn a_client_that_sends_on_after_the_servers_last_word_still_gets_it() {
    run(async {
        let (address, _serving) = start_with(|server| server.limits(Limits::default()));
        let more = "x".repeat(200_000);
        for (request, expected) in [
            (format!("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n{more}"), "200"),
            (format!("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n{more}"), "400"),
            (format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n{more}"), "413"),
        ] {
            // `talk` fails if the connection is reset, as it is when it is closed with bytes unread.
            assert_eq!(status(&talk(address, request).await), expected);
        }
        Ok(())
    });
}

#[test]
fn a_client_that_waits_for_100_is_told_to_go_on() {
    run(async {
        let (address, _serving) = start();
        let job = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(NEVER)).unwrap();
            let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            let mut told = [0; 25];
            stream.read_exact(&mut told).unwrap();
            assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
            stream.write_all(b"body").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let answer = oneloop::spawn_blocking(job).await?;
        assert_eq!(body(&answer), "POST / \"body\"");
        // One whose body is too large is told that instead.
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n";
        assert_eq!(status(&talk(address, head).await), "413");
        Ok(())
    });
}
