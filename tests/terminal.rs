//! `oneloop step` in a terminal: a program that goes on is stopped from the keyboard. The programs are this test, so it
//! has a `main` of its own.

#[path = "support/harness.rs"]
mod harness;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use oneloop::sync::Mutex;
use oneloop::trace::{Event, EventKind, Observer, WaitReason};
use oneloop::{EventLoop, run, sleep, spawn_named, yield_now};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

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
        "locks" => run(async {
            let (first, second) = (Mutex::new(()), Mutex::new(()));
            let both = async |first: Mutex<()>, second: Mutex<()>| {
                let _first = first.lock().await;
                yield_now().await;
                let _second = second.lock().await;
            };
            let one = spawn_named("one", both(first.clone(), second.clone()));
            let other = spawn_named("other", both(second, first));
            for task in [one, other] {
                task.await.expect("they wait for ever");
            }
        }),
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
    /// `None`: it was closed.
    screen: Option<File>,
    /// What was shown and not looked at yet.
    shown: String,
}

impl Terminal {
    fn step(role: &str, options: &[&str]) -> Terminal {
        let options: Vec<&str> = ["--plain"].into_iter().chain(options.iter().copied()).collect();
        let mut terminal = Terminal::open(role, &options, true);
        terminal.until("\n> ");
        terminal
    }

    fn open(role: &str, options: &[&str], controls: bool) -> Terminal {
        let program = std::env::current_exe().expect("a test has a path").into_os_string();
        let program = program.into_string().expect("in ASCII");
        let arguments: Vec<&str> = ["step"].iter().chain(options).copied().chain([&*program]).collect();
        Terminal::with(role, &arguments, controls)
    }

    /// `controls`: whether the terminal controls the command, and so tells it by a signal when it is closed.
    fn with(role: &str, arguments: &[&str], controls: bool) -> Terminal {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("there are terminals");
        grantpt(&screen).and_then(|()| unlockpt(&screen)).expect("it is ours");
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&screen, size).expect("it is a terminal");
        let name = ptsname(&screen, Vec::new()).expect("it has a name").into_string().expect("in ASCII");
        let line = || OpenOptions::new().read(true).write(true).open(&name).expect("it is ours");
        // Ctrl-C is a signal to the processes that a terminal controls; `setsid` makes the command one.
        let mut command = Command::new("setsid");
        command.args(controls.then_some("--ctty"));
        command.arg(env!("CARGO_BIN_EXE_oneloop")).args(arguments);
        command.env(harness::ROLE, role).env("TERM", "xterm").env_remove("ONELOOP");
        command.stdin(line()).stdout(line()).stderr(line());
        let child = command.spawn().expect("setsid is part of the system");
        Terminal { child, screen: Some(screen.into()), shown: String::new() }
    }

    fn press(&mut self, keys: &str) {
        self.screen.as_mut().expect("it is open").write_all(keys.as_bytes()).expect("there is room");
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
        // With its screen gone the program has no way to tell that it goes on or ends.
        let Some(screen) = &mut self.screen else { return std::thread::sleep(Duration::from_millis(5)) };
        if matches!(poll(&mut [PollFd::new(&*screen, PollFlags::IN)], Some(&soon)), Ok(1)) {
            let mut bytes = [0; 4096];
            let length = screen.read(&mut bytes).unwrap_or(0);
            self.shown.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }

    /// The process that is stepped: the only child of the stepper.
    fn program(&mut self) -> Pid {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let until = Instant::now() + SOON;
        loop {
            let child = std::fs::read_to_string(&children).unwrap_or_default();
            if let Some(child) = child.split_whitespace().next().and_then(|child| child.parse().ok()) {
                return Pid::from_raw(child).expect("it is no zero");
            }
            assert!(Instant::now() < until, "no program was started:\n{}", self.shown);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(mut self) -> ExitStatus {
        self.end_in_time()
    }

    fn end_in_time(&mut self) -> ExitStatus {
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
        // Ended by force it would leave its program behind.
        self.screen = None;
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
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

fn a_terminal_that_is_gone_is_the_end_of_what_was_shown_there() {
    for controls in [true, false] {
        for (options, command) in [
            (&["--plain"][..], "n 3\n"),
            (&["--plain"], "c\n"),
            (&["--plain"], "until slow_poll\n"),
            (&[], ""),
            (&[], "c"),
            (&[], ":"),
        ] {
            let mut terminal = Terminal::open("busy", options, controls);
            let number = terminal.program();
            // Only now it listens: at its prompt, or on its screen.
            terminal.until(if options.is_empty() { "busy" } else { "\n> " });
            terminal.press(command);
            terminal.read();
            terminal.screen = None;
            terminal.end_in_time();
            let until = Instant::now() + SOON;
            while rustix::process::test_kill_process(number).is_ok() {
                assert!(Instant::now() < until, "the program goes on: {options:?} {command:?} {controls}");
                // No child of this process, which could be waited for.
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn a_terminal_that_is_gone_is_the_end_of_a_recording_and_of_a_lesson_too() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screens/hello.trace");
    for controls in [true, false] {
        for (arguments, shown, keys) in [
            (&["play", "--plain", recording][..], "\n> ", ""),
            (&["play", "--plain", recording], "\n> ", "n 3\n"),
            (&["play", recording], "0/43", ""),
            (&["play", recording], "0/43", ":"),
            (&["learn", "1"], "Your answer", ""),
            (&["learn", "1"], "Your answer", "it prints\n"),
        ] {
            let mut terminal = Terminal::with("", arguments, controls);
            terminal.until(shown);
            terminal.press(keys);
            terminal.read();
            terminal.screen = None;
            terminal.end_in_time();
        }
    }
}

fn a_lesson_whose_reader_is_gone_does_not_wait_for_an_answer() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
    command.args(["learn", "1"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut lesson = command.spawn().expect("it is built");
    // The answer never comes, and its pipe stays open.
    let _answers = lesson.stdin.take();
    let mut begin = [0; 100];
    lesson.stdout.take().expect("it is a pipe").read_exact(&mut begin).expect("it begins");
    let until = Instant::now() + SOON;
    while lesson.try_wait().expect("it is a child").is_none() {
        assert!(Instant::now() < until, "it waits for ever");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn what_is_held_and_who_waits_is_shown_while_a_program_runs_and_a_rule_stops_it() {
    let mut terminal = Terminal::step("locks", &[]);
    terminal.press("until wait_cycle\n");
    let text = terminal.until("\n> ");
    assert!(text.contains("wait_cycle") && text.contains("one") && text.contains("other"), "{text}");
    terminal.press("locks\n");
    let text = terminal.until("\n> ");
    assert_eq!(text.matches("held by task").count(), 2, "{text}");
    terminal.press("bp\n");
    terminal.until("The loop polls task 2 (other) for the 2nd time");
    terminal.until("\n> ");
    terminal.press("locks\n");
    let text = terminal.until("\n> ");
    assert_eq!(text.matches("waits").count(), 1, "only one waits before that poll:\n{text}");
    terminal.press("q\n");
    assert_eq!(terminal.end().code(), Some(0));
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
    let tests = harness::tests! {
        a_program_that_goes_on_is_stopped_by_enter_and_by_ctrl_c
        a_program_that_waits_can_be_looked_at_and_left
        ctrl_c_where_a_command_is_awaited_asks_before_it_ends_the_program
        a_terminal_that_is_gone_is_the_end_of_what_was_shown_there
        a_terminal_that_is_gone_is_the_end_of_a_recording_and_of_a_lesson_too
        a_lesson_whose_reader_is_gone_does_not_wait_for_an_answer
        what_is_held_and_who_waits_is_shown_while_a_program_runs_and_a_rule_stops_it
        commands_that_come_together_do_not_stop_one_another
        no_more_events_are_kept_than_was_said
    };
    harness::play_or_run(play, &tests)
}
