//! A page fetched with a client session.
//!
//! The client keeps its connections for the next request to the same host; that is what makes it a session.
//! `send` returns when the response's head is there, `text` when its body is. Without a URL the page comes from a
//! server inside this program; with one, from wherever it says.
//!
//! ```text
//! $ cargo run --example http_get
//! 200 OK
//! <!doctype html>
//! <title>A page</title>
//! <p>It came over a socket, and nothing was blocked meanwhile.</p>
//! ```
//!
//! `cargo run --example http_get -- https://www.rust-lang.org/` fetches a real one.
//!
//! Read next: `src/http/client.rs`, and `src/http/error.rs`, the way of a request through its phases.

#![forbid(unsafe_code)]

mod embedded;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use embedded::Embedded;
use oneloop::http::{self, Client, Reply};

const PAGE: &str = "<!doctype html>
<title>A page</title>
<p>It came over a socket, and nothing was blocked meanwhile.</p>
";

/// Fetch a page, and print its status and its text.
#[derive(Parser)]
#[command(name = "http_get", max_term_width = 100)]
struct Args {
    /// The page, as in https://www.rust-lang.org/ [default: one from a server inside this program]
    url: Option<String>,
}

async fn fetch(client: &Client, url: &str) -> Result<String, http::Error> {
    let response = client.get(url).send().await?;
    println!("{}", response.status());
    response.text().await
}

fn show(args: &Args) -> Result<(), Box<dyn Error>> {
    let server = Embedded::start(Duration::ZERO, |_| Reply::html(PAGE))?;
    let url = args.url.clone().unwrap_or_else(|| server.url());
    let text = oneloop::run(async { fetch(&Client::new(), &url).await })?;
    print!("{text}");
    Ok(())
}

fn main() -> ExitCode {
    match show(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
