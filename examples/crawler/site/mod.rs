//! The embedded photo site: 99 listing pages and 481 photographs on 127.0.0.1.
//!
//! It has a thread and an `EventLoop` of its own, so that it shares nothing with the crawler but the
//! wires. Each response waits for the delay first, as a site far away would; the loop sleeps meanwhile,
//! and any number of responses wait at the same time.

pub mod landscape;
pub mod noise;
pub mod outline;
pub mod pages;
pub mod photos;
pub mod scenes;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use oneloop::http::{Reply, Request, Server};
use oneloop::{EventLoop, Remote};

use photos::Photos;

/// Connections the site takes at once: more than the largest number of consumers asks for.
const MAX_CONNECTIONS: usize = 2_000;

/// A running site. Dropping it stops the site and waits for its thread.
pub struct Site {
    address: SocketAddr,
    remote: Remote,
    /// `None` once it has been waited for.
    thread: Option<thread::JoinHandle<()>>,
}

impl Site {
    /// Paints the pictures and starts to serve; the site answers when this returns.
    ///
    /// # Errors
    /// What the operating system says about the thread, the loop or the port.
    pub fn start(delay: Duration) -> io::Result<Site> {
        let photos = Photos::new();
        let (ready, started) = mpsc::channel();
        let thread = thread::Builder::new().name("photo site".into()).spawn(move || {
            let event_loop = match EventLoop::new() {
                Ok(event_loop) => event_loop,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let remote = event_loop.remote();
            event_loop.call_soon(move || {
                let address = serve(photos, delay);
                // The other side gave up waiting only if its thread is gone.
                let _ = ready.send(address.map(|address| (address, remote)));
            });
            event_loop.run_forever();
        })?;
        let (address, remote) = started.recv().map_err(io::Error::other)??;
        Ok(Site { address, remote, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let stopping = self.remote.call_soon(oneloop::stop);
        if let (Ok(()), Some(thread)) = (stopping, self.thread.take()) {
            // A panic over there was printed over there.
            let _ = thread.join();
        }
    }
}

/// Starts a server on the loop of this thread; returns where it listens.
fn serve(photos: Photos, delay: Duration) -> io::Result<SocketAddr> {
    let server = Server::bind("127.0.0.1:0")?.max_connections(MAX_CONNECTIONS);
    let address = server.local_addr()?;
    let content = Rc::new(Content::new(photos, address.to_string()));
    let handler = move |request: Request| {
        let content = Rc::clone(&content);
        async move {
            if !delay.is_zero() {
                oneloop::sleep(delay).await;
            }
            content.reply(request.path())
        }
    };
    drop(oneloop::spawn_named("server", server.serve(handler)));
    Ok(address)
}

/// What the site has to offer.
struct Content {
    photos: Photos,
    /// The number of each picture, by the path it is served at.
    numbers: HashMap<String, usize>,
    /// Host and port, as the pages' links say.
    host: String,
}

impl Content {
    fn new(photos: Photos, host: String) -> Content {
        let numbers = (0..photos::COUNT).map(|index| (format!("/{}", photos::name(index)), index)).collect();
        Content { photos, numbers, host }
    }

    fn reply(&self, path: &str) -> Reply {
        if let Some(jpeg) = self.numbers.get(path).and_then(|index| self.photos.get(*index)) {
            return Reply::typed("image/jpeg", jpeg);
        }
        let number = path.strip_prefix("/page").and_then(|number| number.parse().ok());
        match number {
            Some(number @ 1..=pages::COUNT) => Reply::html(pages::page(number, &self.host)),
            _ if path == "/" => Reply::html(pages::page(1, &self.host)),
            _ => Reply::not_found(),
        }
    }
}
