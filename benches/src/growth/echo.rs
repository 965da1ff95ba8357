//! The curve over the number of connections: server and clients in the one thread, each connection with a message on
//! its way all the time.

use std::future::Future;
use std::io;

use super::curve::{CONNECTIONS, Curve, Unit};
use crate::descriptors;
use crate::rows::tcp_echo::{ask, body, serve, streams};
use crate::start;

pub const ECHO: Curve = Curve {
    name: "tcp_echo",
    title: "a message and its echo over TCP",
    counted: "connections",
    unit: Unit::Nanos,
    sizes: CONNECTIONS,
    measures: [
        |size| {
            let serve = |stream| drop(oneloop::spawn(serve(stream)));
            let ask = |stream, messages| oneloop::spawn(ask(stream, messages));
            start::on_oneloop(echo(size, streams::oneloop_pair, serve, ask))
        },
        |size| {
            let serve = |stream| drop(tokio::spawn(serve(stream)));
            let ask = |stream, messages| tokio::spawn(ask(stream, messages));
            start::on_tokio(echo(size, streams::tokio_pair, serve, ask))
        },
        |size| {
            start::on_smol(|smol| {
                let serve = |stream| smol.spawn(serve(stream)).detach();
                let ask = |stream, messages| smol.spawn(ask(stream, messages));
                echo(size, streams::smol_pair, serve, ask)
            })
        },
    ],
};

const MESSAGES: u64 = 100_000;

async fn echo<S, H: Future>(
    size: u64,
    pair: impl AsyncFn() -> io::Result<(S, S)>,
    spawn_server: impl Fn(S),
    spawn_client: impl Fn(S, u64) -> H,
) -> f64 {
    descriptors::enough_for(2 * size).expect("the sizes are chosen so");
    body(size, MESSAGES / size, pair, spawn_server, spawn_client).await
}
