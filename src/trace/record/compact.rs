//! Chapter 35, part 19: how little is an event, until it is written?
//!
//! An [`Event`] has over 150 bytes, for the kinds that have much to say, and shares names with the loop. To copy one for
//! another thread takes as long as to poll a task. But nearly all events are small numbers that differ little from those
//! of the event before. So the loop's thread packs each into a few words of 64 bits:
//!
//! ```text
//!            bits  63 ……… 34          33 … 16       15 … 12   11 … 6   5 … 0
//!   word 0         ns since the last  n - cause     n - last  extra    kind
//!   word 1, 2, 3   what the kind has: task 71 │ by task 70     places and types by their numbers: `spots`
//! ```
//!
//! What does not fit into its bits is preceded by a record `FAR`, which has number, time and cause in full; and what has
//! names in it, or is rare, is kept whole, aside.
//!
//! Nothing here is unsafe, and yet nothing waits: the words are atomics, stored one after the other as any memory is, and
//! behind each event the *length* says that they are there. A reader on another thread reads up to that length, at any
//! time, also when the loop hangs in the middle of a poll.
//!
//! Before: `trace/record/header.rs`. Next: `trace/record/compact/spots.rs`.

mod spots;
mod pack;
mod unpack;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use pack::Packer;
pub(super) use spots::{Numbered, Spot, Spots};
pub(super) use unpack::Unpacker;

use crate::trace::event::{Event, IoOp, Outcome, WaitEnd, WaitReason, WakeEffect};

/// The words of a chunk: 128 KiB, about 6,000 events. They stay in the processor's second cache.
const WORDS: usize = 1 << 14;

/// The most words of one event: `FAR` and what it has, the event and what it has, and the mark of the chunk's end.
const ROOM: usize = 4 + 4 + 1;

/// So many bits of the first word are for each of its parts, from the lowest: kind, extra, number, cause; the rest for
/// the time.
const BITS: [u32; 4] = [6, 6, 4, 18];
const TIME_AT: u32 = BITS[0] + BITS[1] + BITS[2] + BITS[3];

/// Some events in a row, written by one thread and read by another.
#[derive(Debug)]
pub(super) struct Chunk {
    words: Box<[AtomicU64]>,
    /// So many of them are written.
    len: AtomicUsize,
    /// The events that are kept whole, in order.
    whole: Mutex<Vec<Event>>,
}

impl Chunk {
    pub(super) fn new() -> Chunk {
        let words = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        Chunk { words, len: AtomicUsize::new(0), whole: Mutex::default() }
    }

    /// Empties it, to be written anew. Nobody else may have it.
    pub(super) fn clear(&self) {
        self.whole().clear();
        self.len.store(0, Ordering::Relaxed);
    }

    /// How many words are written.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    fn whole(&self) -> MutexGuard<'_, Vec<Event>> {
        // No code of anybody else's runs under this lock; what a panic left is whole.
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The kinds that are packed, and the three marks.
#[rustfmt::skip] // these are a table
mod tag {
    pub(super) const END: u64 = 0;
    pub(super) const FAR: u64 = 1;
    pub(super) const WHOLE: u64 = 2;
    pub(super) const TURN_BEGIN: u64 = 3;
    pub(super) const TURN_END: u64 = 4;
    pub(super) const WAIT_BEGIN: u64 = 5;
    pub(super) const WAIT_END: u64 = 6;
    pub(super) const CLOCK_JUMP: u64 = 7;
    pub(super) const CALLBACK_NEW: u64 = 8;
    pub(super) const CALLBACK_BEGIN: u64 = 9;
    pub(super) const CALLBACK_END: u64 = 10;
    pub(super) const CALLBACK_CANCEL: u64 = 11;
    pub(super) const SPAWN: u64 = 12;
    pub(super) const WAKE: u64 = 13;
    pub(super) const POLL_BEGIN: u64 = 14;
    pub(super) const POLL_END: u64 = 15;
    pub(super) const CANCEL: u64 = 16;
    pub(super) const TASK_END: u64 = 17;
    pub(super) const HANDLE_DROP: u64 = 18;
    pub(super) const JOIN_WAIT: u64 = 19;
    pub(super) const JOINED: u64 = 20;
    pub(super) const LINE_WAIT: u64 = 21;
    pub(super) const LINE_GRANT: u64 = 22;
    pub(super) const LINE_LEAVE: u64 = 23;
    pub(super) const PERMIT_TAKE: u64 = 24;
    pub(super) const PERMIT_RELEASE: u64 = 25;
    pub(super) const TIMER_ARM: u64 = 26;
    pub(super) const TIMER_FIRE: u64 = 27;
    pub(super) const TIMER_CANCEL: u64 = 28;
    pub(super) const IO_OPEN: u64 = 29;
    pub(super) const IO_INTEREST: u64 = 30;
    pub(super) const IO_READY: u64 = 31;
    pub(super) const IO_OP: u64 = 32;
    pub(super) const IO_CLOSE: u64 = 33;
    pub(super) const JOB_NEW: u64 = 34;
    pub(super) const JOB_DELIVER: u64 = 35;
}

/// The values of the small enums, in the order in which they are declared: packed as their places in these lists.
const REASONS: [WaitReason; 3] = [WaitReason::ReadyWork, WaitReason::NextTimer, WaitReason::Forever];
const ENDS: [WaitEnd; 3] = [WaitEnd::Io, WaitEnd::Notify, WaitEnd::Timeout];
const EFFECTS: [WakeEffect; 4] =
    [WakeEffect::Queued, WakeEffect::AlreadyQueued, WakeEffect::WhileRunning, WakeEffect::AfterDone];
const OUTCOMES: [Outcome; 3] = [Outcome::Done, Outcome::Panicked, Outcome::Cancelled];
const OPS: [IoOp; 5] = [IoOp::Connect, IoOp::Accept, IoOp::Read, IoOp::Write, IoOp::Wait];

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::trace::event::{EventKind, TaskId};
    use crate::trace::record::{Lines, samples};

    fn lines<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
        let (mut lines, mut out) = (Lines::new(), Vec::new());
        events.into_iter().for_each(|event| lines.event(event, &mut out));
        String::from_utf8(out).expect("all of it are strings")
    }

    /// What comes out of what goes in, and how many words it took.
    fn through(events: &[Event]) -> (Vec<Event>, usize) {
        let spots = Arc::new(Mutex::default());
        let mut packer = Packer::new(Spots::new(Arc::clone(&spots)));
        let (mut chunks, mut words) = (vec![Arc::new(Chunk::new())], 0);
        packer.begin(Arc::clone(&chunks[0]));
        for event in events {
            if packer.is_full() {
                packer.end();
                chunks.push(Arc::new(Chunk::new()));
                packer.begin(Arc::clone(&chunks[chunks.len() - 1]));
            }
            packer.push(event);
        }
        let mut out = Vec::new();
        for chunk in &chunks {
            let mut unpacker = Unpacker::new(Arc::clone(chunk));
            out.extend(std::iter::from_fn(|| unpacker.next(&mut Vec::new(), &spots)));
            words += chunk.len();
        }
        (out, words)
    }

    #[test]
    fn every_event_comes_out_as_it_went_in() {
        let mut events = samples::events();
        // Some of the largest numbers, a cause far away, and none; a time that goes back.
        let max = Event { seq: u64::MAX, time: Duration::from_nanos(u64::MAX), ..events[3].clone() };
        events.push(Event { seq: 1 << 40, time: Duration::from_nanos(1 << 60), ..events[0].clone() });
        events.push(Event { cause: None, ..max.clone() });
        events.push(Event { time: Duration::from_nanos(1), ..max });
        let task = TaskId(1 << 33);
        events.push(Event { kind: EventKind::Lost { task }, ..events[0].clone() });
        events.push(Event {
            kind: EventKind::PollBegin { task, poll: 1, waited: Duration::MAX },
            ..events[0].clone()
        });
        assert_eq!(lines(&through(&events).0), lines(&events));
    }

    #[test]
    fn events_of_many_chunks_come_out_in_order() {
        let events: Vec<Event> = samples::events().into_iter().cycle().take(20_000).collect();
        let events: Vec<Event> = events
            .into_iter()
            .enumerate()
            .map(|(n, event)| Event { seq: n as u64, cause: None, ..event })
            .collect();
        assert_eq!(lines(&through(&events).0), lines(&events));
    }

    #[test]
    fn the_usual_events_take_three_words() {
        let usual = samples::events().into_iter().filter(|event| {
            matches!(
                event.kind,
                EventKind::Wake { .. } | EventKind::PollBegin { .. } | EventKind::PollEnd { .. }
            )
        });
        let usual: Vec<Event> =
            usual.enumerate().map(|(n, event)| Event { seq: n as u64, cause: None, ..event }).collect();
        let (_, words) = through(&usual);
        // The first one has its number in full.
        assert!(words <= 3 * usual.len() + 4, "{words} for {}", usual.len());
    }

    #[test]
    fn lists_are_in_the_order_of_declaration() {
        assert!((0..REASONS.len()).all(|at| REASONS[at] as usize == at));
        assert!((0..ENDS.len()).all(|at| ENDS[at] as usize == at));
        assert!((0..EFFECTS.len()).all(|at| EFFECTS[at] as usize == at));
        assert!((0..OUTCOMES.len()).all(|at| OUTCOMES[at] as usize == at));
        assert!((0..OPS.len()).all(|at| OPS[at] as usize == at));
    }
}
