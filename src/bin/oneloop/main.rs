//! The command `oneloop`: record a program, and look at what it did.
//!
//! Each subcommand is a file of its own, which takes its arguments and gives an exit status. What they have in common:
//! `program.rs` finds and starts programs, `recording.rs` opens recordings, `attached.rs` asks running programs.

#![forbid(unsafe_code)]

mod hangup;
mod program;
mod recording;
mod session;
mod attached;
mod live;
mod shown;
mod what_if;
mod screen;

mod check;
mod export;
mod learn;
mod page;
mod play;
mod record;
mod step;
mod summary;
mod tree;
mod why;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use oneloop::trace::narrate::plain;

/// Look into the event loop of any program that uses oneloop, with no change to it.
#[derive(Parser)]
#[command(name = "oneloop", version, after_help = EXAMPLES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Where a PROGRAM is wanted, a name without a slash is an example of the crate you are in (`hello` is built from
examples/hello.rs); for any other program write its path, as in ./target/debug/server.

Try:
  oneloop learn                 lists the lessons, and `oneloop learn 1` goes through the first
  oneloop step hello            goes through the example `hello` while it runs, event by event
  oneloop record hello          runs the example `hello` and writes hello.trace
  oneloop play hello.trace      goes through it, forwards and backwards
  oneloop page hello.trace      writes hello.html, a page that plays it in any browser, offline
  oneloop summary hello.trace   says where the time went
  oneloop check hello.trace     says what is wrong with it
  oneloop why hello.trace       says why each task that waits does not run
  oneloop tree 4711             shows the tasks of process 4711, started with ONELOOP=attach
  oneloop why 4711              says why each of them that waits does not run";

#[derive(Subcommand)]
enum Command {
    Step(step::Args),
    Record(record::Args),
    Play(play::Args),
    Summary(summary::Args),
    Export(export::Args),
    Page(page::Args),
    Learn(learn::Args),
    Check(check::Args),
    Tree(tree::Args),
    Why(why::Args),
}

/// What a subcommand ends with: an exit status, or what went wrong, as one sentence.
type Ended = Result<ExitCode, String>;

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Step(args) => step::run(&args),
        Command::Record(args) => record::run(args),
        Command::Play(args) => play::run(&args),
        Command::Summary(args) => summary::run(&args),
        Command::Export(args) => export::run(args),
        Command::Page(args) => page::run(args),
        Command::Learn(args) => learn::run(&args),
        Command::Check(args) => check::run(args),
        Command::Tree(args) => tree::run(args),
        Command::Why(args) => why::run(args),
    };
    ended.unwrap_or_else(|error| {
        // Whoever closed standard error does not want to know.
        let lines: Vec<String> = error.lines().map(plain).collect();
        let _ = writeln!(io::stderr(), "oneloop: {}", lines.join("\n"));
        ExitCode::from(2)
    })
}

/// Writes to standard output. Whoever reads it may have had enough before the end.
///
/// # Errors
/// If it cannot be written to for another reason.
fn say(text: &str) -> Result<(), String> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output cannot be written to: {error}"))
        }
        _ => Ok(()),
    }
}
