//! `oneloop step` in a terminal: a program that goes on is stopped from the keyboard. The programs are this test, so it
//! has a `main` of its own.

#[path = "support/harness.rs"]
mod harness;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use oneloop::trace::{Event, EventKind, Observer, WaitReason};
use oneloop::{EventLoop, run, sleep, yield_now};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Set for this program as it is started by a test: which other program it is to play.
const ROLE: &str = "ONELOOP_TEST_ROLE";

/// So long a test waits for what is to come at once.
const SOON: Duration = Duration::from_secs(20);

/// The programs.
fn play(role: &str) {
    match role {
        "busy" => run(async {
            println!("busy");
            loop {
                yield_now().await;
            }
        }),
        "idle" => {
            let event_loop = EventLoop::builder().observer(SaysSo).build().expect("there are descriptors");
            event_loop.run_until_complete(async { sleep(Duration::from_secs(3600)).await });
        }
        unknown => panic!("no program is called {unknown}"),
    }
}

/// Says when the loop begins to wait.
struct SaysSo;

impl Observer for SaysSo {
    fn event(&self, event: &Event) {
        if let EventKind::WaitBegin { why: WaitReason::NextTimer, .. } = event.kind {
            println!("idle");
        }
    }
}

/// A terminal in which a program is stepped.
struct Terminal {
    child: Child,
    screen: File,
    /// What was shown and not looked at yet.
    shown: String,
}

impl Terminal {
    fn step(role: &str, options: &[&str]) -> Terminal {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
        grantpt(&screen).and_then(|()| unlockpt(&screen)).expect("it is ours");
        let name = ptsname(&screen, Vec::new()).expect("it has a name").into_string().expect("in ASCII");
        let line = || OpenOptions::new().read(true).write(true).open(&name).expect("it is ours");
        // Ctrl-C is a signal to the processes that a terminal controls; `setsid` makes the stepper one.
        let mut command = Command::new("setsid");
        command.args(["--ctty", env!("CARGO_BIN_EXE_oneloop"), "step", "--plain"]).args(options);
        command
            .arg(std::env::current_exe().expect("a test has a path"))
            .env(ROLE, role)
            .env_remove("ONELOOP");
        command.stdin(line()).stdout(line()).stderr(line());
        let child = command.spawn().expect("setsid is part of the system");
        let mut terminal = Terminal { child, screen: screen.into(), shown: String::new() };
        terminal.until("\n> ");
        terminal
    }

    fn press(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).expect("there is room");
    }

    /// Waits until this is shown; everything up to there.
    fn until(&mut self, piece: &str) -> String {
        let until = Instant::now() + SOON;
        loop {
            if let Some(begin) = self.shown.find(piece) {
                let rest = self.shown.split_off(begin + piece.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            assert!(Instant::now() < until, "{piece:?} was not shown, but:\n{}", self.shown);
            self.read();
        }
    }

    fn read(&mut self) {
        let soon = Timespec { tv_sec: 1, tv_nsec: 0 };
        if matches!(poll(&mut [PollFd::new(&self.screen, PollFlags::IN)], Some(&soon)), Ok(1)) {
            let mut bytes = [0; 4096];
            let length = self.screen.read(&mut bytes).unwrap_or(0);
            self.shown.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }

    fn end(mut self) -> ExitStatus {
        let until = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status;
            }
            assert!(Instant::now() < until, "it goes on:\n{}", self.shown);
            self.read();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn a_program_that_goes_on_is_stopped_by_enter_and_by_ctrl_c() {
    for key in ["\n", "\u{3}"] {
        let mut terminal = Terminal::step("busy", &[]);
        terminal.press("c\n");
        // What it writes is shown while it goes on.
        terminal.until("output│ busy");
        terminal.press(key);
        let text = terminal.until("Stopped.\r\n> ");
        assert!(text.contains("event "), "{text}");
        terminal.press("n\n");
        let text = terminal.until("\n> ");
        assert!(text.contains("event "), "the program stands still again, and can be stepped:\n{text}");
        terminal.press("q\n");
        assert_eq!(terminal.end().code(), Some(0));
    }
}

fn a_program_that_waits_can_be_looked_at_and_left() {
    let mut terminal = loop {
        let mut terminal = Terminal::step("idle", &[]);
        terminal.press("c\n");
        terminal.until("output│ idle");
        terminal.press("\n");
        // Rarely the key comes in time for the very event with which the wait begins.
        if !terminal.until("\n> ").contains("Stopped.") {
            break terminal;
        }
    };
    terminal.press("tasks\n");
    terminal.until("waiting for a sleep");
    terminal.until("\n> ");
    terminal.press("jump 1h\n");
    terminal.until("The program does not stand still");
    terminal.until("\n> ");
    terminal.press("q\n");
    assert_eq!(terminal.end().code(), Some(0));
}

fn ctrl_c_where_a_command_is_awaited_asks_before_it_ends_the_program() {
    let mut terminal = Terminal::step("idle", &[]);
    terminal.press("\u{3}");
    terminal.until("Ctrl-C once more, or `q`, is the end.");
    terminal.press("n\n");
    terminal.until("event 1 ");
    terminal.until("\n> ");
    // Whoever goes on has not meant it.
    terminal.press("\u{3}");
    terminal.until("Ctrl-C once more");
    terminal.press("\u{3}");
    assert_eq!(terminal.end().code(), Some(130));
}

fn commands_that_come_together_do_not_stop_one_another() {
    let mut terminal = Terminal::step("idle", &[]);
    terminal.press("n 2\nn 2\nready\n");
    let text = terminal.until("The ready queue");
    assert!(text.contains("event 4 ") && !text.contains("Stopped"), "{text}");
    terminal.press("q\n");
    assert_eq!(terminal.end().code(), Some(0));
}

fn no_more_events_are_kept_than_was_said() {
    let mut terminal = Terminal::step("busy", &["--keep", "4000"]);
    terminal.press("n 10000\n");
    let text = terminal.until("\n> ");
    assert!(text.contains("No more than 4000 events are kept (--keep); the first is event "), "{text}");
    terminal.press("go 5\n");
    terminal.until("Event 5 is not known: the first that is, is event ");
    terminal.until("\n> ");
    terminal.press("bn 9000\n");
    terminal.until("Nothing is known of what was before event ");
    terminal.until("\n> ");
    terminal.press("go 10001\n");
    terminal.until("event 10001 ");
    terminal.press("q\n");
    assert_eq!(terminal.end().code(), Some(0));
}

fn main() -> ExitCode {
    if let Ok(role) = std::env::var(ROLE) {
        play(&role);
        return ExitCode::SUCCESS;
    }
    let tests = harness::tests! {
        a_program_that_goes_on_is_stopped_by_enter_and_by_ctrl_c
        a_program_that_waits_can_be_looked_at_and_left
        ctrl_c_where_a_command_is_awaited_asks_before_it_ends_the_program
        commands_that_come_together_do_not_stop_one_another
        no_more_events_are_kept_than_was_said
    };
    harness::run(&tests)
}
