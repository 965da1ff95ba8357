//! The first screen of the README is true: its program is the example `first`, and its trace is what that prints.

use std::path::{Path, PathBuf};
use std::process::Command;

const README: &str = include_str!("../README.md");
const EXAMPLE: &str = include_str!("../examples/first.rs");

/// The first fenced block in that language.
fn block(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let start = README.find(&fence).expect("the README has such a block") + fence.len();
    let length = README[start..].find("```").expect("it has an end");
    &README[start..start + length]
}

fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.ancestors().nth(2).expect("it lies in target/PROFILE/deps");
    target.join("examples").join(format!("first{}", std::env::consts::EXE_SUFFIX))
}

#[test]
fn the_program_is_the_example() {
    assert!(EXAMPLE.ends_with(block("rust")), "examples/first.rs does not end with the README's program");
}

#[test]
fn the_trace_is_a_stretch_of_what_the_program_prints() {
    let run = Command::new(example())
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("ONELOOP", "print,virtual")
        .output()
        .expect("cargo test builds the examples");
    let printed = String::from_utf8(run.stderr).expect("sentences are UTF-8");
    assert!(printed.contains(block("text")), "the README's trace is not in:\n{printed}");
    assert_eq!(String::from_utf8_lossy(&run.stdout), "Hello, you!\nHello, World!\n");
}
