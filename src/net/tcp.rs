//! Chapter 28, part 7: TCP.
//!
//! What is TCP's own: addresses, and a few settings. Connecting and accepting is in `connect.rs`, reading and
//! writing in `stream.rs`.
//!
//! Before: `net/connect.rs`. Next: `net/unix.rs`, the same within one machine.

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};

use super::connect::{Accept, Connect, Connection, Listener, Taken};
use super::source::Source;
use super::stream::{Read, Stream, Write, WriteAll, read_traits, write_traits};

/// Makes a socket of the first of `addresses` for which that works.
pub(super) fn first_that_works<S>(
    addresses: impl ToSocketAddrs,
    doing: &str,
    make: impl Fn(SocketAddr) -> io::Result<S>,
) -> io::Result<S> {
    let mut refusal = io::Error::new(io::ErrorKind::InvalidInput, format!("no address to {doing}"));
    for address in addresses.to_socket_addrs()? {
        match make(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => {
                refusal = io::Error::new(error.kind(), format!("cannot {doing} {address}: {error}"));
            }
        }
    }
    Err(refusal)
}

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
        let listener = first_that_works(address, "listen on", mio::net::TcpListener::bind)?;
        Ok(TcpListener(Source::new(listener, "listener")?))
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
    pub fn accept(&self) -> Accept<'_, TcpListener> {
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
    pub fn connect(address: SocketAddr) -> Connect<TcpStream> {
        Connect::new(Ok(address))
    }

    /// Reads what is there into `buffer`, waiting until there is something: the number of bytes, 0 if the peer has
    /// closed its side (or the buffer is empty).
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Read<'a, TcpStream> {
        Read::new(self, buffer)
    }

    /// Writes some of `bytes`, waiting until there is room: the number of bytes taken.
    ///
    /// # Cancellation
    /// Nothing was written.
    pub fn write<'a>(&'a self, bytes: &'a [u8]) -> Write<'a, TcpStream> {
        Write::new(self, bytes)
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// What the operating system says; some of the bytes may have been written by then.
    ///
    /// # Cancellation
    /// Some of the bytes may have been written.
    pub fn write_all<'a>(&'a self, bytes: &'a [u8]) -> WriteAll<'a, TcpStream> {
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
}

impl Stream for TcpStream {
    type Io = mio::net::TcpStream;
    const IS_SOCKET: bool = true;

    #[inline]
    fn source(&self) -> Option<&Source<Self::Io>> {
        Some(&self.0)
    }
}

impl Connection for TcpStream {
    type Address = SocketAddr;

    fn begin(address: &SocketAddr) -> io::Result<mio::net::TcpStream> {
        mio::net::TcpStream::connect(*address)
    }

    /// It is made when it has no error, and a peer.
    fn check(stream: &mio::net::TcpStream) -> io::Result<()> {
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error) => Err(error),
        }
    }

    fn new(source: Source<mio::net::TcpStream>) -> TcpStream {
        TcpStream(source)
    }
}

impl Listener for TcpListener {
    type Io = mio::net::TcpListener;
    type Connection = TcpStream;

    fn source(&self) -> &Source<Self::Io> {
        &self.0
    }

    fn take(listener: &mio::net::TcpListener) -> io::Result<Taken<TcpStream>> {
        listener.accept()
    }
}

read_traits!(TcpStream);
write_traits!(TcpStream);

impl fmt::Display for TcpStream {
    /// Both addresses: `127.0.0.1:40000 to 127.0.0.1:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.local_addr(), self.peer_addr()) {
            (Ok(local), Ok(peer)) => write!(f, "{local} to {peer}"),
            _ => f.write_str("a connection that is closed"),
        }
    }
}
