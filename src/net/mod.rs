//! Chapter 28: the world outside: sockets, names, and what is built on them.
//!
//! Before: `blocking.rs`. Next: `net/source.rs`.

pub(crate) mod source;
pub(crate) mod stream;
mod connect;
mod tcp;
mod unix;
mod udp;
mod dns;
#[cfg(feature = "http")]
pub mod tls;

pub use connect::{Accept, Connect};
pub use dns::{LONGEST_HOST, Lookup, MOST_LOOKUPS, lookup};
pub use stream::{Read, Write, WriteAll};
pub use tcp::{TcpListener, TcpStream};
pub use udp::{Receive, ReceiveFrom, SendDatagram, UdpSocket};
pub use unix::{UnixListener, UnixStream};
