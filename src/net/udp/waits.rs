//! Chapter 28, part 10: what does a task wait for at `send` and `recv`?
//!
//! Before: `net/udp.rs`. Next: `net/dns.rs`, names.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::UdpSocket;
use crate::current;
use crate::reactor::Interest;
use crate::trace::event::{IoOp, Wait};

/// The future of [`UdpSocket::send`] and [`UdpSocket::send_to`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct SendDatagram<'a> {
    socket: &'a UdpSocket,
    bytes: &'a [u8],
    /// Whom to; `None`: to whom the socket is connected.
    to: Option<SocketAddr>,
    interest: Interest,
}

impl<'a> SendDatagram<'a> {
    pub(super) fn new(socket: &'a UdpSocket, bytes: &'a [u8], to: Option<SocketAddr>) -> SendDatagram<'a> {
        SendDatagram { socket, bytes, to, interest: Interest::default() }
    }

    fn explain(&self, error: io::Error) -> io::Error {
        let length = self.bytes.len();
        let to = self.to.map_or("its peer".to_owned(), |to| to.to_string());
        io::Error::new(error.kind(), format!("cannot send a datagram of {length} bytes to {to}: {error}"))
    }
}

impl Future for SendDatagram<'_> {
    type Output = io::Result<usize>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let sent = this.socket.0.poll_datagram(cx, IoOp::Write, &mut this.interest, |socket| {
            let sent = match this.to {
                Some(to) => socket.send_to(this.bytes, to),
                None => socket.send(this.bytes),
            };
            Ok((sent?, ()))
        });
        sent.map(|sent| sent.map(|(length, ())| length).map_err(|error| this.explain(error)))
    }
}

impl Drop for SendDatagram<'_> {
    fn drop(&mut self) {
        self.socket.0.forget(IoOp::Write, &self.interest);
    }
}

/// The future of [`UdpSocket::recv_from`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct ReceiveFrom<'a> {
    socket: &'a UdpSocket,
    buffer: &'a mut [u8],
    interest: Interest,
}

impl<'a> ReceiveFrom<'a> {
    pub(super) fn new(socket: &'a UdpSocket, buffer: &'a mut [u8]) -> ReceiveFrom<'a> {
        ReceiveFrom { socket, buffer, interest: Interest::default() }
    }
}

impl Future for ReceiveFrom<'_> {
    type Output = io::Result<(usize, SocketAddr)>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let receive = |socket: &mio::net::UdpSocket| socket.recv_from(this.buffer);
        let received = this.socket.0.poll_datagram(cx, IoOp::Read, &mut this.interest, receive);
        if received.is_pending() {
            current::suspended(Wait::Datagram, Location::caller());
        }
        received
    }
}

impl Drop for ReceiveFrom<'_> {
    fn drop(&mut self) {
        self.socket.0.forget(IoOp::Read, &self.interest);
    }
}

/// The future of [`UdpSocket::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Receive<'a>(pub(super) ReceiveFrom<'a>);

impl Future for Receive<'_> {
    type Output = io::Result<usize>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_ok(|(length, _)| length)
    }
}
