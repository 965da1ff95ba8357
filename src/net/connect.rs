//! Chapter 28, part 6: how does a connection come about?
//!
//! One side waits for connections (`accept`), the other makes one (`connect`): for TCP and for Unix sockets in the
//! same way, so both futures are here once, over what the two differ in ([`Listener`], [`Connection`]).
//!
//! Out of file descriptors, the operating system refuses connections both ways. That passes when others are
//! closed, so `connect` and `accept` pause and try again, rather than fail; put a
//! [`wait_for`](crate::wait_for) around them if that may take too long. A Unix listener whose line is full
//! refuses in the same way, and is waited for in the same way.
//!
//! Before: `net/stream/traits.rs`. Next: `net/tcp.rs`.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::source::Source;
use super::stream::Stream;
use crate::current;
use crate::reactor::Interest;
use crate::sleep::{Sleep, sleep};
use crate::trace::event::{IoOp, Wait};

/// How long `accept` and `connect` pause when there are no file descriptors left, or no place in the line.
const PAUSE: Duration = Duration::from_millis(50);

/// A connection of either sort. Nobody outside of the crate can name or implement it.
pub trait Connection: Stream + Sized {
    /// Where its other end is.
    type Address: fmt::Debug;

    /// Begins to connect.
    fn begin(address: &Self::Address) -> io::Result<Self::Io>;

    /// Whether the connection is made: an error if it cannot be, `WouldBlock` if it is not yet.
    fn check(io: &Self::Io) -> io::Result<()>;

    /// The connection around its source.
    fn new(source: Source<Self::Io>) -> Self;
}

/// What takes connections. Nobody outside of the crate can name or implement it.
pub trait Listener {
    /// What the operating system gave.
    type Io: mio::event::Source;
    /// What it takes.
    type Connection: Connection;

    /// Its source.
    fn source(&self) -> &Source<Self::Io>;

    /// Takes a connection, if one is there.
    fn take(io: &Self::Io) -> io::Result<Taken<Self::Connection>>;
}

/// A connection just taken, not registered yet, and where it came from.
pub type Taken<C> = (<C as Stream>::Io, <C as Connection>::Address);

/// Whether the process (EMFILE, 24) or the system (ENFILE, 23) has no file descriptors left. The numbers are the
/// same on Linux, macOS and the BSDs.
fn out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

/// A pause before another attempt: `Pending` while it lasts. `None`: there is none.
#[derive(Debug, Default)]
struct Pause(Option<Sleep>);

impl Pause {
    /// Whether the pause, if there is one, is over.
    #[track_caller]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.0 {
            ready!(Pin::new(pause).poll(cx));
            self.0 = None;
        }
        Poll::Ready(())
    }

    fn begin(&mut self, doing: &str, why: &io::Error) {
        log::warn!(target: "oneloop", "{doing} pauses for {PAUSE:?}: {why}");
        self.0 = Some(sleep(PAUSE));
    }
}

/// The future of [`TcpListener::accept`](crate::net::TcpListener::accept) and
/// [`UnixListener::accept`](crate::net::UnixListener::accept).
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Accept<'a, L: Listener> {
    listener: &'a L,
    pause: Pause,
    interest: Interest,
}

impl<'a, L: Listener> Accept<'a, L> {
    pub(super) fn new(listener: &'a L) -> Accept<'a, L> {
        Accept { listener, pause: Pause::default(), interest: Interest::default() }
    }

    #[track_caller]
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Taken<L::Connection>>> {
        let source = self.listener.source();
        loop {
            ready!(self.pause.poll(cx));
            match ready!(source.poll(cx, IoOp::Accept, Some(&mut self.interest), L::take)) {
                Err(error) if out_of_descriptors(&error) => self.pause.begin("accept", &error),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                taken => return Poll::Ready(taken),
            }
        }
    }
}

impl<L: Listener> Future for Accept<'_, L> {
    type Output = io::Result<(L::Connection, <L::Connection as Connection>::Address)>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Poll::Ready(taken) = self.poll_take(cx) else {
            current::suspended(Wait::Accept, Location::caller());
            return Poll::Pending;
        };
        let (io, peer) = taken?;
        Poll::Ready(Ok((L::Connection::new(Source::new(io, "connection")?), peer)))
    }
}

impl<L: Listener> Drop for Accept<'_, L> {
    fn drop(&mut self) {
        self.listener.source().forget(IoOp::Accept, &self.interest);
    }
}

/// The future of [`TcpStream::connect`](crate::net::TcpStream::connect) and
/// [`UnixStream::connect`](crate::net::UnixStream::connect).
#[must_use = "futures do nothing unless awaited"]
pub struct Connect<C: Connection> {
    /// Where to, or why that is no address.
    address: io::Result<C::Address>,
    /// The connection being made; `None` before the first poll and during a pause.
    connection: Option<C>,
    pause: Pause,
    interest: Interest,
}

impl<C: Connection> Connect<C> {
    pub(super) fn new(address: io::Result<C::Address>) -> Connect<C> {
        Connect { address, connection: None, pause: Pause::default(), interest: Interest::default() }
    }

    #[track_caller]
    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<C>> {
        loop {
            if let Some(connection) = self.connection.take() {
                return Poll::Ready(Ok(connection));
            }
            ready!(self.pause.poll(cx));
            let begun = match &self.address {
                Ok(address) => C::begin(address),
                Err(error) => return Poll::Ready(Err(io::Error::new(error.kind(), error.to_string()))),
            };
            match begun {
                Ok(io) => self.connection = Some(C::new(Source::new(io, "connection")?)),
                Err(error) if out_of_descriptors(&error) || error.kind() == io::ErrorKind::WouldBlock => {
                    self.pause.begin("connect", &error);
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    #[track_caller]
    fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<C>> {
        let connection = ready!(self.poll_begin(cx))?;
        let Some(source) = connection.source() else { return Poll::Ready(Ok(connection)) };
        match source.poll(cx, IoOp::Connect, Some(&mut self.interest), C::check) {
            Poll::Ready(result) => Poll::Ready(result.map(|()| connection)),
            Poll::Pending => {
                self.connection = Some(connection);
                Poll::Pending
            }
        }
    }
}

impl<C: Connection> Unpin for Connect<C> {}

impl<C: Connection> Future for Connect<C> {
    type Output = io::Result<C>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = self.poll_connect(cx);
        if result.is_pending() {
            current::suspended(Wait::Connect, Location::caller());
        }
        result.map_err(|error| match &self.address {
            Ok(address) => io::Error::new(error.kind(), format!("cannot connect to {address:?}: {error}")),
            Err(_) => error,
        })
    }
}

impl<C: Connection> fmt::Debug for Connect<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("address", &self.address).finish_non_exhaustive()
    }
}
