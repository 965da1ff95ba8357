//! The command `connections`: as many connections as the hard limit of descriptors allows, all open at once.
//!
//! ```text
//!   this process ──starts──→ a server: one runtime, one thread, a listener on each of 127.0.0.1, 127.0.0.2, …
//!                ──starts──→ a client for each of these addresses, with up to 10,000 connections to it
//! ```
//!
//! An address has some 28,000 ports for those who connect to it, so each client has an address to itself. Each
//! connection carries a message and its echo before it counts as open.

mod client;
mod server;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::connections::client::Client;
use crate::connections::server::Server;
use crate::descriptors::{self, RESERVE};
use crate::machine;
use crate::measure::{median, resident_bytes_of};
use crate::page::Page;
use crate::progress::Progress;
use crate::table::aligned;

/// The command line of `connections`.
#[derive(Args)]
pub struct Arguments {
    /// How many connections [default: as many as the hard limit of descriptors allows: ulimit -Hn]
    count: Option<u64>,

    /// Measurements of each figure, of which the median is taken
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,

    /// Also writes the table into the marked part of this file
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// This process is the server: a peer, and how many addresses it listens on
    #[arg(long, num_args = 2, value_names = ["PEER", "ADDRESSES"], hide = true)]
    serve: Option<Vec<String>>,

    /// This process is a client: an address, and how many connections to it
    #[arg(long, num_args = 2, value_names = ["ADDRESS", "COUNT"], hide = true)]
    ask: Option<Vec<String>>,
}

/// Connections of one client process.
const OF_A_CLIENT: u64 = 10_000;
/// Addresses of the loopback network that are used, at most: 127.0.0.1 to 127.0.0.254.
const MOST_CLIENTS: u64 = 254;
/// Messages of which the time is taken, from all clients together.
const TIMED: u64 = 20_000;
/// What all connections are compared with.
const FEW: u64 = 1_000;

/// What one server showed.
struct Figures {
    /// Resident bytes of the server, for each connection.
    bytes: f64,
    /// From the first connection to the last echo.
    seconds: f64,
    /// Of one message after the other, on connections drawn by lot: each client has the same share of them, in turn.
    echo_median_micros: f64,
    echo_p99_micros: f64,
}

/// Does what the command line asks for.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let limit = descriptors::raise()?;
    if let Some(words) = &arguments.serve {
        return server::serve(words);
    }
    if let Some(words) = &arguments.ask {
        return client::ask(words);
    }
    let most = limit.saturating_sub(RESERVE).min(MOST_CLIENTS * OF_A_CLIENT);
    let count = arguments.count.unwrap_or(most);
    if !(1..=most).contains(&count) {
        return Err(format!(
            "{count} connections: from 1 to {most}, for the limit of descriptors is {limit}"
        ));
    }
    let page = arguments.markdown.as_ref().map(|file| Page::read(file, "connections")).transpose()?;
    let mut sizes = vec![FEW, count];
    sizes.retain(|size| *size <= count);
    sizes.dedup();
    let table = table(&sizes, arguments.runs)?;
    print!("{table}");
    page.map_or(Ok(()), |page| page.write(&table))
}

fn table(sizes: &[u64], runs: u32) -> Result<String, String> {
    let head =
        ["open connections", "peer", "bytes each", "all open after", "echo, median", "echo, 99th percentile"];
    let mut lines = vec![head.map(String::from).to_vec()];
    let mut progress = Progress::new(sizes.len() * server::PEERS.len() * runs as usize);
    for &size in sizes {
        let mut all = server::PEERS.map(|_| Vec::new());
        for _ in 0..runs {
            for (peer, figures) in server::PEERS.iter().zip(&mut all) {
                progress.step(&format!("{size} connections"), peer);
                figures.push(measure(peer, size)?);
            }
        }
        for (peer, figures) in server::PEERS.iter().zip(all) {
            lines.push(line(size, peer, &figures));
        }
    }
    progress.end();
    Ok(format!("{}; medians of {runs}.\n\n{}", machine::described(), aligned(&lines)))
}

fn line(size: u64, peer: &str, figures: &[Figures]) -> Vec<String> {
    let median = |of: fn(&Figures) -> f64| median(&figures.iter().map(of).collect::<Vec<_>>());
    vec![
        size.to_string(),
        peer.to_string(),
        format!("{:.0}", median(|figures| figures.bytes)),
        format!("{:.2} s", median(|figures| figures.seconds)),
        format!("{:.1} µs", median(|figures| figures.echo_median_micros)),
        format!("{:.1} µs", median(|figures| figures.echo_p99_micros)),
    ]
}

/// One server with its clients, all processes of their own.
fn measure(peer: &str, count: u64) -> Result<Figures, String> {
    let server = Server::start(peer, count.div_ceil(OF_A_CLIENT))?;
    let share = |client: u64| OF_A_CLIENT.min(count - client * OF_A_CLIENT);
    let mut clients = Vec::new();
    for (client, address) in (0..).zip(server.addresses()) {
        clients.push(Client::start(address, share(client))?);
    }
    let before = resident_bytes_of(&server.id().to_string())?;
    let begun = Instant::now();
    clients.iter_mut().try_for_each(Client::connect)?;
    clients.iter_mut().try_for_each(Client::connected)?;
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = (resident_bytes_of(&server.id().to_string())? as f64 - before as f64) / count as f64;
    let each = TIMED.div_ceil(clients.len() as u64);
    let mut micros = Vec::with_capacity(TIMED as usize);
    for client in &mut clients {
        micros.append(&mut client.echo(each)?);
    }
    micros.sort_by(f64::total_cmp);
    let (echo_median_micros, echo_p99_micros) = (median(&micros), micros[micros.len() * 99 / 100]);
    Ok(Figures { bytes, seconds, echo_median_micros, echo_p99_micros })
}
