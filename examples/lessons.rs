//! The programs of the lessons (`docs/lessons`), each by its number.
//!
//! ```text
//! $ cargo run --example lessons -- 1
//! a future is made
//! it was dropped
//! Hello
//! ```
//!
//! `-- list`, or nothing, lists them. Each program is a whole one: copied into a file of its own it compiles and runs as it
//! is. They are together here so that they build as one.
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
    13 lesson_13 "../docs/lessons/13-what-does-a-lost-race-leave/program.rs"
    14 lesson_14 "../docs/lessons/14-who-stops-a-dropped-task/program.rs"
    15 lesson_15 "../docs/lessons/15-does-readable-mean-all-is-there/program.rs"
    16 lesson_16 "../docs/lessons/16-is-readiness-told-again/program.rs"
    17 lesson_17 "../docs/lessons/17-how-does-a-result-come-back/program.rs"
    18 lesson_18 "../docs/lessons/18-how-many-calls-block-at-once/program.rs"
    19 lesson_19 "../docs/lessons/19-is-an-async-crawler-fast/program.rs"
    20 lesson_20 "../docs/lessons/20-can-tasks-lock-each-other-out/program.rs"
    21 lesson_21 "../docs/lessons/21-who-makes-room-in-a-queue/program.rs"
    22 lesson_22 "../docs/lessons/22-can-a-future-hold-a-lock/program.rs"
    23 lesson_23 "../docs/lessons/23-do-futures-go-on-alone/program.rs"
    24 lesson_24 "../docs/lessons/24-how-large-is-a-future/program.rs"
    25 lesson_25 "../docs/lessons/25-does-every-await-give-way/program.rs"
    26 lesson_26 "../docs/lessons/26-can-a-wake-come-too-early/program.rs"
    27 lesson_27 "../docs/lessons/27-is-the-first-waker-enough/program.rs"
    28 lesson_28 "../docs/lessons/28-do-two-sums-overlap/program.rs"
    29 lesson_29 "../docs/lessons/29-does-a-timeout-stop-the-work/program.rs"
    30 lesson_30 "../docs/lessons/30-who-hears-of-a-panic/program.rs"
    31 lesson_31 "../docs/lessons/31-may-a-std-lock-cross-an-await/program.rs"
    32 lesson_32 "../docs/lessons/32-can-a-callback-starve-others/program.rs"
    33 lesson_33 "../docs/lessons/33-does-it-hang-or-wait/program.rs"
    34 lesson_34 "../docs/lessons/34-may-a-task-run-a-loop/program.rs"
}

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let number = wanted.parse::<u32>().ok();
    match LESSONS.iter().find(|(known, ..)| Some(*known) == number) {
        Some((_, _, program)) => program(),
        None if wanted.is_empty() || wanted == "list" => {
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
