//! The server against clients that do what HTTP allows, and what it does not: good requests, the connections
//! and their end here; bad requests, slow clients and handlers of every kind in the modules.
#![cfg(feature = "http")]

mod handlers;
mod refusals;
mod slow;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use oneloop::http::{Client, Method, Reply, Request, Server, ServerTimeouts, StatusCode};
use oneloop::spawn;

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

/// Between a handler and its test.
#[derive(Clone, Default)]
struct Gate {
    /// The handler has been called.
    begun: oneloop::sync::Event,
    /// It may answer.
    open: oneloop::sync::Event,
}

impl Gate {
    async fn answer(self) -> Reply {
        self.begun.set();
        self.open.wait().await;
        Reply::text("answered")
    }

    /// A connection on which nothing was said, and one whose request is with the handler.
    async fn idle_and_busy(
        &self,
        address: SocketAddr,
    ) -> std::io::Result<(oneloop::net::TcpStream, oneloop::net::TcpStream)> {
        let idle = oneloop::net::TcpStream::connect(address).await?;
        let busy = oneloop::net::TcpStream::connect(address).await?;
        busy.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await?;
        self.begun.wait().await;
        Ok((idle, busy))
    }
}

#[test]
fn a_dropped_server_takes_nobody_new_closes_the_idle_and_answers_the_busy() {
    run(async {
        let mut timeouts = ServerTimeouts::default();
        timeouts.idle = NEVER * 1000;
        let server = Server::bind("127.0.0.1:0")?.timeouts(timeouts);
        let address = server.local_addr()?;
        let gate = Gate::default();
        let handler = gate.clone();
        let serving = spawn(server.serve(move |_| handler.clone().answer()));
        let (idle, busy) = gate.idle_and_busy(address).await?;

        assert!(serving.cancel());
        assert!(serving.await.is_err());
        let mut buffer = [0; 1000];
        let end = oneloop::wait_for(idle.read(&mut buffer), NEVER).await;
        assert_eq!(end??, 0, "the idle connection is closed");
        gate.open.set();
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
fn a_server_that_is_told_to_stop_ends_when_the_last_request_is_answered() {
    run(async {
        let server = Server::bind("127.0.0.1:0")?.max_connections(2);
        let address = server.local_addr()?;
        let (gate, stop) = (Gate::default(), oneloop::sync::Event::new());
        let (handler, stopping) = (gate.clone(), stop.clone());
        let until = async move { stopping.wait().await };
        let serving = spawn(server.serve_until(until, move |_| handler.clone().answer()));
        let (idle, busy) = gate.idle_and_busy(address).await?;

        stop.set();
        let mut buffer = [0; 1000];
        let end = oneloop::wait_for(idle.read(&mut buffer), NEVER).await;
        assert_eq!(end??, 0, "the idle connection is closed");
        assert!(oneloop::net::TcpStream::connect(address).await.is_err(), "nobody listens");
        assert!(!serving.is_finished(), "a request is not answered yet");
        gate.open.set();
        serving.await??;
        let n = busy.read(&mut buffer).await?;
        assert_eq!(body(&String::from_utf8_lossy(&buffer[..n])), "answered");
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
