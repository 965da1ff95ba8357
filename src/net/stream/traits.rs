//! Chapter 28, part 5: how do other libraries read and write a stream?
//!
//! Through `AsyncRead` and `AsyncWrite` of `futures-io`, for a stream of one's own and for a shared one. Their
//! `poll_` functions are no futures: nothing is dropped when somebody no longer waits, so a wait begun here lasts
//! until the next edge.
//!
//! They are two macros, since nobody may implement another crate's trait for "every type that is a `Stream`", nor
//! for a reference to one, by anything else.
//!
//! Before: `net/stream/system.rs`. Next: `net/connect.rs`, how connections come about.

/// `AsyncRead` for a stream, and for a reference to one.
macro_rules! read_traits {
    ($stream:ty) => {
        $crate::net::stream::read_traits!($stream, $stream);
        $crate::net::stream::read_traits!($stream, &$stream);
    };
    ($stream:ty, $this:ty) => {
        const _: () = {
            use std::{io, pin::Pin, task::Context, task::Poll};

            impl futures_io::AsyncRead for $this {
                #[track_caller]
                fn poll_read(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    buffer: &mut [u8],
                ) -> Poll<io::Result<usize>> {
                    let stream: &$stream = &self;
                    $crate::net::stream::poll_read(stream, cx, buffer, None)
                }

                #[track_caller]
                fn poll_read_vectored(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    buffers: &mut [io::IoSliceMut<'_>],
                ) -> Poll<io::Result<usize>> {
                    let stream: &$stream = &self;
                    $crate::net::stream::poll_read_vectored(stream, cx, buffers)
                }
            }
        };
    };
}

/// `AsyncWrite` for a connection, and for a reference to one, where to close it ends the direction to the peer; or for a
/// stream that is closed otherwise.
macro_rules! write_traits {
    ($stream:ty) => {
        $crate::net::stream::write_traits!($stream, $stream, |stream| $crate::net::stream::end(
            stream.shutdown(std::net::Shutdown::Write)
        ));
        $crate::net::stream::write_traits!($stream, &$stream, |stream| $crate::net::stream::end(
            stream.shutdown(std::net::Shutdown::Write)
        ));
    };
    ($stream:ty, $this:ty, $close:expr) => {
        const _: () = {
            use std::{io, pin::Pin, task::Context, task::Poll};

            impl futures_io::AsyncWrite for $this {
                #[track_caller]
                fn poll_write(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    bytes: &[u8],
                ) -> Poll<io::Result<usize>> {
                    let stream: &$stream = &self;
                    $crate::net::stream::poll_write(stream, cx, bytes, None)
                }

                #[track_caller]
                fn poll_write_vectored(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    slices: &[io::IoSlice<'_>],
                ) -> Poll<io::Result<usize>> {
                    let stream: &$stream = &self;
                    $crate::net::stream::poll_write_vectored(stream, cx, slices)
                }

                fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                    Poll::Ready(Ok(()))
                }

                fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                    let close: fn(&mut $this) -> io::Result<()> = $close;
                    Poll::Ready(close(&mut self))
                }
            }
        };
    };
}

/// What closing gives if this is what ending the direction to the peer gave.
pub(crate) fn end(ended: std::io::Result<()>) -> std::io::Result<()> {
    match ended {
        // Closed by the peer already: closed is what was asked for.
        Err(error) if error.kind() == std::io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}

pub(crate) use {read_traits, write_traits};
