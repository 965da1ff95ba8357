//! Chapter 35, part 25: what does the program write, and when?
//!
//! A program that writes to its standard output does not tell its loop. `oneloop record` therefore puts itself in between:
//! what the program writes goes through a pipe to `oneloop record`, which writes it on at once and then sends it back
//! here, over a socket. Nothing is held up, and whatever happens to the program, what it wrote has been shown.
//!
//! ```text
//!   program                                             oneloop record
//!   println! ── pipe ─────────────────────────────────▶ reads it, shows it
//!   this file ◀─ socket ── + ── o 6 Hello\n ── . ────── sends it back
//!   the end of a poll: anything in the pipes, or on the socket?
//!            ── ? ────────────────────────────────────▶ reads what is in the pipes, shows it
//!            ◀───────── o 6 World\n ── ! ────────────── and answers: that is all
//! ```
//!
//! At the levels `leaf` and `frame`, and in virtual time, it is looked after each poll. Three questions to the operating
//! system (under a microsecond) say whether the poll has written anything: it is in a pipe, or on its way, and then a `+` was
//! sent before it was read. If so, the loop asks for it, and has it *exactly* at this poll. At the other levels that would
//! cost more than the events; a thread takes what comes, and it has its place by time alone.
//!
//! What other threads write during a poll is taken for the poll's. Of two loops at a time only the first is told: to the other
//! one `oneloop record` says `-`.
//!
//! Before: `trace/record/pieces.rs`. Next: `trace/record/writer.rs`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;

use super::pieces::{Pieces, Spot, Stream};
use crate::trace::event::{Event, EventKind};
use crate::trace::observer::Observer;

/// How long an answer may take. Whoever shows the output may be held up by whoever reads it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest piece that is taken, in bytes.
const MOST: usize = 1 << 20;

/// Learns what the program writes. What `ONELOOP=output=SOCKET` installs beside a recording.
pub(crate) struct Output {
    /// `None`: there is nobody to ask any more.
    link: RefCell<Option<Link>>,
    /// When it was looked last, on the loop's clock.
    looked: Cell<Duration>,
    pieces: Arc<Pieces>,
}

/// The way to `oneloop record`.
enum Link {
    /// Asked after each poll.
    Asked(UnixStream),
    /// Read by a thread. When that has ended, nobody can send there any more.
    Read(UnixStream, JoinHandle<()>, Receiver<()>),
}

/// What was said.
enum Said {
    Piece(Stream, Vec<u8>),
    /// A piece is about to be sent.
    Begin,
    /// That was all for now.
    End,
    /// That was the answer.
    Answer,
    /// Another loop is told already.
    Taken,
}

impl Output {
    /// Connects to `oneloop record`. `exact`: whether it is looked after each poll. `None`: another loop of this process, which
    /// is not closed, is told what it writes.
    ///
    /// # Errors
    /// If nobody listens there.
    pub(crate) fn connect(path: &Path, exact: bool) -> io::Result<Option<Output>> {
        let fault = |error: io::Error| {
            let path = path.display();
            let text =
                format!("nobody tells at {path} what the program writes: {error}; `oneloop record` does");
            io::Error::new(error.kind(), text)
        };
        let mut socket = UnixStream::connect(path).map_err(fault)?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(fault)?;
        socket.set_write_timeout(Some(PATIENCE)).map_err(fault)?;
        let pieces = Arc::<Pieces>::default();
        // What was written before there was a loop.
        let (now, zero) = (Spot::About(Duration::ZERO), Duration::ZERO);
        match ask(&mut socket, |stream, bytes| pieces.add(now, zero, stream, bytes)) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => return Ok(None),
            asked => asked.map_err(fault)?,
        }
        let link = match exact {
            true => Link::Asked(socket),
            false => {
                socket.set_read_timeout(None).map_err(fault)?;
                let (from, to) = (socket.try_clone().map_err(fault)?, Arc::clone(&pieces));
                let (ends, ended) = mpsc::channel();
                let builder = thread::Builder::new().name("oneloop-output".into());
                let follow = move || {
                    follow(from, &to);
                    drop(ends);
                };
                Link::Read(socket, builder.spawn(follow).map_err(fault)?, ended)
            }
        };
        Ok(Some(Output { link: RefCell::new(Some(link)), looked: Cell::default(), pieces }))
    }

    /// What was written and is to be recorded.
    pub(crate) fn pieces(&self) -> Arc<Pieces> {
        Arc::clone(&self.pieces)
    }

    /// Takes what was written by now.
    fn look(&self, spot: Spot, time: Duration) {
        self.looked.set(time);
        let mut link = self.link.borrow_mut();
        let Some(Link::Asked(socket)) = &mut *link else { return };
        let is_something = |waiting: rustix::io::Result<u64>| waiting.is_ok_and(|bytes| bytes > 0);
        // In this order: what leaves a pipe is announced on the socket before.
        let written = is_something(ioctl_fionread(io::stdout()))
            || is_something(ioctl_fionread(io::stderr()))
            || is_something(ioctl_fionread(&*socket));
        if written && let Err(error) = ask(socket, |stream, bytes| self.pieces.add(spot, time, stream, bytes))
        {
            log::error!(target: "oneloop", "what the program writes is not recorded any more: {error}");
            *link = None;
        }
    }
}

/// Asks for all that was written by now.
fn ask(socket: &mut UnixStream, mut take: impl FnMut(Stream, &[u8])) -> io::Result<()> {
    // Whoever refuses may have said so and hung up before it was asked. If nobody is there, that is heard, too.
    let _ = socket.write_all(b"?");
    loop {
        match hear(socket)? {
            Said::Piece(stream, bytes) => take(stream, &bytes),
            Said::Begin => {}
            Said::End => socket.write_all(b"k")?,
            Said::Answer => return socket.write_all(b"k"),
            Said::Taken => return Err(ErrorKind::ResourceBusy.into()),
        }
    }
}

/// Takes what comes, by time, up to the answer that the end asks for.
fn follow(mut socket: UnixStream, pieces: &Pieces) {
    // The loop is made just about now.
    let began = Instant::now();
    loop {
        match hear(&mut socket) {
            Ok(Said::Piece(stream, bytes)) => {
                let time = began.elapsed();
                pieces.add(Spot::About(time), time, stream, &bytes);
            }
            Ok(Said::Begin) => {}
            Ok(Said::End) => drop(socket.write_all(b"k")),
            Ok(Said::Answer) => return drop(socket.write_all(b"k")),
            Ok(Said::Taken) | Err(_) => return,
        }
    }
}

/// One thing that is said: `+`, `.`, `!`, `-`, or `o` or `e`, a length in four bytes, and so many bytes.
fn hear(socket: &mut UnixStream) -> io::Result<Said> {
    let mut word = [0];
    socket.read_exact(&mut word)?;
    let stream = match word[0] {
        b'+' => return Ok(Said::Begin),
        b'.' => return Ok(Said::End),
        b'!' => return Ok(Said::Answer),
        b'-' => return Ok(Said::Taken),
        b'o' => Stream::Out,
        b'e' => Stream::Error,
        other => {
            let text = format!("\"{}\" is no word", other.escape_ascii());
            return Err(io::Error::new(ErrorKind::InvalidData, text));
        }
    };
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MOST {
        return Err(io::Error::new(ErrorKind::InvalidData, "a piece is too long"));
    }
    let mut bytes = vec![0; length];
    socket.read_exact(&mut bytes)?;
    Ok(Said::Piece(stream, bytes))
}

impl Observer for Output {
    fn event(&self, event: &Event) {
        match event.kind {
            EventKind::PollEnd { .. } | EventKind::CallbackEnd { .. } => {
                self.look(Spot::Before(event.seq), event.time);
            }
            // Nobody is polled: it is another thread's, or the program's own.
            EventKind::WaitEnd { .. } | EventKind::LoopEnd { .. } => {
                self.look(Spot::About(event.time), event.time);
            }
            _ => {}
        }
    }

    fn decides(&self) -> bool {
        false
    }
}

impl Drop for Output {
    /// The loop is closed, and its recording ends: with all that was written until now.
    fn drop(&mut self) {
        match self.link.take() {
            Some(Link::Asked(mut socket)) => {
                let spot = Spot::Before(u64::MAX);
                let _ = ask(&mut socket, |stream, bytes| {
                    self.pieces.add(spot, self.looked.get(), stream, bytes);
                });
                let _ = socket.write_all(b"q");
            }
            Some(Link::Read(mut socket, thread, ended)) => {
                let asked = socket.write_all(b"?").is_ok();
                // A limit for reads would not reach the read that goes on.
                if !asked || ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    let _ = socket.shutdown(Shutdown::Both);
                }
                let _ = thread.join();
                let _ = socket.write_all(b"q");
            }
            None => {}
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("connected", &self.link.borrow().is_some()).finish_non_exhaustive()
    }
}
