//! Chapter 35, part 26: the thread that writes the file.
//!
//! It formats what the loop's thread has left for it and appends it to the file: packed with gzip where the feature `cli`
//! brings that, plain otherwise. Each time it appends one whole *member*, as gzip calls it, and several members in a row
//! are a file like any other. So whenever the program ends, and however, what is in the file can be read:
//!
//! ```text
//!   ┌────────┬──────────────┬──────────────┬────
//!   │ header │ 0.0 to 0.1 s │ 0.1 to 0.2 s │  killed here: the part of the last 0.1 to 0.2 s is missing
//!   └────────┴──────────────┴──────────────┴────
//! ```
//!
//! Before: `trace/record/output.rs`. Next: `trace/record/flight.rs`.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Lines;
use super::pieces::Pieces;
use super::queue::{Queue, Reader};

/// So many bytes of lines are packed together at most.
const MEMBER: usize = 1 << 20;

/// A file that grows by members. Clones mean the same file.
#[derive(Clone, Debug)]
pub(super) struct Members {
    /// `None` once it could not be written.
    file: Arc<Mutex<Option<File>>>,
    /// Its name, to be told of.
    path: PathBuf,
}

impl Members {
    pub(super) fn new(file: File, path: PathBuf) -> Members {
        Members { file: Arc::new(Mutex::new(Some(file))), path }
    }

    /// Appends some lines and empties `lines`; whether the file is still written. If it cannot be, that is said, once, and
    /// no more is written: a gap would tell another story than what happened.
    pub(super) fn append(&self, lines: &mut Vec<u8>) -> bool {
        self.append_if(lines, || true)
    }

    /// The same if `still` holds at that very moment, when nobody else appends anything.
    pub(super) fn append_if(&self, lines: &mut Vec<u8>, still: impl FnOnce() -> bool) -> bool {
        let packed = packed(lines);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match &mut *file {
            Some(file) if !lines.is_empty() && still() => packed.and_then(|packed| file.write_all(&packed)),
            _ => Ok(()),
        };
        if result.is_err() {
            *file = None;
        }
        let goes_on = file.is_some();
        drop(file);
        if let Err(error) = result {
            let path = self.path.display();
            say(
                log::Level::Error,
                &format!(
                    "the recording {path} ends here, it cannot be written: {error}. The program goes on. Make room, or \
                 record elsewhere, with ONELOOP=record=FILE, or less, with level=loop"
                ),
            );
        }
        lines.clear();
        goes_on
    }
}

/// Says how it is with a file that was asked for, on standard error and in the log.
pub(super) fn say(level: log::Level, text: &str) {
    // A logger is the program's own: should it panic, its panic hook has said so, and the recorder goes on.
    let _ = catch_unwind(AssertUnwindSafe(|| log::log!(target: "oneloop", level, "{text}")));
    // If that fails too there is nobody left to be told.
    let _ = io::stderr().lock().write_all(format!("oneloop: {text}\n").as_bytes());
}

/// The name of the file of this number; the first one has none.
pub(super) fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    if number > 1 {
        name.push(format!(".{number}"));
    }
    name.into()
}

/// One member of a gzip file. The fastest setting makes about a sixth of the lines, the best one about a ninth in eight
/// times the time.
#[cfg(feature = "cli")]
pub(super) fn packed(lines: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(lines)?;
    encoder.finish().map(Cow::Owned)
}

#[cfg(not(feature = "cli"))]
pub(super) fn packed(lines: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    Ok(Cow::Borrowed(lines))
}

/// What the writer's thread does, until the queue is closed. `text` is the first line.
pub(super) fn write(queue: &Arc<Queue>, members: &Members, pieces: &Pieces, mut text: Vec<u8>) {
    let (mut reader, mut lines) = (Reader::new(Arc::clone(queue)), Lines::new());
    let mut goes_on = members.append(&mut text);
    loop {
        let work = reader.wait();
        while let Some(event) = reader.next() {
            // Read to the end in any case: the loop is not to wait, and what the program writes not to pile up.
            pieces.before(&event, &mut text);
            if goes_on {
                lines.event(&event, &mut text);
                goes_on = text.len() < MEMBER || members.append(&mut text);
            } else {
                text.clear();
            }
        }
        goes_on = members.append(&mut text);
        let closed = work.closed;
        queue.done(work);
        if closed {
            break;
        }
    }
    pieces.rest(&mut text);
    members.append(&mut text);
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::super::pieces::{Spot, Stream};
    use super::super::queue::Pen;
    use super::*;
    use crate::trace::event::{Event, EventKind};

    #[test]
    fn what_a_program_writes_does_not_pile_up_once_the_file_cannot_be_written() {
        let only_read = File::open("Cargo.toml").expect("tests run where it is");
        let members = Members::new(only_read, "Cargo.toml".into());
        let (queue, pieces, mut left) = (Queue::new(), Pieces::default(), Vec::new());
        thread::scope(|scope| {
            scope.spawn(|| write(&queue, &members, &pieces, b"the header\n".to_vec()));
            pieces.add(Spot::Before(0), Duration::ZERO, Stream::Out, b"Hello\n");
            let kind = EventKind::TurnEnd { turn: 0, ready: 0 };
            let mut pen = Pen::new(Arc::clone(&queue));
            pen.push(&Event { seq: 0, time: Duration::ZERO, cause: None, thread: None, kind });
            queue.ask();
            pieces.rest(&mut left);
            queue.close();
        });
        assert_eq!(String::from_utf8_lossy(&left), "");
    }
}
