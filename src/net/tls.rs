//! Chapter 28, part 12: how does a TLS connection become a plain stream of bytes?
//!
//! The problem: rustls knows the TLS protocol and does no I/O; [`TcpStream`] does I/O and knows no protocol. This
//! file is the pipe between them, and nothing more:
//!
//! ```text
//!              ciphertext                                              plaintext
//!            ┌───────────┐  read_tls   ┌─────────────────────┐ reader ┌───────────┐
//!  the peer →│           │────────────→│ process_new_packets │───────→│ poll_read │→ the caller
//!            │ TcpStream │             │       (rustls)      │        │           │
//!  the peer ←│           │←────────────│     its buffers     │←───────│poll_write │← the caller
//!            └───────────┘  write_tls  └─────────────────────┘ writer └───────────┘
//! ```
//!
//! Two helpers move ciphertext, `poll_receive` along the upper line and `poll_send` along the lower one; all else
//! is built of them. The states:
//!
//! ```text
//!  handshaking ──both sides finished──→ open ──poll_close: close_notify queued──→ closing (reads go on)
//!       │                                │
//!       └──── a certificate, a record or a message is refused ────→ failed (the alert is sent, every call errs)
//! ```
//!
//! A worked example: `GET` over a new connection. The first poll of [`Connect`] finds 240 bytes of ClientHello in
//! rustls and sends them; the socket has no answer, so it suspends. The answer comes as one read of 1,400 bytes:
//! key share, certificate, Finished. rustls checks the certificate and queues 74 bytes of its own Finished, which
//! are sent; `Connect` is ready. `poll_write` of a 120 byte request becomes one record of 142 bytes, sent at once.
//!
//! No input makes this code spin: every round of every loop here takes at least one byte from the socket, or
//! ends. A peer that closes in the middle of the handshake, by `close_notify` or by end of stream, reads as
//! zero bytes, and zero bytes end the loop (RUSTSEC-2024-0336 was a loop that did not see it so).
//!
//! Before: `net/dns.rs`. Next: `net/tls/waits.rs`, the same with names.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

mod waits;
mod failure;

use self::failure::failure;
pub use self::waits::{Close, Flush, Read, WriteAll};
use super::TcpStream;
use crate::current;
use crate::trace::event::Wait;

/// How many bytes of ciphertext may wait for the socket before `poll_write` accepts no more: four full records.
/// More would only hide from the writer that the peer is slow.
const SEND_BUFFER: usize = 64 * 1024;

/// The configuration that clients share unless they bring their own: the roots of Mozilla (the `webpki-roots`
/// crate), TLS 1.2 and 1.3, the ring provider, HTTP/1.1 by ALPN.
///
/// Made once per process. Sharing it is what lets a second connection to a host resume the first one's session.
pub fn client_config() -> Arc<ClientConfig> {
    static SHARED: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let mozilla = || webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    Arc::clone(SHARED.get_or_init(|| client_config_trusting(mozilla())))
}

/// As [`client_config`], with trust in `roots` alone: for a company's own authority, or a test's.
pub fn client_config_trusting(roots: RootCertStore) -> Arc<ClientConfig> {
    // The provider is named, not taken from the process: two libraries in one program may want different ones.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the ring provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Opens TLS over a connected `stream`; `host` is the name or address that the peer's certificate must hold.
///
/// An IPv6 address may stand in the brackets of a URL. The handshake takes as long as the peer lets it: put it in
/// a [`wait_for`](crate::wait_for) to bound it.
///
/// # Errors
///
/// `InvalidInput`: `host` is neither a name nor an address. `InvalidData`: the certificate or the protocol was
/// refused; the text names the host and the reason, the source is a [`rustls::Error`]. `UnexpectedEof`: the peer
/// closed during the handshake. Any other kind comes from the socket.
///
/// # Cancellation
///
/// Dropping the future closes the connection, with no word to the peer.
pub fn connect(stream: TcpStream, host: &str, config: Arc<ClientConfig>) -> Connect {
    Connect { stream: Some(TlsStream::new(stream, host, config)) }
}

/// The future of [`connect`].
#[must_use = "futures do nothing unless awaited"]
pub struct Connect {
    /// The stream whose handshake runs, or the reason why none began. `None`: the answer was given.
    stream: Option<io::Result<TlsStream>>,
}

impl Future for Connect {
    type Output = io::Result<TlsStream>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stream = match self.stream.take() {
            Some(begun) => begun?,
            None => {
                panic!("this TLS connect future has given its result already: do not await it a second time")
            }
        };
        let outcome = noted(stream.poll_handshake(cx), Wait::Handshake);
        if outcome.is_pending() {
            self.stream = Some(Ok(stream));
            return Poll::Pending;
        }
        outcome.map_ok(|()| stream)
    }
}

/// A TLS connection as a stream of plaintext, after the handshake.
///
/// * A read of 0 bytes means that the peer said it was done (`close_notify`, RFC 8446 section 6.1). A connection
///   that ends without it gives `UnexpectedEof`: whoever sits in between may have cut it to make an answer
///   look complete (the truncation attack). A protocol that says how long its answers are may overlook that.
/// * A write is complete for the socket only after a flush, as with any buffered writer; up to 64 KiB wait inside.
///   A read sends what waits, too, so asking and then reading the answer never hangs.
/// * Closing sends `close_notify` and ends the sending side only; reads go on until the peer has closed as well.
/// * Dropping closes the connection with no word to the peer, who sees a truncation.
///
/// Reads lose nothing when cancelled. A write that was cancelled may have been taken in part or whole.
pub struct TlsStream {
    /// The connection below, which carries ciphertext.
    stream: TcpStream,
    /// The protocol: all keys and buffers. Boxed, as it is over a kilobyte, and streams are moved about.
    tls: Box<ClientConnection>,
    /// Why the protocol ended, told again by every later call; `None` while all is well.
    failed: Option<rustls::Error>,
    /// Whether `close_notify` was queued, after which nothing may be written.
    closing: bool,
    /// The host as asked for, for error texts.
    host: Box<str>,
}

impl TlsStream {
    /// Readies the protocol; the first bytes go out at the first `poll_handshake`.
    fn new(stream: TcpStream, host: &str, config: Arc<ClientConfig>) -> io::Result<TlsStream> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            let text = format!("TLS cannot be opened to {host:?}: neither a DNS name nor an IP address");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })?;
        let tls = ClientConnection::new(config, name).map_err(|error| failure(host, error))?;
        let mut tls = Box::new(tls);
        tls.set_buffer_limit(Some(SEND_BUFFER));
        Ok(TlsStream { stream, tls, failed: None, closing: false, host: host.into() })
    }

    /// The connection below, to ask for addresses or set options. Bytes written to it would break the protocol.
    pub fn tcp(&self) -> &TcpStream {
        &self.stream
    }

    /// Goes on with the handshake; ready when both sides are done and our last message is with the socket.
    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.tls.is_handshaking() {
                self.check()?;
            }
            let sent = self.poll_send(cx)?;
            if !self.tls.is_handshaking() {
                return sent.map(Ok);
            }
            // Not yet sent is no reason not to read: the peer may be waiting for us to.
            if ready!(self.poll_receive(cx))? == 0 {
                let text = format!("{} closed the connection during the TLS handshake", self.host);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, text)));
            }
        }
    }

    /// Tells again why the protocol ended, if it did.
    fn check(&self) -> io::Result<()> {
        match &self.failed {
            Some(error) => Err(failure(&self.host, error.clone())),
            None => Ok(()),
        }
    }

    /// Moves what the socket has (one read) into the protocol. `Ok(0)`: nothing will ever come again. Whether the
    /// protocol takes offence is for `check` to say, after what was good before it has been read.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let count = ready!(settle(self.tls.read_tls(&mut Socket { stream: &mut self.stream, cx })))?;
        if let Err(error) = self.tls.process_new_packets() {
            self.failed = Some(error);
            // rustls has queued an alert that tells the peer why; whether it arrives changes nothing here.
            let _ = self.poll_send(cx);
        }
        Poll::Ready(Ok(count))
    }

    /// Moves what the protocol has to say to the socket; ready when nothing is left.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.wants_write() {
            if ready!(settle(self.tls.write_tls(&mut Socket { stream: &mut self.stream, cx })))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Gives what is decrypted, and fetches more when there is nothing.
    fn poll_plaintext(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.tls.reader().read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let text = format!(
                        "{} ended the connection without close_notify: it may be cut short",
                        self.host
                    );
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, text)));
                }
                done => return Poll::Ready(done),
            }
            self.check()?;
            // Keys to update, or the end of a request whose writer did not flush: the peer may be waiting for it.
            // An error of sending is the writer's to see; the peer's last words may still be read.
            let _ = self.poll_send(cx);
            ready!(self.poll_receive(cx))?;
        }
    }

    /// Encrypts what there is room for, and sends what the socket takes of it.
    fn poll_take(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.closing {
            let text = format!("the TLS connection to {} was closed for writing", self.host);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, text)));
        }
        self.check()?;
        // Twice, as the buffer may be full until the first round has sent it.
        for _ in 0..2 {
            let taken = self.tls.writer().write_vectored(bufs)?;
            let sent = self.poll_send(cx)?;
            if taken > 0 || bufs.iter().all(|buf| buf.is_empty()) {
                return Poll::Ready(Ok(taken));
            }
            ready!(sent);
        }
        Poll::Ready(Err(io::ErrorKind::WriteZero.into()))
    }
}

impl AsyncRead for TlsStream {
    #[track_caller]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.stream.0.spend(cx));
        noted(self.poll_plaintext(cx, buf), Wait::Readable)
    }
}

impl AsyncWrite for TlsStream {
    #[track_caller]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.stream.0.spend(cx));
        noted(self.poll_take(cx, &[IoSlice::new(buf)]), Wait::Writable)
    }

    #[track_caller]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.stream.0.spend(cx));
        noted(self.poll_take(cx, bufs), Wait::Writable)
    }

    #[track_caller]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(noted(self.poll_send(cx), Wait::Writable))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    #[track_caller]
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closing {
            self.closing = true;
            self.tls.send_close_notify();
        }
        ready!(noted(self.poll_send(cx), Wait::Writable))?;
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

/// Notes the line that waits, which rustls between it and the socket would hide.
#[track_caller]
fn noted<T>(poll: Poll<T>, wait: Wait) -> Poll<T> {
    if poll.is_pending() {
        current::suspended(wait, Location::caller());
    }
    poll
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connect").field(&self.stream).finish()
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("host", &self.host)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// The stream below as rustls wants to see it: an ordinary reader and writer, whose "would block" is our `Pending`.
struct Socket<'a, 'b> {
    stream: &'a mut TcpStream,
    cx: &'a mut Context<'b>,
}

impl io::Read for Socket<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        unsettle(Pin::new(&mut *self.stream).poll_read(self.cx, buf))
    }
}

impl io::Write for Socket<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        unsettle(Pin::new(&mut *self.stream).poll_write(self.cx, buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        unsettle(Pin::new(&mut *self.stream).poll_write_vectored(self.cx, bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        unsettle(Pin::new(&mut *self.stream).poll_flush(self.cx))
    }
}

/// From our word for "not yet" to that of `std::io`.
fn unsettle<T>(outcome: Poll<io::Result<T>>) -> io::Result<T> {
    match outcome {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// And back again.
fn settle<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        done => Poll::Ready(done),
    }
}
