//! Many requests at once: how many connections they get, who waits for whom, and what a waiting one shows.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use oneloop::http::{Client, ErrorKind, Phase};
use oneloop::spawn;

use crate::http_support::{always, ok, script};
use crate::{run, text};

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
        assert!(shown.contains(&format!("turns.rs:{line}")), "{shown}");
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
