//! The client against servers that do what HTTP allows, and what it does not: what is sent and what is returned
//! here; which connections are used again, whose turn it is, and what is refused, in the modules.
#![cfg(feature = "http")]

#[path = "../http_support/closing.rs"]
mod closing;
#[path = "../http_support/mod.rs"]
mod http_support;
mod refusals;
mod reuse;
mod turns;

use std::time::Duration;

use http_support::{always, ok, script};
use oneloop::http::{Client, StatusCode, Version};

/// Runs a test that uses `?` on anything.
fn run<F: Future<Output = Result<(), Box<dyn std::error::Error>>>>(test: F) {
    oneloop::run(test).unwrap();
}

async fn text(client: &Client, url: String) -> Result<String, oneloop::http::Error> {
    client.get(url).send().await?.text().await
}

#[test]
fn a_get_sends_these_lines_and_returns_what_the_server_said() {
    let server = always("HTTP/1.1 404 Not Here\r\nX-Kind: test\r\nContent-Length: 4\r\n\r\ngone");
    run(async {
        let response = Client::new().get(server.url("/a%20b?q=1#part")).send().await?;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "not an error");
        assert_eq!(response.version(), Version::HTTP_11);
        assert_eq!(response.headers()["x-kind"], "test");
        assert_eq!(response.content_length(), Some(4));
        assert_eq!(response.url().path(), "/a%20b");
        assert_eq!(response.bytes().await?, b"gone");
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "GET /a%20b?q=1 HTTP/1.1\r\nhost: {}\r\nuser-agent: oneloop/{version}\r\naccept: */*\r\n\r\n",
            server.address
        );
        assert_eq!(server.request(), expected, "no fragment, no Accept-Encoding");
        Ok(())
    });
}

#[test]
fn a_post_sends_its_body_and_headers() {
    let server = always(ok("done"));
    run(async {
        let client = Client::new();
        let large = "x".repeat(100_000);
        for body in ["", "small", &large] {
            let request = client.post(server.url("/")).header("content-type", "text/plain").body(body);
            assert_eq!(request.send().await?.text().await?, "done");
            let seen = server.request();
            assert!(seen.starts_with("POST / HTTP/1.1\r\n"));
            assert!(seen.contains("\r\ncontent-type: text/plain\r\n"));
            assert!(seen.contains(&format!("\r\ncontent-length: {}\r\n", body.len())));
            assert!(seen.ends_with(&format!("\r\n\r\n{body}")));
        }
        Ok(())
    });
}

#[test]
fn a_response_in_pieces_of_one_byte_is_the_same() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nHello World",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nHello\r\n6\r\n World\r\n0\r\nT: t\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nHello World",
        "HTTP/1.0 200 OK\r\n\r\nHello World",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nHello World",
    ] {
        let server = script(move |_, mut peer| {
            if peer.read().is_some() {
                for byte in response.as_bytes() {
                    peer.write([*byte]);
                }
            }
        });
        run(async {
            assert_eq!(text(&Client::new(), server.url("/")).await?, "Hello World", "{response}");
            Ok(())
        });
    }
}

#[test]
fn a_response_cut_in_two_anywhere_is_the_same() {
    let response =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n6\r\n World\r\n0\r\n\r\n";
    let server = script(move |_, mut peer| {
        for cut in 0..=response.len() {
            let (first, second) = response.split_at(cut);
            if peer.read().is_none() {
                return;
            }
            peer.write(first);
            // The kernel may join the pieces; that only makes the test easier to pass, never wrong.
            std::thread::yield_now();
            peer.write(second);
        }
    });
    run(async {
        let client = Client::new();
        for _ in 0..=response.len() {
            assert_eq!(text(&client, server.url("/")).await?, "Hello World");
        }
        Ok(())
    });
}

#[test]
fn chunks_arrive_as_they_are_sent_and_a_dropped_wait_loses_nothing() {
    for [head, first, second] in [
        [
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "5\r\nfirst\r\n",
            "6\r\nsecond\r\n0\r\n\r\n",
        ],
        ["HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", "first", "second"],
        ["HTTP/1.0 200 OK\r\n\r\n", "first", "second"],
    ] {
        let (go, wait) = std::sync::mpsc::channel();
        let server = script(move |_, mut peer| {
            peer.answer(head);
            for piece in [first, second] {
                wait.recv().expect("the test goes on");
                peer.write(piece);
            }
        });
        run(async {
            let client = Client::new();
            let mut response = client.get(server.url("/")).send().await?;
            for piece in ["first", "second"] {
                let early = oneloop::wait_for(response.chunk(), Duration::ZERO).await;
                assert!(early.is_err(), "nothing is there yet");
                go.send(())?;
                assert_eq!(response.chunk().await?.as_deref(), Some(piece.as_bytes()), "{head}");
            }
            assert_eq!(response.chunk().await?, None);
            assert_eq!(response.chunk().await?, None, "and stays so");
            Ok(())
        });
    }
}

#[test]
fn bytes_returns_what_chunk_has_left() {
    let body = "0123456789".repeat(30_000);
    let server = always(ok(&body));
    run(async {
        let mut response = Client::new().get(server.url("/")).send().await?;
        let first = response.chunk().await?.expect("a piece");
        assert!(!first.is_empty() && first.len() <= 64 * 1024);
        let rest = response.bytes().await?;
        assert_eq!([first, rest].concat(), body.as_bytes());
        Ok(())
    });
}

#[test]
fn text_replaces_what_is_no_utf_8() {
    let server = always(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\xffb\xc3".to_vec());
    run(async {
        assert_eq!(text(&Client::new(), server.url("/")).await?, "a\u{fffd}b\u{fffd}");
        Ok(())
    });
}

#[test]
fn ipv6_and_names_go_into_the_host_line_as_in_the_url() {
    let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else { return };
    let port = listener.local_addr().unwrap().port();
    let (seen, hosts) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 1024];
            let n = stream.read(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
            seen.send(text.lines().nth(1).unwrap().to_owned()).unwrap();
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
        }
    });
    run(async {
        let url = format!("http://[::1]:{port}/");
        text(&Client::new(), url).await?;
        assert_eq!(hosts.recv()?, format!("host: [::1]:{port}"));
        Ok(())
    });
}

#[test]
fn localhost_is_looked_up_and_its_addresses_are_tried_in_turn() {
    // The server is on 127.0.0.1 only; where localhost is ::1 first, that one refuses.
    let server = always(ok("found"));
    run(async {
        let url = format!("http://localhost:{}/", server.address.port());
        assert_eq!(text(&Client::new(), url).await?, "found");
        Ok(())
    });
}
