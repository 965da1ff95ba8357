//! What a recording has in it, however the program ended. The programs are this test, so it has a `main` of its own.

#[path = "support/harness.rs"]
mod harness;

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio, abort, exit};
use std::thread;
use std::time::{Duration, Instant};

use oneloop::sync::Mutex;
use oneloop::{gather, run, sleep, spawn_named, yield_now};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::{TempDir, tempdir};

/// How long anything here may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(30);

/// The programs.
fn play(role: &str) {
    match role {
        "returns" => run(greet()),
        "panics" => run(async {
            greet().await;
            panic!("no such luck")
        }),
        "exits" => run(async {
            greet().await;
            exit(3)
        }),
        "aborts" => run(async {
            greet().await;
            wait_until_written("joined");
            abort()
        }),
        "overflows" => run(async {
            greet().await;
            wait_until_written("joined");
            overflow(0);
        }),
        "yields much" => {
            run(async {
                for _ in 0..50_000 {
                    yield_now().await;
                }
            });
            println!("went on to its end");
        }
        "hangs" => run(async {
            drop(spawn_named("the one that hangs", async {
                loop {
                    thread::park();
                }
            }));
            yield_now().await;
        }),
        "spins" => run(async {
            let spinner = spawn_named("spinner", async {
                yield_now().await;
                loop {
                    std::hint::spin_loop();
                }
            });
            spinner.await.expect("it never ends");
        }),
        "yields" => run(async {
            loop {
                yield_now().await;
            }
        }),
        "two loops" => {
            run(async {});
            run(async { spawn_named("second", async {}).await.expect("it returns") });
        }
        "locks" => run(async {
            let mutex = Mutex::new(0);
            let add = async |mutex: Mutex<i32>| {
                let mut number = mutex.lock().await;
                yield_now().await;
                *number += 1;
            };
            gather([add(mutex.clone()), add(mutex)]).await;
        }),
        "has a logger that panics" => {
            log::set_logger(&PanicsAtErrors).expect("there is no other");
            log::set_max_level(log::LevelFilter::Error);
            run(greet());
        }
        "starts one of two loops in each of its own" => {
            for _ in 0..2 {
                run(async {
                    let mut other = Command::new(env::current_exe().expect("this program has a file"));
                    let status = other.env(harness::ROLE, "two loops").status().expect("it starts");
                    assert!(status.success());
                });
            }
        }
        "starts others" => {
            run(async {
                greet().await;
                let program = env::current_exe().expect("this program has a file");
                let other = Command::new(&program).env(harness::ROLE, "returns").status().expect("it starts");
                let mut command = oneloop::process::Command::new(program);
                let another = command.env(harness::ROLE, "returns").status().await.expect("it starts");
                assert!(other.success() && another.success());
            });
            // The recording is at its end, but it is still this process's.
            let program = env::current_exe().expect("this program has a file");
            let last = Command::new(program).env(harness::ROLE, "returns").status().expect("it starts");
            assert!(last.success());
        }
        _ => panic!("nobody plays {role}"),
    }
}

struct PanicsAtErrors;

impl log::Log for PanicsAtErrors {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        assert!(record.level() > log::Level::Error, "this logger takes no errors");
    }

    fn flush(&self) {}
}

async fn greet() {
    let task = spawn_named("greeter </script>", sleep(Duration::from_millis(1)));
    task.await.expect("it returns");
}

/// Waits, in the middle of a poll, until this program's own recording has an event of that kind.
fn wait_until_written(kind: &str) {
    let words = env::var("ONELOOP").expect("it is recorded");
    let file = PathBuf::from(words.strip_prefix("record=").expect("and nothing else is asked for"));
    let begun = Instant::now();
    while count(&lines(&file), kind) == 0 {
        assert!(begun.elapsed() < LIMIT, "it did not come: {:#?}", lines(&file));
        // The thread that records tells nobody what it has written.
        thread::sleep(Duration::from_millis(5));
    }
}

/// Does not come to its end.
fn overflow(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let room = std::hint::black_box([depth; 1_024]);
    overflow(depth + 1) + room[(depth % 1_024) as usize]
}

/// Where the recordings of one test lie.
struct Room(TempDir);

impl Room {
    fn new() -> Room {
        Room(tempdir().expect("there is room for files"))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("run.trace")
    }

    fn command(&self, role: &str, more: &str) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program has a file"));
        let words = format!("record={}{more}", self.file().display());
        command
            .env(harness::ROLE, role)
            .env("ONELOOP", words)
            .env_remove("RUST_BACKTRACE")
            .stderr(Stdio::piped());
        command
    }

    fn play(&self, role: &str, more: &str) -> Output {
        self.command(role, more).output().expect("it starts")
    }

    fn lines(&self) -> Vec<String> {
        lines(&self.file())
    }
}

/// The whole lines of a recording.
fn lines(path: &Path) -> Vec<String> {
    let mut text = Vec::new();
    read(fs::File::open(path).expect("it was made"), &mut text);
    let text = String::from_utf8(text).expect("all of it are strings");
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().map(str::to_owned).collect()
}

#[cfg(feature = "cli")]
fn read(file: fs::File, text: &mut Vec<u8>) {
    // A member that is being written has no end yet.
    let _ = flate2::read::MultiGzDecoder::new(file).read_to_end(text);
}

#[cfg(not(feature = "cli"))]
fn read(mut file: fs::File, text: &mut Vec<u8>) {
    file.read_to_end(text).expect("it can be read");
}

fn count(lines: &[String], kind: &str) -> usize {
    lines.iter().filter(|line| line.starts_with(&format!("{{\"k\":\"{kind}\""))).count()
}

fn has(lines: &[String], piece: &str) -> bool {
    lines.iter().any(|line| line.contains(piece))
}

/// All events are there, from the first to the last.
fn assert_no_gap(lines: &[String]) {
    let events = lines.iter().filter_map(|line| line.split_once("\"n\":")).map(|(_, rest)| rest);
    let numbers =
        events.map(|rest| rest[..rest.find(',').expect("a time follows")].parse::<usize>().unwrap());
    assert!(numbers.enumerate().all(|(index, number)| index == number), "{lines:#?}");
}

/// The recording is of a loop that was closed: whatever was spawned has ended.
fn assert_whole(lines: &[String]) {
    assert_no_gap(lines);
    assert_eq!(count(lines, "loop_end"), 1, "{lines:#?}");
    assert_eq!(count(lines, "spawn"), count(lines, "task_end"), "{lines:#?}");
}

fn a_program_that_returns_is_recorded_to_its_end() {
    let room = Room::new();
    assert!(room.play("returns", "").status.success());
    let lines = room.lines();
    assert_whole(&lines);
    assert!(has(&lines, "\"name\":\"greeter \\u003c/script>\""), "{lines:#?}");
    assert!(has(&lines, "\"file\":\"tests/recording.rs\""), "{lines:#?}");
    assert!(has(&lines, "\"why\":\"main_done\""), "{lines:#?}");
}

fn a_program_that_panics_is_recorded_to_its_end() {
    let room = Room::new();
    assert!(!room.play("panics", "").status.success());
    let lines = room.lines();
    assert_whole(&lines);
    assert!(has(&lines, "\"outcome\":\"panicked\""), "{lines:#?}");
}

fn a_program_that_exits_is_recorded_to_that_moment() {
    let room = Room::new();
    assert_eq!(room.play("exits", "").status.code(), Some(3));
    let lines = room.lines();
    assert_no_gap(&lines);
    let last = lines.last().expect("there are lines");
    assert!(last.starts_with("{\"k\":\"joined\""), "{last}");
}

fn a_program_that_aborts_leaves_what_was_written() {
    let room = Room::new();
    assert_eq!(room.play("aborts", "").status.code(), None);
    let lines = room.lines();
    assert_no_gap(&lines);
    assert!(has(&lines, "\"k\":\"joined\""), "{lines:#?}");
}

fn a_stack_that_overflows_leaves_what_was_written() {
    let room = Room::new();
    let output = room.play("overflows", "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code().is_none() && said.contains("overflowed its stack"), "{said}");
    let lines = room.lines();
    assert_no_gap(&lines);
    assert!(has(&lines, "\"k\":\"joined\""), "{lines:#?}");
}

/// Kills a program once its recording has what `done` looks for.
fn kill_when(room: &Room, mut child: Child, done: impl Fn(&[String]) -> bool) {
    let begun = Instant::now();
    while !(room.file().exists() && done(&room.lines())) {
        assert!(begun.elapsed() < LIMIT, "it did not come: {:#?}", room.lines());
        // Another process's file: nothing tells that it has grown.
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it goes on until now");
    child.wait().expect("it was killed");
}

fn a_program_that_hangs_in_a_poll_has_told_of_that_poll() {
    let room = Room::new();
    let child = room.command("hangs", "").spawn().expect("it starts");
    kill_when(&room, child, |lines| count(lines, "poll_begin") == 2);
    let lines = room.lines();
    assert_no_gap(&lines);
    assert!(lines.last().expect("there are lines").starts_with("{\"k\":\"poll_begin\""), "{lines:#?}");
}

fn a_program_killed_in_a_poll_that_never_ends_has_told_of_that() {
    let room = Room::new();
    let child = room.command("spins", "").spawn().expect("it starts");
    kill_when(&room, child, |lines| count(lines, "held_up") > 0);
    let lines = room.lines();
    assert_no_gap(&lines);
    let last = lines.last().expect("there are lines");
    assert!(
        last.starts_with("{\"k\":\"held_up\"") && last.contains("\"by\":{\"task\":1},\"took\":1"),
        "{last}"
    );
    #[cfg(feature = "cli")]
    {
        use oneloop::trace::findings::{Level, Limits, check, why};
        let recording = oneloop::trace::read::Recording::open(room.file()).expect("it can be read");
        let findings = check(&recording.events, Limits::default());
        let [finding] = findings.found() else { panic!("one thing is wrong: {findings:?}") };
        assert_eq!((finding.rule, finding.level), ("poll_stuck", Level::Error));
        let text = "A poll of task 1 (spinner) had held the loop up for more than 1";
        assert!(
            finding.text.starts_with(text) && finding.text.contains("from tests/recording.rs:"),
            "{finding}"
        );
        let mut world = oneloop::trace::fold::World::new();
        recording.events.iter().for_each(|event| world.apply(event));
        let why = why(&world, finding.task.expect("a task")).expect("it is known");
        assert!(why[0].contains("has been polled for more than 1") && why.len() == 1, "{why:?}");
    }
}

fn a_poll_that_never_ends_is_told_of_at_every_level() {
    let room = Room::new();
    let child = room.command("spins", ",level=loop,virtual").spawn().expect("it starts");
    kill_when(&room, child, |lines| count(lines, "held_up") > 0);
    assert_eq!(count(&room.lines(), "poll_begin"), 0);
}

fn a_program_killed_while_it_is_busy_leaves_whole_lines() {
    let room = Room::new();
    let child = room.command("yields", "").spawn().expect("it starts");
    kill_when(&room, child, |lines| lines.len() > 50_000);
    assert_no_gap(&room.lines());
}

fn a_second_loop_is_recorded_in_a_file_of_its_own() {
    let room = Room::new();
    assert!(room.play("two loops", "").status.success());
    let second = lines(&room.0.path().join("run.trace.2"));
    assert_whole(&room.lines());
    assert_whole(&second);
    assert!(has(&second, "\"name\":\"second\"") && !has(&room.lines(), "\"name\":\"second\""));
}

fn programs_that_a_program_starts_are_recorded_in_files_of_their_own() {
    let room = Room::new();
    // What was there before does not count.
    fs::write(room.file(), [b'x'; 1 << 16]).expect("there is room");
    let mut child = room.command("starts others", "").spawn().expect("it starts");
    let own = child.id();
    assert!(child.wait().expect("it is a child").success());
    // Of what it waited for, the finer events are left out.
    assert_eq!(count(&room.lines(), "loop_end"), 1, "{:#?}", room.lines());
    assert!(has(&room.lines(), &format!("\"pid\":{own}")), "{:#?}", room.lines());
    let files = fs::read_dir(room.0.path()).expect("it is there").map(|file| file.expect("so is it").path());
    let others: Vec<PathBuf> = files.filter(|file| *file != room.file()).collect();
    assert_eq!(others.len(), 3, "{others:?}");
    for file in others {
        let pid = file.extension().and_then(|pid| pid.to_str()).expect("a number").to_owned();
        assert_whole(&lines(&file));
        assert!(has(&lines(&file), &format!("\"pid\":{pid}")), "{:#?}", lines(&file));
    }
}

fn every_loop_of_a_program_that_a_program_starts_has_a_file_of_its_own() {
    let room = Room::new();
    let mut child =
        room.command("starts one of two loops in each of its own", "").spawn().expect("it starts");
    let own = child.id();
    assert!(child.wait().expect("it is a child").success());
    let files = fs::read_dir(room.0.path()).expect("it is there").map(|file| file.expect("so is it").path());
    let (mut firsts, mut seconds) = (0, 0);
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("in ASCII");
        let (lines, numbers) = (lines(&file), name.strip_prefix("run.trace").expect("it begins so"));
        assert_whole(&lines);
        let numbers: Vec<u32> = numbers.split('.').skip(1).map(|number| number.parse().unwrap()).collect();
        let pid = numbers.iter().copied().find(|number| *number != 2).unwrap_or(own);
        assert!(has(&lines, &format!("\"pid\":{pid},")), "{name}: {lines:#?}");
        let is_second = has(&lines, "\"name\":\"second\"");
        assert_eq!(is_second, pid != own && numbers.last() == Some(&2), "{name}: {lines:#?}");
        (firsts, seconds) = (firsts + usize::from(!is_second), seconds + usize::from(is_second));
    }
    assert_eq!((firsts, seconds), (4, 2), "two loops of its own, and two of each that it starts");
}

fn a_level_leaves_out_the_events_above_it() {
    let [of_loop, task, leaf] = ["loop", "task", "leaf"].map(|level| {
        let room = Room::new();
        assert!(room.play("locks", &format!(",level={level}")).status.success());
        room.lines()
    });
    assert_eq!([count(&of_loop, "spawn"), count(&of_loop, "wake")], [3, 0], "{of_loop:#?}");
    assert!(count(&task, "wake") > 0 && count(&task, "line_wait") == 0, "{task:#?}");
    assert_eq!([count(&leaf, "line_wait"), count(&leaf, "line_grant")], [1, 1], "{leaf:#?}");
    assert_no_gap(&leaf);
    assert!(leaf[0].contains("\"level\":\"leaf\""), "{}", leaf[0]);
}

fn a_file_that_cannot_be_made_is_an_error_that_names_it() {
    let room = Room::new();
    let path = room.0.path().join("no such folder/run.trace");
    let mut command = room.command("returns", "");
    let output = command.env("ONELOOP", format!("record={}", path.display())).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(&*path.to_string_lossy()), "{said}");
}

fn a_pipe_that_nobody_reads_is_an_error_and_not_waited_for() {
    let room = Room::new();
    let pipe = room.0.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("it is made");
    let recorded = || {
        let mut command = room.command("returns", "");
        command.env("ONELOOP", format!("record={}", pipe.display())).output().expect("it starts")
    };
    let output = recorded();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("nobody reads from this pipe"), "{said}");

    // One that is read takes all of it, however late.
    let reader = OpenOptions::new().read(true).write(true).open(&pipe).expect("it is there");
    assert!(recorded().status.success());
    let mut text = vec![0; 1 << 16];
    let length = (&reader).read(&mut text).expect("there is something");
    assert!(text[..length].starts_with(&[0x1f, 0x8b]) || text.starts_with(b"{\"k\":\"oneloop\""));
}

fn a_disk_that_is_full_is_said_and_the_program_goes_on() {
    let mut command = Room::new().command("returns", "");
    let output = command.env("ONELOOP", "record=/dev/full").output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("the recording /dev/full ends here").count(), 1, "{said}");
}

fn a_logger_that_panics_does_not_stop_the_recorder() {
    let mut command = Room::new().command("has a logger that panics", "");
    let output = command.env("ONELOOP", "record=/dev/full").output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("this logger takes no errors"), "{said}");
    assert_eq!(said.matches("oneloop: the recording /dev/full ends here").count(), 1, "{said}");
}

fn a_disk_that_fills_up_is_said_once_and_what_was_written_can_be_read() {
    let room = Room::new();
    let command = room.command("yields much", "");
    let program = command.get_program().to_owned();
    // A limit for files stands in for the end of the disk.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\""]).arg(program);
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && output.stdout == b"went on to its end\n", "{said}");
    assert_eq!(said.matches("ends here, it cannot be written").count(), 1, "{said}");
    let lines = room.lines();
    assert!(lines.len() > 100, "{said}");
    assert_no_gap(&lines);
}

fn the_first_line_tells_of_the_program() {
    let room = Room::new();
    assert!(
        room.command("returns", ",virtual")
            .args(["one", "say \"two\""])
            .status()
            .expect("it starts")
            .success()
    );
    let first = &room.lines()[0];
    assert!(first.starts_with("{\"k\":\"oneloop\",\"v\":1,\"program\":\""), "{first}");
    assert!(
        first.contains("\"args\":[\"one\",\"say \\\"two\\\"\"]") && first.contains("\"clock\":\"virtual\""),
        "{first}"
    );
}

fn main() -> ExitCode {
    let tests = harness::tests! {
        a_program_that_returns_is_recorded_to_its_end
        a_program_that_panics_is_recorded_to_its_end
        a_program_that_exits_is_recorded_to_that_moment
        a_program_that_aborts_leaves_what_was_written
        a_stack_that_overflows_leaves_what_was_written
        a_program_that_hangs_in_a_poll_has_told_of_that_poll
        a_program_killed_in_a_poll_that_never_ends_has_told_of_that
        a_poll_that_never_ends_is_told_of_at_every_level
        a_program_killed_while_it_is_busy_leaves_whole_lines
        a_second_loop_is_recorded_in_a_file_of_its_own
        programs_that_a_program_starts_are_recorded_in_files_of_their_own
        every_loop_of_a_program_that_a_program_starts_has_a_file_of_its_own
        a_level_leaves_out_the_events_above_it
        a_file_that_cannot_be_made_is_an_error_that_names_it
        a_pipe_that_nobody_reads_is_an_error_and_not_waited_for
        a_disk_that_is_full_is_said_and_the_program_goes_on
        a_logger_that_panics_does_not_stop_the_recorder
        a_disk_that_fills_up_is_said_once_and_what_was_written_can_be_read
        the_first_line_tells_of_the_program
    };
    harness::play_or_run(play, &tests)
}
