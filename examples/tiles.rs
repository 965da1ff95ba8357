//! Twenty tiles of a map, one after the other and all at once.
//!
//! A tile takes 170 ms to come, nearly all of which is waiting. The sync form waits for each before it asks for the
//! next, so it takes twenty times as long as one. The async form asks for all, and then waits for all.
//!
//! ```text
//! $ cargo run --example tiles
//! sync:  20 tiles, 20480 bytes in 3.461 s
//! async: 20 tiles, 20480 bytes in 0.180 s, 19.2 times as fast
//! ```
//!
//! The tiles come from a server inside this program; `--base-url` asks a real one instead, and `--help` tells
//! the rest.
//!
//! Read next: `src/combine/try_gather.rs`, where the first error ends the waiting.

#![forbid(unsafe_code)]

mod embedded;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, value_parser};
use embedded::Embedded;
use indicatif::{ProgressBar, ProgressFinish};
use oneloop::http::{Client, Reply, StatusCode};
use oneloop::try_gather;

/// Get twenty tiles of a map, one after the other and all at once, and compare.
#[derive(Parser)]
#[command(name = "tiles", max_term_width = 100)]
struct Args {
    /// Get URL/2920.png to URL/2939.png from a real server [default: a server inside this program]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// How long the server inside this program waits before each reply, in milliseconds, up to 1000
    #[arg(long, value_name = "MS", default_value_t = 170, conflicts_with = "base_url",
          value_parser = value_parser!(u64).range(..=1000))]
    delay: u64,
}

async fn get(client: Client, url: String) -> Result<usize, String> {
    let response = client.get(&url).send().await.map_err(|error| error.to_string())?;
    match response.status() {
        StatusCode::OK => response.bytes().await.map(|tile| tile.len()).map_err(|error| error.to_string()),
        status => Err(format!("{url}: {status}")),
    }
}

/// Blocks its thread for one tile after the other: each has a loop of its own, and nothing else to do on it.
fn sync_download(urls: &[String]) -> Result<usize, String> {
    let bar = ProgressBar::new(urls.len() as u64).with_finish(ProgressFinish::AndClear);
    bar.wrap_iter(urls.iter()).map(|url| oneloop::run(get(Client::new(), url.clone()))).sum()
}

fn async_download(urls: &[String]) -> Result<usize, String> {
    oneloop::run(async {
        let client = Client::new();
        let tiles = try_gather(urls.iter().map(|url| get(client.clone(), url.clone()))).await?;
        Ok(tiles.into_iter().sum())
    })
}

fn compare(args: &Args) -> Result<(), String> {
    let tile = || Reply::typed("image/png", &[0; 1024][..]);
    let server = Embedded::start(Duration::from_millis(args.delay), move |_| tile());
    let server = server.map_err(|error| error.to_string())?;
    let base = args.base_url.clone().unwrap_or_else(|| server.url());
    let urls: Vec<String> =
        (2920..2940).map(|id| format!("{}/{id}.png", base.trim_end_matches('/'))).collect();

    let start = Instant::now();
    let bytes = sync_download(&urls)?;
    let sync = start.elapsed().as_secs_f64();
    println!("sync:  {} tiles, {bytes} bytes in {sync:.3} s", urls.len());

    let start = Instant::now();
    let bytes = async_download(&urls)?;
    let took = start.elapsed().as_secs_f64();
    println!("async: {} tiles, {bytes} bytes in {took:.3} s, {:.1} times as fast", urls.len(), sync / took);
    Ok(())
}

fn main() -> ExitCode {
    match compare(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
