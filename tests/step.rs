//! `oneloop step`: programs gone through by command while they run.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.ancestors().nth(2).expect("it lies in target/PROFILE/deps");
    target.join("examples").join(name)
}

fn stepper(name: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
    command.arg("step").arg(example(name)).current_dir(env!("CARGO_MANIFEST_DIR"));
    // In virtual time the numbers are the same every time.
    command.env("ONELOOP", "virtual").env_remove("XDG_RUNTIME_DIR");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it is built")
}

fn give(stepper: &mut Child, commands: &str) {
    let mut stdin = stepper.stdin.take().expect("it is a pipe");
    stdin.write_all(commands.as_bytes()).expect("it reads");
}

/// What stepping through an example by these commands shows, without the first line.
fn step(name: &str, commands: &str) -> String {
    let mut stepper = stepper(name);
    give(&mut stepper, commands);
    let Output { status, stdout, stderr } = stepper.wait_with_output().expect("it is a child");
    let (text, errors) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success() && errors.is_empty(), "{errors}");
    let (first, rest) = text.split_once('\n').expect("there is a first line");
    assert!(first.contains("is process") && first.contains("`help` lists all commands"), "{first}");
    rest.to_owned()
}

fn shows(text: &str, piece: &str) {
    assert!(text.contains(piece), "{piece:?} is not in:\n{text}");
}

#[test]
fn a_program_is_shown_with_its_lines_and_its_output() {
    let text = step("hello", "p\np\nf\nq\n");
    shows(&text, "event 0, at 0 s: The program spawned task 0 (main) at examples/hello.rs:46");
    shows(&text, "      at examples/hello.rs:46    oneloop::run(main_async());");
    let (before, after) = text.split_once("output│ main: started\n").expect("it writes that");
    shows(before, "The loop polls task 0 (main) for the 1st time");
    shows(after, "    5 Task 0 (main) spawned task 1 at examples/hello.rs:38");
    shows(after, "Task 1 is suspended at examples/hello.rs:28, waiting for a sleep.");
    shows(after, "      at examples/hello.rs:28    sleep(Duration::from_secs(3)).await;");
    assert!(!text.contains("World!"), "it was ended before that:\n{text}");
}

#[test]
fn output_is_shown_at_the_very_event_that_it_comes_before() {
    let text = step("hello", &"n\n".repeat(60));
    for (line, before, after) in [
        (
            "main: started",
            "event 4 in turn 0, at 0 s: The loop polls task 0 (main)",
            "Task 0 (main) spawned task 1",
        ),
        ("Hello", "The loop polls task 1 for the 1st time", "Task 1 armed timer 1"),
        ("World!", "The loop polls task 1 for the 2nd time", "The 2nd poll of task 1 was its last"),
        (
            "main: done",
            "Task 0 (main) took the result of task 1",
            "The 3rd poll of task 0 (main) was its last",
        ),
    ] {
        let parts = text.split_once(&format!("output│ {line}\n"));
        let (above, below) = parts.unwrap_or_else(|| panic!("{line:?} is not in:\n{text}"));
        // The line of the source may stand between.
        let above = above.lines().rfind(|line| line.starts_with("event")).unwrap_or_default();
        let below = below.lines().next().unwrap_or_default();
        assert!(
            above.contains(before) && below.starts_with("event") && below.contains(after),
            "{above}\n{below}"
        );
    }
}

#[test]
fn going_back_shows_what_was_and_the_program_stays_where_it_is() {
    let text = step("hello", "n 12\nbp\nbn\ncancel 1\ngo 12\nshow tasks\nc\n");
    shows(
        &text,
        "event 10 in turn 1, at 0 s: The loop polls task 1 for the 1st time.\n      viewing event 10 of 12",
    );
    shows(&text, "You are looking back, and what has happened cannot be changed. `go 12` brings you");
    assert_eq!(text.matches("output│ World!").count(), 1, "{text}");
    shows(&text, "This is the end of the program, after event");
    shows(&text, "The program has ended: exit status: 0.");
}

#[test]
fn a_timer_can_be_fired_and_the_clock_moved() {
    let text = step("hello", "t 3\nfire 1\njump soon\njump 1s\nc\n");
    shows(
        &text,
        "the clock will jump to 3 s: timer 1 is due then. Timers that are due before it fire first.",
    );
    shows(&text, "`soon` is no time; it is a number and a unit, as in `jump 500ms`");
    shows(&text, "output│ World!");
    shows(&step("hello", "fire 3\n"), "There is no timer `3` now; there is none.");
}

#[test]
fn a_task_can_be_cancelled() {
    let text = step("hello", "n 14\ncancel main\ncancel 7\ncancel 1\nn 13\nc\n");
    shows(&text, "The main task cannot be cancelled: it ends when its future returns.");
    shows(&text, "There is no task `7` now; there is 0 (main), 1.");
    shows(&text, "task 1 will be cancelled.");
    shows(&text, "The observer cancelled task 1, to be dropped at its next turn.");
    assert!(!text.contains("output│ World!"), "{text}");
    // The example expects its task to end well.
    shows(&text, "error │ thread 'main'");
}

#[test]
fn whatever_is_ready_can_be_let_run_next() {
    let order = |commands: &str| {
        let text = step("gather", commands);
        let polls = text.lines().filter(|line| line.contains("The loop polls task"));
        let tasks = polls.filter_map(|line| line.split("polls task ").nth(1)?.split([' ', '.']).next());
        tasks.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(order("p\np\np\nq\n"), ["0", "1", "2"]);
    assert_eq!(order("p\nf\nrun 2\np\np\nq\n"), ["0", "2", "1"]);
}

#[test]
fn what_is_typed_wrong_gets_a_suggestion_and_does_nothing() {
    let text = step("hello", "fier 1\nrun\nfail\ndelay 1\n\u{1b}[2J\n");
    shows(&text, "There is no command `fier`. Did you mean `fire`?");
    shows(&text, "It is `run TASK`.");
    shows(&text, "There is no source `1` now; there is none.");
    assert!(!text.contains('\u{1b}'), "{text}");
    shows(&step("hello", "help\n"), "What if\n  run TASK");
}

#[test]
fn a_program_without_a_loop_ends_and_that_is_said() {
    let text = step("hello_sync", "n\n");
    shows(&text, "The program has no events. The program has ended: exit status: 0.");
}

#[test]
fn the_end_of_the_stepper_is_the_end_of_the_program() {
    for how in ["quit", "interrupt"] {
        let mut stepper = stepper("spinner");
        let folders = || -> Vec<_> {
            let folders = std::fs::read_dir(std::env::temp_dir()).expect("there is one").flatten();
            let own = format!("oneloop-{}-", stepper.id());
            folders.filter(|folder| folder.file_name().to_string_lossy().starts_with(&own)).collect()
        };
        let until = Instant::now() + Duration::from_secs(20);
        while folders().is_empty() {
            assert!(Instant::now() < until, "it makes a folder for its socket");
        }
        let own = format!("oneloop-{}-", stepper.id());
        // The first line says which process the program is.
        let mut out = std::io::BufReader::new(stepper.stdout.take().expect("it is a pipe"));
        let mut line = String::new();
        std::io::BufRead::read_line(&mut out, &mut line).expect("it says something");
        // Numbers in the name of a folder come before.
        let (_, number) = line.rsplit_once(" is process ").expect("it is said so");
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        let pid: i32 = digits.parse().expect("the number of the process");
        match how {
            "quit" => give(&mut stepper, "p 3\nq\n"),
            _ => {
                let pid = i32::try_from(stepper.id()).ok().and_then(rustix::process::Pid::from_raw);
                rustix::process::kill_process(pid.expect("a number"), rustix::process::Signal::INT)
                    .expect("it is there");
            }
        }
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut out, &mut rest).expect("it ends");
        let status = stepper.wait().expect("it is a child");
        assert_eq!(status.code(), Some(if how == "quit" { 0 } else { 130 }), "{rest}");
        let pid = rustix::process::Pid::from_raw(pid).expect("no process is 0");
        while rustix::process::test_kill_process(pid).is_ok() {
            assert!(Instant::now() < until, "the program goes on");
            // No child of this process, which could be waited for.
            std::thread::sleep(Duration::from_millis(1));
        }
        let left = std::fs::read_dir(std::env::temp_dir()).expect("there is one").flatten();
        let left = left.filter(|folder| folder.file_name().to_string_lossy().starts_with(&own));
        assert_eq!(left.count(), 0, "the folder of the socket is removed");
    }
}

/// The sessions with `hello` in a page: what is typed in each, and what is shown.
fn sessions(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("```text\n").skip(1).filter_map(|block| block.split("```").next());
    let blocks =
        blocks.filter_map(|block| block.strip_prefix("$ ONELOOP=virtual cargo step --plain hello\n"));
    let session = |block: &str| {
        let lines = |typed: bool| {
            let lines = block.lines().filter(|line| line.starts_with("> ") == typed);
            lines.map(|line| format!("{}\n", line.strip_prefix("> ").unwrap_or(line))).collect::<String>()
        };
        (lines(true), lines(false))
    };
    blocks.map(session).collect()
}

#[test]
fn the_sessions_in_the_pages_are_what_is_shown() {
    for (page, least) in [(include_str!("../README.md"), 1), (include_str!("../docs/watching.md"), 2)] {
        let sessions = sessions(page);
        assert!(sessions.len() >= least, "the page has lost its sessions");
        for (typed, shown) in sessions {
            assert_eq!(step("hello", &typed), shown);
        }
    }
}
