//! The client against servers that do what HTTP allows, and what it does not.

#![cfg(feature = "http")]

mod http_support;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http_support::{Script, always, ok, script};
use oneloop::http::{Client, ErrorKind, Method, Phase, StatusCode, Version};
use oneloop::spawn;

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
fn what_cannot_be_sent_is_refused_before_a_connection_is_made() {
    run(async {
        let client = Client::new();
        let bad_urls = [
            "",
            "/path",
            "host/path",
            "ftp://h/",
            "file:///etc/passwd",
            "data:,x",
            "http://",
            "http://h:99999/",
            "http://user@h/",
            "http://user:secret@h/",
            "http://:secret@h/",
            "http://[::1/",
            "http://a b/",
            "http://%00/",
        ];
        for url in bad_urls {
            let error = client.get(url).send().await.unwrap_err();
            assert_eq!(error.phase(), Phase::Request, "{url:?}: {error}");
            assert!(matches!(error.kind(), ErrorKind::BadUrl { .. }), "{url:?}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        // Were one of these sent, the address would refuse the connection, in another phase.
        let get = || client.get("http://127.0.0.1:1/");
        let requests = [
            get().header("x", "a\r\nEvil: yes"),
            get().header("x", "a\nb"),
            get().header("x", "a\0b"),
            get().header("x\r\nEvil", "yes"),
            get().header("x y", "z"),
            get().header("", "z"),
            get().header("content-length", "5").body("12345"),
            get().header("transfer-encoding", "chunked"),
            client.request(Method::CONNECT, "http://127.0.0.1:1/"),
        ];
        for request in requests {
            let shown = format!("{request:?}");
            let error = request.send().await.unwrap_err();
            assert_eq!(error.phase(), Phase::Request, "{shown}: {error}");
            assert!(matches!(error.kind(), ErrorKind::BadRequest { .. }), "{shown}: {error}");
        }
        Ok(())
    });
}

#[test]
fn no_url_puts_a_line_break_on_the_wire() {
    let server = always(ok(""));
    run(async {
        let client = Client::new();
        for path in
            ["/a\r\nEvil: yes", "/?q=\r\n\r\nGET /two HTTP/1.1", "/\0", "/\u{2028}", "/a b", "/#\r\nx"]
        {
            let _ = text(&client, server.url(path)).await?;
            let seen = server.request();
            assert_eq!(seen.lines().count(), 5, "{seen:?}");
            assert!(seen.starts_with("GET /") && seen.lines().next().unwrap().ends_with(" HTTP/1.1"));
            assert!(!seen.contains('\0') && !seen.to_ascii_lowercase().contains("\r\nevil"));
        }
        Ok(())
    });
}

#[test]
fn only_so_many_connections_are_made_and_the_line_is_fair() {
    let server = script(|number, mut peer| while peer.answer(ok(&number.to_string())) {});
    run(async {
        let client = Client::builder().max_connections_per_host(1).build();
        let order = Rc::new(std::cell::RefCell::new(Vec::new()));
        let tasks: Vec<_> = (0..5)
            .map(|task| {
                let (client, url, order) =
                    (client.clone(), server.url(&format!("/{task}")), Rc::clone(&order));
                spawn(async move {
                    assert_eq!(text(&client, url).await.unwrap(), "0", "always the one connection");
                    order.borrow_mut().push(task);
                })
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
        Ok(())
    });
}

#[test]
fn a_place_is_given_back_however_a_request_ends() {
    // Answers `/good` at once, and anything else with a head whose body never comes.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve_good_only(stream.unwrap()));
        }
    });
    run(async {
        let client = Client::builder().max_connections_per_host(1).build();
        let good = format!("http://{address}/good");
        let bad = format!("http://{address}/bad");

        // Cancelled while it waits for a head, and others while they wait for a turn behind it.
        let silent = format!("http://{address}/silent");
        let waiting: Vec<_> = [&silent, &good, &good]
            .map(|url| {
                let send = client.get(url).send();
                spawn(async move { send.await.map(drop) })
            })
            .into();
        oneloop::yield_now().await;
        for task in &waiting[..2] {
            assert!(task.cancel());
        }
        for (number, task) in waiting.into_iter().enumerate() {
            assert_eq!(task.await.is_ok(), number == 2, "the third was not cancelled, and has had its turn");
        }

        // Cancelled in the middle of a body; dropped unread; timed out.
        let response = client.get(&bad).send().await?;
        assert!(oneloop::wait_for(response.bytes(), Duration::ZERO).await.is_err());
        drop(client.get(&bad).send().await?);
        let late = client.get(&silent).timeout(Duration::from_millis(20)).send().await;
        assert!(late.unwrap_err().is_timeout());
        let never_polled = client.get(&silent).send();
        drop(never_polled);

        assert_eq!(text(&client, good).await?, "good");
        Ok(())
    });
}

fn serve_good_only(stream: std::net::TcpStream) {
    use std::io::{BufRead, BufReader, Write};
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    loop {
        let mut line = String::new();
        match lines.read_line(&mut line) {
            Ok(n) if n > 0 => {}
            _ => return,
        }
        if first.is_empty() {
            first = line;
        } else if line == "\r\n" {
            let answer = match first.split(' ').nth(1) {
                Some("/good") => ok("good"),
                Some("/silent") => String::new(),
                _ => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this".to_owned(),
            };
            let _ = (&stream).write_all(answer.as_bytes());
            first.clear();
        }
    }
}

#[test]
fn waiting_for_a_turn_counts_for_the_total_limit() {
    let server = always("");
    run(async {
        let client = Client::builder().max_connections_per_host(1).build();
        let send = client.get(server.url("/holds-the-place")).send();
        let holder = spawn(async move { send.await.map(drop) });
        oneloop::yield_now().await;
        let error = client.get(server.url("/")).timeout(Duration::from_millis(20)).send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Queue);
        assert!(
            matches!(error.kind(), ErrorKind::TotalTimeout { limit } if *limit == Duration::from_millis(20))
        );
        holder.cancel();
        Ok(())
    });
}

#[test]
fn each_host_has_its_own_places() {
    let (silent, good) = (always(""), always(ok("good")));
    run(async {
        let client = Client::builder().max_connections_per_host(1).build();
        let send = client.get(silent.url("/")).send();
        let holder = spawn(async move { send.await.map(drop) });
        oneloop::yield_now().await;
        assert_eq!(text(&client, good.url("/")).await?, "good");
        holder.cancel();
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

#[test]
fn a_request_that_waits_shows_the_callers_line() {
    let server = always("");
    run(async {
        let client = Client::new();
        let url = server.url("/");
        let task = spawn(async move { client.get(url).send().await.map(drop) });
        let line = line!() - 1;
        for _ in 0..3 {
            oneloop::yield_now().await;
        }
        let shown = format!("{task:?}");
        assert!(shown.contains(&format!("http_client.rs:{line}")), "{shown}");
        task.cancel();
        Ok(())
    });
}

#[test]
fn a_second_request_does_not_wait_for_the_first() {
    let server = always("");
    let other = always(ok("quick"));
    run(async {
        let client = Client::new();
        let done = Rc::new(Cell::new(false));
        let slow = spawn({
            let (send, done) = (client.get(server.url("/")).send(), Rc::clone(&done));
            async move {
                let _ = send.await;
                done.set(true);
            }
        });
        assert_eq!(text(&client, other.url("/")).await?, "quick");
        assert!(!done.get());
        slow.cancel();
        Ok(())
    });
}
