//! Chapter 27, the futures: what does a task wait for at `accept`, `connect`, `read` and `write`?
//!
//! Each one tries, and if it would block it leaves its *interest* with the reactor until the next edge. Dropped half
//! way, it takes the interest back: a source does not gather the remains of those who gave up.
//!
//! Before: `tcp.rs`. Next: `tcp/traits.rs`, the same for other libraries.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::{TcpListener, TcpStream};
use crate::current;
use crate::net::source::Source;
use crate::reactor::Interest;
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

/// The future of [`TcpListener::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Accept<'a> {
    listener: &'a TcpListener,
    pause: DescriptorPause,
    interest: Interest,
}

impl<'a> Accept<'a> {
    pub(super) fn new(listener: &'a TcpListener) -> Accept<'a> {
        Accept { listener, pause: DescriptorPause::default(), interest: Interest::default() }
    }
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
            match this
                .listener
                .0
                .poll(cx, IoOp::Accept, Some(&mut this.interest), |listener| listener.accept())
            {
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

impl Drop for Accept<'_> {
    fn drop(&mut self) {
        self.listener.0.forget(IoOp::Accept, &self.interest);
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
    interest: Interest,
}

impl Connect {
    pub(super) fn new(address: SocketAddr) -> Connect {
        Connect { address, stream: None, pause: DescriptorPause::default(), interest: Interest::default() }
    }

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
        match stream.0.poll(cx, IoOp::Connect, Some(&mut self.interest), connected) {
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
    interest: Interest,
}

impl<'a> Read<'a> {
    pub(super) fn new(stream: &'a TcpStream, buffer: &'a mut [u8]) -> Read<'a> {
        Read { stream, buffer, interest: Interest::default() }
    }
}

impl Drop for Read<'_> {
    #[inline]
    fn drop(&mut self) {
        self.stream.0.forget(IoOp::Read, &self.interest);
    }
}

impl Future for Read<'_> {
    type Output = io::Result<usize>;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.stream.poll_read(cx, this.buffer, Some(&mut this.interest))
    }
}

/// The future of [`TcpStream::write`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Write<'a> {
    stream: &'a TcpStream,
    bytes: &'a [u8],
    interest: Interest,
}

impl<'a> Write<'a> {
    pub(super) fn new(stream: &'a TcpStream, bytes: &'a [u8]) -> Write<'a> {
        Write { stream, bytes, interest: Interest::default() }
    }
}

impl Drop for Write<'_> {
    #[inline]
    fn drop(&mut self) {
        self.stream.0.forget(IoOp::Write, &self.interest);
    }
}

impl Future for Write<'_> {
    type Output = io::Result<usize>;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.stream.poll_write(cx, this.bytes, Some(&mut this.interest))
    }
}

/// The future of [`TcpStream::write_all`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct WriteAll<'a> {
    stream: &'a TcpStream,
    /// What has not been written yet.
    bytes: &'a [u8],
    interest: Interest,
}

impl<'a> WriteAll<'a> {
    pub(super) fn new(stream: &'a TcpStream, bytes: &'a [u8]) -> WriteAll<'a> {
        WriteAll { stream, bytes, interest: Interest::default() }
    }
}

impl Drop for WriteAll<'_> {
    #[inline]
    fn drop(&mut self) {
        self.stream.0.forget(IoOp::Write, &self.interest);
    }
}

impl Future for WriteAll<'_> {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while !this.bytes.is_empty() {
            let written = ready!(this.stream.poll_write(cx, this.bytes, Some(&mut this.interest)))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.bytes = &this.bytes[written..];
        }
        Poll::Ready(Ok(()))
    }
}
