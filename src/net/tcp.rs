//! Chapter 32: TCP.
//!
//! Connecting, accepting, reading and writing, each a named future around `Source::poll`. There is no state of
//! its own here: a read that is dropped half way has read nothing, a `write` has written nothing, and a
//! `write_all` has written what it has written.
//!
//! Out of file descriptors, the operating system refuses connections both ways. That passes when others are
//! closed, so `connect` and `accept` pause and try again, rather than fail; put a
//! [`wait_for`](crate::wait_for) around them if that may take too long.
//!
//! Before: `source.rs`. Next chapter: `dns.rs`, names.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};

use super::source::Source;
use crate::current;
use crate::sleep::{Sleep, sleep};
use crate::trace::event::{IoOp, Wait};

/// How long `accept` and `connect` pause when there are no file descriptors left.
const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(50);

/// Whether the process (EMFILE, 24) or the system (ENFILE, 23) has no file descriptors left. The numbers are the
/// same on Linux, macOS and the BSDs.
fn out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

/// Waits for descriptors to become free: `Pending` during a pause, and until the next one begins.
#[derive(Debug, Default)]
struct DescriptorPause(Option<Sleep>);

impl DescriptorPause {
    /// Whether the pause, if there is one, is over.
    #[track_caller]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.0 {
            ready!(Pin::new(pause).poll(cx));
            self.0 = None;
        }
        Poll::Ready(())
    }

    fn begin(&mut self, doing: &str) {
        log::warn!(target: "oneloop", "no file descriptors left; {doing} pauses for {DESCRIPTOR_PAUSE:?}");
        self.0 = Some(sleep(DESCRIPTOR_PAUSE));
    }
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
        Accept { listener: self, pause: DescriptorPause::default() }
    }
}

/// The future of [`TcpListener::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Accept<'a> {
    listener: &'a TcpListener,
    pause: DescriptorPause,
}

impl Future for Accept<'_> {
    type Output = io::Result<(TcpStream, SocketAddr)>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let accepted = loop {
            let this = &mut *self;
            if this.pause.poll(cx).is_pending() {
                break Poll::Pending;
            }
            match this.listener.0.poll(cx, IoOp::Accept, |listener| listener.accept()) {
                Poll::Ready(Err(error)) if out_of_descriptors(&error) => this.pause.begin("accept"),
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                other => break other,
            }
        };
        let Poll::Ready(accepted) = accepted else {
            current::suspended(Wait::Accept, Location::caller());
            return Poll::Pending;
        };
        Poll::Ready(
            accepted.and_then(|(stream, peer)| Ok((TcpStream(Source::new(stream, "connection")?), peer))),
        )
    }
}

/// A TCP connection. Both ends of asyncio's `StreamReader` and `StreamWriter`, unbuffered.
///
/// The methods take `&self`, so that one task may read while another one writes; two tasks that read the same
/// connection each get some of the bytes. It also has the traits of `futures-io`.
#[derive(Debug)]
pub struct TcpStream(Source<mio::net::TcpStream>);

impl TcpStream {
    /// Connects to `address`. With no file descriptors left it pauses (50 ms) and goes on.
    ///
    /// # Errors
    /// What the operating system says (refused, unreachable, timed out), with the address.
    ///
    /// # Cancellation
    /// The half-made connection is closed.
    pub fn connect(address: SocketAddr) -> Connect {
        Connect { address, stream: None, pause: DescriptorPause::default() }
    }

    /// Reads what is there into `buffer`, waiting until there is something: the number of bytes, 0 if the peer has
    /// closed its side (or the buffer is empty).
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Read<'a> {
        Read { stream: self, buffer }
    }

    /// Writes some of `bytes`, waiting until there is room: the number of bytes taken.
    ///
    /// # Cancellation
    /// Nothing was written.
    pub fn write<'a>(&'a self, bytes: &'a [u8]) -> Write<'a> {
        Write { stream: self, bytes }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// What the operating system says; some of the bytes may have been written by then.
    ///
    /// # Cancellation
    /// Some of the bytes may have been written.
    pub fn write_all<'a>(&'a self, bytes: &'a [u8]) -> WriteAll<'a> {
        WriteAll { stream: self, bytes }
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
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let wanted = buffer.len();
        self.0.poll_bytes(cx, IoOp::Read, wanted, |mut stream| stream.read(buffer))
    }

    #[track_caller]
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_bytes(cx, IoOp::Write, bytes.len(), |mut stream| stream.write(bytes))
    }
}

/// The future of [`TcpStream::connect`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Connect {
    address: SocketAddr,
    /// The connection being made; `None` before the first poll and during a pause.
    stream: Option<TcpStream>,
    pause: DescriptorPause,
}

impl Connect {
    #[track_caller]
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        loop {
            if let Some(stream) = self.stream.take() {
                return Poll::Ready(Ok(stream));
            }
            ready!(self.pause.poll(cx));
            match mio::net::TcpStream::connect(self.address) {
                Ok(stream) => self.stream = Some(TcpStream(Source::new(stream, "connection")?)),
                Err(error) if out_of_descriptors(&error) => self.pause.begin("connect"),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    #[track_caller]
    fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let stream = ready!(self.poll_start(cx))?;
        match stream.0.poll(cx, IoOp::Connect, connected) {
            Poll::Ready(result) => Poll::Ready(result.map(|()| stream)),
            Poll::Pending => {
                self.stream = Some(stream);
                Poll::Pending
            }
        }
    }
}

/// Whether the connection is made: it has no error, and it has a peer.
fn connected(stream: &mio::net::TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error),
    }
}

impl Future for Connect {
    type Output = io::Result<TcpStream>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = self.poll_connect(cx);
        if result.is_pending() {
            current::suspended(Wait::Connect, Location::caller());
        }
        let address = self.address;
        result.map_err(|error| io::Error::new(error.kind(), format!("cannot connect to {address}: {error}")))
    }
}

/// The future of [`TcpStream::read`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Read<'a> {
    stream: &'a TcpStream,
    buffer: &'a mut [u8],
}

impl Future for Read<'_> {
    type Output = io::Result<usize>;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.stream.poll_read(cx, this.buffer)
    }
}

/// The future of [`TcpStream::write`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Write<'a> {
    stream: &'a TcpStream,
    bytes: &'a [u8],
}

impl Future for Write<'_> {
    type Output = io::Result<usize>;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.stream.poll_write(cx, self.bytes)
    }
}

/// The future of [`TcpStream::write_all`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct WriteAll<'a> {
    stream: &'a TcpStream,
    /// What has not been written yet.
    bytes: &'a [u8],
}

impl Future for WriteAll<'_> {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while !self.bytes.is_empty() {
            let written = ready!(self.stream.poll_write(cx, self.bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.bytes = &self.bytes[written..];
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for &TcpStream {
    #[track_caller]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        TcpStream::poll_read(&self, cx, buffer)
    }

    #[track_caller]
    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
        self.0.poll_bytes(cx, IoOp::Read, wanted, |mut stream| stream.read_vectored(buffers))
    }
}

impl AsyncWrite for &TcpStream {
    #[track_caller]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        TcpStream::poll_write(&self, cx, bytes)
    }

    #[track_caller]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted = slices.iter().map(|slice| slice.len()).sum();
        self.0.poll_bytes(cx, IoOp::Write, wanted, |mut stream| stream.write_vectored(slices))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.shutdown(Shutdown::Write) {
            // Closed by the peer already: closed is what was asked for.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            result => Poll::Ready(result),
        }
    }
}

impl AsyncRead for TcpStream {
    #[track_caller]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        TcpStream::poll_read(&self, cx, buffer)
    }

    #[track_caller]
    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, buffers)
    }
}

impl AsyncWrite for TcpStream {
    #[track_caller]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        TcpStream::poll_write(&self, cx, bytes)
    }

    #[track_caller]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, slices)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
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
