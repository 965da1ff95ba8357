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
    2 lesson_02 "../docs/lessons/02-does-spawn-run-it-now/program.rs"
    3 lesson_03 "../docs/lessons/03-does-the-loop-keep-asking/program.rs"
    4 lesson_04 "../docs/lessons/04-who-calls-the-waker/program.rs"
    5 lesson_05 "../docs/lessons/05-do-two-awaits-overlap/program.rs"
    6 lesson_06 "../docs/lessons/06-is-a-polled-future-ready/program.rs"
    7 lesson_07 "../docs/lessons/07-is-blocking-fine-in-async/program.rs"
    8 lesson_08 "../docs/lessons/08-is-a-sleep-exact/program.rs"
    9 lesson_09 "../docs/lessons/09-does-pending-mean-asked-again/program.rs"
    10 lesson_10 "../docs/lessons/10-is-waking-oneself-waiting/program.rs"
    11 lesson_11 "../docs/lessons/11-are-three-wakes-three-polls/program.rs"
    12 lesson_12 "../docs/lessons/12-when-does-a-sleep-begin/program.rs"
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
