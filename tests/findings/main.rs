//! The rules: for each a small program that breaks it, and one like it that does not.

mod lives;
mod polls;
mod recordings;
mod waits;
mod wakes;
mod why;

use std::panic::{AssertUnwindSafe, catch_unwind};

use oneloop::EventLoop;
use oneloop::trace::findings::{Finding, Level, Limits, Watch};

/// What the rules find in a run of `program` in virtual time, up to the close of the loop.
fn found_with(limits: Limits, program: impl AsyncFnOnce()) -> Vec<Finding> {
    let watch = Watch::new(limits);
    let event_loop = EventLoop::builder().virtual_time().observer(watch.clone()).build().unwrap();
    // A loop that can never go on says so with a panic, in virtual time.
    let _ = catch_unwind(AssertUnwindSafe(|| event_loop.run_until_complete(program())));
    drop(event_loop);
    watch.end()
}

fn found(program: impl AsyncFnOnce()) -> Vec<Finding> {
    found_with(Limits::default(), program)
}

/// The one finding of `rule`, which must be all there is to find besides those in `others`.
#[track_caller]
fn only(findings: Vec<Finding>, rule: &str, others: &[&str]) -> Finding {
    let (own, rest): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.rule == rule);
    let rest: Vec<_> = rest.into_iter().filter(|finding| !others.contains(&finding.rule)).collect();
    assert!(rest.is_empty(), "found besides: {rest:#?}");
    assert_eq!(own.len(), 1, "{own:#?}");
    let finding = own.into_iter().next().unwrap();
    assert!(!finding.evidence.is_empty() && finding.evidence.is_sorted(), "{finding:?}");
    assert!(finding.text.ends_with('.') && !finding.text.contains("  "), "{}", finding.text);
    finding
}

#[track_caller]
fn nothing(findings: Vec<Finding>) {
    assert!(findings.is_empty(), "{findings:#?}");
}

/// Whether a finding names this line of the file, first or later.
#[track_caller]
fn names_line(finding: &Finding, line: u32) {
    let lines: Vec<u32> = finding.places.iter().map(|place| place.line).collect();
    assert!(lines.contains(&line), "line {line} is not among {lines:?}: {finding}");
}

#[test]
fn a_finding_is_shown_with_its_lines_its_events_and_what_to_do() {
    let finding = only(
        found(async || {
            drop(oneloop::spawn(async { panic!("no such file") }));
            oneloop::yield_now().await;
        }),
        "dropped_error",
        &[],
    );
    assert_eq!(finding.level, Level::Error);
    let shown = finding.to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "error[dropped_error] Task 1 panicked, and nobody took its result: no such file.");
    assert!(lines[1].starts_with("  ") && lines[1].contains("event"), "{shown}");
    assert_eq!(lines[2], "  do: await the handle, or handle the error inside the task");
}
