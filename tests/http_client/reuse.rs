//! Which connections are used again and which are not, what is repeated when one dies, and how long the idle
//! are kept.

use std::time::Duration;

use oneloop::http::{Client, ErrorKind, Phase};

use crate::http_support::{self, Peer, Script, ok, script};
use crate::{run, text};

impl Peer {
    /// Notes something for the test.
    fn note(&self, text: &str) {
        let _ = self.seen.send(text.to_owned());
    }
}

#[test]
fn a_connection_is_used_again_while_both_sides_keep_it() {
    let server = script(|number, mut peer| while peer.answer(ok(&number.to_string())) {});
    run(async {
        let client = Client::new();
        for _ in 0..3 {
            assert_eq!(text(&client, server.url("/")).await?, "0");
        }
        let close = client.get(server.url("/")).header("connection", "close");
        assert_eq!(close.send().await?.text().await?, "0");
        assert_eq!(text(&client, server.url("/")).await?, "1", "we asked for the first to be closed");
        Ok(())
    });
}

#[test]
fn bodiless_responses_leave_the_connection_ready() {
    let server = script(|number, mut peer| {
        peer.answer("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
        peer.answer("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
        peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        peer.answer(ok(&number.to_string()));
    });
    run(async {
        let client = Client::new();
        assert_eq!(text(&client, server.url("/")).await?, "");
        assert_eq!(text(&client, server.url("/")).await?, "");
        assert_eq!(client.head(server.url("/")).send().await?.text().await?, "");
        assert_eq!(text(&client, server.url("/")).await?, "0");
        Ok(())
    });
}

#[test]
fn a_connection_that_is_not_to_be_kept_is_not() {
    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxSURPLUS",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
    ] {
        let server = script(move |number, mut peer| {
            peer.note(&format!("connection {number}"));
            peer.answer(answer);
            assert!(peer.wait_for_close(), "the client closes it");
        });
        run(async {
            let client = Client::new();
            for number in 0..3 {
                assert_eq!(text(&client, server.url("/")).await?, "x");
                assert_eq!(server.request(), format!("connection {number}"), "{answer}");
                assert!(server.request().starts_with("GET"));
            }
            Ok(())
        });
    }
}

#[test]
fn surplus_bytes_that_come_later_are_noticed_before_the_next_request() {
    let server = script(|number, mut peer| {
        peer.answer(ok(&number.to_string()));
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
        peer.note("written");
        peer.wait_for_close();
    });
    run(async {
        let client = Client::new();
        assert_eq!(text(&client, server.url("/")).await?, "0");
        after_note(server, "written", |server| async move {
            assert_eq!(text(&client, server.url("/")).await.unwrap(), "1");
        })
        .await;
        Ok(())
    });
}

/// Waits, without blocking the loop, until the script has noted this; then goes on.
async fn after_note<F: Future<Output = ()>>(server: Script, note: &str, then: impl FnOnce(Script) -> F) {
    let note = note.to_owned();
    let wait = oneloop::spawn_blocking(move || {
        while server.request() != note {}
        server
    });
    then(wait.await.expect("the note came")).await;
}

#[test]
fn a_kept_connection_that_the_server_closed_is_noticed_even_for_a_post() {
    let server = script(|number, mut peer| {
        peer.answer(ok(&number.to_string()));
        let _ = peer.stream.shutdown(std::net::Shutdown::Both);
        peer.note("closed");
    });
    run(async {
        let client = Client::new();
        assert_eq!(text(&client, server.url("/")).await?, "0");
        after_note(server, "closed", |server| async move {
            let answer = client.post(server.url("/")).body("once").send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), "1");
        })
        .await;
        Ok(())
    });
}

/// Answers one request on the first connection, reads a second and closes; answers on later ones.
fn closes_on_the_second_request() -> Script {
    script(|number, mut peer| {
        peer.answer(ok(&number.to_string()));
        if number == 0 {
            peer.read();
        } else {
            while peer.answer(ok(&number.to_string())) {}
        }
    })
}

#[test]
fn a_get_on_a_kept_connection_that_dies_without_a_byte_is_repeated_once() {
    let server = closes_on_the_second_request();
    run(async {
        let client = Client::new();
        assert_eq!(text(&client, server.url("/a")).await?, "0");
        assert_eq!(text(&client, server.url("/b")).await?, "1");
        let seen = [server.request(), server.request(), server.request()];
        assert!(seen[1].starts_with("GET /b") && seen[2].starts_with("GET /b"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn a_post_is_never_repeated() {
    let server = closes_on_the_second_request();
    run(async {
        let client = Client::new();
        assert_eq!(text(&client, server.url("/")).await?, "0");
        let error = client.post(server.url("/order")).body("one").send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Head);
        assert_eq!(error.url(), server.url("/order"));
        assert_eq!(text(&client, server.url("/")).await?, "1", "the next request goes on");
        let orders = server.requests().iter().filter(|request| request.starts_with("POST")).count();
        assert_eq!(orders, 1);
        Ok(())
    });
}

#[test]
fn a_get_on_a_fresh_connection_is_not_repeated() {
    let server = script(|_, mut peer| assert!(peer.read().is_some()));
    run(async {
        let error = Client::new().get(server.url("/")).send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Head);
        assert!(matches!(error.kind(), ErrorKind::Closed { got: 0 }), "{error}");
        assert!(server.request().starts_with("GET"));
        assert_eq!(server.requests().len(), 0, "asked once");
        Ok(())
    });
}

#[test]
fn a_get_whose_answer_has_begun_is_not_repeated() {
    let server = script(|number, mut peer| {
        peer.answer(ok(&number.to_string()));
        peer.answer("HTTP/1.1 2");
    });
    run(async {
        let client = Client::new();
        assert_eq!(text(&client, server.url("/")).await?, "0");
        let error = client.get(server.url("/")).send().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Closed { got: 10 }), "{error}");
        Ok(())
    });
}

#[test]
fn a_dropped_response_whose_body_has_come_leaves_its_connection_for_the_next() {
    let server = script(|number, mut peer| while peer.answer(ok(&number.to_string())) {});
    run(async {
        let client = Client::new();
        drop(client.get(server.url("/")).send().await?);
        assert_eq!(text(&client, server.url("/")).await?, "0");
        Ok(())
    });
}

#[test]
fn no_more_idle_connections_are_kept_than_allowed() {
    for (most, closed_at_once, then) in [(0, vec![0, 1], "2"), (1, vec![0], "1"), (2, vec![], "1")] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (note, closed) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let note = note.clone();
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut buffer = [0; 1024];
                    while std::io::Read::read(&mut stream, &mut buffer).is_ok_and(|n| n > 0) {
                        let _ = std::io::Write::write_all(&mut stream, ok(&number.to_string()).as_bytes());
                    }
                    let _ = note.send(number);
                });
            }
        });
        run(async {
            let client =
                Client::builder().max_idle_per_host(most).idle_time(Duration::from_secs(3600)).build();
            let url = format!("http://{address}/");
            let first = client.get(&url).send().await?;
            let second = client.get(&url).send().await?;
            assert_eq!((first.text().await?, second.text().await?), ("0".to_owned(), "1".to_owned()));
            let mut gone: Vec<_> = closed_at_once
                .iter()
                .map(|_| closed.recv_timeout(http_support::NEVER).expect("one more is closed"))
                .collect();
            gone.sort_unstable();
            assert_eq!(gone, closed_at_once, "the oldest go");
            assert_eq!(text(&client, url).await?, then, "the newest idle connection, of at most {most}");
            assert!(most == 0 || closed.try_recv().is_err(), "the others stay");
            Ok(())
        });
    }
}

#[test]
fn an_idle_connection_is_closed_when_its_time_is_over() {
    let (closed, was_closed) = std::sync::mpsc::channel();
    let server = script(move |_, mut peer| {
        peer.answer(ok("x"));
        closed.send(peer.wait_for_close()).unwrap();
    });
    run(async {
        let client = Client::builder().idle_time(Duration::from_millis(5)).build();
        text(&client, server.url("/")).await?;
        let wait = oneloop::spawn_blocking(move || was_closed.recv_timeout(http_support::NEVER));
        assert!(wait.await??, "without another request");
        drop(client);
        Ok(())
    });
}

#[test]
fn a_client_can_be_used_in_one_loop_after_another() {
    let server = script(|number, mut peer| while peer.answer(ok(&number.to_string())) {});
    let client = Client::new();
    for expected in ["0", "1"] {
        run(async {
            assert_eq!(text(&client, server.url("/")).await?, expected, "sockets belong to their loop");
            Ok(())
        });
    }
}
