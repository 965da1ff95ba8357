//! The server against clients that do what HTTP allows, and what it does not.

#![cfg(feature = "http")]

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use oneloop::http::{Client, Limits, Method, Reply, Request, Server, ServerTimeouts, StatusCode};
use oneloop::spawn;
use oneloop::trace::{Choice, Decision, Event, EventKind, Observer, TaskId, Wait};

/// Longer than anything takes that is not broken.
const NEVER: Duration = Duration::from_secs(20);

fn run<F: Future<Output = Result<(), Box<dyn std::error::Error>>>>(test: F) {
    oneloop::run(test).unwrap();
}

async fn echo(request: Request) -> Reply {
    let text =
        format!("{} {} {:?}", request.method(), request.target(), String::from_utf8_lossy(request.body()));
    Reply::text(text)
}

/// Starts a server that answers with the request's first line and body.
fn start() -> (SocketAddr, oneloop::JoinHandle<std::io::Result<()>>) {
    start_with(|server| server)
}

fn start_with(
    settings: impl FnOnce(Server) -> Server,
) -> (SocketAddr, oneloop::JoinHandle<std::io::Result<()>>) {
    let server = settings(Server::bind("127.0.0.1:0").unwrap());
    let address = server.local_addr().unwrap();
    (address, spawn(server.serve(echo)))
}

/// Sends these bytes, says that no more will come, and returns all that the server sent until it closed.
async fn talk(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    talk_in(address, vec![bytes.as_ref().to_vec()]).await
}

async fn talk_in(address: SocketAddr, pieces: Vec<Vec<u8>>) -> String {
    let job = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in pieces {
            if stream.write_all(&piece).is_err() {
                break;
            }
        }
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server ends the connection, and does not reset it");
        String::from_utf8_lossy(&answer).into_owned()
    };
    oneloop::spawn_blocking(job).await.unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or(answer, |(_, body)| body)
}

/// The answer without its Date line, which is the one that differs.
fn undated(answer: &str) -> String {
    answer.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
}

#[test]
fn a_reply_is_these_lines() {
    run(async {
        let (address, _serving) = start();
        let answer = talk(address, "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n").await;
        assert!(answer.contains("\r\ndate: ") && answer.contains(" GMT\r\n"), "{answer}");
        let expected = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 11\r\n\r\nGET /a?b \"\"";
        assert_eq!(undated(&answer), expected);
        Ok(())
    });
}

#[test]
fn requests_on_one_connection_are_answered_in_order_even_all_sent_at_once() {
    run(async {
        let (address, _serving) = start();
        let requests = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n\
                        POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo\
                        \r\nPUT /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nthr\r\n2\r\nee\r\n0\r\nT: t\r\n\r\n\
                        GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n\
                        GET /5 HTTP/1.1\r\nHost: h\r\n\r\n";
        let expected = ["GET /1 \"\"", "POST /2 \"two\"", "PUT /3 \"three\"", "GET /4 \"\""];
        for pieces in [vec![requests.as_bytes().to_vec()], requests.bytes().map(|byte| vec![byte]).collect()]
        {
            // The byte-by-byte client may be cut off in the middle of request 5, which nobody answers.
            let answer = talk_until_close(address, pieces).await;
            let bodies: Vec<_> = answer.split("HTTP/1.1 200 OK").skip(1).map(body).collect();
            assert_eq!(bodies, expected);
        }
        Ok(())
    });
}

/// As `talk_in`, for a client that sends more than the server wants.
async fn talk_until_close(address: SocketAddr, pieces: Vec<Vec<u8>>) -> String {
    let job = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut reader = stream.try_clone().unwrap();
        let read = std::thread::spawn(move || {
            let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                answer.extend_from_slice(&buffer[..n]);
            }
            String::from_utf8_lossy(&answer).into_owned()
        });
        for piece in pieces {
            if stream.write_all(&piece).is_err() {
                break;
            }
        }
        read.join().unwrap()
    };
    oneloop::spawn_blocking(job).await.unwrap()
}

#[test]
fn twenty_thousand_requests_sent_ahead_are_answered_one_by_one() {
    run(async {
        let (address, _serving) = start();
        let mut requests = "GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(20_000).into_bytes();
        requests.extend_from_slice(b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let answer = talk_until_close(address, vec![requests]).await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 20_001);
        assert_eq!(body(answer.rsplit("HTTP/1.1").next().unwrap()), "GET /last \"\"");
        Ok(())
    });
}

#[test]
fn http_1_0_closes_unless_asked_and_says_what_it_does() {
    run(async {
        let (address, _serving) = start();
        let answer = talk(address, "GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n").await;
        assert!(answer.contains("\r\nconnection: close\r\n") && !answer.contains("/2"), "{answer}");
        let kept = "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n";
        let answer = talk(address, kept).await;
        assert!(answer.contains("\r\nconnection: keep-alive\r\n") && answer.contains("/2"), "{answer}");
        Ok(())
    });
}

#[test]
fn head_204_and_304_have_no_body() {
    run(async {
        let server = Server::bind("127.0.0.1:0")?;
        let address = server.local_addr()?;
        let _serving = spawn(server.serve(|request| async move {
            let status = request.path()[1..].parse().unwrap();
            Reply::text("body").status(StatusCode::from_u16(status).unwrap())
        }));
        let ask =
            |line: &str| talk(address, format!("{line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        let head = ask("HEAD /200").await;
        assert!(head.contains("content-length: 4\r\n") && body(&head).is_empty(), "{head}");
        for path in ["GET /204", "GET /304"] {
            let answer = ask(path).await;
            assert!(!answer.contains("content-length") && body(&answer).is_empty(), "{answer}");
        }
        assert_eq!(body(&ask("GET /404").await), "body");
        Ok(())
    });
}

#[test]
fn bodies_of_every_kind_and_size_arrive() {
    run(async {
        let server = Server::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", server.local_addr()?);
        let shared: Arc<[u8]> = vec![b's'; 3_000_000].into();
        let _serving = spawn(server.serve(move |request| {
            let shared = Arc::clone(&shared);
            async move {
                match request.path() {
                    "/static" => Reply::typed("x/y", "static"),
                    "/shared" => Reply::new(StatusCode::OK).body(shared),
                    "/owned" => Reply::new(StatusCode::OK).body(vec![b'o'; 5000]),
                    _ => Reply::not_found(),
                }
            }
        }));
        let client = Client::new();
        let get = |path: &str| client.get(format!("{url}{path}")).send();
        assert_eq!(get("static").await?.bytes().await?, b"static");
        assert_eq!(get("shared").await?.bytes().await?, vec![b's'; 3_000_000]);
        assert_eq!(get("owned").await?.bytes().await?, vec![b'o'; 5000]);
        assert_eq!(get("none").await?.status(), StatusCode::NOT_FOUND);
        Ok(())
    });
}

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
fn targets_of_every_form_have_a_path_and_a_query() {
    run(async {
        let server = Server::bind("127.0.0.1:0")?;
        let address = server.local_addr()?;
        let _serving = spawn(server.serve(|request| async move {
            Reply::text(format!("{} {:?}", request.path(), request.query()))
        }));
        for (line, expected) in [
            ("GET /a/b?c=d", "/a/b Some(\"c=d\")"),
            ("GET /", "/ None"),
            ("GET http://h.example/a?b", "/a Some(\"b\")"),
            ("GET http://h.example", "/ None"),
            ("GET http://h.example?b", "/ Some(\"b\")"),
            ("GET /http://x/?", "/http://x/ Some(\"\")"),
            ("OPTIONS *", "* None"),
        ] {
            let answer =
                talk(address, format!("{line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).await;
            assert_eq!(body(&answer), expected, "{line}");
        }
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

#[test]
fn slow_clients_are_let_go() {
    run(async {
        let mut timeouts = ServerTimeouts::default();
        timeouts.idle = Duration::from_millis(30);
        timeouts.head = Duration::from_millis(30);
        timeouts.body = Duration::from_millis(30);
        let (address, _serving) = start_with(|server| server.timeouts(timeouts));
        for (sent, answer) in [
            ("", ""),
            ("GET / HT", "408"),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf", "408"),
        ] {
            let job = move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(NEVER)).unwrap();
                stream.write_all(sent.as_bytes()).unwrap();
                let mut answer = String::new();
                // The end comes although this side stays open.
                stream.read_to_string(&mut answer).unwrap();
                answer
            };
            let got = oneloop::spawn_blocking(job).await?;
            assert_eq!(status(&got), answer, "{sent}: {got}");
        }
        // The server goes on.
        assert_eq!(status(&talk(address, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await), "200");
        Ok(())
    });
}

#[test]
fn a_drip_of_bytes_ends_at_the_requests_limit() {
    run(async {
        let mut timeouts = ServerTimeouts::default();
        timeouts.request = Duration::from_millis(60);
        let (address, _serving) = start_with(|server| server.timeouts(timeouts));
        let job = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n").unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
            let mut answer = [0; 12];
            // One byte now and then: each in time for itself.
            for _ in 0..4000 {
                let _ = stream.write_all(b"x");
                if let Ok(12) = stream.read(&mut answer) {
                    return answer;
                }
            }
            answer
        };
        assert_eq!(&oneloop::spawn_blocking(job).await?, b"HTTP/1.1 408");
        Ok(())
    });
}

/// Lets the clock run a second ahead whenever the loop would wait, so that long pauses take no time.
struct Hurry;

impl Observer for Hurry {
    fn event(&self, _: &Event) {}

    fn decide(&self, choice: &Choice<'_>) -> Decision {
        match choice {
            Choice::Time(wait) => Decision::Advance(wait.unwrap_or_default().min(Duration::from_secs(1))),
            _ => Decision::GoOn,
        }
    }
}

#[test]
fn a_body_may_pause_often_if_never_for_long() {
    for (pause, expected) in [(7, "200"), (12, "408")] {
        let event_loop = oneloop::EventLoop::builder().observer(Hurry).build().unwrap();
        event_loop.run_until_complete(async {
            let (address, _serving) = start();
            let client = oneloop::net::TcpStream::connect(address).await.unwrap();
            client.set_nodelay(true).unwrap();
            client.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n").await.unwrap();
            for _ in 0..5 {
                oneloop::sleep(Duration::from_secs(pause)).await;
                let _ = client.write_all(b"x").await;
            }
            let mut buffer = [0; 1000];
            let n = client.read(&mut buffer).await.unwrap();
            let answer = String::from_utf8_lossy(&buffer[..n]).into_owned();
            assert_eq!(status(&answer), expected, "5 pauses of {pause} s, each may take 10, and all 60");
        });
    }
}

#[test]
fn further_connections_wait_for_a_place() {
    run(async {
        let (address, _serving) = start_with(|server| server.max_connections(1));
        let first = oneloop::net::TcpStream::connect(address).await?;
        first.write_all(b"GET /first HTTP/1.1\r\nHost: h\r\n\r\n").await?;
        let mut buffer = [0; 1000];
        assert!(first.read(&mut buffer).await? > 0);
        let second = oneloop::net::TcpStream::connect(address).await?;
        second.write_all(b"GET /second HTTP/1.1\r\nHost: h\r\n\r\n").await?;
        let early = oneloop::wait_for(second.read(&mut buffer), Duration::from_millis(20)).await;
        assert!(early.is_err(), "the one place is taken");
        drop(first);
        assert!(second.read(&mut buffer).await? > 0);
        Ok(())
    });
}

#[test]
fn a_handler_that_panics_ends_its_connection_only() {
    run(async {
        let server = Server::bind("127.0.0.1:0")?;
        let url = format!("http://{}", server.local_addr()?);
        let _serving = spawn(server.serve(|request| async move {
            assert_ne!(request.path(), "/panic", "the handler panics on purpose");
            Reply::text("fine")
        }));
        let client = Client::new();
        assert!(client.get(format!("{url}/panic")).send().await.is_err());
        assert_eq!(client.get(format!("{url}/")).send().await?.text().await?, "fine");
        Ok(())
    });
}

#[test]
fn a_header_that_cannot_be_written_becomes_an_empty_500() {
    run(async {
        let server = Server::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", server.local_addr()?);
        let _serving = spawn(server.serve(|_| async {
            Reply::text("secret")
                .header("location", "/x\r\nSet-Cookie: evil")
                .body("secret")
                .status(StatusCode::OK)
        }));
        let response = Client::new().get(url).send().await?;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers().get("set-cookie"), None);
        assert_eq!(response.text().await?, "");
        Ok(())
    });
}

#[test]
fn framing_headers_of_a_handler_are_the_servers_business() {
    run(async {
        let server = Server::bind("127.0.0.1:0")?;
        let address = server.local_addr()?;
        let _serving = spawn(server.serve(|_| async {
            let reply =
                Reply::text("four").header("content-length", "2").header("transfer-encoding", "chunked");
            reply.header("connection", "keep-alive").header("date", "mine")
        }));
        let answer = talk(address, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
        let expected = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ndate: mine\r\n\
                        content-length: 4\r\nconnection: close\r\n\r\nfour";
        assert_eq!(answer, expected);
        Ok(())
    });
}

#[test]
fn a_dropped_server_takes_nobody_new_closes_the_idle_and_answers_the_busy() {
    run(async {
        let mut timeouts = ServerTimeouts::default();
        timeouts.idle = NEVER * 1000;
        let server = Server::bind("127.0.0.1:0")?.timeouts(timeouts);
        let address = server.local_addr()?;
        let go = oneloop::sync::Event::new();
        let begun = oneloop::sync::Event::new();
        let (wait, note) = (go.clone(), begun.clone());
        let serving = spawn(server.serve(move |_| {
            let (wait, note) = (wait.clone(), note.clone());
            async move {
                note.set();
                wait.wait().await;
                Reply::text("answered")
            }
        }));
        let idle = oneloop::net::TcpStream::connect(address).await?;
        let busy = oneloop::net::TcpStream::connect(address).await?;
        busy.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await?;
        begun.wait().await;

        assert!(serving.cancel());
        assert!(serving.await.is_err());
        let mut buffer = [0; 1000];
        let end = oneloop::wait_for(idle.read(&mut buffer), NEVER).await;
        assert_eq!(end??, 0, "the idle connection is closed");
        go.set();
        let n = busy.read(&mut buffer).await?;
        let answer = String::from_utf8_lossy(&buffer[..n]).into_owned();
        assert_eq!(body(&answer), "answered");
        assert!(answer.contains("\r\nconnection: close\r\n"));
        assert_eq!(busy.read(&mut buffer).await?, 0);
        assert!(oneloop::net::TcpStream::connect(address).await.is_err(), "nobody listens");
        Ok(())
    });
}

#[test]
fn client_and_server_of_one_loop_carry_every_method_and_body() {
    run(async {
        let (address, _serving) = start();
        let client = Client::new();
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS]
        {
            for body in ["", "body"] {
                let request = client.request(method.clone(), format!("http://{address}/x")).body(body);
                assert_eq!(request.send().await?.text().await?, format!("{method} /x {body:?}"));
            }
        }
        Ok(())
    });
}

/// Notes what the tasks of connections wait for, and at which line of this file.
#[derive(Clone, Default)]
struct Lines(Rc<RefCell<Vec<(Wait, u32)>>>, Rc<RefCell<Vec<TaskId>>>);

impl Observer for Lines {
    fn event(&self, event: &Event) {
        match &event.kind {
            EventKind::Spawn { task, name, .. } if &**name == "http connection" => {
                self.1.borrow_mut().push(*task)
            }
            EventKind::PollEnd { task, suspended: Some((wait, Some(site))), .. }
                if self.1.borrow().contains(task) =>
            {
                assert!(site.file().ends_with("http_server.rs"), "{site}");
                self.0.borrow_mut().push((*wait, site.line()));
            }
            _ => {}
        }
    }
}

#[test]
fn a_connection_shows_the_line_that_serves_or_the_handlers_own() {
    let lines = Lines::default();
    let event_loop = oneloop::EventLoop::builder().observer(lines.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", server.local_addr().unwrap());
        let handler = |_| async {
            oneloop::yield_now().await;
            Reply::text("")
        };
        let (in_handler, at_serve) = (line!() - 3, line!() + 1);
        let _serving = spawn(server.serve(handler));
        Client::new().get(url).send().await.unwrap();
        let seen = lines.0.borrow().clone();
        assert!(seen.contains(&(Wait::Yield, in_handler)), "{seen:?}");
        assert!(seen.contains(&(Wait::Request, at_serve)), "{seen:?}");
        assert_eq!(
            seen.iter().filter(|(_, line)| ![in_handler, at_serve].contains(line)).count(),
            0,
            "{seen:?}"
        );
    });
}
