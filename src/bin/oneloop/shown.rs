//! What a recorded program writes: shown at once, and told to its recording.
//!
//! The other end is `trace/record/output.rs`, which says how the two talk. Here everything is done in turn by one thread:
//! what is read from a pipe is first written to where our own output goes, and then sent. So what the program wrote is
//! shown whatever becomes of it, and when it asks, all that was read before is on its way already.
//!
//! ```text
//!   standard output ──┐            ┌──▶ ours
//!   standard error  ──┼──▶ poll ───┤
//!   socket ◀──────────┘            └──▶ socket, or kept until the program is ready for it
//! ```

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use crate::live::end::{Folder, ending};

/// The most bytes of one piece.
const CHUNK: usize = 16 << 10;

/// The most pieces that are read before it is looked who else wants something.
const PIECES: usize = 64;

/// The most bytes that are kept for a recording that does not take them; then no more is recorded.
const MOST: usize = 16 << 20;

/// How often it is looked whether the program has ended, on a system where nothing tells.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// Shows what a program writes.
pub struct Shown {
    folder: Folder,
    listener: UnixListener,
    /// The streams that are still open.
    pipes: Vec<Pipe>,
    /// The way to the recording; `None`: none is being made.
    link: Option<Link>,
    /// How many loops wanted to be told.
    loops: usize,
    /// Which of them, from 1, is told or was the last one; 0: none was.
    told: usize,
    /// What no recording has.
    left: Pieces,
}

/// What comes out of the program.
struct Pipe {
    /// `o` or `e`.
    stream: u8,
    from: File,
}

struct Link {
    socket: UnixStream,
    /// What the socket has not taken yet.
    unsent: Vec<u8>,
    /// What was sent and not acknowledged, group by group.
    unheard: VecDeque<Pieces>,
    /// Whether the recording has said that it ends.
    over: bool,
}

/// Output, piece by piece, each with its stream.
type Pieces = Vec<(u8, Vec<u8>)>;

/// What was written when nobody recorded it any more.
pub struct Left {
    pieces: Pieces,
    /// The number of the last recording, from 1.
    recording: usize,
}

impl Shown {
    /// Makes the socket.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn new() -> io::Result<Shown> {
        let folder = Folder::new()?;
        let listener = UnixListener::bind(folder.socket())?;
        listener.set_nonblocking(true)?;
        let (pipes, left) = (Vec::new(), Pieces::new());
        Ok(Shown { folder, listener, pipes, link: None, loops: 0, told: 0, left })
    }

    /// Where the recording is to connect.
    pub fn socket(&self) -> PathBuf {
        self.folder.socket()
    }

    /// Shows what the program writes, until it has ended and nobody else can write there any more.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn run(mut self, mut child: Child) -> io::Result<(ExitStatus, Left)> {
        let out = child.stdout.take().map(|pipe| (b'o', OwnedFd::from(pipe)));
        let error = child.stderr.take().map(|pipe| (b'e', OwnedFd::from(pipe)));
        for (stream, pipe) in out.into_iter().chain(error) {
            rustix::io::ioctl_fionbio(&pipe, true)?;
            self.pipes.push(Pipe { stream, from: pipe.into() });
        }
        while !self.pipes.is_empty() || self.link.is_some() {
            self.block(None, None);
            self.turn();
        }
        // It may have closed its output long before its end, and make its loop only then.
        let ending = ending(&child);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            self.block(ending.as_ref(), ending.is_none().then_some(&LOOK));
            self.turn();
        };
        Ok((status, Left { pieces: self.left, recording: self.told }))
    }

    /// Blocks until there is something to do, or the program has ended.
    fn block(&self, ending: Option<&OwnedFd>, limit: Option<&Timespec>) {
        let mut fds: Vec<_> = self.pipes.iter().map(|pipe| PollFd::new(&pipe.from, PollFlags::IN)).collect();
        fds.extend(ending.map(|end| PollFd::new(end, PollFlags::IN)));
        fds.push(PollFd::new(&self.listener, PollFlags::IN));
        if let Some(link) = &self.link {
            let write = if link.unsent.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            fds.push(PollFd::new(&link.socket, PollFlags::IN | write));
        }
        let _ = poll(&mut fds, limit);
    }

    fn turn(&mut self) {
        let asked = self.accept();
        self.pass_on(asked);
        let failed = self.link.as_mut().is_some_and(|link| link.flush().is_err());
        if failed {
            self.lose();
        }
    }

    /// One loop at a time is recorded with its output; another one beside it is told so. Whether the one that is recorded asks
    /// for what was written by now.
    fn accept(&mut self) -> bool {
        let next = self.listener.accept();
        // In this order: a loop that has ended has said so before the next one came.
        let asked = self.hear();
        let Ok((mut socket, _)) = next else { return asked };
        self.loops += 1;
        if self.link.is_some() {
            let _ = socket.write_all(b"-");
        } else if socket.set_nonblocking(true).is_ok() {
            self.told = self.loops;
            let (unsent, unheard) = (Vec::new(), VecDeque::new());
            self.link = Some(Link { socket, unsent, unheard, over: false });
        }
        asked
    }

    /// Takes what the recording says; whether it asks for what was written by now.
    fn hear(&mut self) -> bool {
        let (mut bytes, mut asked) = ([0; 256], false);
        while let Some(link) = &mut self.link {
            match link.socket.read(&mut bytes) {
                Ok(0) => self.lose(),
                Ok(length) => {
                    for word in &bytes[..length] {
                        match word {
                            b'?' => asked = true,
                            b'k' => drop(link.unheard.pop_front()),
                            b'q' => link.over = true,
                            _ => {}
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.lose(),
            }
        }
        asked
    }

    /// The recording is over, or cannot be talked to. What it has not taken, it does not have.
    fn lose(&mut self) {
        let Some(link) = self.link.take() else { return };
        if !link.over {
            let unheard: Pieces = link.unheard.into_iter().flatten().collect();
            self.left.splice(0..0, unheard);
        }
    }

    /// Shows what is in the pipes, and sends it.
    fn pass_on(&mut self, asked: bool) {
        let mut pieces = if asked { std::mem::take(&mut self.left) } else { Pieces::new() };
        let mut begun = asked;
        let mut bytes = [0; CHUNK];
        let mut pipes = std::mem::take(&mut self.pipes);
        pipes.retain_mut(|pipe| {
            // What leaves a pipe is announced before. What has come since this look is left for the next.
            if !begun && !pipe.has_something() {
                return true;
            }
            if !begun && let Some(link) = &mut self.link {
                begun = true;
                link.unsent.push(b'+');
                let _ = link.flush();
            }
            // A pipe holds less: all that was written before somebody asked is read.
            for _ in 0..PIECES {
                match pipe.from.read(&mut bytes) {
                    Ok(length @ 1..) => {
                        pieces.push((pipe.stream, bytes[..length].to_vec()));
                        // If nobody reads it any more, the program is to hear of that.
                        if show(pipe.stream, &bytes[..length]).is_err() {
                            return false;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                    Ok(0) | Err(_) => return false,
                }
            }
            true
        });
        self.pipes = pipes;
        match &mut self.link {
            Some(link) if begun => link.send(pieces, asked),
            _ => self.left.append(&mut pieces),
        }
        let too_much = self.left.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MOST;
        if too_much {
            self.left.drain(..self.left.len() / 2);
        }
    }
}

impl Pipe {
    /// Whether there is something to read, or its end.
    fn has_something(&self) -> bool {
        const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        !matches!(poll(&mut [PollFd::new(&self.from, PollFlags::IN)], Some(&NOW)), Ok(0))
    }
}

/// Writes on what the program wrote.
fn show(stream: u8, bytes: &[u8]) -> io::Result<()> {
    match stream {
        b'o' => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()
        }
        _ => io::stderr().lock().write_all(bytes),
    }
}

impl Link {
    /// Sends a group.
    fn send(&mut self, pieces: Pieces, asked: bool) {
        for (stream, bytes) in &pieces {
            self.unsent.push(*stream);
            self.unsent.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
            self.unsent.extend_from_slice(bytes);
        }
        self.unsent.push(if asked { b'!' } else { b'.' });
        self.unheard.push_back(pieces);
    }

    /// Has the socket take what it can.
    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(length) => drop(self.unsent.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.unsent.len() <= MOST => {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Left {
    /// Adds it to the end of the program's last recording, which is in `file`, or in `file.2` and so on.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn append_to(self, file: &Path) -> io::Result<()> {
        let mut path = file.as_os_str().to_owned();
        if self.recording > 1 {
            path.push(format!(".{}", self.recording));
        }
        if self.pieces.is_empty() || self.recording == 0 || !Path::new(&path).exists() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for piece in self.pieces.chunk_by(|one, next| one.0 == next.0) {
            let stream = if piece[0].0 == b'o' { "stdout" } else { "stderr" };
            let bytes: Vec<u8> = piece.iter().flat_map(|(_, bytes)| bytes).copied().collect();
            let letters: Vec<char> = String::from_utf8_lossy(&bytes).chars().collect();
            for letters in letters.chunks(CHUNK) {
                let text: String = letters.iter().collect();
                let line = json!({ "k": "output", "stream": stream, "text": text });
                writeln!(lines, "{line}")?;
            }
        }
        let mut start = [0; 2];
        let length = File::open(&path)?.read(&mut start)?;
        let mut file = OpenOptions::new().append(true).open(&path)?;
        if start[..length] != [0x1f, 0x8b] {
            return file.write_all(&lines);
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&lines)?;
        file.write_all(&packed.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_goes_to_the_loop_that_was_told_last_whoever_was_refused_before() {
        let mut shown = Shown::new().unwrap();
        let connect = |shown: &mut Shown| {
            let socket = UnixStream::connect(shown.socket()).unwrap();
            shown.turn();
            socket
        };
        let first = connect(&mut shown);
        let mut answer = [0];
        connect(&mut shown).read_exact(&mut answer).unwrap();
        assert_eq!((&answer, shown.told), (b"-", 1), "two at once are too many");
        drop(first);
        shown.turn();
        let _third = connect(&mut shown);
        assert_eq!(shown.told, 3);
    }
}
