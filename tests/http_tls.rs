//! `https`: the client over TLS, with certificates made for the test.

#![cfg(feature = "http")]

#[path = "tls/authority.rs"]
mod authority;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

use authority::Authority;
use oneloop::http::{Client, ErrorKind, Phase};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Serves each connection on a thread: answers the requests with these texts, in turn, and then closes, with
/// a close_notify if `properly`. Notes the number of each connection.
fn serve(
    config: Arc<ServerConfig>,
    answers: &'static [&'static str],
    properly: bool,
) -> (SocketAddr, mpsc::Receiver<usize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (note, connections) = mpsc::channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (config, note) = (Arc::clone(&config), note.clone());
            std::thread::spawn(move || {
                let _ = note.send(number);
                let connection = ServerConnection::new(config).unwrap();
                let mut tls = StreamOwned::new(connection, stream.unwrap());
                for answer in answers {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        if tls.read(&mut byte).unwrap_or(0) == 0 {
                            return;
                        }
                        request.push(byte[0]);
                    }
                    if tls.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
                if properly {
                    tls.conn.send_close_notify();
                }
                let _ = tls.flush();
                let _ = tls.sock.shutdown(std::net::Shutdown::Write);
                let _ = tls.sock.read_to_end(&mut Vec::new());
            });
        }
    });
    (address, connections)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_secure_connection_is_kept_and_used_again() {
    let authority = Authority::new();
    let (address, connections) = serve(authority.server(&["localhost"]), &[OK, OK, OK], true);
    let url = format!("https://localhost:{}/", address.port());
    let client = Client::builder().tls(authority.client()).build();
    oneloop::run(async {
        for _ in 0..3 {
            assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "ok");
        }
        assert_eq!(connections.try_iter().count(), 1);
    });
}

#[test]
fn an_address_is_checked_against_the_certificate_too() {
    let authority = Authority::new();
    let (address, _) = serve(authority.server(&["127.0.0.1"]), &[OK], true);
    let client = Client::builder().tls(authority.client()).build();
    oneloop::run(async {
        let text = client.get(format!("https://{address}/")).send().await.unwrap().text().await;
        assert_eq!(text.unwrap(), "ok");
    });
}

#[test]
fn a_stranger_and_a_wrong_name_are_refused_in_the_handshake() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (server, names) in [(&authority, "other.test"), (&stranger, "localhost")] {
        let (address, _) = serve(server.server(&[names]), &[OK], true);
        let client = Client::builder().tls(authority.client()).build();
        let url = format!("https://localhost:{}/", address.port());
        let error = oneloop::run(client.get(&url).send()).unwrap_err();
        assert_eq!((error.phase(), error.url()), (Phase::Handshake, &*url), "{error}");
        assert!(matches!(error.kind(), ErrorKind::Io(_)), "{error}");
    }
}

#[test]
fn a_body_until_close_that_was_cut_is_not_taken_for_whole() {
    let authority = Authority::new();
    let answers = &["HTTP/1.1 200 OK\r\n\r\nall of it?"];
    for properly in [true, false] {
        let (address, _) = serve(authority.server(&["localhost"]), answers, properly);
        let client = Client::builder().tls(authority.client()).build();
        let body = oneloop::run(async {
            client.get(format!("https://localhost:{}/", address.port())).send().await?.text().await
        });
        match body {
            Ok(text) => assert!(properly && text == "all of it?", "no close_notify: anybody may have cut it"),
            Err(error) => assert!(!properly && error.phase() == Phase::Body, "{error}"),
        }
    }
}

#[test]
fn a_kept_secure_connection_that_was_closed_is_noticed() {
    let authority = Authority::new();
    let (address, connections) = serve(authority.server(&["localhost"]), &[OK], true);
    let url = format!("https://localhost:{}/", address.port());
    let client = Client::builder().tls(authority.client()).build();
    oneloop::run(async {
        for _ in 0..3 {
            assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "ok");
        }
        assert_eq!(connections.try_iter().count(), 3);
    });
}
