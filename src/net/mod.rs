//! The world outside: sockets, names, and what is built on them.

pub(crate) mod source;
mod tcp;
mod dns;
#[cfg(feature = "http")]
pub mod tls;

pub use dns::{LONGEST_HOST, Lookup, MOST_LOOKUPS, lookup};
pub use tcp::{Accept, Connect, Read, TcpListener, TcpStream, Write, WriteAll};
