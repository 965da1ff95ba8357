//! Servers that are slow, or stop: what each limit of time ends, and what it does not.

use std::time::Duration;

use oneloop::http::{ErrorKind, Phase};
use oneloop::trace::{Choice, Decision, Event, Observer};

use crate::http_support::{always, script};
use crate::{SHORT, fault, with_timeouts};

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
