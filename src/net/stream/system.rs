//! Chapter 28, part 4: four calls of the operating system.
//!
//! A socket has calls of its own to receive and to send, which can do more than those of a pipe: `send` can be told
//! to keep a signal back. The calls are made by rustix, on Linux right here, and not through the C library and mio's
//! `Read` and `Write`. That is the same work for the system. For the processor it is not: a system call makes it
//! forget where the functions it is in return to, so the first return after one is guessed wrong, and to guess wrong
//! in what the system left behind is dear.
//!
//! ```text
//!   a task's poll ──▶ recv ──▶ system        as a function of the C library: it returns, and its caller after it
//!   a task's poll ──────────▶ system         in line: what comes next is the task's own next instruction
//! ```
//!
//! So these are in line, and so is all that is between them and the task's own code: see decision 016.
//!
//! Before: `net/stream.rs`. Next: `net/stream/traits.rs`, the same for other libraries.

use std::io::{self, IoSlice, IoSliceMut};

use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::Stream;

/// To write to a connection that the peer has closed is an error, and no signal that ends a process which does not
/// ignore it.
#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// There it is a setting of the socket.
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: SendFlags = SendFlags::empty();

/// Reads what is there, at most a buffer full; 0: the end of the stream.
#[inline(always)]
pub(super) fn read<S: Stream>(io: &S::Io, buffer: &mut [u8]) -> io::Result<usize> {
    match S::IS_SOCKET {
        true => Ok(recv(io, buffer, RecvFlags::empty())?.0),
        false => Ok(rustix::io::read(io, buffer)?),
    }
}

/// Reads into several buffers at once.
pub(super) fn read_vectored<S: Stream>(io: &S::Io, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    Ok(rustix::io::readv(io, buffers)?)
}

/// Writes what there is room for.
#[inline(always)]
pub(super) fn write<S: Stream>(io: &S::Io, bytes: &[u8]) -> io::Result<usize> {
    match S::IS_SOCKET {
        true => Ok(send(io, bytes, NO_SIGNAL)?),
        false => Ok(rustix::io::write(io, bytes)?),
    }
}

/// Writes several slices at once.
pub(super) fn write_vectored<S: Stream>(io: &S::Io, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    Ok(rustix::io::writev(io, slices)?)
}
