//! Chapter 35, part 49: Perfetto's trace, as its page on synthetic track events describes it.
//!
//! A trace is packets. A track is described once, with a number and the number of the track it belongs to; then come the
//! begins and ends of its slices. An arrow leads from an event with a flow's number to the one where that flow terminates.
//!
//! Before: `trace/export/protobuf.rs`. Next: `trace/export/part.rs`.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::time::Duration;

use super::marks::{Mark, Track, draw};
use super::protobuf::Message;
use crate::timer::clock::nanos;
use crate::trace::narrate::plain;
use crate::trace::read::Recording;

/// Fields of the messages, by their names there.
mod field {
    pub(super) const TRACE_PACKET: u64 = 1;
    pub(super) const PACKET_TIMESTAMP: u64 = 8;
    pub(super) const PACKET_SEQUENCE_ID: u64 = 10;
    pub(super) const PACKET_TRACK_EVENT: u64 = 11;
    pub(super) const PACKET_TRACK_DESCRIPTOR: u64 = 60;
    pub(super) const DESCRIPTOR_UUID: u64 = 1;
    pub(super) const DESCRIPTOR_NAME: u64 = 2;
    pub(super) const DESCRIPTOR_PROCESS: u64 = 3;
    pub(super) const DESCRIPTOR_THREAD: u64 = 4;
    pub(super) const DESCRIPTOR_PARENT: u64 = 5;
    pub(super) const DESCRIPTOR_COUNTER: u64 = 8;
    pub(super) const PROCESS_PID: u64 = 1;
    pub(super) const PROCESS_NAME: u64 = 6;
    pub(super) const THREAD_PID: u64 = 1;
    pub(super) const THREAD_TID: u64 = 2;
    pub(super) const THREAD_NAME: u64 = 5;
    pub(super) const EVENT_TYPE: u64 = 9;
    pub(super) const EVENT_TRACK: u64 = 11;
    pub(super) const EVENT_NAME: u64 = 23;
    pub(super) const EVENT_COUNTER_VALUE: u64 = 30;
    pub(super) const EVENT_FLOWS: u64 = 47;
    pub(super) const EVENT_TERMINATING_FLOWS: u64 = 48;
}

/// `TrackEvent.Type`.
const SLICE_BEGIN: u64 = 1;
const SLICE_END: u64 = 2;
const INSTANT: u64 = 3;
const COUNTER: u64 = 4;

/// There is one process, and everything comes in one sequence.
const PID: u64 = 1;
const SEQUENCE: u64 = 1;

/// Numbers of the tracks that are always there. The others are made of what they are for.
const PROCESS: u64 = 1;
const READY: u64 = 2;

pub(super) fn write(recording: &Recording, mut out: impl Write) -> io::Result<()> {
    let program = &recording.header.program;
    let process =
        Message::default().number(field::PROCESS_PID, PID).text(field::PROCESS_NAME, &plain(program));
    let described = Message::default().number(field::DESCRIPTOR_UUID, PROCESS);
    describe(&mut out, &described.message(field::DESCRIPTOR_PROCESS, &process))?;
    let ready = Message::default()
        .number(field::DESCRIPTOR_UUID, READY)
        .number(field::DESCRIPTOR_PARENT, PROCESS)
        .text(field::DESCRIPTOR_NAME, "ready queue")
        .message(field::DESCRIPTOR_COUNTER, &Message::default());
    describe(&mut out, &ready)?;
    let mut known = HashSet::new();
    draw(recording, |mark| match mark {
        Mark::Begin { track, at, name, flow } => {
            if known.insert(track.clone()) {
                describe(&mut out, &description(track, name, known.len() as u64))?;
            }
            let event = event(SLICE_BEGIN, uuid(track)).text(field::EVENT_NAME, name);
            let event = match flow {
                Some(flow) => event.fixed(field::EVENT_TERMINATING_FLOWS, flow_id(flow)),
                None => event,
            };
            happen(&mut out, at, &event)
        }
        Mark::End { track, at, .. } => happen(&mut out, at, &event(SLICE_END, uuid(track))),
        Mark::Flow { at, name, flow } => {
            let event = event(INSTANT, uuid(&Track::Loop)).text(field::EVENT_NAME, name);
            happen(&mut out, at, &event.fixed(field::EVENT_FLOWS, flow_id(flow)))
        }
        Mark::Ready { at, length } => {
            let event = event(COUNTER, READY).number(field::EVENT_COUNTER_VALUE, length as u64);
            happen(&mut out, at, &event)
        }
    })?;
    out.flush()
}

/// What a track is. A thread has a number, which is only there to be another for each; a task's track is called as its
/// first slice is, which is its life.
fn description(track: &Track, name: &str, number: u64) -> Message {
    let thread = |name: &str| {
        let thread = Message::default().number(field::THREAD_PID, PID).number(field::THREAD_TID, number);
        thread.text(field::THREAD_NAME, &plain(name))
    };
    let described = Message::default()
        .number(field::DESCRIPTOR_UUID, uuid(track))
        .number(field::DESCRIPTOR_PARENT, PROCESS);
    match track {
        Track::Loop => described.message(field::DESCRIPTOR_THREAD, &thread("the loop")),
        Track::Thread(name) => described.message(field::DESCRIPTOR_THREAD, &thread(name)),
        Track::Task(_) => described.text(field::DESCRIPTOR_NAME, name),
    }
}

/// A number for a track that no other has, in all likelihood.
fn uuid(track: &Track) -> u64 {
    let mut hasher = DefaultHasher::new();
    track.hash(&mut hasher);
    hasher.finish()
}

/// Events are numbered from 0, and flows from 1.
fn flow_id(seq: u64) -> u64 {
    seq.wrapping_add(1)
}

fn event(sort: u64, track: u64) -> Message {
    Message::default().number(field::EVENT_TYPE, sort).number(field::EVENT_TRACK, track)
}

fn happen(out: &mut impl Write, at: Duration, event: &Message) -> io::Result<()> {
    let nanos = nanos(at);
    let packet = Message::default().number(field::PACKET_TIMESTAMP, nanos);
    let packet = packet.number(field::PACKET_SEQUENCE_ID, SEQUENCE).message(field::PACKET_TRACK_EVENT, event);
    out.write_all(Message::default().message(field::TRACE_PACKET, &packet).bytes())
}

fn describe(out: &mut impl Write, track: &Message) -> io::Result<()> {
    let packet = Message::default().number(field::PACKET_SEQUENCE_ID, SEQUENCE);
    let packet = packet.message(field::PACKET_TRACK_DESCRIPTOR, track);
    out.write_all(Message::default().message(field::TRACE_PACKET, &packet).bytes())
}
