//! Everything that goes wrong on purpose: each fault is an error that names the URL and the phase, ends in
//! bounded time and memory, and leaves the client and the loop ready for the next request.

#![cfg(feature = "http")]

mod http_support;

use std::cell::Cell;
use std::io::ErrorKind as Io;
use std::rc::Rc;
use std::time::Duration;

use http_support::{Script, always, ok, once, script};
use oneloop::http::{Client, ClientBuilder, Error, ErrorKind, Limits, Phase, Timeouts};
use oneloop::trace::{Choice, Decision, Event, IoOp, Observer};

/// Long enough for what comes at once, short enough to wait for what never comes.
const SHORT: Duration = Duration::from_millis(50);

fn builder() -> ClientBuilder {
    // One connection a host: a place lost by a fault would stop the request after it.
    Client::builder().max_connections_per_host(1)
}

fn with_limits(change: impl FnOnce(&mut Limits)) -> Client {
    let mut limits = Limits::default();
    change(&mut limits);
    builder().limits(limits).build()
}

fn with_timeouts(change: impl FnOnce(&mut Timeouts)) -> Client {
    let mut timeouts = Timeouts::default();
    change(&mut timeouts);
    builder().timeouts(timeouts).build()
}

/// The error of a GET, head and body, after which other requests go on.
async fn fault_at(client: &Client, url: &str) -> Error {
    let get = async |url: &str| client.get(url).send().await?.bytes().await;
    let error = get(url).await.expect_err(url);
    assert_eq!(error.url(), url);
    let text = error.to_string();
    assert!(text.starts_with(&format!("{url}: {}: ", error.phase())), "{text}");
    assert!(text.len() < 300, "{text}");
    let good = always(ok("good"));
    assert_eq!(get(&good.url("/")).await.unwrap(), b"good", "the next request goes on");
    if let Err(again) = client.get(url).timeout(SHORT).send().await {
        assert_ne!(again.phase(), Phase::Queue, "the host's one place was given back");
    }
    error
}

fn fault(client: Client, server: &Script) -> Error {
    oneloop::run(fault_at(&client, &server.url("/x")))
}

/// Answers the first bytes of each connection with `start`, and then with `more` until the client has enough.
fn endless(start: &'static str, more: &'static str) -> Script {
    script(move |_, mut peer| {
        let block = more.repeat(1 + 64 * 1024 / more.len().max(1));
        if peer.answer(start) {
            while peer.write(&block) {}
        }
    })
}

#[test]
fn a_refused_connection() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    oneloop::run(async {
        let error = fault_at(&builder().build(), &format!("http://{unused}/")).await;
        assert_eq!(error.phase(), Phase::Connect);
        assert!(matches!(error.kind(), ErrorKind::Io(io) if io.kind() == Io::ConnectionRefused), "{error}");
        assert!(!error.is_timeout());
    });
}

#[test]
fn a_name_that_does_not_exist() {
    oneloop::run(async {
        // No resolver is asked for a label of more than 63 bytes: it cannot be.
        let error = fault_at(&builder().build(), &format!("http://{}.test/", "x".repeat(64))).await;
        assert_eq!(error.phase(), Phase::Resolve);
        assert!(matches!(error.kind(), ErrorKind::Io(_)), "{error}");
    });
}

#[test]
fn a_lookup_that_takes_too_long() {
    let event_loop = oneloop::EventLoop::builder().pool_threads(1).build().unwrap();
    event_loop.run_until_complete(async {
        let (free, blocked) = std::sync::mpsc::channel::<()>();
        let hog = oneloop::spawn_blocking(move || blocked.recv());
        let client = with_timeouts(|timeouts| timeouts.resolve = Some(SHORT));
        let error = client.get("http://localhost:1/").send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Resolve);
        assert!(matches!(error.kind(), ErrorKind::Timeout { limit } if *limit == SHORT), "{error}");
        free.send(()).unwrap();
        let _ = hog.await;
    });
}

/// Holds every connection back, as a network that swallows packets does.
struct NoConnections;

impl Observer for NoConnections {
    fn event(&self, _: &Event) {}

    fn decide(&self, choice: &Choice<'_>) -> Decision {
        match choice {
            Choice::Io(_, IoOp::Connect) => Decision::Delay,
            _ => Decision::GoOn,
        }
    }
}

#[test]
fn a_connection_that_is_never_made() {
    let server = always(ok(""));
    let event_loop = oneloop::EventLoop::builder().observer(NoConnections).build().unwrap();
    event_loop.run_until_complete(async {
        let client = with_timeouts(|timeouts| timeouts.connect = Some(SHORT));
        let error = client.get(server.url("/")).send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Connect);
        assert!(matches!(error.kind(), ErrorKind::Timeout { limit } if *limit == SHORT), "{error}");
        let client = with_timeouts(|timeouts| (timeouts.connect, timeouts.total) = (None, Some(SHORT)));
        let error = client.get(server.url("/")).send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Connect);
        assert!(matches!(error.kind(), ErrorKind::TotalTimeout { limit } if *limit == SHORT), "{error}");
    });
}

/// Holds connections back until told otherwise.
#[derive(Clone, Default)]
struct Gate(Rc<Cell<bool>>);

impl Observer for Gate {
    fn event(&self, _: &Event) {}

    fn decide(&self, choice: &Choice<'_>) -> Decision {
        match choice {
            Choice::Io(_, IoOp::Connect) if !self.0.get() => Decision::Delay,
            _ => Decision::GoOn,
        }
    }
}

#[test]
fn a_request_cancelled_while_it_connects_gives_its_place_to_the_next() {
    let server = always(ok("good"));
    let gate = Gate::default();
    let event_loop = oneloop::EventLoop::builder().observer(gate.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        let client = builder().build();
        let mut tasks: Vec<_> = (0..3)
            .map(|_| {
                let send = client.get(server.url("/")).send();
                oneloop::spawn(async move { send.await?.text().await })
            })
            .collect();
        for _ in 0..5 {
            oneloop::yield_now().await;
        }
        let last = tasks.pop().unwrap();
        for task in tasks {
            assert!(task.cancel(), "the first connects, the second waits for its turn");
        }
        gate.0.set(true);
        assert_eq!(last.await.unwrap().unwrap(), "good");
        assert!(server.request().starts_with("GET"));
        assert_eq!(server.requests().len(), 0, "only the last was sent");
    });
}

#[test]
fn a_server_that_never_answers() {
    let server = always("");
    let error = fault(with_timeouts(|timeouts| timeouts.head = Some(SHORT)), &server);
    assert_eq!(error.phase(), Phase::Head);
    assert!(error.is_timeout());
    assert!(matches!(error.kind(), ErrorKind::Timeout { limit } if *limit == SHORT), "{error}");
}

#[test]
fn a_head_that_drips_ends_at_its_limit() {
    let server = script(|_, mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\nX: ");
        let _ = peer.stream.set_read_timeout(Some(Duration::from_millis(5)));
        while peer.write("x") {
            let _ = peer.read();
        }
    });
    let error = fault(with_timeouts(|timeouts| timeouts.head = Some(SHORT)), &server);
    assert_eq!(error.phase(), Phase::Head);
    assert!(error.is_timeout(), "{error}");
}

#[test]
fn a_body_that_stops() {
    let server = always("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    let error = fault(with_timeouts(|timeouts| timeouts.body = Some(SHORT)), &server);
    assert_eq!(error.phase(), Phase::Body);
    assert!(matches!(error.kind(), ErrorKind::Timeout { limit } if *limit == SHORT), "{error}");
}

#[test]
fn a_body_that_drips_ends_at_the_total_limit() {
    let server = script(|_, mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        let _ = peer.stream.set_read_timeout(Some(Duration::from_millis(5)));
        while peer.write("x") {
            let _ = peer.read();
        }
    });
    let error = fault(with_timeouts(|timeouts| timeouts.total = Some(SHORT)), &server);
    assert_eq!(error.phase(), Phase::Body);
    assert!(matches!(error.kind(), ErrorKind::TotalTimeout { .. }), "{error}");
}

#[test]
fn a_server_that_does_not_read() {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let server = script(move |_, peer| {
        let _ = wait.recv();
        drop(peer);
    });
    oneloop::run(async {
        let client = with_timeouts(|timeouts| timeouts.send = Some(SHORT));
        let error = client.post(server.url("/x")).body(vec![0; 64 << 20]).send().await.unwrap_err();
        assert_eq!(error.phase(), Phase::Send);
        assert!(matches!(error.kind(), ErrorKind::Timeout { limit } if *limit == SHORT), "{error}");
    });
    drop(done);
}

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
fn after_a_timeout_a_body_does_not_go_on() {
    let (go, wait) = std::sync::mpsc::channel();
    let server = script(move |_, mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
        let _ = wait.recv();
        peer.write("half");
    });
    oneloop::run(async {
        let client = with_timeouts(|timeouts| timeouts.body = Some(SHORT));
        let mut response = client.get(server.url("/")).send().await.unwrap();
        assert_eq!(response.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
        assert!(response.chunk().await.unwrap_err().is_timeout());
        go.send(()).unwrap();
        assert!(matches!(response.chunk().await.unwrap_err().kind(), ErrorKind::ShortBody { got: 4, .. }));
    });
}

/// Lets the clock run a second ahead whenever the loop would wait: hours pass in an instant, and I/O is looked at in
/// every one of their seconds.
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
fn the_limits_of_body_and_send_are_for_pauses_and_the_total_for_the_whole() {
    for (total, ends) in [(None, true), (Some(Duration::from_secs(100)), false)] {
        let event_loop = oneloop::EventLoop::builder().observer(Hurry).build().unwrap();
        event_loop.run_until_complete(async {
            let listener = oneloop::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            let server = oneloop::spawn(async move {
                let (peer, _) = listener.accept().await.unwrap();
                // Otherwise the second byte waits for an acknowledgement, in real time.
                peer.set_nodelay(true).unwrap();
                assert!(peer.read(&mut [0; 1000]).await.unwrap() > 0);
                peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n").await.unwrap();
                for _ in 0..8 {
                    oneloop::sleep(Duration::from_secs(20)).await;
                    let _ = peer.write_all(b"x").await;
                }
            });
            let client =
                with_timeouts(|timeouts| (timeouts.body, timeouts.total) = (Some(SHORT * 600), total));
            let result = client.get(url).send().await.unwrap().bytes().await;
            assert_eq!(result.is_ok(), ends, "8 pauses of 20 s, each may take 30: {result:?}");
            server.cancel();
        });
    }
}

#[test]
fn a_large_promise_is_refused_beyond_the_limit_and_costs_nothing_below_it() {
    let promise = |length: u64| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nlittle");
    let server = always(promise(2 << 30));
    let error = fault(builder().build(), &server);
    assert_eq!(error.phase(), Phase::Body);
    let limit = oneloop::http::BODY_BYTES;
    assert!(matches!(error.kind(), ErrorKind::TooLarge { what: "body", limit: l } if *l == limit), "{error}");

    for length in [1 << 40, u64::MAX] {
        let server = once(promise(length));
        let error = fault(with_limits(|limits| limits.body_bytes = u64::MAX), &server);
        let right =
            matches!(error.kind(), ErrorKind::ShortBody { expected: Some(e), got: 6 } if *e == length);
        assert!(right, "{error}");
    }
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmPeak:")?.trim().split(' ').next());
        let peak: u64 = peak.unwrap().parse().unwrap();
        assert!(peak < 100 << 20, "{peak} kB of address space: the terabyte was not asked for");
    }
}

#[test]
fn endless_things_of_every_kind_end_at_their_limits() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (start, more, phase, what) in [
        ("HTTP/1.1 200 OK", "k", Phase::Head, "head"),
        ("HTTP/1.1 200 OK\r\nX: ", "yyyyyyyy", Phase::Head, "head"),
        (
            "HTTP/1.1 200 OK\r\n",
            "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
            Phase::Head,
            "number of headers",
        ),
        (
            "HTTP/1.1 103 Hints\r\n\r\n",
            "HTTP/1.1 103 Hints\r\n\r\n",
            Phase::Head,
            "number of interim responses",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", "yyyyyyyy", Phase::Body, "body"),
        (CHUNKED, "5\r\nHello\r\n", Phase::Body, "body"),
        (CHUNKED, "1\r\nx\r\n", Phase::Body, "body"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
            "xxxxxxx",
            Phase::Body,
            "chunk extensions",
        ),
        (CHUNKED, "1;xxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n", Phase::Body, "chunk extensions"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "T: yyyyyyyy\r\n",
            Phase::Body,
            "trailers",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "yyyyyyyy", Phase::Body, "trailers"),
    ] {
        let server = endless(start, more);
        let error = fault(with_limits(|limits| limits.body_bytes = 1 << 20), &server);
        assert_eq!(error.phase(), phase, "{start:?}: {error}");
        // Lines that come one by one are counted only when the head is whole, or too long before that.
        let right = |w: &str| w == what || (w == "head" && what == "number of headers");
        assert!(
            matches!(error.kind(), ErrorKind::TooLarge { what, .. } if right(what)),
            "{start:?}: {error}"
        );
    }
}

#[test]
fn a_body_of_exactly_the_limit_is_taken_in_every_framing() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n",
    ] {
        for (limit, fits) in [(10, true), (9, false)] {
            let server = once(answer);
            oneloop::run(async {
                let client = with_limits(|limits| limits.body_bytes = limit);
                let body = async { client.get(server.url("/")).send().await?.bytes().await };
                let result: Result<_, Error> = body.await;
                assert_eq!(result.is_ok(), fits, "{limit}: {answer}");
            });
        }
    }
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

#[test]
fn a_tls_handshake_that_never_comes_and_one_that_is_none() {
    let silent = script(|_, mut peer| assert!(peer.wait_for_close()));
    let plain = script(|_, mut peer| {
        peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
        peer.wait_for_close();
    });
    oneloop::run(async {
        let client = with_timeouts(|timeouts| timeouts.handshake = Some(SHORT));
        let error = fault_at(&client, &format!("https://{}/", silent.address)).await;
        assert_eq!(error.phase(), Phase::Handshake);
        assert!(matches!(error.kind(), ErrorKind::Timeout { limit } if *limit == SHORT), "{error}");
        let error = fault_at(&client, &format!("https://{}/", plain.address)).await;
        assert_eq!(error.phase(), Phase::Handshake);
        assert!(matches!(error.kind(), ErrorKind::Io(_)), "{error}");
    });
}
