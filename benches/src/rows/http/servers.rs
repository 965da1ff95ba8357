//! The servers. All are asked by the client of `bare.rs`.

use std::net::Ipv4Addr;

use oneloop::http::{Reply, Server};

use super::{GREETED, GREETING, Ready, Serving, bare, serve};
use crate::python;
use crate::row::{Measure, Peer};

pub const PEERS: &[(Peer, Measure)] = &[
    (Peer::Oneloop, |ops| measure(&serve(on_oneloop), ops)),
    #[cfg(feature = "hyper")]
    (Peer::Tokio, |ops| measure(&serve(on_hyper), ops)),
    (Peer::Asyncio, |ops| on_aiohttp("asyncio", ops / python::SHARE)),
    (Peer::Uvloop, |ops| on_aiohttp("uvloop", ops / python::SHARE)),
];

fn measure(serving: &Serving, ops: u64) -> f64 {
    let before = serving.cpu_nanos();
    let asked = bare::ask(serving.port, GREETED, ops).expect("the server answers");
    (serving.cpu_nanos() - before) as f64 / asked as f64
}

fn on_oneloop(ready: Ready) {
    oneloop::run(async {
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback works");
        ready.listens(server.local_addr().expect("it is bound").port());
        server.serve(async |_| Reply::text(GREETING)).await.expect("loopback works");
    });
}

#[cfg(feature = "hyper")]
fn on_hyper(ready: Ready) {
    use std::convert::Infallible;

    use http_body_util::Full;
    use hyper::body::{Bytes, Incoming};
    use hyper::header::{CONTENT_TYPE, HeaderValue};

    async fn answer(_: hyper::Request<Incoming>) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
        let mut response = hyper::Response::new(Full::new(Bytes::from_static(GREETING.as_bytes())));
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(response)
    }

    crate::start::on_tokio_local(async move {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback works");
        ready.listens(listener.local_addr().expect("it is bound").port());
        loop {
            let (stream, _) = listener.accept().await.expect("loopback works");
            stream.set_nodelay(true).expect("loopback works");
            let service = hyper::service::service_fn(answer);
            let server = hyper::server::conn::http1::Builder::new();
            tokio::task::spawn_local(server.serve_connection(hyper_util::rt::TokioIo::new(stream), service));
        }
    })
}

fn on_aiohttp(event_loop: &str, ops: u64) -> f64 {
    let Some((mut child, port)) = python::server("http_server", event_loop) else { return f64::NAN };
    let figure = measure(&Serving { port, process: child.id(), thread: child.id() }, ops);
    child.kill().expect("it serves until it is killed");
    child.wait().expect("a child can be waited for");
    figure
}
