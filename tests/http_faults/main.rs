//! Everything that goes wrong on purpose: each fault is an error that names the URL and the phase, ends in
//! bounded time and memory, and leaves the client and the loop ready for the next request.
#![cfg(feature = "http")]

mod broken;
#[path = "../http_support/closing.rs"]
mod closing;
mod connecting;
#[path = "../http_support/mod.rs"]
mod http_support;
mod limits;
mod slow;

use std::time::Duration;

use http_support::{Script, always, ok, script};
use oneloop::http::{Client, ClientBuilder, Error, Limits, Phase, Timeouts};

/// Long enough for what comes at once, short enough to wait for what never comes.
const SHORT: Duration = Duration::from_millis(50);

fn builder() -> ClientBuilder {
    // One connection a host: a place lost by a fault would stop the request after it.
    Client::builder().max_connections_per_host(1)
}

fn with_limits(change: impl FnOnce(&mut Limits)) -> Client {
    let mut limits = Limits::default();
    change(&mut limits);
    builder().limits(limits).build()
}

fn with_timeouts(change: impl FnOnce(&mut Timeouts)) -> Client {
    let mut timeouts = Timeouts::default();
    change(&mut timeouts);
    builder().timeouts(timeouts).build()
}

/// The error of a GET, head and body, after which other requests go on.
async fn fault_at(client: &Client, url: &str) -> Error {
    let get = async |url: &str| client.get(url).send().await?.bytes().await;
    let error = get(url).await.expect_err(url);
    assert_eq!(error.url(), url);
    let text = error.to_string();
    assert!(text.starts_with(&format!("{url}: {}: ", error.phase())), "{text}");
    assert!(text.len() < 300, "{text}");
    let good = always(ok("good"));
    assert_eq!(get(&good.url("/")).await.unwrap(), b"good", "the next request goes on");
    if let Err(again) = client.get(url).timeout(SHORT).send().await {
        assert_ne!(again.phase(), Phase::Queue, "the host's one place was given back");
    }
    error
}

fn fault(client: Client, server: &Script) -> Error {
    oneloop::run(fault_at(&client, &server.url("/x")))
}

/// Answers one request on each connection, and closes it.
fn once(answer: impl Into<Vec<u8>>) -> Script {
    let answer = answer.into();
    script(move |_, mut peer| {
        peer.answer(&answer);
    })
}
