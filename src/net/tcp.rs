//! Chapter 27: TCP.
//!
//! Connecting, accepting, reading and writing, each a named future (in `tcp/waits.rs`) around `Source::poll`. There is no state of
//! its own here: a read that is dropped half way has read nothing, a `write` has written nothing, and a
//! `write_all` has written what it has written.
//!
//! Out of file descriptors, the operating system refuses connections both ways. That passes when others are
//! closed, so `connect` and `accept` pause and try again, rather than fail; put a
//! [`wait_for`](crate::wait_for) around them if that may take too long.
//!
//! Before: `source.rs`. Next: `tcp/waits.rs`, the futures; and `tcp/traits.rs`, the same for other libraries.

mod traits;
mod waits;

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::task::{Context, Poll};

pub use self::waits::{Accept, Connect, Read, Write, WriteAll};
use super::source::Source;
use crate::reactor::Interest;
use crate::trace::event::IoOp;

/// A TCP socket that waits for connections. asyncio's `start_server`, without the callback.
///
/// ```
/// use oneloop::net::{TcpListener, TcpStream};
///
/// oneloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let client = oneloop::spawn(TcpStream::connect(listener.local_addr()?));
///     let (server, _) = listener.accept().await?;
///     let client = client.await.expect("did not panic")?;
///     client.write_all(b"hello").await?;
///     let mut buffer = [0; 16];
///     assert_eq!(server.read(&mut buffer).await?, 5);
///     Ok::<(), std::io::Error>(())
/// }).unwrap();
/// ```
#[derive(Debug)]
pub struct TcpListener(Source<mio::net::TcpListener>);

impl TcpListener {
    /// Listens on `address`; port 0 lets the system choose one. Of several addresses the first that works is taken.
    /// A name instead of an address is looked up here and now, which may block: give an address.
    ///
    /// # Errors
    /// What the operating system says, with the address.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let mut refusal = io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on");
        for address in address.to_socket_addrs()? {
            match mio::net::TcpListener::bind(address) {
                Ok(listener) => return Ok(TcpListener(Source::new(listener, "listener")?)),
                Err(error) => {
                    refusal = io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
                }
            }
        }
        Err(refusal)
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.io().local_addr()
    }

    /// Waits for a connection. Connections that were broken off before they were taken are passed over; with no
    /// file descriptors left it pauses (50 ms) and goes on.
    ///
    /// # Cancellation
    /// Nothing is lost: a connection not taken stays in the system's queue.
    pub fn accept(&self) -> Accept<'_> {
        Accept::new(self)
    }
}

/// A TCP connection. Both ends of asyncio's `StreamReader` and `StreamWriter`, unbuffered.
///
/// The methods take `&self`, so that one task may read while another one writes; two tasks that read the same
/// connection each get some of the bytes. It also has the traits of `futures-io`.
#[derive(Debug)]
pub struct TcpStream(pub(super) Source<mio::net::TcpStream>);

impl TcpStream {
    /// Connects to `address`. With no file descriptors left it pauses (50 ms) and goes on.
    ///
    /// # Errors
    /// What the operating system says (refused, unreachable, timed out), with the address.
    ///
    /// # Cancellation
    /// The half-made connection is closed.
    pub fn connect(address: SocketAddr) -> Connect {
        Connect::new(address)
    }

    /// Reads what is there into `buffer`, waiting until there is something: the number of bytes, 0 if the peer has
    /// closed its side (or the buffer is empty).
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Read<'a> {
        Read::new(self, buffer)
    }

    /// Writes some of `bytes`, waiting until there is room: the number of bytes taken.
    ///
    /// # Cancellation
    /// Nothing was written.
    pub fn write<'a>(&'a self, bytes: &'a [u8]) -> Write<'a> {
        Write::new(self, bytes)
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// What the operating system says; some of the bytes may have been written by then.
    ///
    /// # Cancellation
    /// Some of the bytes may have been written.
    pub fn write_all<'a>(&'a self, bytes: &'a [u8]) -> WriteAll<'a> {
        WriteAll::new(self, bytes)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// What the operating system says, for instance that it is no longer connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.io().peer_addr()
    }

    /// The address of this end.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.io().local_addr()
    }

    /// Whether small writes are sent at once (`true`) or gathered for a while (Nagle's algorithm, the default).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.0.io().set_nodelay(nodelay)
    }

    /// Closes one direction, or both, at once: the peer reads an end of stream.
    ///
    /// # Errors
    /// What the operating system says, for instance that it is no longer connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.io().shutdown(how)
    }

    /// Whether nothing is there to be read and the peer has not closed, as the operating system knows it now: the
    /// reactor may not have heard of it yet. Takes nothing. For connections that are kept.
    #[cfg(feature = "http")]
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self.0.io().peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    #[track_caller]
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        interest: Option<&mut Interest>,
    ) -> Poll<io::Result<usize>> {
        let wanted = buffer.len();
        self.0.poll_bytes(cx, IoOp::Read, wanted, interest, |mut stream| stream.read(buffer))
    }

    #[track_caller]
    fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        interest: Option<&mut Interest>,
    ) -> Poll<io::Result<usize>> {
        self.0.poll_bytes(cx, IoOp::Write, bytes.len(), interest, |mut stream| stream.write(bytes))
    }
}

impl fmt::Display for TcpStream {
    /// Both addresses: `127.0.0.1:40000 to 127.0.0.1:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.local_addr(), self.peer_addr()) {
            (Ok(local), Ok(peer)) => write!(f, "{local} to {peer}"),
            _ => f.write_str("a connection that is closed"),
        }
    }
}
