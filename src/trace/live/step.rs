//! Chapter 35, part 34: a program that waits at each event until it is told to go on.
//!
//! The observer here tells the stepper, another process at the other end of a socket, each event as a line of a
//! recording. Then it blocks, on the loop's own thread, until the stepper says `go`. Since everything happens on that
//! thread, the program stands still at exactly that event, in the middle of a poll if need be:
//!
//! ```text
//!   program                                     stepper
//!   event 17 happens
//!   ── {"k":"poll_begin","n":17,…} ───────────▶
//!   ── {"k":"stopped"} ───────────────────────▶ shows event 17, asks its user
//!      blocked; the clock is frozen                 …
//!   ◀────────────────────────────── go 1 ──────
//!   the poll goes on
//! ```
//!
//! The clock of a loop in real time leaves out what is spent here. Threads of the pool and the world outside go on
//! meanwhile, as they must; what they bring is found when the loop goes on.
//!
//! The stepper is trusted with nothing but `command.rs`. If it says anything else, goes away, or does not read for 10
//! seconds what it is told, it is left alone, and the program goes on unwatched.
//!
//! Before: `trace/live/command.rs`. Next: `trace/live/attach.rs`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::command::{Command, MAX_LINE, Wish, parse};
use crate::timer::clock::Frozen;
use crate::trace::event::{Event, EventKind};
use crate::trace::observer::{Choice, Decision, Observer};
use crate::trace::record::{About, Level, Lines};
use crate::trace::watchdog::Pulse;

/// While it goes on without stopping, a program sends and looks for commands once in so many events.
const BATCH: u32 = 32;

/// How long a stepper may leave unread what it is told.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most wishes that may be open at once.
const MAX_WISHES: usize = 64;

/// Tells a stepper of each event and lets it say when to go on. What `ONELOOP=step=SOCKET` installs.
pub(crate) struct Step {
    /// `None`: the stepper is gone, or is being talked to.
    link: RefCell<Option<Link>>,
    /// What it is told.
    level: Level,
    /// Takes the time the loop is held up.
    frozen: Frozen,
    /// Is told that it is.
    pulse: Arc<Pulse>,
}

/// The way to a stepper that is there.
struct Link {
    /// Never blocks; `poll` does the waiting.
    socket: UnixStream,
    lines: Lines,
    /// What is to be sent.
    unsent: Vec<u8>,
    /// The begin of a command whose end has not come yet.
    unread: Vec<u8>,
    /// How many more events until the next stop; `None`: no stop.
    left: Option<u64>,
    /// Events since the last look at the socket.
    unlooked: u32,
    /// When the latest event happened, on the loop's clock.
    now: Duration,
    /// What the stepper wants otherwise, in the order in which it said so.
    wishes: VecDeque<Wish>,
}

/// Why there is no stepper any more.
enum Gone {
    /// It said goodbye.
    Bye,
    /// The socket failed.
    Broken(io::Error),
    /// It said what nobody understands.
    Rubbish(Vec<u8>),
}

impl From<io::Error> for Gone {
    fn from(error: io::Error) -> Gone {
        Gone::Broken(error)
    }
}

impl Step {
    /// Connects to the stepper that listens at `path`. The time it takes is added to `frozen`.
    ///
    /// # Errors
    /// If nobody listens there.
    pub(crate) fn connect(path: &Path, about: &About, frozen: Frozen, pulse: Arc<Pulse>) -> io::Result<Step> {
        let socket = UnixStream::connect(path).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let socket = socket.map_err(|error| {
            let path = path.display();
            let text =
                format!("no stepper can be reached at {path}: {error}; `oneloop step PROGRAM` makes one");
            io::Error::new(error.kind(), text)
        })?;
        let mut unsent = Vec::new();
        about.header(SystemTime::now(), &mut unsent);
        let link = Link {
            socket,
            lines: Lines::new(),
            unsent,
            unread: Vec::new(),
            left: Some(1),
            unlooked: 0,
            now: Duration::ZERO,
            wishes: VecDeque::new(),
        };
        Ok(Step { link: RefCell::new(Some(link)), level: about.level, frozen, pulse })
    }

    /// Talks to the stepper, if there is one. Meanwhile there is none: a logger may be the user's code, and come
    /// back to the loop.
    fn with_link<R: Default>(&self, talk: impl FnOnce(&mut Link) -> Result<R, Gone>) -> R {
        let Some(mut link) = self.link.take() else { return R::default() };
        match talk(&mut link) {
            Ok(result) => {
                self.link.replace(Some(link));
                result
            }
            Err(gone) => {
                drop(link);
                gone.report();
                R::default()
            }
        }
    }
}

impl Observer for Step {
    fn event(&self, event: &Event) {
        if !self.level.records(&event.kind) {
            return;
        }
        let since = Instant::now();
        self.pulse.hold(|| self.with_link(|link| link.tell(event)));
        self.frozen.add(since);
    }

    fn decide(&self, choice: &Choice<'_>) -> Decision {
        self.with_link(|link| Ok(link.decide(choice)))
    }
}

impl Link {
    fn tell(&mut self, event: &Event) -> Result<(), Gone> {
        self.now = event.time;
        self.lines.event(event, &mut self.unsent);
        self.unlooked += 1;
        self.left = self.left.map(|left| left.saturating_sub(1));
        // It may be long until the next event.
        let rests = matches!(event.kind, EventKind::WaitBegin { .. } | EventKind::LoopEnd { .. });
        if self.left != Some(0) && !rests && self.unlooked < BATCH {
            return Ok(());
        }
        self.unlooked = 0;
        // Where it stands still it looks anyway.
        if self.left != Some(0) {
            self.look()?;
        }
        if self.left == Some(0) {
            self.unsent.extend_from_slice(b"{\"k\":\"stopped\"}\n");
            self.flush()?;
            while self.left == Some(0) {
                self.wait_for(PollFlags::IN, None)?;
                self.look()?;
            }
        }
        self.flush()
    }

    /// Does what the stepper has said by now.
    fn look(&mut self) -> Result<(), Gone> {
        let mut bytes = [0; 1024];
        loop {
            match self.socket.read(&mut bytes) {
                Ok(0) => return Err(Gone::Broken(ErrorKind::UnexpectedEof.into())),
                Ok(length) => {
                    self.take(&bytes[..length])?;
                    // There was no more.
                    if length < bytes.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.unread.extend_from_slice(bytes);
        let unread = std::mem::take(&mut self.unread);
        let mut lines = unread.split(|byte| *byte == b'\n');
        // What follows the last end of a line is the begin of the next one, or empty.
        let rest = lines.next_back().unwrap_or_default();
        for line in lines {
            self.obey(parse(line).ok_or_else(|| Gone::Rubbish(line.to_vec()))?)?;
        }
        if rest.len() >= MAX_LINE {
            return Err(Gone::Rubbish(rest.to_vec()));
        }
        self.unread = rest.to_vec();
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<(), Gone> {
        match command {
            Command::Go(events) => self.left = events,
            // The event that is told just now is the next one, if the program was on its way.
            Command::Stop => self.left = Some(0),
            Command::Wish(_) if self.wishes.len() >= MAX_WISHES => {
                let text = format!("more than {MAX_WISHES} wishes at once");
                return Err(Gone::Broken(io::Error::new(ErrorKind::QuotaExceeded, text)));
            }
            Command::Wish(wish) => self.wishes.push_back(wish),
            Command::Bye => return Err(Gone::Bye),
        }
        Ok(())
    }

    /// Sends all there is to send.
    fn flush(&mut self) -> Result<(), Gone> {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.socket.write(&self.unsent[sent..]) {
                Ok(length) => sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.wait_for(PollFlags::OUT, Some(PATIENCE))?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.unsent.clear();
        Ok(())
    }

    /// Blocks until the socket can be read from or written to.
    fn wait_for(&self, flags: PollFlags, at_most: Option<Duration>) -> Result<(), Gone> {
        let limit = at_most.and_then(|limit| Timespec::try_from(limit).ok());
        let mut sockets = [PollFd::new(&self.socket, flags)];
        match poll(&mut sockets, limit.as_ref()) {
            Ok(0) => {
                let text = format!("it has read nothing for {} s", PATIENCE.as_secs());
                Err(Gone::Broken(io::Error::new(ErrorKind::TimedOut, text)))
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(Gone::Broken(error.into())),
        }
    }

    fn decide(&mut self, choice: &Choice<'_>) -> Decision {
        let now = self.now;
        let mut answers = self.wishes.iter().enumerate();
        let answer = answers.find_map(|(index, wish)| Some((index, wish.answer(choice, now)?)));
        let Some((index, decision)) = answer else { return Decision::GoOn };
        if let Some(rest) = self.wishes.remove(index).and_then(Wish::rest) {
            self.wishes.insert(index, rest);
        }
        decision
    }
}

impl Gone {
    fn report(self) {
        let why = match self {
            Gone::Bye => return,
            Gone::Broken(error) if error.kind() == ErrorKind::UnexpectedEof => String::from("has gone away"),
            Gone::Broken(error) => format!("cannot be talked to: {error}"),
            Gone::Rubbish(line) => {
                format!("said what is no command: \"{}\"", line[..line.len().min(MAX_LINE)].escape_ascii())
            }
        };
        log::error!(target: "oneloop", "the stepper {why}; the program goes on unwatched");
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("connected", &self.link.borrow().is_some()).finish_non_exhaustive()
    }
}
