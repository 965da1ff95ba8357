//! A crawler: finds all pictures of a photo site and makes small grey thumbnails of them.
//!
//! ```text
//! cargo run --release --example crawler
//! ```
//!
//! starts an embedded photo site, crawls it, and leaves 481 thumbnails and a contact sheet in
//! `thumbnails/`. `--help` tells the rest. Read `modes.rs` first: how the work is spread over tasks is there.

#![forbid(unsafe_code)]

mod args;
mod crawl;
#[path = "../embedded/mod.rs"]
mod embedded;
mod failure;
mod job;
mod links;
mod modes;
mod run;
mod save;
mod sheet;
mod site;
mod tally;
mod thumbnail;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    env_logger::init();
    run::run(args::Args::parse())
}
