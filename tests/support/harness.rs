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

/// Plays the program that `ROLE` names; if it names none, calls all tests, or those whose name contains the argument, one
/// after the other.
pub fn play_or_run(play: impl FnOnce(&str), tests: &[Test]) -> ExitCode {
    match env::var(ROLE) {
        Ok(role) => {
            play(&role);
            ExitCode::SUCCESS
        }
        Err(_) => run(tests),
    }
}

fn run(tests: &[Test]) -> ExitCode {
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut failed = 0;
    for (name, test) in tests.iter().filter(|(name, _)| name.contains(&filter)) {
        let result = catch_unwind(test);
        println!("test {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        failed += usize::from(result.is_err());
    }
    println!("\ntest result: {}. {failed} failed\n", if failed == 0 { "ok" } else { "FAILED" });
    ExitCode::from(u8::from(failed > 0))
}
