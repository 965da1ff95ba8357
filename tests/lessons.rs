//! The lessons in `docs/lessons` are true: what a lesson's program does is what its recording says, each stop is an event
//! of it, and the rules find what the lesson says that they find.
//!
//! For a new lesson, make an empty `run.trace` first, since the command `oneloop` has all of them in it.
//!
//! When a program or the loop has changed, `.ci/remake lessons` records all of them anew (with `LESSON=7` only that one), and
//! then somebody reads the answers again.

#[path = "../src/bin/oneloop/learn/lesson.rs"]
mod lesson;

use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use oneloop::trace::findings::{Limits, RULES, check};
use oneloop::trace::read::Recording;
use serde_json::{Value, json};

use lesson::Lesson;

const EXAMPLE: &str = include_str!("../examples/lessons.rs");
const LIST: &str = include_str!("../docs/lessons/README.md");
const MOST_LINES: usize = 30;

/// The lessons' folders, in order.
fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lessons");
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn slug(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

fn read(folder: &Path) -> Lesson {
    let text = fs::read_to_string(folder.join("lesson.md")).unwrap();
    Lesson::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

fn recorded(folder: &Path) -> String {
    let recording = fs::read(folder.join("run.trace"));
    let recording = recording.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    lesson::text(&recording).unwrap()
}

/// The program of all lessons.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let example = test.ancestors().nth(2).expect("it lies in target/PROFILE/deps").join("examples/lessons");
    assert!(example.exists(), "cargo test builds the examples, cargo test --test lessons does not");
    example
}

/// Runs the program and records it, and leaves out of the recording what is of this machine, or of this run.
fn record(folder: &Path, lesson: &Lesson) -> String {
    let target = tempfile::tempdir().unwrap();
    let file = target.path().join("run.trace");
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
    command.args(["record", "--level", "leaf", "--output"]).arg(&file).arg(example());
    command.arg(lesson.text.number.to_string()).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env("ONELOOP", if lesson.real_clock { "" } else { "virtual" });
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let recording = fs::read(&file).unwrap_or_else(|_| panic!("{}: nothing was recorded", slug(folder)));
    let program = format!("examples/../docs/lessons/{}/program.rs", slug(folder));
    let module = format!("lessons::lesson_{:02}::", lesson.text.number);
    let text = lesson::text(&recording).unwrap().replace(&program, "program.rs").replace(&module, "");
    let clock = if lesson.real_clock { "real" } else { "virtual" };
    let header = json!({"program": "program", "args": [], "level": "leaf", "clock": clock}).to_string();
    let header = header.replacen('{', "{\"k\":\"oneloop\",\"v\":1,", 1);
    // What goes to standard error is the report of a panic, with the number of a thread.
    let lines = text.lines().skip(1).filter(|line| !line.contains("\"stream\":\"stderr\""));
    [header.as_str()].into_iter().chain(lines).map(|line| line.to_owned() + "\n").collect()
}

/// What of a recording is the same in every run, and with every compiler.
fn compared(recording: &str) -> Vec<String> {
    let lines = lesson::lines(recording).unwrap();
    // Time goes on by itself in these; what happens in the meantime, and in how many turns, is not always the same.
    let timed = lines[0]["clock"] == "real"
        || lines.iter().any(|line| line["k"] == "io_open" || line["k"] == "job_new");
    let left_out = [
        "turn_begin",
        "turn_end",
        "wait_begin",
        "wait_end",
        "clock_jump",
        "notify",
        "job_start",
        "job_end",
        "thread_start",
        "thread_exit",
    ];
    let times = ["n", "c", "t", "took", "waited", "late", "at", "place", "pos", "wakers"];
    let kept = lines.into_iter().skip(1).filter(|line| {
        let kind = line["k"].as_str().unwrap_or_default();
        let elsewhere = kind == "site" && line["file"] != "program.rs";
        !(elsewhere || timed && left_out.contains(&kind))
    });
    let lines = kept.map(|mut line| {
        let fields = line.as_object_mut().expect("a line is an object");
        for field in ["future", "size", "col"] {
            fields.remove(field);
        }
        if timed {
            times.iter().for_each(|field| drop(fields.remove(*field)));
        }
        line
    });
    in_whole_pieces(lines).iter().map(Value::to_string).collect()
}

/// What a program writes in one poll goes through a pipe, and may come in one piece or in several.
fn in_whole_pieces(lines: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut whole: Vec<Value> = Vec::new();
    for mut line in lines {
        match whole.last_mut().filter(|last| last["k"] == "output" && line["k"] == "output") {
            Some(last) => {
                let text = format!("{}{}", last["text"].as_str().unwrap(), line["text"].as_str().unwrap());
                last["text"] = text.into();
            }
            None => whole.push(line.take()),
        }
    }
    whole
}

/// A machine that is busy with other things may hold up a program in real time until it does something else.
const TRIES: usize = 5;

#[test]
fn each_lesson_is_a_short_program_with_three_to_six_questions() {
    let folders = folders();
    assert!(!folders.is_empty());
    for folder in &folders {
        let (lesson, slug) = (read(folder), slug(folder));
        let program = fs::read_to_string(folder.join("program.rs")).unwrap();
        assert!(program.lines().count() <= MOST_LINES, "{slug} has more than {MOST_LINES} lines");
        assert!(
            slug.starts_with(&format!("{:02}-", lesson.text.number)),
            "{slug} calls itself {}",
            lesson.text.number
        );
        assert!(lesson.text.question.ends_with('?'), "{slug}: the title is no question");
        assert!((3..=6).contains(&lesson.text.stops.len()), "{slug} has {} stops", lesson.text.stops.len());
        assert!(
            !lesson.text.about.is_empty() && !lesson.rules.is_empty(),
            "{slug} does not say what it is about"
        );
        assert!(lesson.rules.iter().all(|(_, rule)| RULES.contains(&rule.as_str())), "{slug}: no such rule");
    }
}

#[test]
fn each_lesson_is_in_every_list() {
    for (folder, number) in folders().iter().zip(1..) {
        let (slug, lesson) = (slug(folder), read(folder));
        assert_eq!(lesson.text.number, number, "{slug} is not the next one");
        let line = format!("    {number} lesson_{number:02} \"../docs/lessons/{slug}/program.rs\"\n");
        assert!(EXAMPLE.contains(&line), "examples/lessons.rs has no line for {slug}");
        let link = format!("[{}]({slug}/lesson.md)", lesson.text.question);
        assert!(LIST.contains(&link), "docs/lessons/README.md has no {link}");
    }
}

#[test]
fn the_programs_are_listed_where_none_is_asked_for() {
    let run = |arguments: &[&str]| Command::new(example()).args(arguments).output().unwrap();
    let (bare, list) = (run(&[]), run(&["list"]));
    assert!(bare.status.success(), "{}", String::from_utf8_lossy(&bare.stderr));
    assert_eq!(bare.stdout, list.stdout);
    assert_eq!(list.stdout.lines().count(), folders().len());
    assert_eq!(run(&["no number"]).status.code(), Some(2));
}

#[test]
fn each_stop_is_an_event_of_the_recording_and_comes_after_the_one_before() {
    for folder in folders() {
        let (lesson, lines) = (read(&folder), lesson::lines(&recorded(&folder)).unwrap());
        let mut before = 0;
        for selector in &lesson.selectors {
            let found = selector.find(&lines);
            let seq = found.unwrap_or_else(|| panic!("{}: there is no {selector}", slug(&folder)));
            assert!(seq >= before, "{}: {selector} comes before the last stop", slug(&folder));
            before = seq;
        }
    }
}

#[test]
fn the_rules_find_what_each_lesson_says_that_they_find() {
    for folder in folders() {
        let recording = Recording::read(recorded(&folder).as_bytes()).unwrap();
        assert!(recording.warnings().is_empty(), "{}: {:?}", slug(&folder), recording.warnings());
        let findings = check(&recording.events, Limits::default());
        let found: Vec<&str> = findings.found().iter().map(|finding| finding.rule).collect();
        for (must, rule) in read(&folder).rules {
            assert_eq!(found.contains(&rule.as_str()), must, "{}: {rule} in {found:?}", slug(&folder));
        }
    }
}

#[test]
fn each_program_does_today_what_its_recording_says() {
    for folder in folders() {
        let (lesson, committed) = (read(&folder), compared(&recorded(&folder)));
        let tries = if lesson.real_clock { TRIES } else { 1 };
        let mut runs = (0..tries).map(|_| compared(&record(&folder, &lesson)));
        let first = runs.next().expect("there is one try at least");
        let anew =
            if first == committed { first } else { runs.find(|run| *run == committed).unwrap_or(first) };
        for (one, other) in anew.iter().zip(&committed) {
            assert_eq!(one, other, "{} (left: today, right: docs/lessons)", slug(&folder));
        }
        assert_eq!(anew.len(), committed.len(), "{}", slug(&folder));
    }
}

#[test]
fn the_course_can_be_walked_through_and_written_as_pages() {
    let learn = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
        let output = command.arg("learn").args(args).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (list, target) = (learn(&[]), tempfile::tempdir().unwrap());
    // A link that was there leads elsewhere: it is replaced, and not written through.
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), target.path().join("index.html")).unwrap();
    learn(&["--page", target.path().to_str().unwrap()]);
    assert_eq!(fs::read(elsewhere.path()).unwrap(), b"");
    let index = fs::read_to_string(target.path().join("index.html")).unwrap();
    assert!(index.contains("script-src 'none'") && !index.contains("<script"), "the index needs no script");
    for folder in folders() {
        let (lesson, slug) = (read(&folder), slug(&folder));
        assert!(
            list.contains(&lesson.text.question.replace('`', "")),
            "{slug} is not in src/bin/oneloop/learn/course.rs"
        );
        assert!(index.contains(&format!("href=\"{slug}.html\"")), "{slug} is not in the index");
        let walk = learn(&[&lesson.text.number.to_string()]);
        let page = fs::read_to_string(target.path().join(format!("{slug}.html"))).unwrap();
        assert!(page.contains("<script type=\"text/plain\" class=\"recording\">"), "{slug} has no recording");
        for number in 1..=lesson.text.stops.len() {
            assert!(walk.contains(&format!("── Stop {number} of ")), "{slug} in the terminal: {walk}");
            assert!(
                page.contains(&format!("<summary>Answer to stop {number}</summary>")),
                "{slug} as a page"
            );
        }
        for (must, rule) in &lesson.rules {
            assert_eq!(walk.contains(&format!("[{rule}]")), *must, "{slug}: {rule}");
        }
    }
}

#[test]
#[ignore = "writes the recordings of the lessons anew, for .ci/remake"]
fn record_all_programs_anew() {
    let only = std::env::var("LESSON").ok().and_then(|number| number.parse::<u32>().ok());
    for folder in folders() {
        let lesson = read(&folder);
        if only.is_some_and(|only| only != lesson.text.number) {
            continue;
        }
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(record(&folder, &lesson).as_bytes()).unwrap();
        fs::write(folder.join("run.trace"), out.finish().unwrap()).unwrap();
    }
}
