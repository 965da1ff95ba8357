//! Chapter 35, part 61: what of a recording goes into a page, and in which form.
//!
//! One object of JSON, packed with gzip. The events are lines of the trace format, so the page's script knows no other
//! format than everybody else. The sentences are a [`Narrator`](crate::trace::narrate::Narrator)'s. They are much
//! alike, and kept as patterns and the numbers to be put into them:
//!
//! ```text
//!   "Timer 3 fired 1.2 ms late."   pattern 7 "Timer · fired ·.· ms late."   numbers "3 1 2"
//! ```
//!
//! Before: `trace/page.rs`. Next: `trace/page/sums.rs`.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{MAX_EVENTS, Side};
use crate::trace::event::Event;
use crate::trace::findings::{Limits, check_part};
use crate::trace::fold::World;
use crate::trace::narrate::{count, plain};
use crate::trace::read::Recording;
use crate::trace::record::Lines;

/// What stands for a number in a pattern. No sentence has it: names are cleaned of control characters.
const HOLE: char = '\u{1}';

/// The source files that a recording's places are in, in the order in which they are first named.
pub fn files(recording: &Recording) -> Vec<String> {
    let (mut files, mut known) = (Vec::new(), HashSet::new());
    for site in written(recording.begin.as_ref(), shown_events(recording)).sites {
        let site: Value = serde_json::from_str(&site).unwrap_or_default();
        let file = site["file"].as_str().unwrap_or_default();
        if !file.is_empty() && known.insert(file.to_owned()) {
            files.push(file.to_owned());
        }
    }
    files
}

/// Whether a file is a library's by its name: it lies outside of the program's folder, or where cargo unpacks libraries
/// (`slab-0.4.9/src/lib.rs`).
pub fn is_of_a_library(file: &str) -> bool {
    let mut parts = file.split('/');
    let first = parts.next().unwrap_or_default();
    let versioned = first.rsplit_once('-').is_some_and(|(_, version)| {
        version.contains('.') && version.starts_with(|first: char| first.is_ascii_digit())
    });
    versioned || ["", "~", ".."].contains(&first)
}

/// All that the page is told of one recording.
pub(super) fn packed(side: &Side<'_>) -> io::Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::new(6));
    let events = shown_events(side.recording);
    let about = about(side, events).to_string();
    let begin = side.recording.begin.as_ref();
    let Written { sites, begin: stood, events: lines } = written(begin, events);
    let Said { patterns, said } = said(begin, events);
    // The object goes on where `about` would end.
    out.write_all(about.strip_suffix('}').unwrap_or(&about).as_bytes())?;
    write!(out, ",\"sites\":[{}]", sites.join(","))?;
    write!(out, ",\"begin\":[{}],\"events\":[{}]", stood.join(","), lines.join(","))?;
    write!(out, ",\"patterns\":{},\"said\":{}}}", json!(patterns), json!(said))?;
    out.finish()
}

fn shown_events(recording: &Recording) -> &[Event] {
    &recording.events[..recording.events.len().min(MAX_EVENTS)]
}

/// What is not an event.
fn about(side: &Side<'_>, events: &[Event]) -> Value {
    let Recording { header, output, .. } = side.recording;
    let mut warnings = side.recording.warnings();
    let left_out = side.recording.events.len() - events.len();
    if left_out > 0 {
        warnings.push(format!("A page holds {MAX_EVENTS} events; the last {left_out} are left out."));
    }
    let clean = |text: &str| text.split('\n').map(plain).collect::<Vec<_>>().join("\n");
    let sources = side.sources.iter().map(|source| match &source.text {
        Ok(text) => {
            let text = text.replace('\t', "    ").replace("\r\n", "\n");
            json!({"file": source.file, "library": source.library, "text": clean(&text)})
        }
        Err(why) => json!({"file": source.file, "library": source.library, "missing": why}),
    });
    let output = output
        .iter()
        .filter(|output| output.after <= events.len())
        .map(|output| json!({"after": output.after, "stderr": output.stderr, "text": clean(&output.text)}));
    json!({
        "name": plain(&side.name),
        "program": plain(&header.program),
        "args": header.args.iter().map(|arg| plain(arg)).collect::<Vec<_>>(),
        "clock": plain(&header.clock),
        "level": plain(&header.level),
        "started": plain(&header.started),
        "warnings": warnings.iter().map(|warning| plain(warning)).collect::<Vec<_>>(),
        "sources": sources.collect::<Vec<_>>(),
        "output": output.collect::<Vec<_>>(),
        "findings": findings(side.recording, events),
    })
}

/// What the rules find in it, as `oneloop check` says it.
fn findings(recording: &Recording, events: &[Event]) -> Vec<Value> {
    let findings = check_part(recording, events, Limits::default());
    let found = findings.found().iter().map(|finding| {
        let times = if finding.times > 1 { count(finding.times, "time") } else { String::new() };
        json!({
            "rule": finding.rule,
            "level": finding.level.to_string(),
            "text": plain(&finding.text),
            "advice": finding.advice,
            "evidence": finding.evidence,
            "times": times,
        })
    });
    found.collect()
}

/// How things stood before the first event, the events, and the places that both name, as lines of the trace format.
#[derive(Default)]
struct Written {
    sites: Vec<String>,
    begin: Vec<String>,
    events: Vec<String>,
}

fn written(begin: Option<&World>, events: &[Event]) -> Written {
    let (mut lines, mut out, mut written) = (Lines::new(), Vec::new(), Written::default());
    if let Some(world) = begin {
        lines.world(world, &mut out);
        sort(&out, &mut written.sites, &mut written.begin);
    }
    for event in events {
        out.clear();
        lines.event(event, &mut out);
        sort(&out, &mut written.sites, &mut written.events);
    }
    written
}

/// Lines that define places, and others.
fn sort(lines: &[u8], sites: &mut Vec<String>, others: &mut Vec<String>) {
    for line in String::from_utf8_lossy(lines).lines() {
        let is_site = line.starts_with("{\"k\":\"site\"");
        if is_site { &mut *sites } else { &mut *others }.push(line.to_owned());
    }
}

/// The sentences of all events.
struct Said {
    patterns: Vec<String>,
    /// For each event its pattern and its numbers.
    said: Vec<Value>,
}

fn said(begin: Option<&World>, events: &[Event]) -> Said {
    let (mut narrator, mut known) = (begin.map(World::narrator).unwrap_or_default(), HashMap::new());
    let mut all = Said { patterns: Vec::new(), said: Vec::with_capacity(2 * events.len()) };
    for event in events {
        let (pattern, numbers) = taken_apart(&narrator.sentence(event));
        let next = all.patterns.len();
        let index = *known.entry(pattern).or_insert_with_key(|pattern| {
            all.patterns.push(pattern.clone());
            next
        });
        all.said.extend([index.into(), numbers.into()]);
    }
    all
}

/// A sentence as a pattern and its numbers, with a space between each two.
fn taken_apart(sentence: &str) -> (String, String) {
    let (mut pattern, mut numbers) = (String::new(), String::new());
    for letter in sentence.chars() {
        let in_number = pattern.ends_with(HOLE);
        match letter {
            '0'..='9' => {
                if !in_number {
                    pattern.push(HOLE);
                    numbers.push(' ');
                }
                numbers.push(letter);
            }
            HOLE => pattern.push('\u{fffd}'),
            _ => pattern.push(letter),
        }
    }
    (pattern, numbers.trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::narrate::Narrator;
    use crate::trace::record::samples;

    /// What the page's script does.
    fn put_together(pattern: &str, numbers: &str) -> String {
        let mut numbers = numbers.split(' ');
        let pieces = pattern.split(HOLE).enumerate();
        pieces
            .map(
                |(at, piece)| {
                    if at == 0 { piece.into() } else { numbers.next().unwrap_or_default().to_owned() + piece }
                },
            )
            .collect()
    }

    #[test]
    fn a_sentence_is_the_same_when_it_is_put_together_again() {
        let mut narrator = Narrator::new();
        for event in samples::events() {
            let sentence = narrator.sentence(&event);
            let (pattern, numbers) = taken_apart(&sentence);
            assert_eq!(put_together(&pattern, &numbers), sentence);
        }
        assert_eq!(
            taken_apart("Timer 3 fired 1.02 ms late."),
            ("Timer \u{1} fired \u{1}.\u{1} ms late.".into(), "3 1 02".into())
        );
        assert_eq!(taken_apart("a\u{1}1"), ("a\u{fffd}\u{1}".into(), "1".into()));
    }

    #[test]
    fn each_event_is_one_line_and_each_place_another() {
        let events = samples::events();
        let Written { sites, events: lines, .. } = written(None, &events);
        assert_eq!((sites.len(), lines.len()), (2, events.len()));
        for line in sites.iter().chain(&lines) {
            serde_json::from_str::<Value>(line).expect(line);
        }
    }

    #[test]
    fn events_that_are_left_out_are_told_of() {
        let line = |n| format!("{{\"k\":\"turn_end\",\"n\":{n},\"t\":0,\"turn\":0,\"ready\":0}}\n");
        let text = (0..5).fold("{\"k\":\"oneloop\",\"v\":1}\n".to_owned(), |text, n| text + &line(n));
        let recording = Recording::read(text.as_bytes()).expect("it is one");
        let side = Side { name: "five".into(), recording: &recording, sources: Vec::new() };
        let warnings = |events| about(&side, events)["warnings"].to_string();
        assert!(warnings(&recording.events[..2]).contains("the last 3 are left out"));
        assert_eq!(warnings(&recording.events), "[]");
    }

    #[test]
    fn where_events_are_left_out_is_not_taken_for_the_end_of_the_run() {
        let poll = r#""t":0,"task":0,"poll":1"#;
        let begin = format!("{{\"k\":\"poll_begin\",\"n\":0,{poll},\"waited\":0}}\n");
        let text = format!(
            "{{\"k\":\"oneloop\",\"v\":1}}\n{begin}{{\"k\":\"poll_end\",\"n\":1,{poll},\"took\":0,\"wakers\":0}}\n"
        );
        let whole = Recording::read(text.as_bytes()).expect("it is one");
        assert!(findings(&whole, &whole.events[..1]).is_empty());
        let cut = Recording::read(&text.as_bytes()[..text.find("{\"k\":\"poll_end").unwrap_or(0)])
            .expect("it is one");
        assert_eq!(findings(&cut, &cut.events).len(), 1);
    }

    #[test]
    fn a_library_is_known_by_the_name_of_its_files() {
        for library in ["slab-0.4.9/src/lib.rs", "/rustc/0/library/core/src/lib.rs", "~/x/lib.rs", "../x.rs"]
        {
            assert!(is_of_a_library(library), "{library}");
        }
        for own in ["src/main.rs", "examples/hello.rs", "my-app/src/main.rs"] {
            assert!(!is_of_a_library(own), "{own}");
        }
    }
}
