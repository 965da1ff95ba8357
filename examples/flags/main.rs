//! The flags of 194 countries, looked for under 676 addresses: one after the other, with threads, and with tasks.
//!
//! There are 26 × 26 codes of two letters, and a country for 194 of them; the rest is answered with 404. Each reply
//! takes half a second to come, nearly all of which is waiting, so the three forms differ in one thing only:
//! how many can wait at the same time, and what that costs. One; a few threads; hundreds of tasks on one thread.
//!
//! ```text
//! $ cargo run --release --example flags
//! sequential   20 URLs    9 flags   11 not found    0 errors   10.05 s     1.99 items/s
//! threaded     20 URLs    9 flags   11 not found    0 errors    0.51 s    39.35 items/s
//! async       676 URLs  194 flags  482 not found    0 errors    3.58 s   188.98 items/s
//! async: 95.0 times the items of sequential, 4.8 times those of threaded
//! ```
//!
//! The first two time 20 URLs, since all 676 one by one take six minutes; `--all` has that patience. The flags come
//! from a server inside this program; `--base-url` asks a real one instead, and `--help` tells the rest.
//!
//! The three forms stand side by side in `forms.rs`. Read next: `src/http/connections.rs`, how a client keeps to
//! so many connections per host.

#![forbid(unsafe_code)]

#[path = "../embedded/mod.rs"]
mod embedded;
mod forms;
mod gif;
mod pictures;
mod tally;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use embedded::Embedded;
use indicatif::{ProgressBar, ProgressFinish};

use tally::Tally;

/// How many URLs the slow forms time without `--all`.
const FEW: usize = 20;

/// Look for the flags of all countries one after the other, with threads, and with tasks, and compare.
///
/// The exit status is 1 if a URL could not be fetched, or was answered with anything but 200 or 404.
#[derive(Parser)]
#[command(name = "flags", max_term_width = 100)]
struct Args {
    /// Ask for URL/aa/aa.gif to URL/zz/zz.gif [default: a server inside this program]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,

    /// Have the sequential and the threaded form fetch all 676 URLs, too, not 20
    #[arg(long)]
    all: bool,

    /// Threads of the threaded form
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=676))]
    threads: u16,

    /// Requests that the async form has in flight at most; be polite to a small server
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=676))]
    limit: u16,

    /// How long the server inside this program waits before each reply, in milliseconds, up to 5000
    #[arg(long, value_name = "MS", default_value_t = 500, conflicts_with = "base_url",
          value_parser = clap::value_parser!(u64).range(..=5000))]
    delay: u64,
}

/// Times one form, prints its line, and returns the items per second.
fn time(
    name: &str,
    urls: &[String],
    total: &mut Tally,
    form: impl FnOnce(&[String], &ProgressBar) -> Tally,
) -> f64 {
    let bar = ProgressBar::new(urls.len() as u64).with_finish(ProgressFinish::AndClear);
    let start = Instant::now();
    let tally = form(urls, &bar);
    let seconds = start.elapsed().as_secs_f64();
    drop(bar);
    let speed = urls.len() as f64 / seconds;
    println!("{name:<10} {:>4} URLs {tally} {seconds:>7.2} s {speed:>8.2} items/s", urls.len());
    total.merge(tally);
    speed
}

fn compare(args: &Args) -> std::io::Result<Tally> {
    let server = Embedded::start(Duration::from_millis(args.delay), pictures::answer)?;
    let base = args.base_url.clone().unwrap_or_else(|| server.url());
    let urls = pictures::urls(base.trim_end_matches('/'));
    let few = if args.all { &urls[..] } else { &urls[..FEW] };

    let mut total = Tally::default();
    let (threads, limit) = (usize::from(args.threads), usize::from(args.limit));
    let sequential = time("sequential", few, &mut total, forms::sequential);
    let threaded = time("threaded", few, &mut total, |urls, bar| forms::threaded(urls, bar, threads));
    let asynchronous = time("async", &urls, &mut total, |urls, bar| forms::asynchronous(urls, bar, limit));
    let (times, fewer) = (asynchronous / sequential, asynchronous / threaded);
    println!("async: {times:.1} times the items of sequential, {fewer:.1} times those of threaded");
    Ok(total)
}

fn main() -> ExitCode {
    match compare(&Args::parse()) {
        Ok(total) => {
            total.report();
            if total.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: no server could be started: {error}");
            ExitCode::FAILURE
        }
    }
}
