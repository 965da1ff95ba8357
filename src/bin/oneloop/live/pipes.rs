//! What a program that is stepped writes to its standard output and standard error.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdout};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{MAX_LINE, is_for_later};
use crate::session::{News, Written};

/// Both, and the lines that have begun in them.
pub struct Pipes {
    /// `None`: at its end.
    stdout: Option<ChildStdout>,
    /// `None`: at its end.
    stderr: Option<ChildStderr>,
    /// What it has begun to write, line by line: to standard output and to standard error.
    partial: [Vec<u8>; 2],
}

impl Pipes {
    /// Those of this program, which will not block.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn of(child: &mut Child) -> io::Result<Pipes> {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let both = [stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)];
        for pipe in both.into_iter().flatten() {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Pipes { stdout, stderr, partial: Default::default() })
    }

    /// What is to be waited for.
    pub fn fds(&self) -> Vec<PollFd<'_>> {
        let mut fds = Vec::with_capacity(8);
        fds.extend(self.stdout.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.stderr.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds
    }

    /// Takes what is in them, as far as it is whole lines. `exact`: it was written just now, and not a while ago.
    pub fn drain(&mut self, exact: bool, news: &mut VecDeque<News>) {
        const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Mostly there is nothing, and one look at both tells.
        if matches!(poll(&mut self.fds(), Some(&NOW)), Ok(0)) {
            return;
        }
        let read = [read_all(&mut self.stdout), read_all(&mut self.stderr)];
        for (stream, text) in read.into_iter().enumerate() {
            self.partial[stream].extend_from_slice(&text);
            let partial = &self.partial[stream];
            let whole = partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let whole = if partial.len() > MAX_LINE { partial.len() } else { whole };
            news.extend(self.written(stream, whole, exact));
        }
    }

    /// Something comes after what was written so far, whether its line has ended or not.
    pub fn end_lines(&mut self, exact: bool, news: &mut VecDeque<News>) {
        news.extend((0..2).filter_map(|stream| self.written(stream, self.partial[stream].len(), exact)));
    }

    /// The first bytes of what a stream has brought, as a piece of output.
    fn written(&mut self, stream: usize, length: usize, exact: bool) -> Option<News> {
        if length == 0 {
            return None;
        }
        let text: Vec<u8> = self.partial[stream].drain(..length).collect();
        let text = String::from_utf8_lossy(&text).into();
        // After the events that were taken; which these are, whoever takes this knows.
        Some(News::Written(Written { after: 0, stderr: stream == 1, exact, text }))
    }
}

/// All that can be read now; the pipe is given up at its end.
fn read_all(pipe: &mut Option<impl Read>) -> Vec<u8> {
    let mut text = Vec::new();
    let Some(from) = pipe else { return text };
    let mut bytes = [0; 1 << 14];
    loop {
        match from.read(&mut bytes) {
            Ok(length @ 1..) => text.extend_from_slice(&bytes[..length]),
            Err(error) if is_for_later(&error) => return text,
            Ok(0) | Err(_) => {
                *pipe = None;
                return text;
            }
        }
        // A program that writes without pause is not to keep everything else waiting.
        if text.len() > MAX_LINE {
            return text;
        }
    }
}
