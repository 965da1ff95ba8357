//! Chapter 34, part 21: the HTTP/1.1 server: a listener, a limit, and a task per connection.
//!
//! ```
//! use oneloop::http::{Client, Reply, Server};
//!
//! oneloop::run(async {
//!     let server = Server::bind("127.0.0.1:0")?;
//!     let url = format!("http://{}/World", server.local_addr()?);
//!     let hello = |request: oneloop::http::Request| async move {
//!         Reply::text(format!("Hello, {}!\n", &request.path()[1..]))
//!     };
//!     let serving = oneloop::spawn(server.serve(hello));
//!     let text = Client::new().get(url).send().await?.text().await?;
//!     assert_eq!(text, "Hello, World!\n");
//!     serving.cancel();
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! }).unwrap();
//! ```
//!
//! Before: `http/conversation.rs`. Next: `trace/narrate.rs`, seeing it.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use super::conversation::{Service, converse};
use super::date::DateLine;
use super::limits::{Limits, SERVER_BODY_BYTES, SERVER_CONNECTIONS, ServerTimeouts};
use super::reply::{Reply, Request};
use crate::combine::{Either, race};
use crate::current::suspended;
use crate::join::spawn_named;
use crate::net::TcpListener;
use crate::sync::{Event, Semaphore};
use crate::trace::event::Wait;

/// A small HTTP/1.1 server on one address, without TLS.
#[derive(Debug)]
#[must_use = "a server does nothing until it serves"]
pub struct Server {
    listener: TcpListener,
    limits: Limits,
    timeouts: ServerTimeouts,
    max_connections: usize,
}

impl Server {
    /// Listens on an address; with port 0 the system chooses one.
    ///
    /// # Errors
    ///
    /// What the operating system says: the port is taken, or not allowed.
    ///
    /// # Panics
    ///
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Server> {
        let limits = Limits { body_bytes: SERVER_BODY_BYTES, ..Limits::default() };
        let (timeouts, max_connections) = (ServerTimeouts::default(), SERVER_CONNECTIONS);
        Ok(Server { listener: TcpListener::bind(address)?, limits, timeouts, max_connections })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// How large requests may be. Default: [`Limits::default`], with a body of at most
    /// [`SERVER_BODY_BYTES`].
    pub fn limits(mut self, limits: Limits) -> Server {
        self.limits = limits;
        self
    }

    /// How long clients may take.
    pub fn timeouts(mut self, timeouts: ServerTimeouts) -> Server {
        self.timeouts = timeouts;
        self
    }

    /// How many connections there may be at once; further ones wait until one ends. Default:
    /// [`SERVER_CONNECTIONS`].
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[track_caller]
    pub fn max_connections(mut self, most: usize) -> Server {
        assert!(most > 0, "a server without connections can serve nobody: allow at least one");
        self.max_connections = most;
        self
    }

    /// Answers each request with what `handler` returns for it, each connection in a task of its own. Ends
    /// only with an error of the listener.
    ///
    /// What is no proper request never reaches the handler: it is answered with 400, 408, 413 or 431 and a
    /// line of text. A handler that panics ends its connection and no other.
    ///
    /// # Cancellation
    ///
    /// Dropped, it takes no more connections; idle ones are closed, and requests that have begun are still
    /// answered.
    #[track_caller]
    pub fn serve<H, F>(self, handler: H) -> Serve
    where
        H: Fn(Request) -> F + 'static,
        F: Future<Output = Reply> + 'static,
    {
        self.serve_until(pending::<()>(), handler)
    }

    /// As [`serve`](Server::serve), until `stop` ends, with whatever result. Then it takes no more connections,
    /// closes idle ones, and ends when the last request that had begun is answered.
    ///
    /// That may take as long as [`timeouts`](Server::timeouts) allow and the handler needs:
    /// [`wait_for`](crate::wait_for) sets an end to it.
    ///
    /// ```no_run
    /// # use oneloop::{http::{Reply, Request, Server}, signal};
    /// # async fn handler(_: Request) -> Reply { Reply::text("") }
    /// # async fn example() -> std::io::Result<()> {
    /// Server::bind("127.0.0.1:8080")?.serve_until(signal::ctrl_c(), handler).await
    /// # }
    /// # drop(example());
    /// ```
    #[track_caller]
    pub fn serve_until<S, H, F>(self, stop: S, handler: H) -> Serve
    where
        S: Future + 'static,
        H: Fn(Request) -> F + 'static,
        F: Future<Output = Reply> + 'static,
    {
        let Server { listener, limits, timeouts, max_connections } = self;
        let closing = Event::new();
        let date = RefCell::new(DateLine::default());
        let site = Location::caller();
        let service = Rc::new(Service { handler, limits, timeouts, closing: closing.clone(), date, site });
        Serve { inner: Box::pin(accept(listener, service, max_connections, stop)), closing }
    }
}

async fn accept<S, H, F>(
    listener: TcpListener,
    service: Rc<Service<H>>,
    max_connections: usize,
    stop: S,
) -> io::Result<()>
where
    S: Future + 'static,
    H: Fn(Request) -> F + 'static,
    F: Future<Output = Reply> + 'static,
{
    let places = Semaphore::new(max_connections);
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = places.acquire().await;
            listener.accept().await.map(|(stream, peer)| (place, stream, peer))
        };
        // The stop comes first, so that no crowd of clients can keep it out.
        let Either::Right(next) = race(stop.as_mut(), next).await else { break };
        let (place, stream, peer) = next?;
        if stream.set_nodelay(true).is_err() {
            // Closed again already.
            continue;
        }
        let service = Rc::clone(&service);
        // Detached: `closing` ends it.
        drop(spawn_named("http connection", async move {
            converse(stream, peer, service).await;
            drop(place);
        }));
    }
    drop(listener);
    service.closing.set();
    // Whoever holds all places knows that there is no connection left.
    for _ in 0..max_connections {
        places.acquire().await.forget();
    }
    Ok(())
}

/// The future of [`Server::serve`] and [`Server::serve_until`].
#[must_use = "futures do nothing unless awaited"]
pub struct Serve {
    inner: Pin<Box<dyn Future<Output = io::Result<()>>>>,
    /// Tells the connections' tasks.
    closing: Event,
}

impl Future for Serve {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = self.inner.as_mut().poll(cx);
        if poll.is_pending() {
            let wait = if self.closing.is_set() { Wait::Acquire } else { Wait::Accept };
            suspended(wait, Location::caller());
        }
        poll
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.closing.set();
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").finish_non_exhaustive()
    }
}
