//! Chapter 28, part 4: what the system is asked to do with a stream.
//!
//! A socket has calls of its own to receive and to send, which can do more than those of a pipe: to send can be told
//! to keep a signal back. They are made by rustix, on Linux right here, and not by way of mio's `Read` and `Write` and
//! the C library. (mio wants to see every call; on epoll and kqueue it does nothing with them.) To the system that is
//! the same. To the processor it is not: after a system call it no longer knows where the functions it is in return
//! to, and the first return is guessed wrong, which is dear.
//!
//! ```text
//!   poll ──▶ read ──▶ recv ──▶ system      recv returns: guessed wrong. What comes next is the task's own code again,
//!                                          and at its end the poll returns: guessed wrong
//!   poll ────────────────────▶ system      only the poll returns
//! ```
//!
//! So these are in line, and so is all that is between them and the task's own code. Measured in decision 016.
//!
//! Before: `net/stream.rs`. Next: `net/stream/traits.rs`, the same for other libraries.

use std::io::{self, IoSlice, IoSliceMut};

use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};

use super::Stream;

/// The most slices that the system takes at once (`IOV_MAX` of Linux, macOS and the BSDs). More of them are left for the
/// next call; whoever counts what was moved has to know of that.
pub(super) const MOST_SLICES: usize = 1_024;

/// To write to a connection that the peer has closed is an error, and no signal that ends a process which does not
/// ignore it.
#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// There it is a setting of a socket, which mio makes for those that connect.
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

/// Reads into several buffers at once, at most `MOST_SLICES`.
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

/// Writes several slices at once, at most `MOST_SLICES`.
pub(super) fn write_vectored<S: Stream>(io: &S::Io, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    match S::IS_SOCKET {
        true => Ok(sendmsg(io, slices, &mut SendAncillaryBuffer::default(), NO_SIGNAL)?),
        false => Ok(rustix::io::writev(io, slices)?),
    }
}
