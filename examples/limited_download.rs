//! A hundred downloads, ten at a time.
//!
//! Whoever can ask for everything at once can also bring a server down. A semaphore has ten permits; each download
//! takes one first and gives it back at its end, so there are never more than ten in flight. The other ninety wait
//! in line, and the whole takes longer: that is its purpose. The second line is the same without a limit.
//!
//! ```text
//! $ cargo run --example limited_download
//! a limit of  10: 100 downloads, never more than  10 in flight, 0.53 s
//! a limit of 100: 100 downloads, never more than 100 in flight, 0.08 s
//! ```
//!
//! Read next: `src/sync/semaphore.rs`, the permits and the line.

#![forbid(unsafe_code)]

mod embedded;

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use embedded::Embedded;
use oneloop::http::{self, Client, Reply};
use oneloop::sync::Semaphore;
use oneloop::try_gather;

/// How long the server inside this program waits before each reply.
const DELAY: Duration = Duration::from_millis(50);

/// How many downloads there are now, and how many there were at most.
#[derive(Default)]
struct InFlight {
    now: Cell<usize>,
    most: Cell<usize>,
}

async fn download(client: &Client, url: &str, in_flight: &InFlight) -> Result<usize, http::Error> {
    in_flight.now.set(in_flight.now.get() + 1);
    in_flight.most.set(in_flight.most.get().max(in_flight.now.get()));
    let page = client.get(url).send().await?.bytes().await;
    in_flight.now.set(in_flight.now.get() - 1);
    page.map(|page| page.len())
}

/// Downloads all, and says how many were in flight at most.
async fn limited_download(urls: &[String], limit: usize) -> Result<usize, http::Error> {
    let client = Client::new();
    let semaphore = Semaphore::new(limit);
    let in_flight = Rc::new(InFlight::default());
    let downloads = urls.iter().cloned().map(|url| {
        let (client, semaphore, in_flight) = (client.clone(), semaphore.clone(), Rc::clone(&in_flight));
        async move {
            let _permit = semaphore.acquire().await;
            download(&client, &url, &in_flight).await
        }
    });
    try_gather(downloads).await?;
    Ok(in_flight.most.get())
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Embedded::start(DELAY, |request| Reply::text(request.path().to_owned()))?;
    let urls: Vec<String> = (0..100).map(|number| format!("{}/{number}", server.url())).collect();
    for limit in [10, urls.len()] {
        let start = Instant::now();
        let most = oneloop::run(limited_download(&urls, limit))?;
        let (count, took) = (urls.len(), start.elapsed().as_secs_f64());
        println!(
            "a limit of {limit:>3}: {count} downloads, never more than {most:>3} in flight, {took:.2} s"
        );
    }
    Ok(())
}
