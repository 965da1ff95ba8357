//! Chapter 35, part 21: an event into a few words.
//!
//! Before: `trace/record/compact/spots.rs`. Next: `trace/record/compact/unpack.rs`, the way back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::spots::Spots;
use super::{BITS, Chunk, ROOM, TIME_AT, tag};
use crate::timer::clock::nanos;
use crate::trace::event::{Actor, Event, EventKind, IoResult};

/// Packs events into one chunk after the other. The loop's thread has it.
#[derive(Debug)]
pub(in crate::trace::record) struct Packer {
    /// `None` at first.
    chunk: Option<Arc<Chunk>>,
    /// So many of its words are written.
    at: usize,
    /// Number and time of the last event; at the begin of a chunk no event can follow that.
    last: (u64, u64),
    spots: Spots,
}

/// An event of a kind that is packed: kind, extra, how many words, and these.
struct Packed(u64, u64, usize, [u64; 3]);

impl Packer {
    pub(in crate::trace::record) fn new(spots: Spots) -> Packer {
        Packer { chunk: None, at: 0, last: (u64::MAX, u64::MAX), spots }
    }

    /// Whether a new chunk must be begun.
    #[inline]
    pub(in crate::trace::record) fn is_full(&self) -> bool {
        self.chunk.as_ref().is_none_or(|chunk| chunk.words.len() - self.at < ROOM)
    }

    /// Marks the end of a chunk that is full, and lets it go.
    pub(in crate::trace::record) fn end(&mut self) {
        if let Some(chunk) = self.chunk.take() {
            chunk.words[self.at].store(tag::END, Ordering::Relaxed);
            chunk.len.store(self.at + 1, Ordering::Release);
        }
    }

    /// Goes on in an empty chunk.
    pub(in crate::trace::record) fn begin(&mut self, chunk: Arc<Chunk>) {
        self.chunk = Some(chunk);
        (self.at, self.last) = (0, (u64::MAX, u64::MAX));
    }

    /// Adds an event. There must be room.
    #[inline]
    pub(in crate::trace::record) fn push(&mut self, event: &Event) {
        let Some(chunk) = &self.chunk else { return };
        let words = &chunk.words[self.at..][..ROOM];
        let (seq, time) = (event.seq, nanos(event.time));
        let mut at = 0;
        // What another thread told has that thread's name.
        let packed = if event.thread.is_none() { pack(&event.kind, &mut self.spots) } else { None };
        let Packed(tag, extra, len, rest) = packed.unwrap_or_else(|| {
            chunk.whole().push(event.clone());
            Packed(tag::WHOLE, 0, 0, [0; 3])
        });
        let (since, passed) = (seq.wrapping_sub(self.last.0), time.wrapping_sub(self.last.1));
        // A cause comes before what it leads to: 0 is none.
        let back = event.cause.map_or(0, |cause| seq.wrapping_sub(cause));
        let near = since < 1 << BITS[2] && back < 1 << BITS[3] && passed < 1 << (64 - TIME_AT);
        let head = if near && self.last.0 != u64::MAX {
            (since | back << BITS[2]) << (BITS[0] + BITS[1]) | passed << TIME_AT
        } else {
            words[0].store(tag::FAR, Ordering::Relaxed);
            words[1].store(seq, Ordering::Relaxed);
            words[2].store(time, Ordering::Relaxed);
            words[3].store(event.cause.map_or(0, |cause| cause.wrapping_add(1)), Ordering::Relaxed);
            at = 4;
            0
        };
        words[at].store(tag | extra << BITS[0] | head, Ordering::Relaxed);
        for (word, value) in words[at + 1..].iter().zip(&rest[..len]) {
            word.store(*value, Ordering::Relaxed);
        }
        self.last = (seq, time);
        self.at += at + 1 + len;
        chunk.len.store(self.at, Ordering::Release);
    }
}

/// Two numbers in one word; `None`: they do not fit.
#[inline]
fn two(one: u64, other: u64) -> Option<u64> {
    (one | other <= u64::from(u32::MAX)).then_some(one | other << 32)
}

#[inline]
fn maybe(number: Option<u64>) -> u64 {
    number.map_or(0, |number| number.wrapping_add(1))
}

/// Sort and number of an actor; `None`: it has a name.
#[inline]
fn actor(by: &Actor) -> Option<(u64, u64)> {
    Some(match by {
        Actor::Loop => (0, 0),
        Actor::Task(task) => (1, task.0),
        Actor::Callback(callback) => (2, callback.0),
        Actor::Timer(timer) => (3, timer.0),
        Actor::Source(source) => (4, source.0),
        Actor::Job(job) => (5, job.0),
        Actor::Observer => (6, 0),
        Actor::Thread(_) => return None,
    })
}

#[inline]
fn one(tag: u64, extra: u64, word: u64) -> Option<Packed> {
    Some(Packed(tag, extra, 1, [word, 0, 0]))
}

#[inline]
fn pair(tag: u64, extra: u64, word: u64, other: u64) -> Option<Packed> {
    Some(Packed(tag, extra, 2, [word, other, 0]))
}

/// Something that somebody did.
#[inline]
fn done(tag: u64, number: u64, by: &Actor) -> Option<Packed> {
    let (sort, who) = actor(by)?;
    one(tag, sort, two(number, who)?)
}

/// Packs what a kind has; `None`: it is one that is kept whole, or has unusually large numbers. First the kinds that
/// come with every turn and every poll.
#[inline]
#[rustfmt::skip] // a line or two per kind, in the order of `EventKind`
fn pack(kind: &EventKind, spots: &mut Spots) -> Option<Packed> {
    use EventKind as E;
    match *kind {
        E::TurnBegin { turn, ready, timers, sources, jobs } => Some(Packed(tag::TURN_BEGIN, 0, 3, [turn, two(ready as u64, timers as u64)?, two(sources as u64, jobs as u64)?])),
        E::TurnEnd { turn, ready } => pair(tag::TURN_END, 0, turn, ready as u64),
        E::WaitBegin { timeout, why } => one(tag::WAIT_BEGIN, why as u64, maybe(timeout.map(nanos))),
        E::WaitEnd { sources, by } => one(tag::WAIT_END, by as u64, sources as u64),
        E::ClockJump { from, to } => pair(tag::CLOCK_JUMP, 0, nanos(from), nanos(to)),

        E::Spawn { task, ref name, ref by, site, future, size } if !name.is_given() => {
            let (sort, who) = actor(by)?;
            Some(Packed(tag::SPAWN, sort, 3, [two(task.0, who)?, two(spots.place(site), spots.word(future))?, size as u64]))
        }
        E::Wake { task, ref by, effect } => { let (sort, who) = actor(by)?; one(tag::WAKE, (effect as u64) << 3 | sort, two(task.0, who)?) }
        E::PollBegin { task, poll, waited } => pair(tag::POLL_BEGIN, 0, two(task.0, u64::from(poll))?, nanos(waited)),
        E::PollEnd { task, poll, took, suspended, wakers } => {
            let at = maybe(suspended.map(|(wait, place)| spots.waiting(wait, place)));
            // 36 bits of nanoseconds are more than a minute.
            let fits = nanos(took) < 1 << 36 && at < 1 << 16 && wakers < 1 << 12;
            pair(tag::POLL_END, 0, two(task.0, u64::from(poll))?, fits.then_some(nanos(took) | at << 36 | (wakers as u64) << 52)?)
        }
        E::Cancel { task, ref by } => done(tag::CANCEL, task.0, by),
        E::TaskEnd { task, outcome, at } => one(tag::TASK_END, outcome as u64, two(task.0, maybe(at.map(|at| spots.place(at))))?),
        E::HandleDrop { task, cancelled } => one(tag::HANDLE_DROP, u64::from(cancelled), task.0),
        E::JoinWait { task, ref by, site } => { let (sort, who) = actor(by)?; pair(tag::JOIN_WAIT, sort, two(task.0, who)?, spots.place(site)) }
        E::Joined { task, ref by } => done(tag::JOINED, task.0, by),

        E::TimerArm { timer, callback, ref by, at, place } => {
            let (sort, who) = actor(by)?;
            let place = place.map(|(level, slot)| u64::from(level) << 8 | u64::from(slot));
            Some(Packed(tag::TIMER_ARM, sort, 3, [two(timer.0, who)?, two(maybe(callback.map(|it| it.0)), maybe(place))?, nanos(at)]))
        }
        E::TimerFire { timer, callback, late } => pair(tag::TIMER_FIRE, 0, two(timer.0, maybe(callback.map(|it| it.0)))?, nanos(late)),
        E::TimerCancel { timer, ref by } => done(tag::TIMER_CANCEL, timer.0, by),

        _ => pack_rest(kind, spots),
    }
}

/// The kinds that come less often.
#[rustfmt::skip] // a line or two per kind, in the order of `EventKind`
fn pack_rest(kind: &EventKind, spots: &mut Spots) -> Option<Packed> {
    use EventKind as E;
    match *kind {
        E::CallbackNew { callback, at, ref by, site } => {
            let (sort, who) = actor(by)?;
            Some(Packed(tag::CALLBACK_NEW, sort, 3, [two(callback.0, who)?, maybe(at.map(nanos)), spots.place(site)]))
        }
        E::CallbackBegin { callback } => one(tag::CALLBACK_BEGIN, 0, callback.0),
        E::CallbackEnd { callback, took, panicked } => pair(tag::CALLBACK_END, u64::from(panicked), callback.0, nanos(took)),
        E::CallbackCancel { callback, ref by } => done(tag::CALLBACK_CANCEL, callback.0, by),

        E::LineWait { line, ticket, wait, ref by, site } => {
            let (sort, who) = actor(by)?;
            pair(tag::LINE_WAIT, sort, two(line.0, ticket as u64)?, two(who, spots.waiting(wait, Some(site)))?)
        }
        E::LineGrant { line, ticket, ref by } => { let (sort, who) = actor(by)?; pair(tag::LINE_GRANT, sort, two(line.0, ticket as u64)?, who) }
        E::LineLeave { line, ticket, served, ref by } => {
            let (sort, who) = actor(by)?;
            pair(tag::LINE_LEAVE, u64::from(served) << 3 | sort, two(line.0, ticket as u64)?, who)
        }
        E::PermitTake { line, ref by } => done(tag::PERMIT_TAKE, line.0, by),
        E::PermitRelease { line, ref by } => done(tag::PERMIT_RELEASE, line.0, by),

        E::IoOpen { source, what, ref by, site } => { let (sort, who) = actor(by)?; pair(tag::IO_OPEN, sort, two(source.0, who)?, two(spots.word(what), spots.place(site))?) }
        E::IoInterest { source, wait, ref by } => { let (sort, who) = actor(by)?; pair(tag::IO_INTEREST, sort, two(source.0, who)?, spots.waiting(wait, None)) }
        E::IoReady { source, readable, writable, closed } => one(tag::IO_READY, u64::from(readable) | u64::from(writable) << 1 | u64::from(closed) << 2, source.0),
        E::IoOp { source, op, result } => {
            let (sort, bytes) = match result {
                IoResult::Bytes(bytes) => (0, bytes),
                IoResult::Eof => (1, 0),
                IoResult::WouldBlock => (2, 0),
                IoResult::Error(_) => return None,
            };
            pair(tag::IO_OP, (op as u64) << 2 | sort, source.0, bytes as u64)
        }
        E::IoClose { source, ref by } => done(tag::IO_CLOSE, source.0, by),

        E::JobNew { job, ref by, site } => { let (sort, who) = actor(by)?; pair(tag::JOB_NEW, sort, two(job.0, who)?, spots.place(site)) }
        E::JobDeliver { job } => one(tag::JOB_DELIVER, 0, job.0),
        _ => None,
    }
}
