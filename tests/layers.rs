//! The house rules that a machine can check: who may import whom, how long things may be, and the way of a reader.
//!
//! The rooms of the crate stand in `src/lib.rs` in the order of its `mod` lines, and a file imports only from
//! rooms above its own. Inside a room with several files the same holds for the `mod` lines of that room.
//!
//! The same order is the reader's: each `mod` line of `src/lib.rs` is a chapter, and the files of a room are its parts.
//! When a file was added, `.ci/remake headers` numbers the chapters anew and mends the pointers.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const MOST_LINES: usize = 400;
const MOST_LINES_OF_A_FUNCTION: usize = 60;

/// A source file: its path below `src` in parts, without `mod` and the ending, and its text.
#[derive(Clone)]
struct Source {
    path: PathBuf,
    parts: Vec<String>,
    text: String,
}

impl Source {
    /// The lines that are no comments, numbered from 1, with comments at their ends cut off.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        // A file's own tests come last, and may look where they like.
        let lines = self.text.lines().take_while(|line| line.trim() != "#[cfg(test)]").enumerate();
        let lines = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
        lines.map(|(index, line)| (index + 1, line.split(" // ").next().unwrap_or(line)))
    }

    fn at(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path.display())
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut sources) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&root).unwrap().to_path_buf();
                let parts = path.with_extension("");
                let parts = parts.iter().map(|part| part.to_str().unwrap().to_owned());
                let parts = parts.filter(|part| part != "mod" && part != "lib" && part != "main").collect();
                sources.push(Source { path, parts, text });
            }
        }
    }
    assert!(sources.len() > 30, "these are not the sources");
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}

/// The modules a file declares, in order.
fn modules(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    names.map(str::to_owned).collect()
}

/// For each module with modules of its own: their order. The crate's own stands under no parts.
fn orders(sources: &[Source]) -> HashMap<Vec<String>, Vec<String>> {
    sources.iter().map(|source| (source.parts.clone(), modules(&source.text))).collect()
}

/// Where a module stands in the house: the places of its parts, each in its own room.
fn place(parts: &[String], orders: &HashMap<Vec<String>, Vec<String>>) -> Option<Vec<usize>> {
    // What reads events stands below all that makes them, beside those that put it to use.
    let reads = parts.len() > 1 && parts[0] == "trace" && !SEAM.contains(&parts[1].as_str());
    let rooms = &orders[&Vec::new()];
    let mut place = Vec::new();
    if reads {
        place.push(rooms.iter().position(|room| room == "start")?);
    }
    // A command is a crate of its own, which sees only what everybody sees.
    if parts.first().is_some_and(|part| part == "bin") {
        place.extend([rooms.len() + 1, 0]);
    }
    let depths = if reads { 1..2 } else { place.len()..parts.len() };
    for depth in depths {
        let siblings = orders.get(&parts[..depth])?;
        match siblings.iter().position(|sibling| *sibling == parts[depth]) {
            Some(index) => place.push(index + usize::from(depth == 0 && parts[0] == "start")),
            None => break, // an item, not a module
        }
    }
    Some(place)
}

/// The paths that a file's code begins with `crate::` or `super::`, as parts from the crate's root.
fn paths(source: &Source) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (number, line) in source.code() {
        let root = if source.parts.starts_with(&["bin".into()]) { 3 } else { 1 };
        let root = &source.parts[..root.min(source.parts.len())];
        for (start, base) in [("crate::", root), ("super::", source.parts.as_slice())] {
            for (index, _) in line.match_indices(start) {
                if line[..index].ends_with(|before: char| before.is_alphanumeric() || before == ':') {
                    continue;
                }
                let mut parts = base[..base.len().saturating_sub(1)].to_vec();
                let rest = &line[index + start.len()..];
                let path = rest.split(|next: char| !(next.is_alphanumeric() || next == '_' || next == ':'));
                parts.extend(path.take(1).flat_map(|path| path.split("::")).map(str::to_owned));
                parts.retain(|part| !part.is_empty());
                found.push((number, parts));
            }
        }
    }
    found
}

fn fails(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_file_imports_only_from_rooms_above_its_own() {
    let sources = sources();
    let orders = orders(&sources);
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| !source.parts.is_empty()) {
        let own = place(&source.parts, &orders).expect("every file has a place");
        for (number, parts) in paths(source) {
            let Some(other) = place(&parts, &orders).filter(|place| !place.is_empty()) else {
                let path = parts.join("::");
                if parts.len() < 2 || !source.parts.starts_with(&parts[..1]) {
                    faults.push(source.at(number, format!("import {path} from the room it is made in")));
                }
                continue;
            };
            // A room's own files are in it, below and above: `state.rs` and `state/tasks.rs` are one.
            let inside = own.starts_with(&other) || other.starts_with(&own);
            if !inside && other > own {
                faults.push(source.at(number, format!("{} is a room below", parts.join("::"))));
            }
        }
    }
    fails(&faults);
}

#[test]
fn only_the_first_and_the_last_room_import_the_event_loop() {
    let mut faults = Vec::new();
    for source in sources() {
        if source.parts.is_empty() || source.parts == ["start"] {
            continue;
        }
        let uses = source.code().filter(|(_, line)| line.contains("event_loop::"));
        faults.extend(uses.map(|(number, line)| source.at(number, line)));
    }
    fails(&faults);
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long = sources().into_iter().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > MOST_LINES).then(|| source.at(lines, "lines"))
    });
    fails(&long.collect::<Vec<_>>());
}

#[test]
fn no_function_is_longer_than_60_lines() {
    let mut faults = Vec::new();
    for source in sources().into_iter().filter(|source| !source.path.ends_with("tests.rs")) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let is_function = code.starts_with("fn ")
                || (["pub", "async "].iter().any(|begin| code.starts_with(begin)) && code.contains("fn "));
            if !is_function || code.ends_with(['}', ';']) {
                continue;
            }
            let indent = &line[..line.len() - code.len()];
            let end = lines[start..].iter().position(|line| {
                let rest = line.strip_prefix(indent);
                rest.is_some_and(|rest| rest == "}" || (rest.starts_with(')') && rest.ends_with(';')))
            });
            let length = end.expect("functions end") + 1;
            if length > MOST_LINES_OF_A_FUNCTION {
                faults.push(source.at(start + 1, format!("{length} lines")));
            }
        }
    }
    fails(&faults);
}

#[test]
fn nothing_prints_is_unsafe_or_is_left_for_later() {
    let mut faults = Vec::new();
    for source in sources() {
        for (number, line) in source.code() {
            let words =
                ["println!", "print!", "dbg!", "todo!", "unimplemented!", "dead_code", "process::exit"];
            // A worker process has nobody to return to, nor has a thread that waits for the signal to end, or for the
            // terminal to be gone.
            let exits: [&[&str]; 3] =
                [&["process_pool", "serve"], &["bin", "oneloop", "step"], &["bin", "oneloop", "hangup"]];
            let may_exit =
                exits.contains(&source.parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice());
            let found = words.iter().find(|word| line.contains(*word));
            if let Some(word) = found.filter(|word| !(may_exit && **word == "process::exit")) {
                faults.push(source.at(number, word));
            }
            if line.split(|next: char| !(next.is_alphanumeric() || next == '_')).any(|word| word == "unsafe")
            {
                faults.push(source.at(number, "unsafe"));
            }
        }
    }
    fails(&faults);
}

#[test]
fn every_file_says_which_question_it_answers() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    fails(&silent.map(|source| source.at(1, "the first line is no doc comment")).collect::<Vec<_>>());
}

/// Files of the seam, which is the first chapter; whatever else is in `trace` reads events, and comes last but one.
const SEAM: [&str; 4] = ["who", "frames", "event", "observer"];

/// A module's file, and after it those of the modules it declares, as parts.
fn with_its_parts(parts: Vec<String>, orders: &HashMap<Vec<String>, Vec<String>>) -> Vec<Vec<String>> {
    let inside = orders[&parts].iter().filter(|name| *name != "tests");
    let inside =
        inside.flat_map(|name| with_its_parts([&parts[..], std::slice::from_ref(name)].concat(), orders));
    let mut files: Vec<_> = inside.collect();
    files.insert(0, parts);
    files
}

/// All files in the order in which they are read, each with its chapter and part, from 1.
fn reading_order(sources: &[Source]) -> Vec<(&Source, usize, usize)> {
    let orders = orders(sources);
    let is_late = |file: &[String]| file.len() > 1 && file[0] == "trace" && !SEAM.contains(&&*file[1]);
    let mut chapters = Vec::new();
    for room in &orders[&Vec::new()] {
        let files = with_its_parts(vec![room.clone()], &orders);
        let (late, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_late(file));
        chapters.push(files);
        if !late.is_empty() {
            chapters.push(late);
        }
    }
    // The readers of events were put behind the seam; their place is before the room that starts programs.
    let late = chapters.remove(1);
    assert!(late.iter().all(|file| is_late(file)), "`trace` is the first room, and has readers");
    chapters.insert(chapters.len() - 1, late);
    let source =
        |file: &Vec<String>| sources.iter().find(|source| source.parts == *file).expect("it is there");
    let numbered = chapters.iter().enumerate().flat_map(|(chapter, files)| {
        files.iter().enumerate().map(move |(part, file)| (source(file), chapter + 1, part + 1))
    });
    numbered.collect()
}

/// How a file's header is to begin, and what its last line is to say of the files before and after it.
fn headers(sources: &[Source]) -> Vec<(&Source, String, String)> {
    let order = reading_order(sources);
    let path = |index: usize| order.get(index).map(|(source, ..)| source.path.display());
    let headers = order.iter().enumerate().map(|(index, (source, chapter, part))| {
        let begin = match part {
            1 => format!("//! Chapter {chapter}: "),
            _ => format!("//! Chapter {chapter}, part {part}: "),
        };
        let before = index.checked_sub(1).and_then(path).map(|path| format!("Before: `{path}`."));
        let next = path(index + 1).map(|path| format!("Next: `{path}`"));
        let pointers: Vec<_> = before.into_iter().chain(next).collect();
        (*source, begin, format!("//! {}", pointers.join(" ")))
    });
    headers.collect()
}

#[test]
fn chapters_are_numbered_in_the_order_of_lib_rs_and_point_to_their_neighbours() {
    let sources = sources();
    let mut faults = Vec::new();
    for (source, begin, pointers) in headers(&sources) {
        if !source.text.starts_with(&begin) {
            faults.push(source.at(1, format!("should begin with {begin}")));
        }
        let header = source.text.lines().take_while(|line| line.starts_with("//!"));
        let (last, line) = header.enumerate().last().expect("every file has a header");
        if !line.starts_with(&pointers) {
            faults.push(source.at(last + 1, format!("the header should end with {pointers}")));
        }
    }
    if !faults.is_empty() {
        faults.push("`.ci/remake headers` mends all of these".into());
    }
    fails(&faults);
}

/// Texts other than the sources that name files: pages and examples, each with its path.
fn pages() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut files) =
        (vec![root.join("docs"), root.join("examples")], vec![root.join("README.md")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|ending| ending.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("rs" | "md") => files.push(path),
                _ => {}
            }
        }
    }
    let read = |path: PathBuf| Source { text: fs::read_to_string(&path).unwrap(), path, parts: Vec::new() };
    files.into_iter().map(read).collect()
}

#[test]
fn a_file_that_is_named_in_a_comment_or_on_a_page_is_there() {
    let sources = [sources(), pages()].concat();
    let is_there = |source: &Source, name: &str| {
        let room = source.path.parent().unwrap_or(Path::new(""));
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = [root.join("src"), root.join("src").join(room), root.to_path_buf()];
        let own = root.join("src").join(source.path.with_extension(""));
        places.iter().chain([&own]).any(|place| place.join(name).exists())
    };
    let mut faults = Vec::new();
    for source in &sources {
        let is_page = source.path.extension().is_some_and(|ending| ending == "md");
        let lines = source.text.lines().enumerate();
        for (index, line) in lines.filter(|(_, line)| is_page || line.contains("//")) {
            let names = line.split('`').skip(1).step_by(2).filter(|name| {
                name.ends_with(".rs")
                    && name.chars().all(|next| next.is_alphanumeric() || "/_.".contains(next))
            });
            let missing = names.filter(|name| !is_there(source, name));
            faults.extend(missing.map(|name| source.at(index + 1, format!("there is no {name}"))));
        }
    }
    fails(&faults);
}

#[test]
#[ignore = "writes the headers of src/ anew, for .ci/remake"]
fn number_the_chapters_anew() {
    for (source, begin, pointers) in headers(&sources()) {
        let mut lines: Vec<String> = source.text.lines().map(str::to_owned).collect();
        let title = match lines[0].strip_prefix("//! Chapter ") {
            Some(numbered) => numbered.split_once(": ").expect("a title").1,
            None => lines[0].strip_prefix("//! ").expect("a header"),
        };
        lines[0] = format!("{begin}{title}");
        let end = lines.iter().position(|line| !line.starts_with("//!")).expect("code");
        let is_pointers =
            |line: &String| line.starts_with("//! Before: `") || line.starts_with("//! Next: `");
        match lines[..end].iter().position(is_pointers) {
            // What is said of the next file goes with its name.
            Some(at) if !lines[at].starts_with(&pointers) => {
                lines.splice(at..end, [format!("{pointers}.")]);
            }
            Some(_) => {}
            None => _ = lines.splice(end..end, ["//!".into(), format!("{pointers}.")]),
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&source.path);
        fs::write(path, lines.join("\n") + "\n").unwrap();
    }
}
