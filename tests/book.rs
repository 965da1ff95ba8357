//! The book is true: what `docs/chapters/` quotes stands in the source, what it shows the programs print, and the
//! solutions of its exercises run.
//!
//! A block that is made from something else has a comment on the line before it that says from what:
//!
//! ```text
//! quote: src/turn.rs fn run_ready          an item of a file, from its first line to its last
//! quote: src/timer/slots.rs impl Place / fn of    an item inside of an item
//! quote: src/lib.rs drawing 1              the first drawing of a file's header
//! program: callbacks                       docs/chapters/code/callbacks.rs, whole
//! output: callbacks                        what it prints, in virtual time
//! trace: callbacks                         what it prints under ONELOOP=print,virtual
//! trace: callbacks from "A" to "B"         from the first line with A to the next one with B
//! real output: pool, real trace: pool      the same in real time; of a trace, the times may differ
//! ```
//!
//! `.ci/remake book` writes all these blocks anew.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REMEDY: &str = "`.ci/remake book` writes the blocks anew";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The chapters' paths, in their order.
fn chapters() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs/chapters")).expect("there is a book");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let is_chapter = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".md") && name.starts_with(|first: char| first.is_ascii_digit())
    };
    let mut chapters: Vec<PathBuf> = paths.filter(is_chapter).collect();
    chapters.sort();
    chapters
}

/// A fenced block: what the comment before it says, and what is in it.
struct Block {
    /// `None`: it has no comment.
    origin: Option<String>,
    language: String,
    text: String,
    /// The lines of the page that are its text.
    lines: std::ops::Range<usize>,
}

fn blocks(page: &str) -> Vec<Block> {
    let lines: Vec<&str> = page.lines().collect();
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some(language) = lines[at].strip_prefix("```") else {
            at += 1;
            continue;
        };
        let length = lines[at + 1..].iter().position(|line| *line == "```").expect("a block has an end");
        let comment = at.checked_sub(1).and_then(|before| lines[before].strip_prefix("<!-- "));
        let origin = comment.and_then(|comment| comment.strip_suffix(" -->")).map(str::to_owned);
        let inside = at + 1..at + 1 + length;
        let text = lines[inside.clone()].iter().map(|line| format!("{line}\n")).collect();
        blocks.push(Block { origin, language: language.to_owned(), text, lines: inside });
        at += length + 2;
    }
    blocks
}

/// What stands in the source, and what programs print.
#[derive(Default)]
struct Truth {
    /// By the program's name and the value of `ONELOOP`.
    runs: RefCell<HashMap<(String, String), Output>>,
}

impl Truth {
    fn text(&self, origin: &str) -> String {
        let (kind, what) = origin.split_once(": ").unwrap_or_else(|| panic!("what is `{origin}`?"));
        match kind {
            "quote" => {
                let (path, item) = what.split_once(' ').expect("a quote says what of which file");
                quote(&read(path), item).unwrap_or_else(|why| panic!("{path}, {item}: {why}"))
            }
            "program" => read(&format!("docs/chapters/code/{what}.rs")),
            "output" => self.run(what, "print,virtual", |output| output.stdout.clone()),
            "real output" => self.run(what, "print", |output| output.stdout.clone()),
            "trace" => stretch(what, |name| self.run(name, "print,virtual", |output| output.stderr.clone())),
            "real trace" => stretch(what, |name| self.run(name, "print", |output| output.stderr.clone())),
            _ => panic!("no block is made from a {kind}"),
        }
    }

    fn run(&self, name: &str, oneloop: &str, part: fn(&Output) -> Vec<u8>) -> String {
        let mut runs = self.runs.borrow_mut();
        let output = runs.entry((name.into(), oneloop.into())).or_insert_with(|| {
            let mut command = Command::new(example());
            command.arg(name).current_dir(root()).env_remove("RUST_LOG");
            match oneloop {
                "" => command.env_remove("ONELOOP"),
                some => command.env("ONELOOP", some),
            };
            let output = command.output().expect("`cargo test` builds the examples");
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            output
        });
        String::from_utf8(part(output)).expect("sentences are UTF-8")
    }
}

fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.ancestors().nth(2).expect("it lies in target/PROFILE/deps");
    target.join("examples").join(format!("book{}", std::env::consts::EXE_SUFFIX))
}

/// The lines of a trace that `what` asks for: a name, and perhaps from where to where.
fn stretch(what: &str, trace: impl Fn(&str) -> String) -> String {
    let parts: Vec<&str> = what.split('"').collect();
    let (name, from, to) = match parts[..] {
        [name] => return trace(name),
        [head, from, " to ", to, ""] => (head.strip_suffix(" from ").expect("`from` comes first"), from, to),
        _ => panic!("neither a name nor from where to where: {what}"),
    };
    let trace = trace(name);
    let lines: Vec<&str> = trace.lines().collect();
    let position = |text: &str, after: usize| {
        let found = lines.iter().skip(after).position(|line| line.contains(text));
        after + found.unwrap_or_else(|| panic!("no line of {name} has `{text}`:\n{trace}"))
    };
    let first = position(from, 0);
    let last = position(to, first);
    lines[first..=last].iter().map(|line| format!("{line}\n")).collect()
}

/// An item of a source, without what its lines have in common before them.
fn quote(source: &str, item: &str) -> Result<String, String> {
    if let Some(number) = item.strip_prefix("drawing ") {
        return drawing(source, number.parse().map_err(|_| "which drawing?")?);
    }
    let mut lines: Vec<&str> = source.lines().collect();
    for part in item.split(" / ") {
        lines = find(&lines, part)?;
    }
    let indent = lines[0].len() - lines[0].trim_start().len();
    Ok(lines.iter().map(|line| format!("{}\n", line.get(indent..).unwrap_or(""))).collect())
}

/// A block of text of a header, counted from 1.
fn drawing(source: &str, number: usize) -> Result<String, String> {
    let header = source.lines().map_while(|line| line.strip_prefix("//!"));
    let header: String = header.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
    let drawings = blocks(&header).into_iter().filter(|block| block.language == "text");
    drawings.map(|block| block.text).nth(number - 1).ok_or_else(|| "there are fewer drawings".into())
}

fn find<'a>(lines: &[&'a str], item: &str) -> Result<Vec<&'a str>, String> {
    let begins = |line: &str| {
        let line = line.trim_start();
        let words = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) "));
        let words = words.or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
        let rest = words.strip_prefix(item);
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
    };
    let found: Vec<usize> = (0..lines.len()).filter(|&at| begins(lines[at])).collect();
    let [first] = found[..] else { return Err(format!("`{item}` stands there {} times", found.len())) };
    let indent = lines[first].len() - lines[first].trim_start().len();
    let closes = |line: &&str| {
        line.len() > indent && line[..indent].trim().is_empty() && line[indent..].starts_with('}')
    };
    let one_line = lines[first].ends_with([';', ',']) || lines[first].ends_with('}');
    let length = match one_line {
        true => 1,
        false => 2 + lines[first + 1..].iter().position(closes).ok_or("it has no end")?,
    };
    Ok(lines[first..first + length].to_vec())
}

/// A trace without what another compiler, or a line more at the top of a file, would change: lines of `src/`, and sizes
/// of futures. In real time (`real`) also without its times: the first column, and every number with a unit after it.
fn settled(trace: &str, real: bool) -> String {
    let line = |line: &str| {
        let line = if real { line.trim_start().split_once(' ').unwrap_or_default().1 } else { line };
        let line = match line.rsplit_once(", ") {
            Some((text, size)) if text.contains(" spawned task ") && size.ends_with("bytes.") => text,
            _ => line,
        };
        let mut words: Vec<&str> = line.split(' ').collect();
        for at in 1..words.len() {
            let unit = words[at].trim_end_matches([',', '.', ';']);
            let number = words[at - 1].starts_with(|first: char| first.is_ascii_digit());
            if real && number && ["s", "ms", "µs", "ns"].contains(&unit) {
                (words[at - 1], words[at]) = ("…", "…");
            }
            if words[at].starts_with("src/") {
                words[at] = words[at].split(':').next().unwrap_or_default();
            }
        }
        words.join(" ")
    };
    trace.lines().map(|text| format!("{}\n", line(text))).collect()
}

/// How often a program is run in real time to see what the book shows: a machine that is held up for long enough lets
/// two timers fire together that are tens of milliseconds apart.
const TRIES: usize = 5;

/// Whether a block says what is true.
fn agrees(block: &Block, origin: &str, truth: &str) -> bool {
    let real = origin.starts_with("real trace");
    match real || origin.starts_with("trace") {
        true => settled(&block.text, real) == settled(truth, real),
        false => block.text == truth,
    }
}

#[test]
fn what_is_quoted_stands_in_the_source_and_what_is_shown_is_printed() {
    let truth = Truth::default();
    let mut faults = Vec::new();
    for path in chapters() {
        let page = fs::read_to_string(&path).expect("it is text");
        for block in blocks(&page) {
            let place = format!("{}:{}", path.display(), block.lines.start);
            let Some(origin) = &block.origin else {
                if block.language == "rust" {
                    faults.push(format!("{place}: nothing says where this code comes from"));
                }
                continue;
            };
            let mut now = truth.text(origin);
            for _ in 1..TRIES {
                if !origin.starts_with("real ") || agrees(&block, origin, &now) {
                    break;
                }
                truth.runs.take();
                now = truth.text(origin);
            }
            if !agrees(&block, origin, &now) {
                faults.push(format!("{place}: `{origin}` is now:\n{now}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}\n{REMEDY}", faults.join("\n"));
}

#[test]
fn every_chapter_has_a_program_a_trace_a_quote_and_an_exercise_whose_solution_runs() {
    let truth = Truth::default();
    for path in chapters() {
        let page = fs::read_to_string(&path).expect("it is text");
        let origins: Vec<String> = blocks(&page).into_iter().filter_map(|block| block.origin).collect();
        let (solutions, others): (Vec<&str>, Vec<&str>) =
            origins.iter().map(String::as_str).partition(|origin| origin.starts_with("program: solved/"));
        for kind in ["program: ", "quote: "] {
            let there = others.iter().any(|origin| origin.starts_with(kind));
            assert!(there, "{} has no block made from a {kind}", path.display());
        }
        assert!(!solutions.is_empty(), "{} has no solution", path.display());
        assert!(origins.iter().any(|origin| origin.contains("trace: ")), "{} has no trace", path.display());
        assert!(
            page.lines().nth(2).is_some_and(|line| line.ends_with('?')),
            "{} asks nothing",
            path.display()
        );
        for solution in solutions.iter().filter_map(|origin| origin.strip_prefix("program: ")) {
            truth.run(solution, "", |_| Vec::new());
        }
    }
}

#[test]
fn every_program_is_in_the_book() {
    let pages: String = chapters().iter().map(|path| fs::read_to_string(path).expect("it is text")).collect();
    let list = Truth::default().run("list", "", |output| output.stdout.clone());
    let missing: Vec<&str> =
        list.lines().filter(|name| !pages.contains(&format!("<!-- program: {name} -->"))).collect();
    assert!(missing.is_empty(), "in no chapter: {missing:?}");
}

#[test]
fn links_lead_somewhere_and_the_contents_list_the_chapters_in_their_order() {
    let folder = root().join("docs/chapters");
    let mut pages = chapters();
    let names: Vec<String> =
        pages.iter().map(|path| format!("({})", path.file_name().unwrap().display())).collect();
    pages.push(folder.join("README.md"));
    for path in &pages {
        let page = fs::read_to_string(path).expect("it is text");
        let targets =
            page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|target| !target.starts_with("http") && !target.starts_with('#')) {
            let file = target.split('#').next().unwrap_or(target);
            assert!(folder.join(file).exists(), "{}: there is no {target}", path.display());
        }
    }
    let contents = fs::read_to_string(folder.join("README.md")).expect("it is text");
    let places: Vec<usize> =
        names.iter().map(|name| contents.find(name).unwrap_or_else(|| panic!("{name} is missing"))).collect();
    assert!(places.is_sorted(), "the contents are in another order than the chapters");
}

#[test]
fn an_item_is_quoted_from_its_first_line_to_its_last() {
    let source = "fn a() {}\n\nimpl B {\n    pub fn c(\n        &self,\n    ) -> u8 {\n        1\n    }\n\n    fn cc() {}\n}\nstruct D(u8);\n";
    assert_eq!(quote(source, "impl B / fn c").unwrap(), "pub fn c(\n    &self,\n) -> u8 {\n    1\n}\n");
    assert_eq!(quote(source, "struct D").unwrap(), "struct D(u8);\n");
    assert!(quote(source, "fn d").is_err());
    assert!(quote("fn a() {}\nfn a() {}\n", "fn a").is_err());
}

#[test]
fn traces_are_compared_without_what_differs_from_run_to_run_and_from_compiler_to_compiler() {
    let (one, other) = ("    0.100023      4  It took 2.1 ms.\n", "   12.000000      4  It took 900 µs.\n");
    assert_eq!(settled(one, true), settled(other, true));
    assert_ne!(settled(one, false), settled(other, false));
    assert_ne!(settled(one, true), settled("    0.100023      4  It took 2 polls.\n", true));
    let spawned =
        |size, line| format!("0.0 4 Task 0 spawned task 1 at src/join.rs:{line}: future, {size} bytes.\n");
    assert_eq!(settled(&spawned(8, 1), false), settled(&spawned(16, 2), false));
    assert_ne!(settled("0.0 4 moved 8 bytes.", false), settled("0.0 4 moved 9 bytes.", false));
}

#[test]
#[ignore = "writes the blocks of the book anew, for .ci/remake"]
fn write_the_blocks_anew() {
    let truth = Truth::default();
    for path in chapters() {
        let page = fs::read_to_string(&path).expect("it is text");
        let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
        for block in blocks(&page).into_iter().rev() {
            let Some(origin) = &block.origin else { continue };
            let now = truth.text(origin);
            if !agrees(&block, origin, &now) {
                lines.splice(block.lines, now.lines().map(str::to_owned));
            }
        }
        fs::write(&path, lines.join("\n") + "\n").expect("it can be written");
    }
}
