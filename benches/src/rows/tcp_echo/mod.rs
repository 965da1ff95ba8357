//! Row `tcp_echo`: 64 connections over loopback, server and clients in the one thread.
//!
//! The floor is what the kernel needs for two writes and two reads. `bare.rs` does the same work with mio
//! alone, and shows how much a runtime adds to it.

mod bare;
pub mod streams;

use std::future::Future;
use std::io;

use tokio::task::spawn_local;

use crate::measure::Stopwatch;
use crate::python;
use crate::row::{Peer, Row, Target, Unit};
use crate::start;

pub const ROW: Row = Row {
    name: "tcp_echo",
    operation: "one request of 64 bytes and its echo, loopback, TCP_NODELAY, 64 connections, 1,024-byte buffers",
    unit: Unit::WallNanos,
    ops: 1_000_000,
    quick_ops: 200_000,
    target: Target::AboveBare(1.0),
    peers: &[
        (Peer::Oneloop, |ops| {
            let serve = |stream| drop(oneloop::spawn(serve(stream)));
            let ask = |stream, messages| oneloop::spawn(ask(stream, messages));
            start::on_oneloop(body(CONNECTIONS, ops / CONNECTIONS, streams::oneloop_pair, serve, ask))
        }),
        (Peer::Tokio, |ops| {
            let serve = |stream| drop(tokio::spawn(serve(stream)));
            let ask = |stream, messages| tokio::spawn(ask(stream, messages));
            start::on_tokio(body(CONNECTIONS, ops / CONNECTIONS, streams::tokio_pair, serve, ask))
        }),
        (Peer::TokioSet, |ops| {
            let serve = |stream| drop(spawn_local(serve(stream)));
            let ask = |stream, messages| spawn_local(ask(stream, messages));
            start::on_tokio_set(body(CONNECTIONS, ops / CONNECTIONS, streams::tokio_pair, serve, ask))
        }),
        (Peer::TokioLocal, |ops| {
            let serve = |stream| drop(spawn_local(serve(stream)));
            let ask = |stream, messages| spawn_local(ask(stream, messages));
            start::on_tokio_local(body(CONNECTIONS, ops / CONNECTIONS, streams::tokio_pair, serve, ask))
        }),
        (Peer::Smol, |ops| {
            start::on_smol(|smol| {
                let serve = |stream| smol.spawn(serve(stream)).detach();
                let ask = |stream, messages| smol.spawn(ask(stream, messages));
                body(CONNECTIONS, ops / CONNECTIONS, streams::smol_pair, serve, ask)
            })
        }),
        #[cfg(feature = "compio")]
        (Peer::Compio, |ops| {
            let serve = |stream| compio::runtime::spawn(serve(stream)).detach();
            let ask = |stream, messages| compio::runtime::spawn(ask(stream, messages));
            start::on_compio(body(CONNECTIONS, ops / CONNECTIONS, streams::compio_pair, serve, ask))
        }),
        #[cfg(feature = "monoio")]
        (Peer::Monoio, |ops| {
            let serve = |stream| drop(monoio::spawn(serve(stream)));
            let ask = |stream, messages| monoio::spawn(ask(stream, messages));
            start::on_monoio(body(CONNECTIONS, ops / CONNECTIONS, streams::monoio_pair, serve, ask))
        }),
        (Peer::Asyncio, |ops| python::share("tcp_echo", "asyncio", ops)),
        (Peer::Uvloop, |ops| python::share("tcp_echo", "uvloop", ops)),
        (Peer::Bare, |ops| bare::echo(ops).expect("loopback works")),
    ],
};

const CONNECTIONS: u64 = 64;
const MESSAGE: usize = 64;
const BUFFER: usize = 1_024;

/// One end of a connection: a runtime's stream, and the buffer that it is read into and written from.
pub struct End<S> {
    stream: S,
    /// Empty while io_uring has it.
    buffer: Vec<u8>,
}

impl<S> End<S> {
    fn new(stream: S) -> End<S> {
        End { stream, buffer: vec![7; BUFFER] }
    }
}

/// What each runtime's end can do. Where a runtime's future borrows the buffer, that future itself is returned, with no
/// async block around it; io_uring owns the buffer meanwhile, and has to give it back.
pub trait Stream {
    /// Reads as much as there is into the buffer; how much.
    fn read(&mut self) -> impl Future<Output = io::Result<usize>>;
    /// Writes the first `length` bytes of the buffer.
    fn write_all(&mut self, length: usize) -> impl Future<Output = io::Result<()>>;
}

/// The server's end: sends back what comes, until the client closes.
pub async fn serve<S>(stream: S)
where
    End<S>: Stream,
{
    let mut end = End::new(stream);
    loop {
        let length = end.read().await.expect("loopback works");
        if length == 0 {
            return;
        }
        end.write_all(length).await.expect("loopback works");
    }
}

/// The client's end: one message after the other.
pub async fn ask<S>(stream: S, messages: u64)
where
    End<S>: Stream,
{
    let mut end = End::new(stream);
    for _ in 0..messages {
        end.write_all(MESSAGE).await.expect("loopback works");
        let mut received = 0;
        while received < MESSAGE {
            let length = end.read().await.expect("loopback works");
            assert_ne!(length, 0, "the server answers before it closes");
            received += length;
        }
    }
}

/// So many connections, and on each so many messages.
pub async fn body<S, H: Future>(
    connections: u64,
    each: u64,
    pair: impl AsyncFn() -> io::Result<(S, S)>,
    spawn_server: impl Fn(S),
    spawn_client: impl Fn(S, u64) -> H,
) -> f64 {
    let mut clients = Vec::new();
    for _ in 0..connections {
        let (client, server) = pair().await.expect("loopback works");
        spawn_server(server);
        clients.push(client);
    }
    let watch = Stopwatch::start();
    let clients: Vec<H> = clients.into_iter().map(|client| spawn_client(client, each)).collect();
    for client in clients {
        client.await;
    }
    watch.nanos_each(connections * each)
}
