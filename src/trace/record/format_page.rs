//! Chapter 35, part 30: is the page about the format right?
//!
//! `docs/trace-format.md` is held to what is written: the same kinds, with the same fields of the same types, at the same
//! levels, and lines that were really written.
//!
//! Before: `trace/record/samples.rs`. Next: `trace/watchdog.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{About, Level, Lines, samples};

/// A kind, as the page has it.
struct Row {
    level: String,
    /// Name, type, and whether it may be left out.
    fields: Vec<(String, String, bool)>,
}

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/trace-format.md");
    std::fs::read_to_string(path).expect("the page is there")
}

/// The part of the page below a heading.
fn below(heading: &str) -> String {
    let page = page();
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).expect(heading);
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

/// The first cells of the tables' rows that are code, and the other cells.
fn table(text: &str) -> Vec<(String, Vec<String>)> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::to_owned);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        Some((name, cells.collect()))
    });
    rows.collect()
}

fn rows() -> BTreeMap<String, Row> {
    let kinds = table(&below("The kinds")).into_iter().filter(|(_, cells)| cells.len() == 3);
    let rows = kinds.map(|(kind, cells)| {
        let fields = cells[1].split(", ").map(|field| {
            let (name, sort) = field.split_once(' ').expect("a name and a type");
            let name = name.strip_prefix('`').expect("a name is code");
            (name.trim_end_matches(['`', '?']).to_owned(), sort.to_owned(), name.ends_with('?'))
        });
        (kind, Row { level: cells[0].clone(), fields: fields.collect() })
    });
    rows.collect()
}

/// The samples as they are written: kind, level, line.
fn written() -> Vec<(String, &'static str, Map<String, Value>)> {
    let mut lines = Lines::new();
    let written = samples::events().into_iter().map(|event| {
        let mut out = Vec::new();
        lines.event(&event, &mut out);
        let last = out.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).expect("there is a line");
        let line: Map<String, Value> = serde_json::from_slice(last).expect("it is JSON");
        let level = Level::ALL.into_iter().find(|level| level.records(&event.kind)).expect("one does");
        (line["k"].as_str().expect("a word").to_owned(), level.word(), line)
    });
    written.collect()
}

/// The fields that are the kind's own.
fn own(line: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    line.iter().filter(|(name, _)| !["k", "n", "t", "c", "th"].contains(&name.as_str()))
}

fn fits(sort: &str, value: &Value) -> bool {
    match sort {
        "flag" => value == true,
        "text" | "word" => value.is_string(),
        "who" | "result" => value.is_string() || value.as_object().is_some_and(|object| object.len() == 1),
        "wait" | "slot" | "places" => value.is_array(),
        "number" | "ns" | "place" | "task" | "callback" | "timer" | "source" | "job" | "line" => {
            value.is_u64()
        }
        _ => false,
    }
}

#[test]
fn the_page_has_each_kind_with_its_level_and_each_field_with_its_type() {
    let rows = rows();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (kind, level, line) in written() {
        let Some(row) = rows.get(&kind) else { panic!("the page has no {kind}") };
        assert_eq!(row.level, level, "{kind}");
        for (name, value) in own(&line) {
            let field = row.fields.iter().find(|(known, ..)| known == name);
            let Some((_, sort, _)) = field else { panic!("the page has no {kind}.{name}") };
            assert!(fits(sort, value), "{kind}.{name} is no {sort}: {value}");
            seen.entry(kind.clone()).or_default().insert(name.clone());
        }
        for (name, sort, may) in &row.fields {
            assert!(*may || sort == "flag" || line.contains_key(name), "{kind} may be without {name}");
        }
        seen.entry(kind).or_default();
    }
    for (kind, Row { fields, .. }) in &rows {
        let Some(seen) = seen.get(kind) else { panic!("nobody writes {kind}") };
        for (name, ..) in fields {
            assert!(seen.contains(name), "nobody writes {kind}.{name}");
        }
    }
}

#[test]
fn the_page_has_a_line_of_each_kind_as_it_is_written() {
    let told = below("The kinds");
    let lines = told.lines().filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok());
    let mut shown: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
    for line in lines {
        shown.entry(line["k"].as_str().expect("a word").to_owned()).or_default().push(line);
    }
    let written = written();
    for (kind, _, line) in &written {
        let missing = || panic!("the page shows no {kind}, for instance {}", Value::from(line.clone()));
        let shown = shown.get(kind).unwrap_or_else(missing);
        for line in shown {
            // Numbers and times are as they come.
            let is_it = |written: &Map<String, Value>| own(line).eq(own(written));
            let found = written.iter().any(|(own, _, written)| own == kind && is_it(written));
            assert!(found, "nobody writes {}", Value::from(line.clone()));
        }
    }
}

#[test]
fn the_page_has_each_field_of_the_header() {
    let mut out = Vec::new();
    About { level: Level::Task, virtual_time: false, pool_threads: 6 }.header_of_some(
        std::time::UNIX_EPOCH,
        3,
        &mut out,
    );
    let header: Map<String, Value> = serde_json::from_slice(&out).expect("it is JSON");
    let told: BTreeSet<String> = table(&below("The header")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(told, header.keys().cloned().collect());
}

#[test]
fn the_page_has_each_word() {
    let told = below("The words");
    let words =
        include_str!("words.rs").lines().filter_map(|line| line.split("=> \"").nth(1)?.split('"').next());
    let words: Vec<&str> = words.collect();
    assert!(words.len() > 50, "these are not the words");
    for word in words {
        assert!(told.contains(&format!("`{word}`")), "the page lacks {word}");
    }
}
