//! A web server that greets whoever asks.
//!
//! `/` is answered with a greeting for nobody in particular, `/NAME` with one for NAME. Each connection is a task of
//! its own. By itself the program asks its own server four times, stops it, and ends; with an address it
//! serves until Ctrl-C, and what has been asked by then is still answered.
//!
//! ```text
//! $ cargo run --example http_server
//! GET /            200 OK         Hello, Anonymous
//! GET /Ada         200 OK         Hello, Ada
//! GET /J%C3%BCrgen 200 OK         Hello, Jürgen
//! GET /one/two     404 Not Found  404 Not Found
//! stopped
//! ```
//!
//! `cargo run --example http_server -- 127.0.0.1:8080` serves a browser.
//!
//! Read next: `src/http/server.rs`, and `src/http/conversation.rs`, one connection from its first request on.

#![forbid(unsafe_code)]

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use oneloop::http::{Client, Reply, Request, Server};
use oneloop::sync::Event;
use oneloop::{signal, spawn};

/// Greet whoever asks: / and /NAME.
#[derive(Parser)]
#[command(name = "http_server", max_term_width = 100)]
struct Args {
    /// Serve here until Ctrl-C, as in 127.0.0.1:8080 [default: ask itself four times, and end]
    address: Option<SocketAddr>,
}

async fn handle(request: Request) -> Reply {
    match request.path().strip_prefix('/') {
        Some("") => Reply::text("Hello, Anonymous\n"),
        Some(name) if !name.contains('/') => Reply::text(format!("Hello, {}\n", decoded(name))),
        _ => Reply::not_found(),
    }
}

/// The text that a part of a path stands for: `%` and two hexadecimal digits are one byte of it.
fn decoded(part: &str) -> String {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => bytes.extend([byte].iter().chain(&piece.as_bytes()[2..])),
            None => bytes.extend(b"%".iter().chain(piece.as_bytes())),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn serve(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let server = Server::bind(address)?;
    println!("serving http://{}/ until Ctrl-C", server.local_addr()?);
    server.serve_until(signal::ctrl_c(), handle).await?;
    println!("stopped");
    Ok(())
}

async fn ask_itself() -> Result<(), Box<dyn Error>> {
    let server = Server::bind("127.0.0.1:0")?;
    let (address, enough) = (server.local_addr()?, Event::new());
    let stop = enough.clone();
    let serving = spawn(server.serve_until(async move { stop.wait().await }, handle));
    let client = Client::new();
    for path in ["/", "/Ada", "/J%C3%BCrgen", "/one/two"] {
        let response = client.get(format!("http://{address}{path}")).send().await?;
        let status = response.status().to_string();
        print!("GET {path:<12} {status:<14} {}", response.text().await?);
    }
    enough.set();
    serving.await??;
    println!("stopped");
    Ok(())
}

fn main() -> ExitCode {
    let end = match Args::parse().address {
        Some(address) => oneloop::run(serve(address)),
        None => oneloop::run(ask_itself()),
    };
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
