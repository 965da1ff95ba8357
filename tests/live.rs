//! Programs that are stepped and attached to, in processes of their own. Those programs are this test, so it has a
//! `main` of its own.

#[path = "support/harness.rs"]
mod harness;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use oneloop::{EventLoop, run, sleep, spawn, spawn_named, wait, yield_now};
use tempfile::{TempDir, tempdir};

/// So long a test waits for what is to come at once.
const SOON: Duration = Duration::from_secs(20);

/// So long a poll of some programs may go on before it is told of. Longer than a busy machine may leave a poll without a
/// core.
const PATIENCE: Duration = Duration::from_millis(500);

const HOUR: Duration = Duration::from_secs(3600);

/// The programs.
fn play(role: &str) {
    env_logger::init();
    match role {
        "three" => run(async {
            let tasks = ["a", "b", "c"].map(|name| spawn(async move { println!("{name}") }));
            for task in tasks {
                task.await.expect("printing does not panic");
            }
        }),
        "patient" => impatient().run_until_complete(async { println!("done") }),
        "sleeper" => run(async {
            sleep(HOUR).await;
            println!("woken");
        }),
        "victim" => run(async {
            let result = spawn(std::future::pending::<()>()).await;
            println!("{}", result.expect_err("it never ends by itself"));
        }),
        "reader" => run(async {
            let (here, there) = oneloop::net::UnixStream::pair().expect("there are descriptors");
            there.write_all(b"hello").await.expect("there is room");
            match here.read(&mut [0; 16]).await {
                Ok(length) => println!("{length} bytes"),
                Err(error) => println!("{:?}", error.kind()),
            }
        }),
        "steps" => run(async {
            for _ in 0..2_000 {
                yield_now().await;
            }
            println!("done");
        }),
        "twice" => {
            run(async { println!("one") });
            run(async { println!("two") });
        }
        "tree" => run(async {
            let sleepers = (0..3).map(|number| {
                spawn_named(&format!("sleeper {number}"), async {
                    sleep(HOUR).await;
                })
            });
            let sleepers: Vec<_> = sleepers.collect();
            let both = spawn_named("both", async { wait(sleepers).await.done.len() });
            println!("ready");
            both.await.expect("it does not panic");
        }),
        "nested" => run(async {
            println!("ready");
            nested().await;
        }),
        "not run" => {
            let _made = oneloop::EventLoop::new().expect("there are descriptors");
            println!("ready");
            loop {
                std::thread::park();
            }
        }
        "hog" => impatient().run_until_complete(async {
            println!("ready");
            loop {
                std::thread::park();
            }
        }),
        unknown => panic!("no program is called {unknown}"),
    }
}

/// A loop whose watchdog does not wait for a whole second.
fn impatient() -> EventLoop {
    EventLoop::builder().watchdog(PATIENCE).build().expect("there are descriptors")
}

async fn nested() {
    sleep(HOUR).await;
}

fn program(role: &str, words: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("a test has a path"));
    command
        .env(harness::ROLE, role)
        .env("ONELOOP", words)
        .env("RUST_LOG", "error")
        .env_remove("RUST_LOG_STYLE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A stepper made of nothing but the protocol.
struct Stepper {
    child: Child,
    lines: BufReader<UnixStream>,
    _folder: TempDir,
}

impl Stepper {
    fn start(role: &str) -> Stepper {
        let folder = tempdir().expect("there is room for a folder");
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).expect("the folder is new");
        let child = program(role, &format!("step={}", path.display())).spawn().expect("this test runs");
        let (socket, _) = listener.accept().expect("the program connects");
        socket.set_read_timeout(Some(SOON)).expect("20 s are not zero");
        Stepper { child, lines: BufReader::new(socket), _folder: folder }
    }

    fn say(&mut self, text: &str) {
        self.lines.get_ref().write_all(text.as_bytes()).expect("the program listens");
    }

    /// The next line; empty at the end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the program says something, or ends");
        line
    }

    /// Everything until the program stands still again, or has ended.
    fn until_stopped(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.line().trim_end() {
                "" | r#"{"k":"stopped"}"# => return lines,
                line => lines.push(line.to_owned()),
            }
        }
    }

    fn step(&mut self) -> Vec<String> {
        self.say("go 1\n");
        self.until_stopped()
    }

    /// Steps until a line has this in it.
    fn step_to(&mut self, piece: &str) {
        for _ in 0..10_000 {
            if self.step().iter().any(|line| line.contains(piece)) {
                return;
            }
        }
        panic!("{piece} never came");
    }

    /// Lets the program go on to its end; what it wrote to standard output and standard error.
    fn end(mut self) -> (String, String) {
        self.say("go\n");
        self.until_stopped();
        self.output()
    }

    fn output(self) -> (String, String) {
        let output = self.child.wait_with_output().expect("it is a child");
        assert!(output.status.success(), "{output:?}");
        let text = |bytes| String::from_utf8(bytes).expect("it writes text");
        (text(output.stdout), text(output.stderr))
    }
}

fn a_program_stops_at_each_event_until_it_is_told_to_go_on() {
    let mut stepper = Stepper::start("three");
    let first = stepper.until_stopped();
    assert!(first[0].starts_with(r#"{"k":"oneloop","v":1,"#), "{first:?}");
    assert!(first.last().is_some_and(|line| line.contains(r#""k":"spawn","n":0"#)), "{first:?}");
    for number in 1..6 {
        let lines = stepper.step();
        let events: Vec<_> = lines.iter().filter(|line| line.contains(r#","n":"#)).collect();
        assert!(events.len() == 1 && events[0].contains(&format!(r#","n":{number},"#)), "{lines:?}");
    }
    stepper.say("go 3\n");
    let events = stepper.until_stopped();
    assert_eq!(events.iter().filter(|line| line.contains(r#","n":"#)).count(), 3, "{events:?}");
    assert_eq!(stepper.end(), ("a\nb\nc\n".into(), String::new()));
}

fn the_clock_stands_still_while_the_program_does() {
    let mut stepper = Stepper::start("sleeper");
    stepper.until_stopped();
    stepper.step_to("timer_arm");
    const PAUSE: Duration = Duration::from_millis(50);
    let time = |lines: &[String]| -> u64 {
        let line = lines.iter().find(|line| line.contains(r#""t":"#)).expect("an event has a time");
        let digits = line.split(r#""t":"#).nth(1).expect("it is there").chars();
        digits.take_while(char::is_ascii_digit).collect::<String>().parse().expect("they are digits")
    };
    let began = Instant::now();
    let before = time(&stepper.step());
    stepper.lines.get_ref().set_read_timeout(Some(PAUSE)).expect("50 ms are not zero");
    let nothing = stepper.lines.fill_buf().expect_err("it says nothing while it stands still");
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    stepper.lines.get_ref().set_read_timeout(Some(SOON)).expect("20 s are not zero");
    let after = time(&stepper.step());
    let (passed, real) = (Duration::from_nanos(after - before), began.elapsed());
    assert!(
        passed + PAUSE <= real,
        "{passed:?} by the loop's clock within {real:?}, {PAUSE:?} of them a pause"
    );
    stepper.say("jump 3600000000000\n");
    stepper.step_to("clock_jump");
    assert_eq!(stepper.end().0, "woken\n");
}

fn whatever_is_ready_may_run_next() {
    let mut stepper = Stepper::start("three");
    stepper.say("run 3\nrun 2\n");
    assert_eq!(stepper.end().0, "c\nb\na\n");
}

fn a_timer_fires_as_soon_as_the_clock_jumps() {
    let mut stepper = Stepper::start("sleeper");
    stepper.step_to("wait_begin");
    stepper.say("jump 3600000000000\n");
    assert_eq!(stepper.end(), ("woken\n".into(), String::new()));
}

fn a_task_can_be_cancelled() {
    let mut stepper = Stepper::start("victim");
    stepper.step_to(r#""why":"forever""#);
    stepper.say("cancel 1\n");
    stepper.step_to(r#"{"k":"cancel""#);
    assert!(stepper.end().0.contains("cancelled"));
}

fn an_operation_can_fail_or_be_put_off() {
    let mut stepper = Stepper::start("reader");
    stepper.say("fail 0 read connection_reset\n");
    assert_eq!(stepper.end().0, "ConnectionReset\n");

    let mut stepper = Stepper::start("reader");
    stepper.say("delay 0 3\n");
    stepper.step_to(r#""suspended":["yield""#);
    assert_eq!(stepper.end().0, "5 bytes\n");
}

fn a_program_on_its_way_can_be_stopped() {
    let mut stepper = Stepper::start("steps");
    stepper.say("go\nstop\n");
    stepper.until_stopped();
    assert!(stepper.step().iter().any(|line| line.contains(r#","n":"#)), "it goes on from there");
    assert_eq!(stepper.end().0, "done\n");
}

fn a_stepper_that_talks_rubbish_is_left_alone() {
    let long = "x".repeat(100_000);
    for rubbish in
        ["GET / HTTP/1.1\r\n\r\n", "\n", "go 1; rm\n", "\u{1b}[2J\n", "run 99999999999999999999\n", &long]
    {
        let mut stepper = Stepper::start("three");
        stepper.until_stopped();
        // The program may have hung up before it has taken all of it.
        let _ = stepper.lines.get_ref().write_all(rubbish.as_bytes());
        let mut rest = Vec::new();
        if let Err(error) = stepper.lines.read_to_end(&mut rest) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it hangs up");
        }
        let (out, log) = stepper.output();
        assert_eq!(out, "a\nb\nc\n", "nothing was done");
        assert!(log.contains("said what is no command") && log.contains("unwatched"), "{log}");
        assert!(!log.contains('\u{1b}') && log.len() < 1_000, "{log}");
    }
}

fn a_stepper_with_more_wishes_than_can_be_kept_is_left_alone() {
    let mut stepper = Stepper::start("three");
    stepper.until_stopped();
    let _ = stepper.lines.get_ref().write_all("delay 77 1\n".repeat(1_000).as_bytes());
    let (out, log) = stepper.output();
    assert_eq!(out, "a\nb\nc\n");
    assert!(log.contains("more than 64 wishes"), "{log}");
}

fn a_stepper_that_goes_away_leaves_the_program_going() {
    let mut stepper = Stepper::start("steps");
    stepper.until_stopped();
    stepper.lines.get_ref().shutdown(Shutdown::Both).expect("it is connected");
    let (out, log) = stepper.output();
    assert_eq!(out, "done\n");
    assert!(log.contains("the stepper has gone away; the program goes on unwatched"), "{log}");

    // In the middle of a command, and while the program is on its way.
    let mut stepper = Stepper::start("steps");
    stepper.until_stopped();
    stepper.say("go\ncan");
    stepper.line();
    stepper.lines.get_ref().shutdown(Shutdown::Both).expect("it is connected");
    assert_eq!(stepper.output().0, "done\n");
}

fn a_stepper_may_take_its_leave() {
    let mut stepper = Stepper::start("steps");
    stepper.until_stopped();
    stepper.say("bye\n");
    assert_eq!(stepper.output(), ("done\n".into(), String::new()));
}

fn where_nobody_listens_the_program_says_so() {
    let output = program("three", "step=/nowhere/at all").output().expect("this test runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(text.contains("no stepper can be reached at /nowhere/at all: "), "{text}");
}

/// A program that is attached to, and the folder of its socket.
struct Attached {
    child: Child,
    folder: TempDir,
}

impl Attached {
    fn start(role: &str) -> Attached {
        Attached::start_with(role, "attach")
    }

    fn start_with(role: &str, words: &str) -> Attached {
        let folder = tempdir().expect("there is room for a folder");
        let mut child =
            program(role, words).env("XDG_RUNTIME_DIR", folder.path()).spawn().expect("this test runs");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("it says something");
        assert_eq!(line, "ready\n");
        Attached { child, folder }
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("oneloop").join(format!("{}.sock", self.child.id()))
    }

    fn ask(&self, question: &str) -> String {
        let mut socket = UnixStream::connect(self.socket()).expect("it listens");
        socket.set_read_timeout(Some(SOON)).expect("20 s are not zero");
        socket.write_all(question.as_bytes()).expect("it reads");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn a_running_program_says_how_its_tasks_stand() {
    let attached = Attached::start("tree");
    // The first question may come before the tasks have had their first turn.
    let answer = (0..200)
        .map(|_| attached.ask("tasks\n"))
        .find(|answer| answer.matches(r#""wait":"a sleep""#).count() == 3)
        .expect("three tasks sleep");
    let line = |name: &str| answer.lines().find(|line| line.contains(name)).expect(name).to_owned();
    assert_eq!(answer.lines().count(), 6, "{answer}");
    assert!(line(r#""name":"main""#).contains(r#""awaits":[4]"#), "{answer}");
    assert!(line(r#""name":"both""#).contains(r#""awaits":[1,2,3]"#), "{answer}");
    let sleeper = line(r#""name":"sleeper 1""#);
    assert!(sleeper.contains(r#""state":"suspended""#) && sleeper.contains("tests/live.rs"), "{sleeper}");
    assert!(sleeper.contains(r#""timers":[["#) && sleeper.contains(r#""outside":false"#), "{sleeper}");
}

/// It says so without the feature as well, in another way.
fn a_running_program_says_in_which_functions_its_tasks_wait() {
    if !cfg!(feature = "stacks") {
        let refused = program("nested", "attach,level=frame").output().expect("this test runs");
        let said = String::from_utf8_lossy(&refused.stderr);
        return assert!(said.contains("--features stacks"), "{said}");
    }
    let attached = Attached::start_with("nested", "attach,level=frame");
    let chain = |answer: &String| answer.contains(r#","frames":[["tests/live.rs","#);
    let answer = (0..200).map(|_| attached.ask("tasks\n")).find(chain).expect("it sleeps");
    let (_, frames) = answer.split_once(r#","frames":"#).expect("it was found");
    let frames = &frames[..frames.find("]]").expect("it is a list of lists")];
    assert_eq!(frames.matches("tests/live.rs").count(), 2, "{answer}");
}

fn whoever_asks_something_else_is_told_what_can_be_asked() {
    let attached = Attached::start("tree");
    let answer = attached.ask("tree!\n");
    assert!(answer.contains("the question there is: tasks"), "{answer}");
    // Somebody who says nothing, too little or too much, and goes away does not keep the next one from an answer.
    let long = "x".repeat(1 << 20);
    for rubbish in ["", "tas", &long, "\u{1b}[2J\0\n"] {
        let mut socket = UnixStream::connect(attached.socket()).expect("it listens");
        // It may have hung up in the middle.
        let _ = socket.write_all(rubbish.as_bytes());
        drop(socket);
        let answer = attached.ask("tasks\n");
        assert!(answer.lines().next().is_some_and(|line| line.starts_with(r#"{"k":"tasks""#)), "{answer}");
    }
}

fn a_loop_that_is_held_up_is_said_to_be_and_by_whom() {
    let hog = Attached::start("hog");
    let answer = hog.ask("tasks\n");
    assert!(answer.contains("did not come round"), "{answer}");
    let held = " s, from its beginning, and holds the loop up; spawned at tests/live.rs:";
    assert!(answer.contains("task 0 (main) has been running for more than "), "{answer}");
    assert!(answer.contains(held), "{answer}");
    if let Some(oneloop) = option_env!("CARGO_BIN_EXE_oneloop") {
        let mut why = Command::new(oneloop);
        why.args(["why", &hog.child.id().to_string()]).env("XDG_RUNTIME_DIR", hog.folder.path());
        let said = why.output().expect("it is built").stderr;
        let said = String::from_utf8(said).expect("it is text");
        assert!(said.contains("task 0 (main) has been running for more than"), "{said}");
    }
}

fn a_loop_that_was_made_and_is_not_run_is_said_to_be_that() {
    let answer = Attached::start("not run").ask("tasks\n");
    assert!(answer.contains("no run of it is going on"), "{answer}");
}

fn a_poll_that_never_ends_is_told_of_on_standard_error() {
    for word in ["debug", "print", "debug,print"] {
        let mut hog = program("hog", word).spawn().expect("this test runs");
        let said = said_by(&mut hog);
        assert!(said.starts_with("task 0 (main) has been running for more than "), "{said}");
        assert!(said.contains(", from its beginning, and holds the loop up"), "{said}");
        end(hog);
    }
}

/// The first thing that oneloop itself says in a program.
fn said_by(program: &mut Child) -> String {
    let stderr = BufReader::new(program.stderr.take().expect("it is a pipe"));
    let mut lines = stderr.lines().map(|line| line.expect("it writes text"));
    let said = lines.find_map(|line| line.strip_prefix("oneloop: ").map(str::to_owned));
    said.expect("it says something")
}

fn end(mut program: Child) {
    program.kill().expect("it goes on until now");
    program.wait().expect("it was killed");
}

fn a_stepper_that_takes_its_time_is_no_poll_that_never_ends() {
    let mut stepper = Stepper::start("patient");
    stepper.until_stopped();
    stepper.step_to(r#"{"k":"poll_begin""#);
    // The watchdog of a program that began later has lost its patience meanwhile.
    let mut hog = program("hog", "debug").spawn().expect("this test runs");
    said_by(&mut hog);
    end(hog);
    assert_eq!(stepper.end(), ("done\n".into(), String::new()));
}

fn only_the_owner_may_attach() {
    let attached = Attached::start("tree");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&attached.socket()), 0o600);
    assert_eq!(mode(attached.socket().parent().expect("it has one")), 0o700);

    let open = tempdir().expect("there is room");
    let folder = open.path().join("oneloop");
    fs::create_dir(&folder).expect("it is new");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let refused =
        program("three", "attach").env("XDG_RUNTIME_DIR", open.path()).output().expect("this test runs");
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && text.contains("belongs to this user alone"), "{text}");
}

fn the_socket_is_removed_at_the_end() {
    let folder = tempdir().expect("there is room");
    let run =
        program("twice", "attach").env("XDG_RUNTIME_DIR", folder.path()).output().expect("this test runs");
    assert!(run.status.success() && run.stdout == b"one\ntwo\n", "{run:?}");
    assert_eq!(fs::read_dir(folder.path().join("oneloop")).expect("it was made").count(), 0);
}

/// The harness of this test and its like.
fn a_test_is_chosen_or_skipped_by_a_part_of_its_name() {
    let tests: [harness::Test; 3] =
        ["red apple", "green apple", "red pear"].map(|name| (name, (|| {}) as fn()));
    let chosen = |arguments: &[&str]| -> Vec<&str> {
        let arguments = arguments.iter().map(|argument| argument.to_string());
        harness::chosen(&tests, arguments).iter().map(|(name, _)| *name).collect()
    };
    assert_eq!(chosen(&["--nocapture"]).len(), 3);
    assert_eq!(chosen(&["--skip", "red"]), ["green apple"]);
    assert_eq!(chosen(&["apple", "--test-threads", "1", "--skip=green"]), ["red apple"]);
    assert_eq!(chosen(&["green", "pear"]), ["green apple", "red pear"]);
}

fn main() -> ExitCode {
    let tests = harness::tests! {
        a_program_stops_at_each_event_until_it_is_told_to_go_on
        the_clock_stands_still_while_the_program_does
        whatever_is_ready_may_run_next
        a_timer_fires_as_soon_as_the_clock_jumps
        a_task_can_be_cancelled
        an_operation_can_fail_or_be_put_off
        a_program_on_its_way_can_be_stopped
        a_stepper_that_talks_rubbish_is_left_alone
        a_stepper_with_more_wishes_than_can_be_kept_is_left_alone
        a_stepper_that_goes_away_leaves_the_program_going
        a_stepper_may_take_its_leave
        where_nobody_listens_the_program_says_so
        a_running_program_says_how_its_tasks_stand
        a_running_program_says_in_which_functions_its_tasks_wait
        whoever_asks_something_else_is_told_what_can_be_asked
        a_loop_that_is_held_up_is_said_to_be_and_by_whom
        a_loop_that_was_made_and_is_not_run_is_said_to_be_that
        a_poll_that_never_ends_is_told_of_on_standard_error
        a_stepper_that_takes_its_time_is_no_poll_that_never_ends
        only_the_owner_may_attach
        the_socket_is_removed_at_the_end
        a_test_is_chosen_or_skipped_by_a_part_of_its_name
    };
    harness::play_or_run(play, &tests)
}
