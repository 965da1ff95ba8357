//! Chapter 35, part 22: the thread that writes the file.
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
//! Before: `trace/record/output.rs`. Next: `trace/record/recorder.rs`.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::Lines;
use super::pieces::Pieces;
use super::queue::Queue;

/// So many bytes of lines are packed together at most.
const MEMBER: usize = 1 << 20;

/// A file that grows by members. Clones mean the same file.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    /// `None` once it could not be written.
    file: Arc<Mutex<Option<File>>>,
}

impl Members {
    pub(crate) fn new(file: File) -> Members {
        Members { file: Arc::new(Mutex::new(Some(file))) }
    }

    /// Appends some lines and empties `lines`.
    ///
    /// # Errors
    /// If the file cannot be written. The next time nothing happens.
    pub(crate) fn append(&self, lines: &mut Vec<u8>) -> io::Result<()> {
        self.append_if(lines, || true)
    }

    /// The same if `still` holds at that very moment, when nobody else appends anything.
    ///
    /// # Errors
    /// As [`append`](Members::append).
    pub(crate) fn append_if(&self, lines: &mut Vec<u8>, still: impl FnOnce() -> bool) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let packed: Cow<[u8]> = packed(lines)?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match &mut *file {
            Some(file) if still() => file.write_all(&packed),
            _ => Ok(()),
        };
        if result.is_err() {
            *file = None;
        }
        drop(file);
        lines.clear();
        result
    }
}

/// One member of a gzip file. The fastest setting makes about a sixth of the lines, the best one about a ninth in eight
/// times the time.
#[cfg(feature = "cli")]
fn packed(lines: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(lines)?;
    encoder.finish().map(Cow::Owned)
}

#[cfg(not(feature = "cli"))]
fn packed(lines: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    Ok(Cow::Borrowed(lines))
}

/// What the writer's thread does, until the queue is closed.
pub(crate) fn write(queue: &Queue, members: &Members, pieces: &Pieces) {
    let (mut batch, mut lines, mut text) = (Vec::new(), Lines::new(), Vec::new());
    let mut failed = false;
    while queue.take(&mut batch) {
        for event in batch.drain(..) {
            if failed {
                continue;
            }
            pieces.before(&event, &mut text);
            lines.event(&event, &mut text);
            if text.len() >= MEMBER {
                failed = append(members, &mut text);
            }
        }
        failed = failed || append(members, &mut text);
    }
    pieces.rest(&mut text);
    if !failed {
        append(members, &mut text);
    }
}

/// Appends the lines; whether that failed. Then no more is written: a gap would tell another story than what happened.
fn append(members: &Members, lines: &mut Vec<u8>) -> bool {
    let result = members.append(lines);
    if let Err(error) = &result {
        log::error!(target: "oneloop", "the recording ends here, its file cannot be written: {error}");
    }
    result.is_err()
}
