//! The sockets of stepping and attaching, both ways. The first byte says which: what a program reads from whoever steps it,
//! what the command reads from a program that it steps, or from one that it asks how its tasks stand.
#![no_main]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use oneloop::trace::fold::History;
use oneloop::trace::narrate::{Narrator, plain};
use oneloop::trace::read::{Decoder, Item};
use oneloop::{EventLoop, sleep, spawn, yield_now};
use tempfile::TempDir;

// A module of the command.
#[path = "../../src/bin/oneloop/attached/answer.rs"]
mod answer;

/// Where the sockets lie.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("there is room for a folder"));

fuzz_target!(|bytes: &[u8]| {
    let Some((way, bytes)) = bytes.split_first() else { return };
    match way % 3 {
        0 => to_a_program(bytes),
        1 => from_a_program(bytes),
        _ => from_one_that_is_asked(bytes),
    }
});

/// A program is stepped by somebody who says this and goes away. It comes to its end, whatever was said.
fn to_a_program(bytes: &[u8]) {
    let path = FOLDER.path().join("socket");
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("the folder is ours");
    let bytes = bytes.to_vec();
    let stepper = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("the program connects");
        let mut reader = socket.try_clone().expect("there are descriptors");
        // It may hang up in the middle.
        let _ = socket.write_all(&bytes).and_then(|()| socket.shutdown(Shutdown::Write));
        let _ = reader.read_to_end(&mut Vec::new());
    });
    let event_loop = EventLoop::builder().virtual_time().step(&path).build().expect("somebody listens");
    event_loop.run_until_complete(async {
        let sleeper = spawn(sleep(Duration::from_secs(5)));
        let yielder = spawn(async {
            yield_now().await;
            yield_now().await;
        });
        let (here, there) = oneloop::net::UnixStream::pair().expect("there are descriptors");
        let reader = spawn(async move { here.read(&mut [0; 16]).await.is_ok() });
        let _ = there.write_all(b"hello").await;
        let _ = (sleeper.await, yielder.await, reader.await);
    });
    drop(event_loop);
    stepper.join().expect("it does not panic");
}

/// The command steps a program that says this.
fn from_a_program(bytes: &[u8]) {
    let (mut decoder, mut narrator) = (Decoder::new(), Narrator::new());
    let mut history = History::new(Vec::new());
    for line in bytes.split(|byte| *byte == b'\n') {
        match decoder.decode(line) {
            Ok(Item::Event(event)) => {
                let sentence = narrator.sentence(&event);
                assert!(!sentence.contains(char::is_control), "{sentence:?}");
                history.push(event);
            }
            Ok(Item::Output(output)) => assert!(!plain(&output.text).contains(char::is_control)),
            Ok(_) => {}
            Err(fault) => assert!(fault.len() < 1_000),
        }
    }
    history.go(history.events().len());
}

/// The command asks a program that answers this.
fn from_one_that_is_asked(bytes: &[u8]) {
    let Ok(answer) = answer::read(bytes) else { return };
    assert!(!answer.heading().contains(char::is_control));
    answer.circle();
    for task in answer.tasks.values() {
        let spawned = task.spawned.clone();
        let said = [answer.named(task.number), spawned, task.standing(), task.wakers(&answer).join("")];
        said.iter().for_each(|text| assert!(!text.contains(char::is_control), "{text:?}"));
    }
}
