//! A program in its own process that goes on one event at a time.
//!
//! The program connects to a socket made here, and stops at each event until it is told to go on. Its output comes
//! through two pipes. What it wrote before an event is in the pipe before the event is on the socket, and the program
//! stands still then; so the pipes are emptied between reading the socket and taking up what was read, and each
//! piece of output finds its place among the events.
//!
//! ```text
//!   standard output ──┐
//!   standard error  ──┼──▶ poll ──▶ an event, some output, another loop, the end
//!   socket          ──┘
//! ```
//!
//! Everything that comes is bounded: lines, what is kept of a line, and what waits to be taken.

pub mod end;
mod pipes;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use oneloop::trace::read::{Decoder, Item, VERSION};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use self::end::{Folder, ToEnd, ending, signal};
use self::pipes::Pipes;
use crate::hangup;
use crate::program::{self, Level};
use crate::session::News;

/// The longest line that a program may send.
const MAX_LINE: usize = 1 << 20;

/// What a program says when it stands still.
const STOPPED: &[u8] = br#"{"k":"stopped"}"#;

/// How often it is looked whether the program has ended, where nothing else tells, and whether somebody has pressed a key.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// How long a program may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// A program that is stepped. Dropped, it is ended.
pub struct Live {
    child: Child,
    pipes: Pipes,
    listener: UnixListener,
    /// The loop that is stepped; `None`: there is none yet, or no more.
    link: Option<Link>,
    /// Loops made so far.
    loops: usize,
    /// What has come and was not taken yet.
    news: VecDeque<News>,
    /// Whether it goes on without stops, and was not told to stop.
    running: bool,
    /// Whether it has ended, and its number may be another's.
    ended: Arc<AtomicBool>,
    folder: Folder,
}

/// The way to a loop.
struct Link {
    socket: UnixStream,
    decoder: Decoder,
    /// The begin of a line.
    unread: Vec<u8>,
    /// Whether the loop stands still.
    stopped: bool,
}

impl Live {
    /// Starts a program, which stops at the first event of its first loop.
    ///
    /// # Errors
    /// One sentence that says what could not be done.
    pub fn start(executable: &Path, args: &[OsString], level: Option<Level>) -> Result<Live, String> {
        let told = |error: io::Error| format!("no socket can be made for the program: {error}");
        let folder = Folder::new().map_err(told)?;
        let path = folder.socket();
        let listener = UnixListener::bind(&path).map_err(told)?;
        listener.set_nonblocking(true).map_err(told)?;
        let mut command = Command::new(executable);
        command.args(args).env(program::VARIABLE, program::with_words("step", &path, level)?);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C in the terminal is for the stepper alone.
        command.process_group(0);
        let child = command.spawn();
        let mut child =
            child.map_err(|error| format!("{} cannot be started: {error}", executable.display()))?;
        let pipes = Pipes::of(&mut child).map_err(told)?;
        let (link, news, ended) = (None, VecDeque::new(), Arc::default());
        Ok(Live { child, pipes, listener, link, loops: 0, news, running: false, ended, folder })
    }

    /// What is needed to end the program from another thread.
    pub fn to_end(&self) -> ToEnd {
        let (pid, ending) = (self.child.id(), ending(&self.child));
        ToEnd { pid, ending, folder: self.folder.0.clone(), ended: Arc::clone(&self.ended) }
    }

    /// The process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What comes next: if the program stands still, it goes on for one event, or, with `running`, without a stop. One
    /// that is on its way is stopped at its next event if it is not to be `running`. After the end, the end again.
    pub fn next(&mut self, running: bool) -> News {
        if let Some(news) = self.news.pop_front() {
            return news;
        }
        if self.is_stopped() {
            self.go(running);
        } else if !running {
            self.stop();
        }
        if let Some(status) = self.wait() {
            self.ended.store(true, Ordering::Relaxed);
            return News::End(format!("The program has ended: {status}."));
        }
        self.news.pop_front().unwrap_or(News::Nothing)
    }

    /// If it goes on without stops, has it stop at its next event.
    pub fn stop(&mut self) {
        if std::mem::take(&mut self.running) {
            self.send("stop");
        }
    }

    /// Whether it is on its way, or something has come that was not taken yet.
    pub fn is_moving(&self) -> bool {
        !self.news.is_empty() || self.link.as_ref().is_some_and(|link| !link.stopped)
    }

    /// Lets the program, which stands still, do something otherwise: one line of `trace/live/command.rs`.
    pub fn send(&mut self, line: &str) {
        let Some(link) = &mut self.link else { return };
        if let Err(error) = writeln!(link.socket, "{line}") {
            self.lose(&format!("The program cannot be talked to any more ({error})"));
        }
    }

    /// Whether a loop stands still, so that it can be told something.
    pub fn is_stopped(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.stopped)
    }

    fn go(&mut self, running: bool) {
        self.running = running;
        if let Some(link) = &mut self.link {
            link.stopped = false;
        }
        self.send(if running { "go" } else { "go 1" });
    }

    /// Waits until something comes, and takes it up. `Some`: the program has ended, and nothing is left of it.
    fn wait(&mut self) -> Option<ExitStatus> {
        self.block();
        // Looked at first: what it wrote before its end is in the pipes then.
        let ended = if self.link.is_none() { self.child.try_wait().ok().flatten() } else { None };
        let mut bytes = [0; 1 << 14];
        let read = self.link.as_mut().map(|link| link.socket.read(&mut bytes));
        self.pipes.drain(!self.running, &mut self.news);
        match read {
            None => self.accept(),
            Some(Ok(0)) => self.link = None,
            Some(Ok(length)) => self.take(&bytes[..length]),
            Some(Err(error)) if is_for_later(&error) => {}
            Some(Err(_)) => self.link = None,
        }
        if ended.is_some() {
            self.pipes.end_lines(!self.running, &mut self.news);
        }
        ended.filter(|_| self.link.is_none() && self.news.is_empty())
    }

    /// Blocks until there is something to look at.
    fn block(&self) {
        let mut fds = self.pipes.fds();
        fds.extend(self.link.iter().map(|link| PollFd::new(&link.socket, PollFlags::IN)));
        fds.push(PollFd::new(&self.listener, PollFlags::IN));
        let _ = poll(&mut fds, Some(&LOOK));
        let comes = fds.last().is_some_and(|fd| !fd.revents().is_empty());
        drop(fds);
        if comes {
            self.turn_away();
        }
    }

    /// One loop at a time is stepped: another one beside it, or a loop of a process that the program has started, is
    /// sent on its way. If the first one has ended, even if its last words were not read yet, this is the next one, and waits.
    fn turn_away(&self) {
        let Some(link) = &self.link else { return };
        if !hangup::is_gone(&link.socket)
            && let Ok((mut other, _)) = self.listener.accept()
        {
            let _ = other.write_all(b"bye\n");
        }
    }

    fn accept(&mut self) {
        let Ok((socket, _)) = self.listener.accept() else { return };
        if let Err(error) = socket.set_nonblocking(true) {
            return self.news.push_back(News::Say(format!("the loop cannot be stepped: {error}")));
        }
        self.loops += 1;
        if self.loops > 1 {
            self.news.push_back(News::NewLoop);
        }
        self.link = Some(Link { socket, decoder: Decoder::new(), unread: Vec::new(), stopped: false });
    }

    fn take(&mut self, bytes: &[u8]) {
        let Some(link) = &mut self.link else { return };
        link.unread.extend_from_slice(bytes);
        let unread = std::mem::take(&mut link.unread);
        let (mut rest, mut events, mut fault) = (&unread[..], Vec::new(), None);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, left) = (&rest[..end], &rest[end + 1..]);
            rest = left;
            match link.decoder.decode(line) {
                _ if line == STOPPED => link.stopped = true,
                Ok(Item::Event(event)) => events.push(News::Event(event)),
                Ok(Item::Header(header)) if header.version > VERSION => {
                    let version = header.version;
                    fault = fault
                        .or(Some(format!("speaks version {version} of the trace format, which is too new")));
                }
                Ok(_) => {}
                Err(error) => fault = fault.or(Some(format!("sent a line that is no event ({error})"))),
            }
        }
        link.unread = rest.to_vec();
        if rest.len() > MAX_LINE {
            fault = Some("sent a line without an end".into());
        }
        if !events.is_empty() {
            self.pipes.end_lines(!self.running, &mut self.news);
        }
        self.news.extend(events);
        if let Some(fault) = fault {
            self.lose(&format!("The program {fault}"));
        }
    }

    /// Gives the loop up: it goes on by itself.
    fn lose(&mut self, why: &str) {
        self.link = None;
        self.news.push_back(News::Say(format!("{why}, and goes on without being watched.")));
    }

    /// Ends the program: with a request, and if that does not help, by force.
    fn end(&mut self) {
        self.send("bye");
        self.link = None;
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(self.child.id(), Signal::TERM);
            let (until, ending) = (Instant::now() + PATIENCE, ending(&self.child));
            while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
                // Its last words, so that it does not wait for somebody to read them.
                let mut fds = self.pipes.fds();
                fds.extend(ending.iter().map(|end| PollFd::new(end, PollFlags::IN)));
                let left =
                    Timespec::try_from(until.saturating_duration_since(Instant::now())).unwrap_or(LOOK);
                let _ = poll(&mut fds, Some(if ending.is_some() { &left } else { &LOOK }));
                self.pipes.drain(false, &mut self.news);
                self.news.clear();
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
