//! Answers that are cut, too short, early, or no HTTP at all.

use std::io::ErrorKind as Io;

use oneloop::http::{Error, ErrorKind, Phase};

use crate::http_support::{Script, always, script};
use crate::{builder, fault, once};

/// Leaves the request unread, so that closing resets; writes this and closes when told.
fn resetting(start: &'static str) -> (Script, std::sync::mpsc::Sender<()>) {
    let (go, wait) = std::sync::mpsc::channel();
    let server = script(move |_, mut peer| {
        let _ = peer.stream.peek(&mut [0]);
        peer.write(start);
        let _ = wait.recv();
    });
    (server, go)
}

#[test]
fn a_reset_in_the_head_and_in_the_body() {
    let is_reset =
        |error: &Error| matches!(error.kind(), ErrorKind::Io(io) if io.kind() == Io::ConnectionReset);
    for start in ["", "HTTP/1.1 200 OK\r\nConte"] {
        let (server, go) = resetting(start);
        drop(go);
        let error = fault(builder().build(), &server);
        assert!(is_reset(&error) && error.phase() == Phase::Head, "{start:?}: {error}");
    }
    for start in ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 200 OK\r\n\r\nuntil close"] {
        let (server, go) = resetting(start);
        oneloop::run(async {
            let response = builder().build().get(server.url("/")).send().await.unwrap();
            go.send(()).unwrap();
            let error = response.bytes().await.unwrap_err();
            assert!(is_reset(&error) && error.phase() == Phase::Body, "{start:?}: {error}");
        });
    }
}

#[test]
fn a_body_shorter_than_promised() {
    for (answer, expected, got) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Some(10), 4),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n", None, 5),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n", None, 5),
    ] {
        let server = once(answer);
        let error = fault(builder().build(), &server);
        assert_eq!(error.phase(), Phase::Body);
        let right = matches!(error.kind(), ErrorKind::ShortBody { expected: e, got: g } if *e == expected && *g == got);
        assert!(right, "{error}");
    }
}

#[test]
fn after_an_error_a_body_does_not_look_complete() {
    let server = once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    oneloop::run(async {
        let mut response = builder().build().get(server.url("/")).send().await.unwrap();
        assert_eq!(response.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
        for _ in 0..2 {
            assert!(matches!(
                response.chunk().await.unwrap_err().kind(),
                ErrorKind::ShortBody { got: 4, .. }
            ));
        }
        assert!(response.bytes().await.is_err());
    });
}

#[test]
fn what_is_no_http() {
    for (answer, bad_head) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", true),
        ("<html>no head</html>", true),
        ("\r\n\r\n", true),
        ("\x15\x03\x01\x00\x02\x02\x46", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", true),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\n", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nHello\n", false),
    ] {
        let server = always(answer);
        let error = fault(builder().build(), &server);
        match error.kind() {
            ErrorKind::BadHead { .. } => {
                assert!(bad_head && error.phase() == Phase::Head, "{answer:?}: {error}")
            }
            ErrorKind::BadBody { .. } => {
                assert!(!bad_head && error.phase() == Phase::Body, "{answer:?}: {error}")
            }
            _ => panic!("{answer:?}: {error}"),
        }
    }
}

#[test]
fn a_large_upload_that_is_refused_early_gets_the_refusal() {
    // A server should read on after its refusal (RFC 9112, section 9.6); where it does not, Linux keeps what had
    // come before the reset.
    for polite in [true, false] {
        if !polite && !cfg!(target_os = "linux") {
            continue;
        }
        let server = script(move |_, mut peer| {
            let _ = peer.stream.peek(&mut [0]);
            peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
            if polite {
                peer.wait_for_close();
            }
        });
        oneloop::run(async {
            let client = builder().build();
            let response = client.post(server.url("/")).body(vec![0; 32 << 20]).send().await.unwrap();
            assert_eq!(response.status(), 413);
            assert_eq!(response.text().await.unwrap(), "no");
        });
    }
}
