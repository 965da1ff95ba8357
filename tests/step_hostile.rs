//! `oneloop step` with programs that say what no program says, or go away in the middle. Those programs are this test.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Set in such a program: what it is to say.
const ROLE: &str = "ONELOOP_TEST_ROLE";

/// A step that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

const HEADER: &str = "{\"k\":\"oneloop\",\"v\":1,\"program\":\"x\"}\n";
const SPAWN: &str = "{\"k\":\"spawn\",\"n\":0,\"t\":0,\"task\":0,\"name\":\"main\",\"by\":\"loop\",\"site\":1,\"future\":\"f\",\"size\":1}\n";
const STOPPED: &str = "{\"k\":\"stopped\"}\n";

/// What a program sends, before and after it was told to go on.
fn words(role: &str) -> (Vec<u8>, Vec<u8>) {
    let start = format!("{HEADER}{SPAWN}{STOPPED}");
    let after = |text: &str| (start.clone().into_bytes(), text.to_owned().into_bytes());
    match role {
        "rubbish" => (b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe\0\x1b[2J\n".to_vec(), Vec::new()),
        "nothing" => (Vec::new(), Vec::new()),
        "half a line" => (b"{\"k\":\"onel".to_vec(), Vec::new()),
        "an endless line" => (vec![b'x'; 3 << 20], Vec::new()),
        "a later version" => (b"{\"k\":\"oneloop\",\"v\":99}\n{\"k\":\"stopped\"}\n".to_vec(), Vec::new()),
        "goes away" => after(""),
        "rubbish later" => after("\x1b[2J\n[[[[\n{\"k\":3}\n{\"k\":\"stopped\"}\n"),
        "half a line later" => after("{\"k\":\"wake\",\"n\":1,"),
        "an endless line later" => after(&"x".repeat(3 << 20)),
        "deep" => after(&format!("{}\n{STOPPED}", "[".repeat(500_000))),
        "back in time" => after(&format!("{SPAWN}{SPAWN}{STOPPED}")),
        "escapes" => after(&format!(
            "{}{STOPPED}",
            SPAWN
                .replace("main", "\\u001b[2J")
                .replace("\"n\":0", "\"n\":1")
                .replace("\"f\"", "\"\\u009b2J\"")
        )),
        unknown => panic!("nobody plays {unknown}"),
    }
}

const ROLES: [&str; 12] = [
    "rubbish",
    "nothing",
    "half a line",
    "an endless line",
    "a later version",
    "goes away",
    "rubbish later",
    "half a line later",
    "an endless line later",
    "deep",
    "back in time",
    "escapes",
];

/// Not a test, but the program: it connects as one that is stepped, and says its words.
#[test]
fn program() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let words_of_oneloop = std::env::var("ONELOOP").expect("it is stepped");
    let path =
        words_of_oneloop.split(',').find_map(|word| word.strip_prefix("step=")).expect("it is stepped");
    let mut socket = UnixStream::connect(path).expect("the command listens");
    let (before, after) = words(&role);
    // The command may have hung up by then.
    let _ = socket.write_all(&before);
    if !after.is_empty() {
        let mut command = String::new();
        let _ = BufReader::new(&socket).read_line(&mut command);
        let _ = socket.write_all(&after);
    }
}

#[test]
fn whatever_a_program_says_the_command_says_so_and_comes_to_an_end() {
    for role in ROLES {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oneloop"));
        command.arg("step").arg(std::env::current_exe().expect("a test has a path"));
        command.args(["--exact", "program", "--nocapture"]).env(ROLE, role).env_remove("ONELOOP");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it is built");
        // It may end before it has read this.
        let _ = child.stdin.take().expect("it is a pipe").write_all(b"n\nn\nshow tasks\nc\n");
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().expect("it is a child") {
                Some(status) => break status,
                None if begun.elapsed() > LIMIT => {
                    child.kill().expect("it goes on");
                    panic!("{role}: it hangs");
                }
                // The standard library has no wait for a child that ends by itself after so long.
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let mut text = Vec::new();
        child.stdout.take().expect("it is a pipe").read_to_end(&mut text).expect("it is closed");
        child.stderr.take().expect("it is a pipe").read_to_end(&mut text).expect("it is closed");
        let text = String::from_utf8(text).expect("it is text");
        assert!(status.code().is_some_and(|code| code != 101), "{role}: {status}\n{text}");
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{role}: {text:?}");
        assert!(!text.is_empty() && text.len() < 100_000, "{role}: {} bytes", text.len());
    }
}
