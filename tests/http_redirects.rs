//! Where redirects lead, and what goes with them.

#![cfg(feature = "http")]

mod http_support;

use http_support::{Script, always, ok, script};
use oneloop::http::{Client, ErrorKind, Method, Phase, StatusCode};

fn run<F: Future<Output = Result<(), Box<dyn std::error::Error>>>>(test: F) {
    oneloop::run(test).unwrap();
}

fn to(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 4\r\n\r\nmove")
}

/// Redirects `/from…` with this status and location, and answers anything else.
fn redirecting(status: u16, location: impl Into<String>) -> Script {
    let location = location.into();
    script(move |_, mut peer| {
        while let Some(request) = peer.read() {
            let from = request.split(' ').nth(1).is_some_and(|path| path.starts_with("/from"));
            if !peer.write(if from { to(status, &location) } else { ok("there") }) {
                return;
            }
        }
    })
}

fn first_line(request: &str) -> &str {
    request.lines().next().unwrap_or_default()
}

#[test]
fn a_location_is_joined_to_the_url_it_came_from() {
    for (location, path) in [
        ("/to", "/to"),
        ("to?q=2", "/from/to?q=2"),
        ("../to", "/to"),
        ("?only=query", "/from/here?only=query"),
        ("", "/from/here?a=b"),
        ("./a/../b", "/from/b"),
        ("/\u{e4}", "/%C3%A4"),
        ("/a b", "/a%20b"),
    ] {
        // The relative ones stay below `/from`, so this one looks at how often it was asked.
        let answer = to(302, location);
        let server = script(move |_, mut peer| {
            peer.answer(&answer);
            peer.answer(ok("there"));
        });
        run(async {
            let response = Client::new().get(server.url("/from/here?a=b#part")).send().await?;
            assert_eq!(
                response.url().as_str(),
                format!("{}#part", server.url(path)),
                "the fragment is inherited"
            );
            assert_eq!(response.text().await?, "there");
            server.request();
            assert_eq!(first_line(&server.request()), format!("GET {path} HTTP/1.1"), "{location}");
            Ok(())
        });
    }
}

#[test]
fn methods_and_bodies_go_along_as_the_standard_says() {
    for (status, method, becomes, body) in [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "POST", "GET", false),
        (303, "PUT", "GET", false),
        (303, "HEAD", "HEAD", false),
        (301, "PUT", "PUT", true),
        (302, "DELETE", "DELETE", true),
        (307, "POST", "POST", true),
        (308, "POST", "POST", true),
        (307, "GET", "GET", true),
    ] {
        let server = redirecting(status, "/to");
        run(async {
            let method = Method::from_bytes(method.as_bytes())?;
            let request = Client::new().request(method.clone(), server.url("/from"));
            let request = request.header("content-type", "text/x").header("x-own", "1").body("payload");
            request.send().await?;
            server.request();
            let second = server.request();
            assert_eq!(first_line(&second), format!("{becomes} /to HTTP/1.1"), "{status} {method}");
            assert_eq!(second.ends_with("payload"), body, "{status} {method}: {second}");
            assert_eq!(second.contains("content-type"), body, "{status} {method}: {second}");
            assert_eq!(second.contains("content-length"), body, "{status} {method}: {second}");
            assert!(second.contains("x-own: 1"), "{second}");
            Ok(())
        });
    }
}

#[test]
fn credentials_stay_at_their_origin() {
    // Two hosts by name, two ports: another one of either is another origin.
    let there = always(ok("there"));
    let port = there.address.port();
    for (location, kept) in [
        ("/to".to_owned(), true),
        (format!("http://127.0.0.1:{port}/to"), false),
        (format!("//127.0.0.1:{port}/to"), false),
        (format!("http://localhost:{port}/to"), false),
    ] {
        let server = redirecting(302, &location);
        run(async {
            let mut request =
                Client::new().get(server.url("/from")).header("x-own", "1").header("host", "own.example");
            for name in ["authorization", "cookie", "proxy-authorization"] {
                // Twice: dropping only the first has happened.
                request = request.header(name, "secret-1").header(name, "secret-2");
            }
            assert_eq!(request.send().await?.text().await?, "there");
            assert_eq!(server.request().matches("secret").count(), 6);
            let second = if kept { server.request() } else { there.request() };
            assert_eq!(second.matches("secret").count(), if kept { 6 } else { 0 }, "{location}: {second}");
            assert_eq!(second.contains("own.example"), kept, "{location}: {second}");
            assert!(second.contains("x-own: 1"));
            Ok(())
        });
    }
}

#[test]
fn a_circle_ends_at_the_limit() {
    let server = redirecting(302, "/from");
    run(async {
        let client = Client::builder().max_redirects(3).build();
        let error = client.get(server.url("/from")).send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Redirect);
        assert_eq!(error.url(), server.url("/from"));
        assert!(matches!(error.kind(), ErrorKind::TooManyRedirects { limit: 3 }), "{error}");
        assert_eq!(server.requests().len(), 4);
        Ok(())
    });
}

#[test]
fn a_circle_is_ended_by_the_total_limit_too() {
    let server = redirecting(302, "/from");
    run(async {
        let client = Client::builder().max_redirects(usize::MAX).build();
        let request = client.get(server.url("/from")).timeout(std::time::Duration::from_millis(50));
        let error = request.send().await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        Ok(())
    });
}

#[test]
fn redirects_can_be_left_to_the_caller() {
    let server = redirecting(302, "/to");
    run(async {
        let client = Client::builder().max_redirects(0).build();
        let response = client.get(server.url("/from")).send().await?;
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()["location"], "/to");
        assert_eq!(response.text().await?, "move");
        Ok(())
    });
}

#[test]
fn a_redirect_to_anywhere_else_than_the_web_is_an_error() {
    for location in [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "http://",
        "http://[::1",
        "http://user:pass@127.0.0.1/",
        "//user@127.0.0.1/",
    ] {
        let server = redirecting(302, location);
        run(async {
            let error = Client::new().get(server.url("/from")).send().await.unwrap_err();
            assert_eq!(error.phase(), Phase::Redirect, "{location}: {error}");
            assert!(matches!(error.kind(), ErrorKind::BadUrl { .. }), "{location}: {error}");
            assert_eq!(error.url(), server.url("/from"));
            Ok(())
        });
    }
}

#[test]
fn what_only_looks_like_a_redirect_is_returned() {
    for answer in [
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 300 Choices\r\nLocation: /to\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nLocation: /to\r\n\r\n",
        "HTTP/1.1 201 Created\r\nLocation: /to\r\nContent-Length: 0\r\n\r\n",
    ] {
        let server = always(answer);
        run(async {
            Client::new().get(server.url("/from")).send().await?;
            server.request();
            assert!(server.requests().is_empty(), "{answer}");
            Ok(())
        });
    }
}

#[test]
fn two_different_locations_are_an_error() {
    let server = always("HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
    run(async {
        let error = Client::new().get(server.url("/from")).send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Redirect);
        Ok(())
    });
}

#[test]
fn the_connection_serves_the_redirect_and_what_follows_even_when_only_one_is_allowed() {
    let server = script(|number, mut peer| {
        peer.answer(to(302, "/to"));
        peer.answer(ok(&number.to_string()));
    });
    run(async {
        let client = Client::builder().max_connections_per_host(1).build();
        assert_eq!(client.get(server.url("/")).send().await?.text().await?, "0");
        Ok(())
    });
}

#[test]
fn a_redirect_with_a_body_that_never_ends_is_followed_on_another_connection() {
    for start in [
        "HTTP/1.1 302 Found\r\nLocation: /to\r\nContent-Length: 1000000000\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /to\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 302 Found\r\nLocation: /to\r\n\r\n",
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            use std::io::{Read, Write};
            let mut buffer = [0; 1024];
            let (mut first, _) = listener.accept().unwrap();
            assert!(first.read(&mut buffer).unwrap() > 0);
            first.write_all(start.as_bytes()).unwrap();
            let (mut second, _) = listener.accept().unwrap();
            assert!(second.read(&mut buffer).unwrap() > 0);
            second.write_all(ok("there").as_bytes()).unwrap();
            // The first stays open until the client closes it.
            while first.read(&mut buffer).is_ok_and(|n| n > 0) {}
        });
        run(async {
            // The promised gigabyte is beyond the limit of a body, also of one that is thrown away.
            let mut limits = oneloop::http::Limits::default();
            limits.body_bytes = u64::MAX;
            let client = Client::builder().max_connections_per_host(1).limits(limits).build();
            assert_eq!(client.get(format!("http://{address}/")).send().await?.text().await?, "there");
            Ok(())
        });
    }
}
