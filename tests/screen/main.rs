//! The full screen in a real terminal (a pseudo-terminal): it opens, steps, goes back, and whatever ends or stops it, the
//! terminal is as it was before. The program that panics on the screen is this test, so it has a `main` of its own.

#[path = "../support/harness.rs"]
mod harness;
mod pty;

// What takes the terminal over: a panic in it is had by panicking.
#[path = "../../src/bin/oneloop/screen/taken.rs"]
mod taken;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use self::pty::Pty;

/// The program that panics on the screen.
fn play_panic(_: &str) {
    taken::take().expect("it is in a terminal");
    panic!("as it was to");
}

/// The screen with the recording of `hello`.
fn play(arguments: &[&str]) -> Pty {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
    command.arg("play").arg("tests/screens/hello.trace").args(arguments);
    Pty::start(command)
}

/// The screen with the example `hello`, which runs.
fn step() -> Pty {
    let target = PathBuf::from(env!("CARGO_BIN_EXE_oneloop"));
    let example = target.parent().expect("it lies in target/PROFILE").join("examples/hello");
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
    command.arg("step").arg(example).env("ONELOOP", "virtual");
    Pty::start(command)
}

fn it_opens_steps_goes_back_and_quits() {
    let mut pty = step();
    pty.until("hello  event 0 ");
    pty.press("p");
    pty.until("▶ The loop polls task 0 (main) for the 1st time.");
    pty.press("pf");
    pty.until("▶ Task 1 is suspended at examples/hello.rs:28");
    pty.until("output │ Hello");
    pty.until("○1▶ 28     sleep(");
    pty.press("P");
    pty.until("LOOKING BACK at 10 of 12");
    pty.press(":cancel 1\r");
    pty.until("You are looking back, and what has happened cannot be changed.");
    pty.press(":go 12\r");
    pty.until("hello  event 12 ");
    pty.press("c");
    pty.until("output │ main: done");
    pty.press("q");
    assert_eq!(pty.end(), Some(0));
}

fn what_if_can_be_asked() {
    let mut pty = step();
    pty.until("hello  event 0 ");
    pty.press("pf");
    pty.until("main: started");
    pty.press(":n 14\r");
    pty.until("event 21 ");
    // The selected task is put in; Ctrl-U takes it away again.
    pty.press("x");
    pty.until(":cancel ");
    pty.press("\u{15}cancel 1\r");
    pty.until("instead of the wait that is about to begin, task");
    pty.press("c");
    pty.until("the main future panicked");
    pty.press("/observer cancelled\r[");
    pty.until("▶ The observer cancelled task 1, to be dropped at its next turn.");
    pty.press("q");
    assert_eq!(pty.end(), Some(0));
}

fn the_size_may_change_at_any_time() {
    let mut pty = play(&[]);
    pty.until("hello.trace  event 0/43");
    assert!(!pty.screen().contains("Blocking pool"), "{}", pty.screen());
    pty.resize(120, 40);
    pty.until("Blocking pool");
    pty.resize(30, 5);
    pty.until("needs 40 × 12");
    pty.resize(80, 24);
    pty.until("hello.trace  event 0/43");
    // A size that nobody has is not believed.
    pty.resize(1_200, 600);
    pty.until("Blocking pool");
    assert!(pty.screen().lines().all(|line| line.chars().count() <= 1_000), "{}", pty.screen());
    pty.press("q");
    assert_eq!(pty.end(), Some(0));
}

fn many_keys_at_once_are_taken_up_and_what_they_lead_to_is_shown() {
    let mut pty = play(&[]);
    pty.until("event 0/43");
    pty.press(&"nb".repeat(500));
    pty.press(&"n".repeat(7));
    pty.until("event 7/43");
    pty.press("q");
    assert_eq!(pty.end(), Some(0));
}

fn when_the_terminal_is_gone_so_is_the_screen() {
    for open in [play(&[]), step()] {
        let mut pty = open;
        pty.until("event 0");
        pty.press("nnn");
        pty.hang_up();
        assert_eq!(pty.status(), Some(129));
    }
}

fn it_is_searched_and_marked() {
    let mut pty = play(&[]);
    pty.until("event 0/43");
    pty.press("/woke task 1\r");
    pty.until("▶ Timer 1 woke task 1, which joined the ready queue.");
    pty.press("ma");
    pty.until("Bookmark a is event 29");
    pty.press("\u{1b}[H");
    pty.until("event 0/43");
    pty.press("'a");
    pty.until("event 29/43");
    pty.press("]");
    pty.until("No event after this one, as far as is known, says \"woke task 1\".");
    pty.press("q");
    assert_eq!(pty.end(), Some(0));
}

fn ctrl_c_ends_it() {
    let mut pty = step();
    pty.until("event 0 ");
    pty.press("\u{3}");
    assert_eq!(pty.end(), Some(0));
}

fn a_signal_that_asks_for_the_end_ends_it() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut pty = step();
        pty.until("event 0 ");
        kill_process(pid(&pty), signal).expect("it is there");
        assert_eq!(pty.end(), Some(status));
    }
}

fn ctrl_z_gives_the_terminal_to_the_shell_until_it_goes_on() {
    for by_key in [true, false] {
        let mut pty = play(&[]);
        pty.until("event 0/43");
        pty.press("p");
        pty.until("event 4/43");
        match by_key {
            true => pty.press("\u{1a}"),
            false => kill_process(pid(&pty), Signal::TSTP).expect("it is there"),
        }
        let (_, status) =
            waitpid(Some(pid(&pty)), WaitOptions::UNTRACED).expect("it is a child").expect("it has stopped");
        assert!(status.stopped(), "{status:?}");
        pty.is_as_before();
        kill_process(pid(&pty), Signal::CONT).expect("it is there");
        pty.until_taken();
        pty.until("event 4/43");
        pty.press("n");
        pty.until("event 5/43");
        pty.press("q");
        assert_eq!(pty.end(), Some(0));
    }
}

fn after_a_panic_the_terminal_is_as_before_and_its_message_is_read() {
    let mut command = Command::new(std::env::current_exe().expect("a test has a path"));
    command.env(harness::ROLE, "panic").env("RUST_BACKTRACE", "0");
    let mut pty = Pty::start(command);
    assert_eq!(pty.end(), Some(101));
    let after = pty.after_the_screen();
    assert!(after.contains("panicked at") && after.contains("as it was to"), "{after:?}");
}

fn letters_and_colours_are_as_the_environment_says() {
    for (plain, ascii) in [(false, false), (true, false), (false, true)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
        command.args(["play", "tests/screens/hello.trace"]);
        if plain {
            command.env("NO_COLOR", "1");
        }
        if ascii {
            command.arg("--ascii");
        }
        let mut pty = Pty::start(command);
        pty.until("event 0/43");
        pty.until("q quit");
        assert_eq!(pty.screen().is_ascii(), ascii, "{}", pty.screen());
        let cyan = ["\u{1b}[36m", "38;5;6"].iter().any(|code| pty.all().contains(code));
        assert_eq!(cyan, !plain, "{:?}", pty.all());
        pty.press("q");
        assert_eq!(pty.end(), Some(0));
    }
}

fn without_a_terminal_or_with_plain_it_goes_line_by_line() {
    let mut pty = play(&["--plain"]);
    pty.until("A recording of `hello`: 44 events");
    pty.press("p\r");
    pty.until("event 4 in turn 0");
    pty.press("q\r");
    assert_eq!(pty.status(), Some(0));
    assert!(!pty.all().contains("\u{1b}[?1049h"), "{:?}", pty.all());
}

fn pid(pty: &Pty) -> Pid {
    Pid::from_raw(i32::try_from(pty.pid()).expect("a number")).expect("no process is 0")
}

fn main() -> ExitCode {
    let tests = harness::tests! {
        it_opens_steps_goes_back_and_quits
        what_if_can_be_asked
        the_size_may_change_at_any_time
        many_keys_at_once_are_taken_up_and_what_they_lead_to_is_shown
        when_the_terminal_is_gone_so_is_the_screen
        it_is_searched_and_marked
        ctrl_c_ends_it
        a_signal_that_asks_for_the_end_ends_it
        ctrl_z_gives_the_terminal_to_the_shell_until_it_goes_on
        after_a_panic_the_terminal_is_as_before_and_its_message_is_read
        letters_and_colours_are_as_the_environment_says
        without_a_terminal_or_with_plain_it_goes_line_by_line
    };
    harness::play_or_run(play_panic, &tests)
}
