//! The usual harness, for a test that starts itself in other roles and therefore has a `main` of its own.

use std::env;
use std::panic::catch_unwind;
use std::process::ExitCode;

/// Set for a test that is started by itself: which other program it is to play.
pub const ROLE: &str = "ONELOOP_TEST_ROLE";

/// A test: its name and what it does.
pub type Test = (&'static str, fn());

/// These functions as tests.
macro_rules! tests {
    ($($name:ident)*) => { [$((stringify!($name), $name as fn())),*] };
}
pub(crate) use tests;

/// The usual harness's options that have a value of their own, and no effect here.
const WITH_VALUE: [&str; 5] = ["--test-threads", "--format", "--color", "--logfile", "-Z"];

/// Plays the program that `ROLE` names; if it names none, calls the tests, one after the other: all, or those whose names
/// contain one of the arguments, without those whose names contain what follows a `--skip`.
pub fn play_or_run(play: impl FnOnce(&str), tests: &[Test]) -> ExitCode {
    match env::var(ROLE) {
        Ok(role) => {
            play(&role);
            ExitCode::SUCCESS
        }
        Err(_) => run(&chosen(tests, env::args().skip(1))),
    }
}

/// The tests that these arguments ask for.
pub fn chosen(tests: &[Test], mut arguments: impl Iterator<Item = String>) -> Vec<Test> {
    let (mut wanted, mut skipped) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--skip" => skipped.extend(arguments.next()),
            option if WITH_VALUE.contains(&option) => drop(arguments.next()),
            option if option.starts_with('-') => {
                skipped.extend(option.strip_prefix("--skip=").map(str::to_owned))
            }
            _ => wanted.push(argument),
        }
    }
    let has_one_of = |name: &str, parts: &[String]| parts.iter().any(|part| name.contains(part));
    let is_wanted = |name: &str| wanted.is_empty() || has_one_of(name, &wanted);
    tests.iter().filter(|(name, _)| is_wanted(name) && !has_one_of(name, &skipped)).copied().collect()
}

fn run(tests: &[Test]) -> ExitCode {
    let mut failed = 0;
    for (name, test) in tests {
        let result = catch_unwind(test);
        println!("test {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        failed += usize::from(result.is_err());
    }
    println!("\ntest result: {}. {failed} failed\n", if failed == 0 { "ok" } else { "FAILED" });
    ExitCode::from(u8::from(failed > 0))
}
