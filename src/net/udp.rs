//! Chapter 28, part 9: messages without a connection.
//!
//! A UDP socket sends and receives *datagrams*: each arrives whole or not at all, perhaps twice, perhaps before an
//! earlier one, and nobody says which. There is no stream and no end of it, so nothing here is a
//! `Stream`; there is the same loop of try, would-block, register, retry.
//!
//! Before: `net/unix.rs`. Next: `net/udp/waits.rs`.

mod waits;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

pub use self::waits::{Receive, ReceiveFrom, SendDatagram};
use super::source::Source;
use super::tcp::first_that_works;

/// A UDP socket. asyncio's `create_datagram_endpoint`, with futures in place of a protocol's callbacks.
///
/// The methods take `&self`, so that one task may receive while another one sends.
///
/// ```
/// use oneloop::net::UdpSocket;
///
/// oneloop::run(async {
///     let server = UdpSocket::bind("127.0.0.1:0")?;
///     let client = UdpSocket::bind("127.0.0.1:0")?;
///     client.send_to(b"hello", server.local_addr()?).await?;
///     let mut buffer = [0; 1500];
///     let (length, from) = server.recv_from(&mut buffer).await?;
///     assert_eq!((&buffer[..length], from), (&b"hello"[..], client.local_addr()?));
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
///
/// # Datagrams that are too long
///
/// One that is longer than the buffer it is received into is **cut off without a word**, and its rest is lost: the
/// operating system does that. Give a buffer as long as the longest message of your protocol, or of 65,535
/// bytes, which holds every datagram. One that is too long to be sent (more than 65,507 bytes over IPv4) is
/// an error, and nothing is sent.
#[derive(Debug)]
pub struct UdpSocket(Source<mio::net::UdpSocket>);

impl UdpSocket {
    /// A socket at `address`; port 0 lets the system choose one. Of several addresses the first that works is
    /// taken. A name instead of an address is looked up here and now, which may block: give an address.
    ///
    /// # Errors
    /// What the operating system says, with the address.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<UdpSocket> {
        let socket = first_that_works(address, "receive datagrams at", mio::net::UdpSocket::bind)?;
        Ok(UdpSocket(Source::new(socket, "datagram socket")?))
    }

    /// Takes over a socket of the standard library, for settings that are not here.
    ///
    /// # Errors
    /// What the operating system says.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        socket.set_nonblocking(true)?;
        Ok(UdpSocket(Source::new(mio::net::UdpSocket::from_std(socket), "datagram socket")?))
    }

    /// From now on sends to `address` with [`send`](UdpSocket::send), and receives from nobody else. Nothing
    /// is sent for it, so it succeeds whether or not anybody is there.
    ///
    /// # Errors
    /// What the operating system says, with the address.
    pub fn connect(&self, address: SocketAddr) -> io::Result<()> {
        self.0.io().connect(address).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot choose {address} as the peer: {error}"))
        })
    }

    /// Sends `bytes` as one datagram to the address it is connected to: the number of bytes, which is all of them.
    ///
    /// # Errors
    /// What the operating system says: `NotConnected` or `InvalidInput` without [`connect`](UdpSocket::connect);
    /// `ConnectionRefused` if an earlier datagram found nobody there.
    ///
    /// # Cancellation
    /// Nothing was sent.
    pub fn send<'a>(&'a self, bytes: &'a [u8]) -> SendDatagram<'a> {
        SendDatagram::new(self, bytes, None)
    }

    /// Sends `bytes` as one datagram to `address`: the number of bytes, which is all of them.
    ///
    /// # Errors
    /// What the operating system says, with the address.
    ///
    /// # Cancellation
    /// Nothing was sent.
    pub fn send_to<'a>(&'a self, bytes: &'a [u8], address: SocketAddr) -> SendDatagram<'a> {
        SendDatagram::new(self, bytes, Some(address))
    }

    /// Waits for a datagram: its length, which may be 0. What does not fit into `buffer` is lost.
    ///
    /// # Errors
    /// What the operating system says: `ConnectionRefused` if the peer of [`connect`](UdpSocket::connect) said that
    /// nobody is there.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn recv<'a>(&'a self, buffer: &'a mut [u8]) -> Receive<'a> {
        Receive(ReceiveFrom::new(self, buffer))
    }

    /// Waits for a datagram: its length, which may be 0, and who sent it. What does not fit into `buffer` is lost.
    ///
    /// # Errors
    /// As [`recv`](UdpSocket::recv).
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub fn recv_from<'a>(&'a self, buffer: &'a mut [u8]) -> ReceiveFrom<'a> {
        ReceiveFrom::new(self, buffer)
    }

    /// The address of this end.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.io().local_addr()
    }

    /// The address it is connected to.
    ///
    /// # Errors
    /// What the operating system says: `NotConnected` without [`connect`](UdpSocket::connect).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.io().peer_addr()
    }

    /// Whether it may send to a broadcast address; at first it may not.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.0.io().set_broadcast(on)
    }

    /// How many routers its datagrams may pass (time to live).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.0.io().set_ttl(ttl)
    }

    /// Joins the multicast group `group` on the interface with the address `interface`
    /// ([`UNSPECIFIED`](Ipv4Addr::UNSPECIFIED): the system chooses).
    ///
    /// # Errors
    /// What the operating system says, for instance that `group` is no multicast address.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.0.io().join_multicast_v4(&group, &interface)
    }

    /// Leaves a group that [`join_multicast_v4`](UdpSocket::join_multicast_v4) has joined.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.0.io().leave_multicast_v4(&group, &interface)
    }

    /// Joins the multicast group `group` on the interface with the number `interface` (0: the system chooses).
    ///
    /// # Errors
    /// What the operating system says, for instance that `group` is no multicast address.
    pub fn join_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        self.0.io().join_multicast_v6(&group, interface)
    }

    /// Leaves a group that [`join_multicast_v6`](UdpSocket::join_multicast_v6) has joined.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn leave_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        self.0.io().leave_multicast_v6(&group, interface)
    }

    /// Whether what it sends to a group of IPv4 comes back to members on this machine; at first it does.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()> {
        self.0.io().set_multicast_loop_v4(on)
    }
}
