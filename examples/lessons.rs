//! The programs of the lessons (`docs/lessons`), each by its number.
//!
//! ```text
//! $ cargo run --example lessons -- 1
//! a future is made
//! it was dropped
//! Hello
//! ```
//!
//! `-- list` lists them. Each program is a whole one: copied into a file of its own it compiles and runs as it is. They
//! are together here so that they build as one.
//!
//! Read next: `cargo learn 1`, what the loop does in the first of them, and why.

#![forbid(unsafe_code)]

use std::process::ExitCode;

/// A line for each lesson: its number, the module of its program, and the file.
macro_rules! lessons {
    ($($number:literal $name:ident $file:literal)*) => {
        $(#[path = $file] mod $name;)*

        const LESSONS: &[(u32, &str, fn())] = &[$(($number, $file, $name::main)),*];
    };
}

lessons! {
    1 lesson_01 "../docs/lessons/01-does-calling-run-it/program.rs"
}

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let number = wanted.parse::<u32>().ok();
    match LESSONS.iter().find(|(known, ..)| Some(*known) == number) {
        Some((_, _, program)) => program(),
        None if wanted == "list" => {
            for (number, file, _) in LESSONS {
                println!("{number:2} {}", file.trim_start_matches("../"));
            }
        }
        None => {
            eprintln!("there is no lesson {wanted:?}: give the number of one, or `list`");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
