//! Servers that are refused: the error says why and names the host.

use std::error::Error;
use std::io::{ErrorKind, Write};
use std::sync::Arc;

use oneloop::net::tls;

use crate::authority::{Authority, VALID};
use crate::peer::{finish, serve, serve_raw};
use crate::{echo, open};

/// Connects to a server as described and gives the error, which must name the host and have rustls' as its source;
/// and what the server heard.
fn refusal(client: &Authority, server: Arc<rustls::ServerConfig>) -> (String, String) {
    let (address, thread) = serve(server, |tls, socket| tls.complete_io(socket).map(drop));
    let error = oneloop::run(open(address, "photos.test", client.client())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.source().is_some_and(|source| source.is::<rustls::Error>()), "{error:?}");
    let heard = thread.join().unwrap().unwrap_err().to_string();
    let text = error.to_string();
    assert!(text.contains("photos.test"), "{text}");
    (text, heard)
}

#[test]
fn a_bad_certificate_is_refused_with_the_reason() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (text, heard) = refusal(&stranger, authority.server(&["photos.test"]));
    assert!(text.contains("unknown issuer"), "{text}");
    assert!(heard.contains("UnknownCA"), "the server is told why: {heard}");

    let with = |names: &[&str], years| authority.server_with(names, years, rustls::ALL_VERSIONS);
    let (text, _) = refusal(&authority, with(&["photos.test"], (2000, 2001)));
    assert!(text.contains("expired"), "{text}");

    let (text, _) = refusal(&authority, with(&["photos.test"], (2990, 2999)));
    assert!(text.contains("not valid yet"), "{text}");

    let (text, _) = refusal(&authority, with(&["other.test", "*.photos.test"], VALID));
    assert!(text.contains("wrong name"), "{text}");
    assert!(text.contains("other.test"), "it says which names are meant: {text}");
}

#[test]
fn a_certificate_with_a_thousand_wrong_names_makes_a_short_error() {
    let authority = Authority::new();
    let names: Vec<String> = (0..1000).map(|number| format!("host{number}.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (text, _) = refusal(&authority, authority.server(&names));
    assert!(text.contains("wrong name"), "{text}");
    assert!(text.len() < 400, "{} bytes", text.len());
}

#[test]
fn a_server_without_tls_is_named_as_such() {
    let (address, server) = serve_raw(|mut socket| {
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
        finish(&mut socket)
    });
    let error = oneloop::run(open(address, "photos.test", Authority::new().client())).unwrap_err();
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    server.join().unwrap().unwrap();
}

#[test]
fn the_shared_configuration_is_made_once_and_trusts_no_stranger() {
    assert!(Arc::ptr_eq(&tls::client_config(), &tls::client_config()));
    assert_eq!(tls::client_config().alpn_protocols, [b"http/1.1"]);
    let (address, server) = serve(Authority::new().server(&["photos.test"]), echo);
    let error = oneloop::run(open(address, "photos.test", tls::client_config())).unwrap_err();
    assert!(error.to_string().contains("unknown issuer"), "{error}");
    server.join().unwrap().unwrap_err();
}
