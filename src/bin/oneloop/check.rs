//! `oneloop check`: all that the rules find in a recording.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use oneloop::trace::findings::{Finding, Level, Limits, RULES, check_recording};
use oneloop::trace::narrate::count;

use crate::{Ended, recording, say};

/// Look for what is wrong in a recording: lost wakers, circles of locks, slow polls, tasks that nobody awaits...
///
/// Each finding is a sentence with the lines of the program, the events that show it, and what to do. The exit status is
/// 1 if there is an error or a warning, and 0 if there is nothing or only hints. docs/findings.md explains the rules.
#[derive(clap::Args)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// Only findings of this rule; may be given several times
    #[arg(short, long, value_name = "RULE", value_parser = PossibleValuesParser::new(RULES))]
    rule: Vec<String>,
    /// Do not show hints
    #[arg(long)]
    no_hints: bool,
    /// What is slow, for polls, timers and jobs, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100)]
    slow: u64,
}

/// Checks it.
pub fn run(args: Args) -> Ended {
    let recording = recording::open(&args.file)?;
    let limits = Limits { slow: Duration::from_millis(args.slow), ..Limits::default() };
    let findings = check_recording(&recording, limits);
    let wanted = |finding: &&Finding| {
        let rule = args.rule.is_empty() || args.rule.iter().any(|rule| rule == finding.rule);
        rule && !(args.no_hints && finding.level == Level::Hint)
    };
    let mut found: Vec<&Finding> = findings.found().iter().filter(wanted).collect();
    // The worst first; of equals that which came first.
    found.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let mut text = String::new();
    for finding in &found {
        text.push_str(&format!("{finding}\n\n"));
    }
    text.push_str(&summary(&found, recording.events.len()));
    for warning in recording.warnings() {
        text.push_str(&format!("note: {warning}\n"));
    }
    say(&text)?;
    let bad = found.iter().any(|finding| finding.level > Level::Hint);
    Ok(if bad { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// `2 errors, 1 hint in 4,012 events`.
fn summary(found: &[&Finding], events: usize) -> String {
    let of = |level: Level| found.iter().filter(|finding| finding.level == level).count();
    let parts = [Level::Error, Level::Warning, Level::Hint].map(|level| (of(level), level.to_string()));
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, level)| count(number, &level)).collect();
    let parts = if parts.is_empty() { "nothing found".into() } else { parts.join(", ") };
    format!("{parts} in {}\n", count(events, "event"))
}
