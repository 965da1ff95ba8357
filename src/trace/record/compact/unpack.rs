//! Chapter 35, part 22: the same words as events again.
//!
//! Before: `trace/record/compact/pack.rs`. Next: `trace/record/queue.rs`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::spots::{Numbered, Spot};
use super::{BITS, Chunk, EFFECTS, ENDS, OPS, OUTCOMES, REASONS, TIME_AT, tag};
use crate::trace::event::*;

/// Reads one chunk, as far as it is written.
#[derive(Debug)]
pub(in crate::trace::record) struct Unpacker {
    chunk: Arc<Chunk>,
    /// So many of its words are read.
    at: usize,
    /// So many of its whole events are read.
    whole: usize,
    /// Number and time of the last event.
    last: (u64, u64),
    /// Whether the chunk's end was reached.
    ended: bool,
}

impl Unpacker {
    pub(in crate::trace::record) fn new(chunk: Arc<Chunk>) -> Unpacker {
        Unpacker { chunk, at: 0, whole: 0, last: (0, 0), ended: false }
    }

    /// Whether nothing more comes in this chunk.
    pub(in crate::trace::record) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether there is anything to read.
    pub(in crate::trace::record) fn is_behind(&self) -> bool {
        !self.ended && self.at < self.chunk.len()
    }

    /// The chunk, of which everything is read.
    pub(in crate::trace::record) fn into_chunk(self) -> Arc<Chunk> {
        self.chunk
    }

    /// The next event; `None`: no more is written yet, or the chunk has ended. `known` is a copy of the beginning of
    /// `numbered`, and grows as needed.
    pub(in crate::trace::record) fn next(
        &mut self,
        known: &mut Vec<Spot>,
        numbered: &Numbered,
    ) -> Option<Event> {
        if self.ended || self.at >= self.chunk.len() {
            return None;
        }
        let mut head = self.word();
        let mut cause = None;
        let far = head & mask(BITS[0]) == tag::FAR;
        if far {
            self.last = (self.word(), self.word());
            cause = self.maybe();
            head = self.word();
        }
        let mut bits = head;
        let [tag, extra, since, back] = BITS.map(|width| {
            let part = bits & mask(width);
            bits >>= width;
            part
        });
        if tag == tag::END {
            self.ended = true;
            return None;
        }
        let (seq, time) = (self.last.0.wrapping_add(since), self.last.1.wrapping_add(head >> TIME_AT));
        self.last = (seq, time);
        if tag == tag::WHOLE {
            self.whole += 1;
            return self.chunk.whole().get(self.whole - 1).cloned();
        }
        if !far {
            cause = (back > 0).then(|| seq.wrapping_sub(back));
        }
        let kind = Kind { words: self, known, numbered }.read(tag, extra);
        Some(Event { seq, time: Duration::from_nanos(time), cause, thread: None, kind })
    }

    fn word(&mut self) -> u64 {
        self.at += 1;
        self.chunk.words.get(self.at - 1).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn maybe(&mut self) -> Option<u64> {
        self.word().checked_sub(1)
    }
}

fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

fn task(number: u64) -> TaskId {
    TaskId(number)
}

fn ns(ns: u64) -> Duration {
    Duration::from_nanos(ns)
}

/// What a kind has.
struct Kind<'a> {
    words: &'a mut Unpacker,
    known: &'a mut Vec<Spot>,
    numbered: &'a Numbered,
}

impl Kind<'_> {
    #[rustfmt::skip] // a line or two per kind, in the order of `EventKind`
    fn read(&mut self, tag: u64, extra: u64) -> EventKind {
        use EventKind as E;
        // The low bits of `extra` say what sort of an actor the second number of the first word is.
        let (sort, more) = (extra & 7, extra >> 3);
        let (flag, at) = (extra & 1 == 1, extra as usize);
        match tag {
            tag::TURN_BEGIN => {
                let (turn, (ready, timers), (sources, jobs)) = (self.number(), self.sizes(), self.sizes());
                E::TurnBegin { turn, ready, timers, sources, jobs }
            }
            tag::TURN_END => E::TurnEnd { turn: self.number(), ready: self.number() as usize },
            tag::WAIT_BEGIN => E::WaitBegin { why: REASONS[at], timeout: self.words.maybe().map(ns) },
            tag::WAIT_END => E::WaitEnd { by: ENDS[at], sources: self.number() as usize },
            tag::CLOCK_JUMP => E::ClockJump { from: self.time(), to: self.time() },

            tag::SPAWN => {
                let (number, by) = self.done(sort);
                let (site, future) = self.two();
                let (site, future) = (self.spot(site).0, self.spot(future).2);
                E::Spawn { task: task(number), name: Name::numbered(task(number)), by, site, future, size: self.number() as usize }
            }
            tag::WAKE => { let (number, by) = self.done(sort); E::Wake { task: task(number), by, effect: EFFECTS[more as usize] } }
            tag::POLL_BEGIN => { let (number, poll) = self.two(); E::PollBegin { task: task(number), poll: poll as u32, waited: self.time() } }
            tag::POLL_END => {
                let ((number, poll), rest) = (self.two(), self.number());
                let suspended = (rest >> 36 & mask(16)).checked_sub(1).map(|spot| self.waiting(spot));
                E::PollEnd { task: task(number), poll: poll as u32, took: ns(rest & mask(36)), suspended, wakers: (rest >> 52) as usize }
            }
            tag::CANCEL => { let (number, by) = self.done(sort); E::Cancel { task: task(number), by } }
            tag::TASK_END => {
                let (number, place) = self.two();
                E::TaskEnd { task: task(number), outcome: OUTCOMES[at], at: place.checked_sub(1).map(|spot| self.spot(spot).0) }
            }
            tag::HANDLE_DROP => E::HandleDrop { task: task(self.number()), cancelled: flag },
            tag::JOIN_WAIT => { let (number, by) = self.done(sort); E::JoinWait { task: task(number), by, site: self.place() } }
            tag::JOINED => { let (number, by) = self.done(sort); E::Joined { task: task(number), by } }

            tag::TIMER_ARM => {
                let ((timer, by), (callback, place)) = (self.done(sort), self.two());
                let place = place.checked_sub(1).map(|place| ((place >> 8) as u8, place as u8));
                E::TimerArm { timer: TimerId(timer), callback: callback.checked_sub(1).map(CallbackId), by, at: self.time(), place }
            }
            tag::TIMER_FIRE => { let (timer, callback) = self.two(); E::TimerFire { timer: TimerId(timer), callback: callback.checked_sub(1).map(CallbackId), late: self.time() } }
            tag::TIMER_CANCEL => { let (timer, by) = self.done(sort); E::TimerCancel { timer: TimerId(timer), by } }

            _ => self.read_rest(tag, extra),
        }
    }

    #[rustfmt::skip] // a line or two per kind, in the order of `EventKind`
    fn read_rest(&mut self, tag: u64, extra: u64) -> EventKind {
        use EventKind as E;
        let (sort, more, flag) = (extra & 7, extra >> 3, extra & 1 == 1);
        match tag {
            tag::CALLBACK_NEW => {
                let (callback, by) = self.done(sort);
                E::CallbackNew { callback: CallbackId(callback), at: self.words.maybe().map(ns), by, site: self.place() }
            }
            tag::CALLBACK_BEGIN => E::CallbackBegin { callback: CallbackId(self.number()) },
            tag::CALLBACK_END => E::CallbackEnd { callback: CallbackId(self.number()), took: self.time(), panicked: flag },
            tag::CALLBACK_CANCEL => { let (callback, by) = self.done(sort); E::CallbackCancel { callback: CallbackId(callback), by } }

            tag::LINE_WAIT => {
                let ((line, ticket), (who, spot)) = (self.two(), self.two());
                let (site, wait, _) = self.spot(spot);
                E::LineWait { line: LineId(line), ticket: ticket as usize, wait, by: actor(sort, who), site }
            }
            tag::LINE_GRANT => { let (line, ticket) = self.two(); E::LineGrant { line: LineId(line), ticket: ticket as usize, by: actor(sort, self.number()) } }
            tag::LINE_LEAVE => { let (line, ticket) = self.two(); E::LineLeave { line: LineId(line), ticket: ticket as usize, served: more == 1, by: actor(sort, self.number()) } }
            tag::PERMIT_TAKE => { let (line, by) = self.done(sort); E::PermitTake { line: LineId(line), by } }
            tag::PERMIT_RELEASE => { let (line, by) = self.done(sort); E::PermitRelease { line: LineId(line), by } }

            tag::IO_OPEN => {
                let ((source, by), (what, site)) = (self.done(sort), self.two());
                let (what, site) = (self.spot(what).2, self.spot(site).0);
                E::IoOpen { source: SourceId(source), what, by, site }
            }
            tag::IO_INTEREST => {
                let ((source, by), spot) = (self.done(sort), self.number());
                E::IoInterest { source: SourceId(source), wait: self.spot(spot).1, by }
            }
            tag::IO_READY => E::IoReady { source: SourceId(self.number()), readable: flag, writable: extra & 2 > 0, closed: extra & 4 > 0 },
            tag::IO_OP => {
                let (source, bytes) = (SourceId(self.number()), self.number() as usize);
                let result = match extra & 3 {
                    0 => IoResult::Bytes(bytes),
                    1 => IoResult::Eof,
                    _ => IoResult::WouldBlock,
                };
                E::IoOp { source, op: OPS[(extra >> 2) as usize], result }
            }
            tag::IO_CLOSE => { let (source, by) = self.done(sort); E::IoClose { source: SourceId(source), by } }

            tag::JOB_NEW => { let (job, by) = self.done(sort); E::JobNew { job: JobId(job), by, site: self.place() } }
            _ => E::JobDeliver { job: JobId(self.number()) },
        }
    }

    fn number(&mut self) -> u64 {
        self.words.word()
    }

    fn time(&mut self) -> Duration {
        ns(self.number())
    }

    fn two(&mut self) -> (u64, u64) {
        let word = self.number();
        (word & mask(32), word >> 32)
    }

    fn sizes(&mut self) -> (usize, usize) {
        let (one, other) = self.two();
        (one as usize, other as usize)
    }

    /// What was acted on, and by whom.
    fn done(&mut self, sort: u64) -> (u64, Actor) {
        let (number, who) = self.two();
        (number, actor(sort, who))
    }

    fn place(&mut self) -> Place {
        let number = self.number();
        self.spot(number).0
    }

    fn waiting(&mut self, number: u64) -> (Wait, Option<Place>) {
        match self.look_up(number) {
            Some(Spot::Place(wait, place)) => (wait, place),
            _ => (Wait::Custom, None),
        }
    }

    /// Place, wait and word; a spot has only some of them.
    fn spot(&mut self, number: u64) -> (Place, Wait, &'static str) {
        const NOWHERE: Place = Place { file: "", line: 0, column: 0 };
        match self.look_up(number) {
            Some(Spot::Place(wait, place)) => (place.unwrap_or(NOWHERE), wait, ""),
            Some(Spot::Word(word)) => (NOWHERE, Wait::Custom, word),
            None => (NOWHERE, Wait::Custom, ""),
        }
    }

    fn look_up(&mut self, number: u64) -> Option<Spot> {
        let number = number as usize;
        if number >= self.known.len() {
            let numbered = self.numbered.lock().unwrap_or_else(PoisonError::into_inner);
            self.known.extend_from_slice(&numbered[self.known.len()..]);
        }
        self.known.get(number).copied()
    }
}

fn actor(sort: u64, number: u64) -> Actor {
    match sort {
        1 => Actor::Task(TaskId(number)),
        2 => Actor::Callback(CallbackId(number)),
        3 => Actor::Timer(TimerId(number)),
        4 => Actor::Source(SourceId(number)),
        5 => Actor::Job(JobId(number)),
        6 => Actor::Observer,
        _ => Actor::Loop,
    }
}
