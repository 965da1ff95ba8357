//! Handlers that panic or reply with what cannot be sent, and the line that a connection shows.

use std::cell::RefCell;
use std::rc::Rc;

use oneloop::http::{Client, Reply, Server, StatusCode};
use oneloop::spawn;
use oneloop::trace::{Event, EventKind, Observer, TaskId, Wait};

use crate::{run, talk};

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
                assert!(site.file.ends_with("handlers.rs"), "{site}");
                self.0.borrow_mut().push((*wait, site.line));
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
