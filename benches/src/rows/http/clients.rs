//! The clients, and the server that they all ask: oneloop's.

use std::future::Future;
use std::net::Ipv4Addr;

use oneloop::http::{Client, Reply, Server};

use super::{CONNECTIONS, PAGE, PAGE_BYTES, Ready, bare, serve};
use crate::measure::ThreadStopwatch;
use crate::python;
use crate::row::{Measure, Peer};
use crate::start;

pub const PEERS: &[(Peer, Measure)] = &[
    (Peer::Oneloop, |ops| {
        let most = CONNECTIONS as usize;
        let client = Client::builder().max_connections_per_host(most).max_idle_per_host(most).build();
        let url = url();
        start::on_oneloop(body(ops, move |count| {
            oneloop::spawn(on_oneloop(client.clone(), url.clone(), count))
        }))
    }),
    #[cfg(feature = "hyper")]
    (Peer::Tokio, |ops| {
        // A proxy, if the environment names one, is for others.
        let client = reqwest::Client::builder().no_proxy().build().expect("reqwest starts");
        let url = url();
        start::on_tokio(body(ops, move |count| tokio::spawn(on_reqwest(client.clone(), url.clone(), count))))
    }),
    #[cfg(feature = "hyper")]
    (Peer::TokioLocal, |ops| {
        let port = serve(pages).port;
        start::on_tokio_local(body(ops, move |count| tokio::task::spawn_local(on_hyper(port, count))))
    }),
    (Peer::Asyncio, |ops| python::ask("http_client", "asyncio", ops / python::SHARE, &url())),
    (Peer::Uvloop, |ops| python::ask("http_client", "uvloop", ops / python::SHARE, &url())),
    (Peer::Bare, |ops| {
        let port = serve(pages).port;
        let watch = ThreadStopwatch::start();
        watch.nanos_each(bare::ask(port, PAGE, ops).expect("loopback works"))
    }),
];

/// Starts the server; what it is to be asked for.
fn url() -> String {
    format!("http://127.0.0.1:{}{PAGE}", serve(pages).port)
}

fn pages(ready: Ready) {
    oneloop::run(async {
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback works");
        ready.listens(server.local_addr().expect("it is bound").port());
        server.serve(async |_| Reply::text("x".repeat(PAGE_BYTES))).await.expect("loopback works");
    });
}

async fn body<H: Future>(ops: u64, spawn: impl Fn(u64) -> H) -> f64 {
    let watch = ThreadStopwatch::start();
    let tasks: Vec<H> = (0..CONNECTIONS).map(|_| spawn(ops / CONNECTIONS)).collect();
    for task in tasks {
        task.await;
    }
    watch.nanos_each(ops)
}

async fn on_oneloop(client: Client, url: String, count: u64) {
    for _ in 0..count {
        let response = client.get(&url).send().await.expect("the server answers");
        assert_eq!(response.bytes().await.expect("the server answers").len(), PAGE_BYTES);
    }
}

#[cfg(feature = "hyper")]
async fn on_reqwest(client: reqwest::Client, url: String, count: u64) {
    for _ in 0..count {
        let response = client.get(&url).send().await.expect("the server answers");
        assert_eq!(response.bytes().await.expect("the server answers").len(), PAGE_BYTES);
    }
}

/// One connection of hyper's, without a pool.
#[cfg(feature = "hyper")]
async fn on_hyper(port: u16, count: u64) {
    use http_body_util::{BodyExt as _, Empty};
    use hyper::body::Bytes;
    use hyper::header::{HOST, HeaderValue};

    let stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("loopback works");
    stream.set_nodelay(true).expect("loopback works");
    let stream = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.expect("it is HTTP");
    tokio::task::spawn_local(connection);
    let host = HeaderValue::try_from(format!("127.0.0.1:{port}")).expect("digits, points and a colon");
    for _ in 0..count {
        let request = hyper::Request::get(PAGE).header(HOST, host.clone());
        let request = request.body(Empty::<Bytes>::new()).expect("it is a request");
        let response = sender.send_request(request).await.expect("the server answers");
        let body = response.into_body().collect().await.expect("the server answers");
        assert_eq!(body.to_bytes().len(), PAGE_BYTES);
    }
}
