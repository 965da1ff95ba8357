//! Chapter 35, part 24: what the program has written, on its way into the recording.
//!
//! Before: `trace/record/queue.rs`. Next: `trace/record/output.rs`, where it comes from.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::json;
use crate::timer::clock::nanos;
use crate::trace::event::Event;

/// Where a piece belongs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Spot {
    /// Just before the event of this number.
    Before(u64),
    /// At about this time of the loop's clock.
    About(Duration),
}

/// One of the two standard streams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stream {
    Out,
    Error,
}

struct Piece {
    spot: Spot,
    time: Duration,
    stream: Stream,
    text: String,
}

/// What was written and is not in the file yet. Whoever learns of it adds to it, and the writer's thread takes it.
#[derive(Default)]
pub(crate) struct Pieces {
    /// Whether there are any, to be asked before each event.
    any: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    pieces: VecDeque<Piece>,
    /// Of each stream, the begin of a letter whose other bytes have not come.
    begun: [Vec<u8>; 2],
}

impl Pieces {
    /// Adds a piece. `time` is the loop's.
    pub(super) fn add(&self, spot: Spot, time: Duration, stream: Stream, bytes: &[u8]) {
        let mut waiting = self.lock();
        let begun = &mut waiting.begun[stream as usize];
        begun.extend_from_slice(bytes);
        let whole = whole_letters(begun);
        let text = String::from_utf8_lossy(&begun[..whole]).into_owned();
        begun.drain(..whole);
        if !text.is_empty() {
            waiting.pieces.push_back(Piece { spot, time, stream, text });
            self.any.store(true, Ordering::Release);
        }
    }

    /// Appends the lines of all that belongs before this event.
    #[inline]
    pub(super) fn before(&self, event: &Event, out: &mut Vec<u8>) {
        if self.any.load(Ordering::Acquire) {
            self.write_while(out, |spot| match spot {
                Spot::Before(seq) => seq <= event.seq,
                Spot::About(time) => time <= event.time,
            });
        }
    }

    /// Appends all that is left: no event comes any more.
    pub(super) fn rest(&self, out: &mut Vec<u8>) {
        self.write_while(out, |_| true);
        for (stream, begun) in [Stream::Out, Stream::Error].into_iter().zip(&mut self.lock().begun) {
            if !begun.is_empty() {
                let text = String::from_utf8_lossy(begun).into_owned();
                let spot = Spot::Before(u64::MAX);
                Piece { spot, time: Duration::ZERO, stream, text }.write(out);
                begun.clear();
            }
        }
    }

    fn write_while(&self, out: &mut Vec<u8>, is_due: impl Fn(Spot) -> bool) {
        let mut waiting = self.lock();
        while waiting.pieces.front().is_some_and(|piece| is_due(piece.spot)) {
            waiting.pieces.pop_front().iter().for_each(|piece| piece.write(out));
        }
        self.any.store(!waiting.pieces.is_empty(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Piece {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"k\":\"output\",\"t\":");
        json::number(out, nanos(self.time));
        let stream = if self.stream == Stream::Out { "stdout" } else { "stderr" };
        out.extend_from_slice(format!(",\"stream\":\"{stream}\"").as_bytes());
        if matches!(self.spot, Spot::Before(_)) {
            out.extend_from_slice(b",\"exact\":true");
        }
        out.extend_from_slice(b",\"text\":");
        json::string(out, &self.text);
        out.extend_from_slice(b"}\n");
    }
}

/// So many of the bytes are whole letters, or none at all: only the begin of a letter is left out.
fn whole_letters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => {
            let last = (1..=3.min(bytes.len())).rev().find(|back| {
                let tail = &bytes[bytes.len() - back..];
                tail[0] >= 0xc0 && std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none())
            });
            bytes.len() - last.unwrap_or(0)
        }
        Ok(_) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::EventKind;

    fn lines(out: &[u8]) -> Vec<String> {
        String::from_utf8(out.to_vec()).expect("it is text").lines().map(str::to_owned).collect()
    }

    fn event(seq: u64) -> Event {
        let kind = EventKind::TurnEnd { turn: 0, ready: 0 };
        Event { seq, time: Duration::from_nanos(10 * seq), cause: None, thread: None, kind }
    }

    #[test]
    fn a_piece_comes_before_the_event_it_belongs_to() {
        let (pieces, mut out) = (Pieces::default(), Vec::new());
        let time = Duration::from_nanos(15);
        pieces.add(Spot::About(time), time, Stream::Error, b"about");
        pieces.add(Spot::Before(3), time, Stream::Out, b"just\n");
        pieces.before(&event(1), &mut out);
        assert!(out.is_empty());
        pieces.before(&event(2), &mut out);
        assert_eq!(lines(&out), [r#"{"k":"output","t":15,"stream":"stderr","text":"about"}"#]);
        out.clear();
        pieces.before(&event(3), &mut out);
        assert_eq!(lines(&out), [r#"{"k":"output","t":15,"stream":"stdout","exact":true,"text":"just\n"}"#]);
    }

    #[test]
    fn a_letter_that_comes_in_two_pieces_is_one() {
        let (pieces, mut out) = (Pieces::default(), Vec::new());
        let add = |bytes| pieces.add(Spot::Before(0), Duration::ZERO, Stream::Out, bytes);
        add(b"a\xc3");
        add(b"\xa4\xff\xe2\x82");
        pieces.rest(&mut out);
        let text: Vec<String> = lines(&out)
            .iter()
            .map(|line| line.split_once("\"text\":").expect("a text").1.to_owned())
            .collect();
        assert_eq!(text, ["\"a\"}", "\"ä\u{fffd}\"}", "\"\u{fffd}\"}"]);
    }
}
