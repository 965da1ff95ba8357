//! Names to addresses, on this machine alone: literals, `localhost`, and names that no one may have.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::net::{Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::mpsc;

use futures_lite::future::{poll_once, zip};
use oneloop::net::{LONGEST_HOST, MOST_LOOKUPS, lookup};
use oneloop::trace::{Event, EventKind, Observer};
use oneloop::{BlockingHandle, EventLoop};

/// Counts the jobs given to the pool.
#[derive(Clone, Default)]
struct Jobs(Rc<RefCell<Vec<&'static str>>>);

impl Observer for Jobs {
    fn event(&self, event: &Event) {
        match &event.kind {
            EventKind::JobNew { .. } => self.0.borrow_mut().push("new"),
            EventKind::JobDeliver { .. } => self.0.borrow_mut().push("delivered"),
            _ => {}
        }
    }
}

impl Jobs {
    /// A loop with one thread in its pool, whose jobs are counted here.
    fn watched(&self) -> EventLoop {
        EventLoop::builder().pool_threads(1).observer(self.clone()).build().unwrap()
    }

    fn new_ones(&self) -> usize {
        self.0.borrow().iter().filter(|job| **job == "new").count()
    }

    /// The most that were given to the pool and not yet answered.
    fn most_at_once(&self) -> usize {
        let (mut now, mut most) = (0, 0);
        for job in self.0.borrow().iter() {
            now = if *job == "new" { now + 1 } else { now - 1 };
            most = most.max(now);
        }
        most
    }
}

/// Looks `host` up on a loop of its own.
fn ask(host: &str) -> io::Result<Vec<SocketAddr>> {
    oneloop::run(lookup(host, 8080))
}

#[test]
fn an_address_is_answered_at_once_and_without_the_pool() {
    let jobs = Jobs::default();
    jobs.watched().run_until_complete(async {
        for (host, address) in [
            ("127.0.0.1", "127.0.0.1:8080"),
            ("::1", "[::1]:8080"),
            ("[::1]", "[::1]:8080"),
            ("[2001:db8::7]", "[2001:db8::7]:8080"),
            ("::ffff:10.0.0.1", "[::ffff:10.0.0.1]:8080"),
        ] {
            let found = poll_once(lookup(host, 8080)).await.expect("no waiting").unwrap();
            assert_eq!(found, [address.parse().unwrap()], "{host}");
        }
    });
    assert_eq!(jobs.new_ones(), 0);
}

#[test]
fn an_address_needs_no_loop() {
    let found = futures_lite::future::block_on(lookup("::1", 1)).unwrap();
    assert_eq!(found, [SocketAddr::from((Ipv6Addr::LOCALHOST, 1))]);
}

#[test]
fn localhost_is_here() {
    let found = ask("localhost").unwrap();
    assert!(!found.is_empty());
    assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 8080), "{found:?}");
}

#[test]
fn bad_names_are_refused_with_the_name_and_without_the_pool() {
    let long = "a.".repeat(130);
    for (host, problem) in [
        ("", "empty"),
        (".", "empty"),
        ("nul\0.test", "control character"),
        ("two\nlines", "control character"),
        (&long, "259 bytes"),
        ("127.1", "neither a name nor an IP address"),
        ("2130706433", "neither a name nor an IP address"),
        ("0x7f000001", "neither a name nor an IP address"),
        ("0177.0.0.1", "neither a name nor an IP address"),
        ("1.2.3.4.5", "neither a name nor an IP address"),
    ] {
        let error = poll_once_outside(host);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{host:?}");
        let text = error.to_string();
        assert!(text.contains(problem), "{host:?}: {text}");
        let shown: String = host.chars().take(20).collect();
        assert!(text.contains(format!("{shown:?}").trim_end_matches('"')), "{host:?}: {text}");
        assert!(text.len() < 200, "{text}");
    }
}

/// The error of a lookup that must not take a loop, nor time.
fn poll_once_outside(host: &str) -> io::Error {
    futures_lite::future::block_on(poll_once(lookup(host, 80))).expect("no waiting").unwrap_err()
}

#[test]
fn a_name_of_exactly_the_longest_length_is_asked_for() {
    for (length, kind) in [(LONGEST_HOST, false), (LONGEST_HOST + 1, true)] {
        // With the dot at the end, which does not count.
        let error = ask(&format!("{}.", "a".repeat(length))).unwrap_err();
        assert_eq!(error.kind() == ErrorKind::InvalidInput, kind, "{length}: {error}");
    }
}

/// A name that the C library refuses by itself, with no name server asked: a label of more than 63 bytes.
fn impossible(number: usize) -> String {
    format!("{number}-{}", "x".repeat(64))
}

#[test]
fn a_name_that_does_not_exist_is_an_error_that_names_it() {
    let name = impossible(0);
    let error = ask(&name).unwrap_err();
    assert!(error.to_string().contains(&format!("{name:?} could not be looked up")), "{error}");
}

#[test]
fn those_who_ask_for_one_name_at_one_time_share_one_job() {
    let jobs = Jobs::default();
    jobs.watched().run_until_complete(async {
        let asking: Vec<_> = (1..=100).map(|port| oneloop::spawn(lookup("localhost", port))).collect();
        for (port, asked) in (1..).zip(asking) {
            let found = asked.await.unwrap().unwrap();
            assert!(found.iter().all(|address| address.port() == port), "each has its own port");
        }
    });
    assert_eq!(jobs.new_ones(), 1);
    // Nothing is remembered: whoever asks later asks again.
    let later = Jobs::default();
    later.watched().run_until_complete(async {
        lookup("localhost", 1).await.unwrap();
        lookup("localhost", 1).await.unwrap();
    });
    assert_eq!(later.new_ones(), 2);
}

/// Keeps the only thread of the pool until told to go: no lookup ends before that.
fn busy() -> (mpsc::Sender<()>, BlockingHandle<()>) {
    let (go, wait) = mpsc::channel();
    (go, oneloop::spawn_blocking(move || wait.recv().unwrap()))
}

#[test]
fn many_names_are_asked_for_a_few_at_a_time() {
    let jobs = Jobs::default();
    jobs.watched().run_until_complete(async {
        let (go, busy) = busy();
        let asking: Vec<_> = (0..40).map(|number| oneloop::spawn(lookup(&impossible(number), 80))).collect();
        for _ in 0..10 {
            oneloop::yield_now().await;
        }
        go.send(()).unwrap();
        busy.await.unwrap();
        for asked in asking {
            asked.await.unwrap().unwrap_err();
        }
    });
    // One more for the job that kept the thread.
    assert_eq!(jobs.new_ones(), 40 + 1);
    // A pool of one thread is given one name at a time; a large one, `MOST_LOOKUPS`.
    const { assert!(MOST_LOOKUPS > 1) };
    assert_eq!(jobs.most_at_once(), 1 + 1);
}

#[test]
fn whoever_is_cancelled_in_line_is_not_asked_for() {
    let jobs = Jobs::default();
    jobs.watched().run_until_complete(async {
        let (go, busy) = busy();
        let asking: Vec<_> = (0..40).map(|number| oneloop::spawn(lookup(&impossible(number), 80))).collect();
        oneloop::yield_now().await; // they have all asked
        for asked in &asking[MOST_LOOKUPS + 1..] {
            asked.cancel();
        }
        oneloop::yield_now().await; // and are gone, before a thread was free
        oneloop::yield_now().await;
        go.send(()).unwrap();
        busy.await.unwrap();
        for asked in asking.into_iter().take(MOST_LOOKUPS + 1) {
            asked.await.unwrap().unwrap_err();
        }
        lookup("localhost", 80).await.unwrap();
    });
    // Those on a thread, the one still in line, the last, and the job that kept the thread.
    assert_eq!(jobs.new_ones(), MOST_LOOKUPS + 1 + 1 + 1);
}

#[test]
fn a_lookup_dropped_half_way_leaves_the_others_their_answer() {
    oneloop::run(async {
        let mut quitter = Box::pin(lookup("localhost", 1));
        let stayer = oneloop::spawn(lookup("localhost", 2));
        assert!(poll_once(&mut quitter).await.is_none());
        drop(quitter);
        let (one, other) = zip(stayer, lookup("localhost", 3)).await;
        assert!(!one.unwrap().unwrap().is_empty());
        assert!(!other.unwrap().is_empty());
    });
}

#[test]
fn a_loop_that_ends_with_open_lookups_ends() {
    let event_loop = EventLoop::builder().pool_threads(1).build().unwrap();
    event_loop.run_until_complete(async {
        for number in 0..20 {
            drop(oneloop::spawn(lookup(&impossible(number), 80)));
        }
        oneloop::yield_now().await;
        oneloop::yield_now().await;
    });
    event_loop.close();
}

#[test]
#[should_panic(expected = "do not await it a second time")]
fn a_lookup_awaited_twice_says_what_to_do() {
    futures_lite::future::block_on(async {
        let mut twice = lookup("::1", 1);
        (&mut twice).await.unwrap();
        (&mut twice).await.unwrap();
    });
}

#[test]
fn a_task_that_waits_for_a_name_says_where() {
    oneloop::run(async {
        let task = oneloop::spawn(async { lookup("localhost", 80).await });
        oneloop::yield_now().await;
        let shown = format!("{task:?}");
        assert!(
            shown.contains("suspended at tests/dns.rs") && shown.contains("the addresses of a name"),
            "{shown}"
        );
        task.await.unwrap().unwrap();
    });
}
