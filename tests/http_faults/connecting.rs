//! Faults before a request can be sent: in the lookup, the connection and the TLS handshake.

use std::cell::Cell;
use std::io::ErrorKind as Io;
use std::rc::Rc;

use oneloop::http::{ErrorKind, Phase};
use oneloop::trace::{Choice, Decision, Event, IoOp, Observer};

use crate::http_support::{always, ok, script};
use crate::{SHORT, builder, fault_at, with_timeouts};

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
