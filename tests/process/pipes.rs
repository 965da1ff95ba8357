//! A child's three streams.

use std::io::ErrorKind;
use std::pin::pin;

use futures_lite::future::poll_once;
use futures_lite::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, StreamExt};
use oneloop::process::{Command, Stdio};
use oneloop::spawn;

use crate::{line, say, shell, virtual_loop};

/// More than both pipes hold together.
const BYTES: usize = 2 << 20;

fn bytes() -> Vec<u8> {
    (0..BYTES).map(|index| (index % 251) as u8).collect()
}

#[test]
fn a_conversation_goes_to_and_fro() {
    virtual_loop().run_until_complete(async {
        let mut child = shell("exec cat");
        for word in ["one", "two"] {
            say(&child, &format!("{word}\n")).await;
            assert_eq!(line(&child).await, word);
        }
        child.stdin = None;
        assert_eq!(child.stdout.as_ref().unwrap().read(&mut [0; 16]).await.unwrap(), 0);
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn communicate_moves_more_than_the_pipes_hold_in_both_directions() {
    virtual_loop().run_until_complete(async {
        let mut child = shell("exec tee /dev/stderr 2>&1 >/dev/null | cat");
        let output = child.communicate(bytes()).await.unwrap();
        assert!(output.status.success());
        assert!(output.stdout == bytes() && output.stderr.is_empty());
        let again = child.communicate("").await.unwrap();
        assert!(again.stdout.is_empty(), "the pipes were closed");
    });
}

#[test]
fn communicate_reads_both_streams_while_it_writes() {
    virtual_loop().run_until_complete(async {
        let mut command = Command::new("sh");
        command.args(["-c", "head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; cat"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = command.spawn().unwrap().communicate(bytes()).await.unwrap();
        assert_eq!(output.stderr.len(), 1_000_000);
        assert!(output.stdout[1_000_000..] == bytes());
    });
}

#[test]
fn a_child_that_does_not_read_its_input_is_no_error() {
    virtual_loop().run_until_complete(async {
        let mut child = shell("exec 0<&-; echo enough");
        let output = child.communicate(bytes()).await.unwrap();
        assert_eq!(output.stdout, b"enough\n");
    });
}

#[test]
fn writing_to_a_child_that_is_gone_is_an_error() {
    virtual_loop().run_until_complete(async {
        let child = shell("exit 0");
        child.wait().await.unwrap();
        // More than a pipe holds: another child that is just being started may have a copy of its other end.
        let error = child.stdin.as_ref().unwrap().write_all(&bytes()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_cancelled_conversation_closes_the_pipes_and_leaves_the_child() {
    virtual_loop().run_until_complete(async {
        let mut child = shell("cat; exit 9");
        assert!(poll_once(child.communicate(bytes())).await.is_none());
        // Its input has ended, its output is a broken pipe.
        let status = child.wait().await.unwrap();
        assert!(status.code() == Some(9), "{status}");
    });
}

#[test]
fn a_cancelled_read_loses_nothing() {
    virtual_loop().run_until_complete(async {
        let child = shell("exec cat");
        let stdout = child.stdout.as_ref().unwrap();
        {
            let mut buffer = [0; 16];
            let mut read = pin!(stdout.read(&mut buffer));
            assert!(poll_once(&mut read).await.is_none());
            say(&child, "hello").await;
        }
        let (mut all, mut buffer) = (Vec::new(), [0; 16]);
        while all.len() < 5 {
            let length = stdout.read(&mut buffer).await.unwrap();
            all.extend_from_slice(&buffer[..length]);
        }
        assert_eq!(all, b"hello");
    });
}

#[test]
fn a_cancelled_write_has_written_what_the_pipe_took() {
    virtual_loop().run_until_complete(async {
        let mut child = shell("read x; wc -c");
        let stdin = child.stdin.take().unwrap();
        stdin.write_all(b"\n").await.unwrap();
        let bytes = bytes();
        let mut written = 0;
        // `write` takes some and says how many; the last one is given up while the pipe is full.
        while let Some(result) = poll_once(stdin.write(&bytes)).await {
            written += result.unwrap();
            if written > 300_000 {
                break;
            }
        }
        drop(stdin);
        assert_eq!(line(&child).await.trim(), written.to_string());
    });
}

#[test]
fn other_libraries_use_the_pipes_through_the_traits() {
    virtual_loop().run_until_complete(async {
        let mut child = shell("exec cat");
        let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let writer = spawn(async move {
            AsyncWriteExt::write_all(&mut stdin, b"one\ntwo\n").await.unwrap();
            stdin.flush().await.unwrap();
            stdin.close().await.unwrap();
            AsyncWriteExt::write_all(&mut stdin, b"more").await.unwrap_err().kind()
        });
        let lines: Vec<_> =
            futures_lite::io::BufReader::new(stdout).lines().map(Result::unwrap).collect().await;
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(writer.await.unwrap(), ErrorKind::BrokenPipe);
        assert!(child.wait().await.unwrap().success());
        let mut command = Command::new("sh");
        command.args(["-c", "echo wrong >&2"]).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "wrong\n");
    });
}
