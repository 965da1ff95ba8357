//! What a flight recorder leaves, and when. The programs are this test, so it has a `main` of its own.

#[path = "support/harness.rs"]
mod harness;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::thread;
use std::time::Duration;

use oneloop::{call_soon, run, sleep, spawn_named, yield_now};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::{TempDir, tempdir};

/// The programs.
fn play(role: &str) {
    match role {
        "returns" => run(work()),
        "panics unheard" => run(async {
            work().await;
            fail().await;
            work().await;
        }),
        "panics unheard, often" => run(async {
            for _ in 0..12 {
                fail().await;
            }
        }),
        "panics in a callback" => run(async {
            call_soon(|| panic!("no such luck"));
            work().await;
        }),
        "panics" => run(async {
            work().await;
            panic!("no such luck");
        }),
        "waits for nothing" => run(async {
            work().await;
            std::future::pending::<()>().await;
        }),
        "waits for nothing at all" => run(std::future::pending::<()>()),
        "hangs" => run(async {
            work().await;
            drop(spawn_named("the one that hangs", async {
                println!("here I am");
                loop {
                    thread::park();
                }
            }));
            yield_now().await;
        }),
        _ => panic!("nobody plays {role}"),
    }
}

/// Makes some events, and leaves a task that sleeps.
async fn work() {
    drop(spawn_named("sleeper", sleep(Duration::from_secs(1_000))));
    for _ in 0..20 {
        yield_now().await;
    }
}

/// Has a task fail whose result nobody takes.
async fn fail() {
    drop(spawn_named("failure", async { panic!("no such luck") }));
    yield_now().await;
}

/// Where the files of one test lie.
struct Room(TempDir);

impl Room {
    fn new() -> Room {
        Room(tempdir().expect("there is room for files"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, role: &str, more: &str) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program has a file"));
        let words = format!("flight={}{more}", self.file("f").display());
        command.env(harness::ROLE, role).env("ONELOOP", words).env_remove("RUST_BACKTRACE");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Plays it in virtual time, with a whole recording beside, and returns what it said of itself.
    fn play(&self, role: &str, more: &str) -> Vec<String> {
        let more = format!(",virtual,record={}{more}", self.file("whole").display());
        let Output { stderr, .. } = self.command(role, &more).output().expect("it starts");
        let said = String::from_utf8(stderr).expect("it is text");
        said.lines().filter_map(|line| line.strip_prefix("oneloop: ")).map(str::to_owned).collect()
    }

    /// What is there, by name.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("it is a folder");
        let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("it is text");
        let mut names: Vec<String> = entries.map(|entry| name(entry.expect("it is there"))).collect();
        names.sort();
        names
    }

    /// The lines of a file that are events: all but the first, places and snapshots.
    fn events(&self, name: &str) -> Vec<String> {
        let mut lines = lines(&self.file(name));
        assert!(lines.remove(0).starts_with("{\"k\":\"oneloop\""));
        lines.retain(|line| line.contains("\"n\":") && !line.starts_with("{\"k\":\"snapshot"));
        lines
    }

    /// A file has the last `number` events up to one of this kind, and stands for all those before.
    fn assert_last(&self, name: &str, number: usize, kind: &str) {
        let events = self.events(name);
        assert_eq!(events.len(), number, "{events:#?}");
        let last = events.last().expect("there are some");
        assert!(last.starts_with(&format!("{{\"k\":\"{kind}\"")), "{last}");
        #[cfg(feature = "cli")]
        self.assert_folds_as_the_whole(name);
    }

    #[cfg(feature = "cli")]
    fn assert_folds_as_the_whole(&self, name: &str) {
        use oneloop::trace::{fold::World, read::Recording};
        let open = |name| Recording::open(self.file(name)).expect("it can be read");
        let (part, whole) = (open(name), open("whole"));
        assert_eq!(part.header.lost, part.events[0].seq, "at this level no event is left out");
        assert_eq!(part.header.started[..16], whole.header.started[..16]);
        let mut world = part.begin.unwrap_or_default();
        part.events.iter().for_each(|event| world.apply(event));
        let last = part.events.last().expect("there are some").seq;
        let mut expected = World::new();
        whole.events.iter().take_while(|event| event.seq <= last).for_each(|event| expected.apply(event));
        assert_eq!(world, expected);
        assert!(!world.tasks.is_empty() || part.events.len() < 10, "a task sleeps");
    }
}

fn lines(path: &Path) -> Vec<String> {
    let mut text = String::new();
    let file = fs::File::open(path).expect("it was made");
    #[cfg(feature = "cli")]
    let file = flate2::read::MultiGzDecoder::new(file);
    BufReader::new(file).read_to_string(&mut text).expect("it is whole");
    text.lines().map(str::to_owned).collect()
}

/// The next line of these that oneloop itself has written.
fn next_said(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> String {
    let said = lines.find_map(|line| line.expect("it goes on").strip_prefix("oneloop: ").map(str::to_owned));
    said.expect("it says something")
}

fn end(mut child: Child) {
    child.kill().expect("it goes on until now");
    child.wait().expect("it was killed");
}

fn where_all_goes_well_nothing_is_written() {
    let room = Room::new();
    assert_eq!(room.play("returns", ""), [""; 0]);
    assert_eq!(room.files(), ["whole"]);
}

fn a_panic_that_nobody_took_leaves_the_last_events() {
    let room = Room::new();
    let said = room.play("panics unheard", ",last=25");
    let file = room.file("f").display().to_string();
    let how = "(failure) ended with: it panicked: no such luck: 25 events in ";
    assert!(said.len() == 1 && said[0].contains(how), "{said:?}");
    assert!(said[0].ends_with(&format!("{file}, for `oneloop play {file}`")), "{said:?}");
    assert_eq!(room.files(), ["f", "whole"]);
    room.assert_last("f", 25, "unheard");
}

fn a_panic_in_a_callback_leaves_the_last_events() {
    let room = Room::new();
    let said = room.play("panics in a callback", ",last=5");
    assert!(said.len() == 1 && said[0].starts_with("callback 0 panicked: 5 events in "), "{said:?}");
    room.assert_last("f", 5, "callback_end");
}

fn a_panic_that_ends_the_run_leaves_the_last_events() {
    let room = Room::new();
    let said = room.play("panics", ",last=40");
    assert!(said.len() == 1 && said[0].starts_with("a panic ended the run: 40 events in "), "{said:?}");
    room.assert_last("f", 40, "loop_end");
}

fn a_short_run_is_there_as_a_whole() {
    let room = Room::new();
    room.play("panics", "");
    let (part, whole) = (room.events("f"), room.events("whole"));
    assert!(part.len() > 100 && whole.starts_with(&part), "{part:#?}");
    assert!(!lines(&room.file("f"))[0].contains("\"lost\""));
}

fn a_loop_that_can_never_go_on_leaves_its_last_events() {
    let room = Room::new();
    let said = room.play("waits for nothing", ",last=10");
    assert!(said[0].starts_with("the event loop can never go on: 10 events in "), "{said:?}");
    room.assert_last("f", 10, "stuck");
}

fn a_loop_that_can_never_go_on_is_noticed_in_real_time_too() {
    let room = Room::new();
    let mut child = room.command("waits for nothing at all", "").spawn().expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
    let first = next_said(&mut said);
    end(child);
    assert!(first.starts_with("the event loop can never go on: "), "{first}");
    assert!(room.events("f").last().is_some_and(|last| last.starts_with("{\"k\":\"stuck\"")));
}

fn a_signal_and_the_watchdog_leave_the_last_events_of_a_loop_that_hangs() {
    let room = Room::new();
    let mut child = room.command("hangs", ",last=30").spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("it is a pipe"));
    let mut said = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
    out.read_line(&mut String::new()).expect("it writes a line");
    kill_process(Pid::from_child(&child), Signal::USR1).expect("it goes on until now");
    let first = next_said(&mut said);
    assert!(first.starts_with("SIGUSR1 asks for the last events: 30 events in "), "{first}");
    let second = next_said(&mut said);
    end(child);
    let who = "(the one that hangs) has been running for more than 1";
    assert!(second.contains(who) && second.contains("holds the loop up: 31 events in "), "{second}");
    assert_eq!(room.files(), ["f", "f.2"]);
    let (first, mut second) = (room.events("f"), room.events("f.2"));
    assert!(first[29].starts_with("{\"k\":\"poll_begin\""), "{first:#?}");
    assert!(second.pop().is_some_and(|last| last.starts_with("{\"k\":\"held_up\"")));
    assert_eq!(first.len(), second.len());
}

fn a_file_that_is_there_stays_as_it_is() {
    let room = Room::new();
    fs::write(room.file("f"), "of another run").expect("there is room");
    room.play("panics", ",last=40");
    assert_eq!(fs::read_to_string(room.file("f")).expect("it is there"), "of another run");
    room.assert_last("f.2", 40, "loop_end");
}

fn no_more_than_ten_files_come_unasked() {
    let room = Room::new();
    let said = room.play("panics unheard, often", "");
    assert_eq!((said.len(), room.files().len()), (10, 11), "{said:#?}");
    assert!(said[9].contains("This was the last one") && !said[8].contains("last one"), "{said:#?}");
}

fn a_folder_that_is_not_there_is_an_error_at_once() {
    let room = Room::new();
    let mut command = room.command("returns", "");
    let path = room.file("no such folder/f").display().to_string();
    let output = command.env("ONELOOP", format!("flight={path}")).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(&path), "{said}");
}

fn main() -> ExitCode {
    let tests = harness::tests! {
        where_all_goes_well_nothing_is_written
        a_panic_that_nobody_took_leaves_the_last_events
        a_panic_in_a_callback_leaves_the_last_events
        a_panic_that_ends_the_run_leaves_the_last_events
        a_short_run_is_there_as_a_whole
        a_loop_that_can_never_go_on_leaves_its_last_events
        a_loop_that_can_never_go_on_is_noticed_in_real_time_too
        a_signal_and_the_watchdog_leave_the_last_events_of_a_loop_that_hangs
        a_file_that_is_there_stays_as_it_is
        no_more_than_ten_files_come_unasked
        a_folder_that_is_not_there_is_an_error_at_once
    };
    harness::play_or_run(play, &tests)
}
