//! Clients that are slow, or stop.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use oneloop::http::ServerTimeouts;
use oneloop::trace::{Choice, Decision, Event, Observer};

use crate::{NEVER, run, start, start_with, status, talk};

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
