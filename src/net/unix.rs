//! Chapter 28, part 8: connections within one machine.
//!
//! A Unix socket has a path of the file system for an address (on Linux also an *abstract* name, which is no
//! file), or none at all: a pair is two ends that know each other from the start, such as a parent keeps one of
//! and gives a child the other. Otherwise it is what TCP is, without the network.
//!
//! Before: `net/tcp.rs`. Next: `net/udp.rs`, messages without a connection.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use super::connect::{Accept, Connect, Connection, Listener, Taken};
use super::source::Source;
use super::stream::{Read, Stream, Write, WriteAll, read_traits, write_traits};

/// A Unix socket that waits for connections. asyncio's `start_unix_server`, without the callback.
///
/// ```
/// use oneloop::net::{UnixListener, UnixStream};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("socket");
/// oneloop::run(async {
///     let listener = UnixListener::bind(&path)?;
///     let client = UnixStream::connect(&path).await?;
///     let (server, _) = listener.accept().await?;
///     client.write_all(b"hello").await?;
///     let mut buffer = [0; 16];
///     assert_eq!(server.read(&mut buffer).await?, 5);
///     Ok::<(), std::io::Error>(())
/// })
/// # ?; Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct UnixListener(Source<mio::net::UnixListener>);

impl UnixListener {
    /// Makes a socket file at `path`, and listens on it. The file stays when the listener is dropped: whoever made
    /// it removes it, as nobody else knows whether it is still wanted. (asyncio removes a stale one before it
    /// listens.)
    ///
    /// # Errors
    /// What the operating system says, with the path: `AddrInUse` if there is a file already, whether or not
    /// anybody listens on it. `InvalidInput` if the path is longer than a socket's address (107 bytes on Linux).
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&address(path.as_ref())?)
    }

    /// Listens on `address`, such as an abstract one
    /// ([`from_abstract_name`](std::os::linux::net::SocketAddrExt::from_abstract_name)), which leaves no file.
    ///
    /// # Errors
    /// What the operating system says, with the address.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixListener> {
        let listener = mio::net::UnixListener::bind_addr(address).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen on {address:?}: {error}"))
        })?;
        Ok(UnixListener(Source::new(listener, "listener")?))
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.io().local_addr()
    }

    /// Waits for a connection. With no file descriptors left it pauses (50 ms) and goes on.
    ///
    /// # Cancellation
    /// Nothing is lost: a connection not taken stays in the system's queue.
    pub fn accept(&self) -> Accept<'_, UnixListener> {
        Accept::new(self)
    }
}

/// A connection over a Unix socket. asyncio's `open_unix_connection`, both ends of it unbuffered.
///
/// It is used as [`TcpStream`](crate::net::TcpStream) is: the methods take `&self`, and it has the traits of
/// `futures-io`.
#[derive(Debug)]
pub struct UnixStream(Source<mio::net::UnixStream>);

impl UnixStream {
    /// Connects to the listener at `path`. With no file descriptors left, or no place in the listener's line, it
    /// pauses (50 ms) and goes on.
    ///
    /// # Errors
    /// What the operating system says, with the path: `NotFound` if there is no such file, `ConnectionRefused` if
    /// nobody listens there.
    ///
    /// # Cancellation
    /// The half-made connection is closed.
    pub fn connect(path: impl AsRef<Path>) -> Connect<UnixStream> {
        Connect::new(address(path.as_ref()))
    }

    /// Connects to `address`, such as an abstract one; otherwise as [`connect`](UnixStream::connect).
    pub fn connect_addr(address: &SocketAddr) -> Connect<UnixStream> {
        Connect::new(Ok(address.clone()))
    }

    /// Two connections, each the other's peer. asyncio's programs use `socket.socketpair()` for this.
    ///
    /// # Errors
    /// When the operating system gives no more descriptors.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, other) = mio::net::UnixStream::pair()?;
        Ok((UnixStream(Source::new(one, "connection")?), UnixStream(Source::new(other, "connection")?)))
    }

    /// Takes over a connection of the standard library, such as one end of a pair whose other end a child process
    /// was given.
    ///
    /// # Errors
    /// What the operating system says.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
        stream.set_nonblocking(true)?;
        Ok(UnixStream(Source::new(mio::net::UnixStream::from_std(stream), "connection")?))
    }

    /// Reads what is there into `buffer`, waiting until there is something: the number of bytes, 0 if the peer has
    /// closed its side (or the buffer is empty).
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Read<'a, UnixStream> {
        Read::new(self, buffer)
    }

    /// Writes some of `bytes`, waiting until there is room: the number of bytes taken.
    ///
    /// # Cancellation
    /// Nothing was written.
    pub fn write<'a>(&'a self, bytes: &'a [u8]) -> Write<'a, UnixStream> {
        Write::new(self, bytes)
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// What the operating system says; some of the bytes may have been written by then.
    ///
    /// # Cancellation
    /// Some of the bytes may have been written.
    pub fn write_all<'a>(&'a self, bytes: &'a [u8]) -> WriteAll<'a, UnixStream> {
        WriteAll::new(self, bytes)
    }

    /// The address of the other end; usually it has no name.
    ///
    /// # Errors
    /// What the operating system says.
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

    /// Closes one direction, or both, at once: the peer reads an end of stream.
    ///
    /// # Errors
    /// What the operating system says, for instance that it is no longer connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.io().shutdown(how)
    }
}

/// A path as an address.
fn address(path: &Path) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(path).map_err(|error| {
        io::Error::new(error.kind(), format!("{path:?} cannot be the address of a Unix socket: {error}"))
    })
}

impl Stream for UnixStream {
    type Io = mio::net::UnixStream;
    const IS_SOCKET: bool = true;

    #[inline]
    fn source(&self) -> Option<&Source<Self::Io>> {
        Some(&self.0)
    }
}

impl Connection for UnixStream {
    type Address = SocketAddr;

    fn begin(address: &SocketAddr) -> io::Result<mio::net::UnixStream> {
        mio::net::UnixStream::connect_addr(address)
    }

    /// `begin` has made it, or has said that it cannot.
    fn check(stream: &mio::net::UnixStream) -> io::Result<()> {
        stream.take_error()?.map_or(Ok(()), Err)
    }

    fn new(source: Source<mio::net::UnixStream>) -> UnixStream {
        UnixStream(source)
    }
}

impl Listener for UnixListener {
    type Io = mio::net::UnixListener;
    type Connection = UnixStream;

    fn source(&self) -> &Source<Self::Io> {
        &self.0
    }

    fn take(listener: &mio::net::UnixListener) -> io::Result<Taken<UnixStream>> {
        listener.accept()
    }
}

read_traits!(UnixStream);
write_traits!(UnixStream);
