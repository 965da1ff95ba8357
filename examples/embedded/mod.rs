//! A small web server inside an example.
//!
//! It has a thread and an `EventLoop` of its own, so that it shares nothing with the program but the wires. Each
//! reply waits for the delay first, as one from far away would; any number of them wait at the same time.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use oneloop::http::{Reply, Request, Server};
use oneloop::{EventLoop, Remote, sleep, spawn_named, stop};

/// Connections it takes at once: more than any of the examples makes.
const MAX_CONNECTIONS: usize = 2_000;

/// A running server. Dropping it stops the server and waits for its thread.
pub struct Embedded {
    address: SocketAddr,
    remote: Remote,
    /// `None` once it has been waited for.
    thread: Option<thread::JoinHandle<()>>,
}

impl Embedded {
    /// Starts to serve what `answer` makes of each request; it is ready when this returns.
    ///
    /// # Errors
    /// What the operating system says about the thread, the loop or the port.
    pub fn start(
        delay: Duration,
        answer: impl Fn(&Request) -> Reply + Send + 'static,
    ) -> io::Result<Embedded> {
        let (ready, started) = mpsc::channel();
        let thread = thread::Builder::new().name("embedded server".into()).spawn(move || {
            let event_loop = match EventLoop::new() {
                Ok(event_loop) => event_loop,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let remote = event_loop.remote();
            event_loop.call_soon(move || {
                // The other side gave up waiting only if its thread is gone.
                let _ = ready.send(serve(delay, answer).map(|address| (address, remote)));
            });
            event_loop.run_forever();
        })?;
        let (address, remote) = started.recv().map_err(io::Error::other)??;
        Ok(Embedded { address, remote, thread: Some(thread) })
    }

    /// The URL of the server itself, with no `/` at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let stopping = self.remote.call_soon(stop);
        if let (Ok(()), Some(thread)) = (stopping, self.thread.take()) {
            // A panic over there was printed over there.
            let _ = thread.join();
        }
    }
}

/// Starts a server on the loop of this thread; returns where it listens.
fn serve(delay: Duration, answer: impl Fn(&Request) -> Reply + 'static) -> io::Result<SocketAddr> {
    let server = Server::bind("127.0.0.1:0")?.max_connections(MAX_CONNECTIONS);
    let address = server.local_addr()?;
    let answer = Rc::new(answer);
    let handler = move |request: Request| {
        let answer = Rc::clone(&answer);
        async move {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            answer(&request)
        }
    };
    drop(spawn_named("server", server.serve(handler)));
    Ok(address)
}
