//! `oneloop export`: a recording for the viewers that others have made.

use std::path::PathBuf;
use std::process::ExitCode;

use oneloop::trace::export;

use crate::{Ended, recording};

/// Convert a recording for a timeline viewer, or cut a part out of it.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("format").required(true))]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// For ui.perfetto.dev: tracks, and arrows from wakes to polls
    #[arg(long, group = "format")]
    perfetto: bool,
    /// Chrome's JSON, which many viewers read: chrome://tracing, speedscope, Perfetto
    #[arg(long, group = "format")]
    chrome: bool,
    /// A recording again, of the events --from to --to alone; for a long one, of which a part is enough
    #[arg(long, group = "format")]
    part: bool,
    /// The number of the first event of the part
    #[arg(long, value_name = "EVENT", requires = "part", default_value_t = 0)]
    from: u64,
    /// The number of its last event; the last there is if left out
    #[arg(long, value_name = "EVENT", requires = "part", default_value_t = u64::MAX, hide_default_value = true)]
    to: u64,
    /// The file to write; `-` is standard output. If left out, FILE with another ending
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Converts it.
pub fn run(args: Args) -> Ended {
    let recording = recording::open(&args.file)?;
    let ending = match (args.perfetto, args.part) {
        (true, _) => "perfetto-trace",
        (_, true) => "part.trace",
        _ => "json",
    };
    if args.from > args.to {
        return Err(format!("there is nothing from event {} to event {}", args.from, args.to));
    }
    let output = args.output.unwrap_or_else(|| args.file.with_extension(ending));
    recording::write_to(&output, &[&args.file], |out| match (args.perfetto, args.part) {
        (true, _) => export::perfetto(&recording, out),
        (_, true) => export::part(&recording, args.from..=args.to, out),
        _ => export::chrome(&recording, out),
    })?;
    recording::say_warnings(&recording);
    if output.as_os_str() == "-" {
        return Ok(ExitCode::SUCCESS);
    }
    let what = match (args.perfetto, args.part) {
        (true, _) => "to be opened in ui.perfetto.dev",
        (_, true) => "a recording of the part",
        _ => "to be opened in chrome://tracing, speedscope or ui.perfetto.dev",
    };
    crate::say(&format!("{}: {what}\n", output.display()))?;
    Ok(ExitCode::SUCCESS)
}
