//! The world outside: sockets, names, and what is built on them.

pub(crate) mod source;
mod tcp;

pub use tcp::{Accept, Connect, Read, TcpListener, TcpStream, Write, WriteAll};
