//! Every example prints what its opening comment says, and shows itself at work when asked to.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program of an example. `cargo test` builds them before it runs this test.
fn program(name: &str) -> Command {
    let test = std::env::current_exe().expect("this test has a path");
    let profile = test.ancestors().nth(2).expect("it lies in target/<profile>/deps");
    let path = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let fresh = changed(&path) >= changed(&source(name));
    assert!(fresh, "{} is missing or old: build it with `cargo build --example {name}`", path.display());
    let mut command = Command::new(path);
    command.env_remove("ONELOOP").env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

fn run(name: &str, oneloop: &str) -> Output {
    program(name).env("ONELOOP", oneloop).output().expect("the example starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("examples write UTF-8")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The file of an example with the opening comment.
fn source(name: &str) -> PathBuf {
    let main = folder().join(name).join("main.rs");
    if main.exists() { main } else { folder().join(name).with_extension("rs") }
}

/// What the opening comment promises: the lines after `$ cargo run --example NAME`, with or without
/// `--release`, in its block.
fn promised(name: &str) -> String {
    let source = fs::read_to_string(source(name)).expect("the example has a source");
    let comment = source.lines().map_while(|line| line.strip_prefix("//!"));
    let comment = comment.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let command = format!("$ cargo run --example {name}");
    let is_command = |line: &str| line.replace(" --release", "") == command;
    let mut output = comment.skip_while(|line| !is_command(line)).skip(1).peekable();
    assert!(output.peek().is_some(), "examples/{name}.rs does not show its command: {command}");
    output.take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect()
}

/// The units of what is measured, and so is different in every run.
const MEASURED: [&str; 2] = ["ms", "frames"];

/// The text with a `#` for each measured number. A zero is no measurement: nothing happened at all.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines() {
        let mut words: Vec<&str> = line.split(' ').collect();
        for unit in 1..words.len() {
            let measured = MEASURED.contains(&words[unit].trim_end_matches([',', ';', '.', ':']));
            if measured && words[unit - 1].parse().is_ok_and(|number: f64| number > 0.0) {
                words[unit - 1] = "#";
            }
        }
        masked += &words.join(" ");
        masked += "\n";
    }
    masked
}

/// The example prints its promise and nothing else, in virtual time; measured numbers may be others.
fn keeps_its_promise(name: &str) {
    let output = run(name, "virtual");
    assert_eq!(masked(text(&output.stdout)), masked(&promised(name)));
    assert_eq!(text(&output.stderr), "", "nobody asked for more");
    assert!(output.status.success(), "{}", output.status);
}

#[test]
fn blocking_prints_what_it_says() {
    keeps_its_promise("blocking");
}

#[test]
fn as_completed_prints_what_it_says() {
    keeps_its_promise("as_completed");
}

#[test]
fn chain_prints_what_it_says() {
    keeps_its_promise("chain");
}

#[test]
fn chess_prints_what_it_says() {
    keeps_its_promise("chess");
}

#[test]
fn event_loop_prints_what_it_says() {
    keeps_its_promise("event_loop");
}

#[test]
fn factorial_prints_what_it_says() {
    keeps_its_promise("factorial");
}

#[test]
fn files_prints_what_it_says() {
    keeps_its_promise("files");
}

#[test]
fn first_prints_what_it_says() {
    keeps_its_promise("first");
}

#[test]
fn frozen_spinner_prints_what_it_says() {
    keeps_its_promise("frozen_spinner");
}

#[test]
fn gather_prints_what_it_says() {
    keeps_its_promise("gather");
}

#[test]
fn hello_prints_what_it_says() {
    keeps_its_promise("hello");
}

#[test]
fn hello_prints_the_same_in_real_time() {
    let start = Instant::now();
    let output = run("hello", "");
    assert_eq!(text(&output.stdout), promised("hello"));
    assert!(start.elapsed() >= Duration::from_secs(3), "a sleep is never too short");
}

#[test]
fn hello_by_hand_prints_what_it_says() {
    keeps_its_promise("hello_by_hand");
}

#[test]
fn hello_callbacks_prints_what_it_says() {
    keeps_its_promise("hello_callbacks");
}

#[test]
fn hello_sync_prints_what_it_says() {
    keeps_its_promise("hello_sync");
}

#[test]
fn hello_threads_prints_what_it_says() {
    keeps_its_promise("hello_threads");
}

#[test]
fn hello_three_prints_what_it_says() {
    keeps_its_promise("hello_three");
}

#[test]
fn join_handle_prints_what_it_says() {
    keeps_its_promise("join_handle");
}

#[test]
fn sleep_prints_what_it_says() {
    keeps_its_promise("sleep");
}

#[test]
fn spinner_prints_what_it_says() {
    keeps_its_promise("spinner");
}

#[test]
fn spinner_thread_prints_what_it_says() {
    keeps_its_promise("spinner_thread");
}

#[test]
fn starvation_prints_what_it_says() {
    keeps_its_promise("starvation");
}

#[test]
fn three_stages_prints_what_it_says() {
    keeps_its_promise("three_stages");
}

#[test]
fn wait_prints_what_it_says() {
    keeps_its_promise("wait");
}

#[test]
fn wait_for_prints_what_it_says() {
    keeps_its_promise("wait_for");
}

#[test]
fn a_measured_number_is_masked_and_any_other_is_compared() {
    assert_eq!(masked("10 frames in 1001.5 ms, 3 s\n"), "# frames in # ms, 3 s\n");
    assert_eq!(masked("0 frames; item 2\n"), "0 frames; item 2\n");
}

#[test]
fn weather_prints_what_it_says() {
    keeps_its_promise("weather");
}

/// What needs the feature `http`.
#[cfg(feature = "http")]
mod http;

#[test]
fn every_example_of_one_file_is_tested_and_listed() {
    let readme = fs::read_to_string(folder().join("README.md")).expect("there is a list");
    let tests = concat!(include_str!("main.rs"), include_str!("http.rs"));
    let files = fs::read_dir(folder()).expect("there are examples");
    let files = files.map(|file| file.expect("the folder can be read").path());
    for path in files.filter(|path| path.extension() == Some(OsStr::new("rs"))) {
        let name = path.file_stem().and_then(OsStr::to_str).expect("names are plain");
        assert!(
            readme.contains(&format!("`cargo run --example {name}`")),
            "{name} is not in examples/README.md"
        );
        let row = readme.lines().find(|line| line.contains(&format!("`cargo run --example {name}`")));
        let next = row.and_then(|row| row.rsplit('|').nth(1)).expect("the row has a last cell");
        let source = fs::read_to_string(&path).expect("it can be read");
        for next in next.split('`').skip(1).step_by(2) {
            assert!(source.contains(&format!("`{next}`")), "{name} does not say to read {next} next");
        }
        // Those are programs of their own, with a test of their own.
        if name == "lessons" {
            continue;
        }
        let tested = ["", "_but_for_times"].map(|kind| format!("keeps_its_promise{kind}({name:?}"));
        assert!(tested.iter().any(|call| tests.contains(call)), "{name} is not tested");
    }
}

#[test]
fn what_to_read_next_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(folder()).expect("there are examples");
    let files = files.map(|file| file.expect("the folder can be read").path());
    for file in files.filter(|path| path.is_file()) {
        let content = fs::read_to_string(&file).expect("examples are text");
        let quoted = content.split('`').skip(1).step_by(2);
        for path in quoted.filter(|word| word.starts_with("src/") || word.starts_with("examples/")) {
            assert!(root.join(path).exists(), "{} names {path}", file.display());
        }
    }
}

#[test]
fn print_tells_a_run_on_standard_error_and_leaves_the_output_alone() {
    let output = run("hello", "print,virtual");
    assert_eq!(text(&output.stdout), promised("hello"));
    let told = text(&output.stderr);
    let mut rest = told;
    for sentence in [
        "The program spawned task 0 (main) at examples/hello.rs:",
        "The loop polls task 0 (main) for the 1st time.",
        "Task 0 (main) spawned task 1 at examples/hello.rs:",
        "Task 0 (main) armed timer 0, which is due in 500 ms, at 500 ms.",
        "waiting for a sleep.",
        "Task 1 armed timer 1, which is due in 3 s, at 3 s.",
        "The loop waits for at most 500 ms, until the next timer is due.",
        "Timer 0 fired on time.",
        "Timer 0 woke task 0 (main), which joined the ready queue.",
        "waiting for a task to end.",
        "Timer 1 woke task 1, which joined the ready queue.",
        "Task 1 woke task 0 (main), which joined the ready queue.",
        "Task 0 (main) took the result of task 1.",
        "The run ended: the main future returned.",
    ] {
        let found = rest.split_once(sentence);
        (_, rest) = found.unwrap_or_else(|| panic!("missing, or too early: {sentence}\nin:\n{told}"));
    }
    assert_eq!(rest, "\n", "the end of the run is the last line");
}

#[test]
fn every_example_can_be_told() {
    for name in [
        "as_completed",
        "chain",
        "gather",
        "hello",
        "hello_callbacks",
        "hello_three",
        "join_handle",
        "sleep",
        "three_stages",
        "wait",
    ] {
        let output = run(name, "print,virtual");
        assert_eq!(text(&output.stdout), promised(name));
        let told = text(&output.stderr);
        assert!(told.starts_with("     seconds    seq  what happened\n"), "{told}");
        assert!(told.lines().skip(1).all(|line| line.ends_with('.') && line.is_char_boundary(21)), "{told}");
    }
}

#[test]
fn debug_names_the_task_that_held_the_loop_up_and_its_line() {
    let output = run("frozen_spinner", "debug");
    assert_eq!(masked(text(&output.stdout)), masked(&promised("frozen_spinner")));
    let warned = text(&output.stderr);
    let first = "oneloop: task 0 (main) held the loop up for 1";
    assert!(warned.starts_with(first) && warned.contains("from examples/frozen_spinner.rs:"), "{warned}");
}

#[test]
fn a_program_goes_on_when_nobody_reads_what_it_tells() {
    let mut hello = program("hello");
    hello.env("ONELOOP", "print,virtual").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut hello = hello.spawn().expect("the example starts");
    drop(hello.stderr.take());
    let output = hello.wait_with_output().expect("the example ends");
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(text(&output.stdout), promised("hello"));
}

#[test]
fn an_unknown_word_is_refused_with_the_known_ones() {
    let output = run("hello", "virtual,prnt");
    assert!(!output.status.success(), "it ran all the same");
    let told = text(&output.stderr);
    assert!(told.contains("ONELOOP has the unknown word \"prnt\"; it knows: print, virtual"), "{told}");
    assert_eq!(text(&output.stdout), "", "nothing runs before the words are understood");
}
