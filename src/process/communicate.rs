//! Chapter 32, part 6: give a child its input, gather its output, wait for its end.
//!
//! One after the other would not do. A pipe holds some 64 KiB: a child that writes more than that before it has read
//! all waits for us to read, while we wait for it to read. So all three pipes go on at once, in one future.
//!
//! Before: `process/child.rs`. Next: `process_pool/mod.rs`, this program as a child of its own.

use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::mem;
use std::pin::Pin;
use std::process::Output;
use std::task::{Context, Poll};

use super::child::Child;
use super::ending::Waiting;
use super::pipes::{ChildStderr, ChildStdin, ChildStdout};
use crate::net::stream::{Stream, poll_read, poll_write};
use crate::reactor::Interest;

/// The most bytes of each stream that are gathered, unless [`Command::most_output`](super::Command::most_output) says
/// otherwise: 256 MiB.
pub const MOST_OUTPUT: usize = 256 * 1024 * 1024;

/// How much is read at a time: what a pipe holds.
const CHUNK: usize = 64 * 1024;

impl Child {
    /// Writes `input` to the child's stdin and closes that, gathers what it writes to stdout and stderr until the end,
    /// and waits for its exit, all at once. Streams that are no pipes, or were taken out, are left alone: their
    /// output is empty.
    ///
    /// asyncio's `Process.communicate`. As there, it is no error if the child does not read its input to the end. If
    /// the child has left its pipes to processes of its own, their end is waited for, too.
    ///
    /// # Errors
    /// What the operating system says, with the command; `FileTooLarge` if a stream is longer than
    /// [`Command::most_output`](super::Command::most_output).
    ///
    /// # Cancellation
    /// What was read is lost, the pipes are closed. The child can still be waited for, or killed.
    ///
    /// ```
    /// use oneloop::process::{Command, Stdio};
    ///
    /// oneloop::run(async {
    ///     let mut sort = Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    ///     let output = sort.communicate("b\na\n").await?;
    ///     assert_eq!(output.stdout, b"a\nb\n");
    ///     Ok::<(), std::io::Error>(())
    /// })
    /// # .unwrap();
    /// ```
    pub fn communicate(&mut self, input: impl Into<Vec<u8>>) -> Communicate<'_> {
        let conversation = Conversation::new(self, input.into());
        Communicate { child: self, conversation }
    }
}

/// What goes to a child.
struct Feeding {
    /// `None` once it is closed.
    pipe: Option<ChildStdin>,
    input: Vec<u8>,
    /// How much of it the child has.
    written: usize,
    interest: Interest,
}

impl Feeding {
    #[track_caller]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(pipe) = &self.pipe {
            if self.written == self.input.len() {
                self.pipe = None;
                break;
            }
            match poll_write(pipe, cx, &self.input[self.written..], Some(&mut self.interest)) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(written)) => self.written += written,
                // The child reads no more: its business.
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::BrokenPipe => self.pipe = None,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What comes from a child.
struct Gathering<S: Stream> {
    /// `None` once it has come to its end.
    pipe: Option<S>,
    bytes: Vec<u8>,
    interest: Interest,
}

impl<S: Stream> Gathering<S> {
    fn new(pipe: Option<S>) -> Gathering<S> {
        Gathering { pipe, bytes: Vec::new(), interest: Interest::default() }
    }

    #[track_caller]
    fn poll(&mut self, cx: &mut Context<'_>, chunk: &mut [u8], most: usize) -> Poll<io::Result<()>> {
        while let Some(pipe) = &self.pipe {
            match poll_read(pipe, cx, chunk, Some(&mut self.interest)) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => self.pipe = None,
                Poll::Ready(Ok(length)) if length > most - self.bytes.len() => {
                    let text =
                        format!("its output is longer than {most} bytes; read it piece by piece instead");
                    return Poll::Ready(Err(io::Error::new(ErrorKind::FileTooLarge, text)));
                }
                Poll::Ready(Ok(length)) => self.bytes.extend_from_slice(&chunk[..length]),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Everything at once.
struct Conversation {
    stdin: Feeding,
    stdout: Gathering<ChildStdout>,
    stderr: Gathering<ChildStderr>,
    /// Where each read goes first.
    chunk: Box<[u8]>,
    waiting: Waiting,
}

impl Conversation {
    fn new(child: &mut Child, input: Vec<u8>) -> Conversation {
        let stdin = Feeding { pipe: child.stdin.take(), input, written: 0, interest: Interest::default() };
        Conversation {
            stdin,
            stdout: Gathering::new(child.stdout.take()),
            stderr: Gathering::new(child.stderr.take()),
            chunk: vec![0; CHUNK].into(),
            waiting: Waiting::default(),
        }
    }

    #[track_caller]
    fn poll(&mut self, cx: &mut Context<'_>, child: &Child) -> Poll<io::Result<Output>> {
        let most = child.most_output;
        let parts = [
            self.stdin.poll(cx),
            self.stdout.poll(cx, &mut self.chunk, most),
            self.stderr.poll(cx, &mut self.chunk, most),
        ];
        let mut pending = false;
        for part in parts {
            match part {
                Poll::Pending => pending = true,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(child.explained("communicate with", &error)));
                }
            }
        }
        if pending {
            return Poll::Pending;
        }
        child.poll_wait(cx, &mut self.waiting).map_ok(|status| Output {
            status,
            stdout: mem::take(&mut self.stdout.bytes),
            stderr: mem::take(&mut self.stderr.bytes),
        })
    }
}

/// The future of [`Child::communicate`].
#[must_use = "futures do nothing unless awaited"]
pub struct Communicate<'a> {
    child: &'a mut Child,
    conversation: Conversation,
}

impl Future for Communicate<'_> {
    type Output = io::Result<Output>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.conversation.poll(cx, this.child)
    }
}

impl Drop for Communicate<'_> {
    fn drop(&mut self) {
        self.child.forget(&self.conversation.waiting);
    }
}

impl fmt::Debug for Communicate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Communicate").field("child", self.child).finish_non_exhaustive()
    }
}

/// The future of [`Command::output`](super::Command::output).
#[must_use = "futures do nothing unless awaited"]
pub struct Collect {
    /// The child and what is said to it, or why there is none.
    running: io::Result<(Child, Conversation)>,
}

impl Collect {
    pub(super) fn new(child: io::Result<Child>) -> Collect {
        let running = child.map(|mut child| {
            let conversation = Conversation::new(&mut child, Vec::new());
            (child, conversation)
        });
        Collect { running }
    }
}

impl Future for Collect {
    type Output = io::Result<Output>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.running {
            Ok((child, conversation)) => conversation.poll(cx, child),
            Err(error) => Poll::Ready(Err(io::Error::new(error.kind(), error.to_string()))),
        }
    }
}

impl fmt::Debug for Collect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let child = self.running.as_ref().map(|(child, _)| child);
        f.debug_struct("Collect").field("child", &child).finish_non_exhaustive()
    }
}
