//! The vocabulary: every kind has a sentence, and it is one.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::Narrator;
use crate::trace::event::{
    Actor, CallbackId, Event, EventKind as E, IoOp, IoResult, JobId, LineId, LoopEnd, Outcome, Place,
    SourceId, TaskId, TimerId, Wait, WaitEnd, WaitReason, WakeEffect,
};
use crate::trace::frames::Frames;

fn event(kind: E) -> Event {
    Event { seq: 7, time: Duration::from_millis(500), cause: None, thread: None, kind }
}

fn name(kind: &E) -> String {
    let text = format!("{kind:?}");
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// One event of each kind, all about the same task 2, callback 3, and so on; then the other forms.
#[rustfmt::skip]
fn kinds() -> Vec<E> {
    let site = Place::from(Location::caller());
    let (task, callback, timer, source, job) = (TaskId(2), CallbackId(3), TimerId(4), SourceId(5), JobId(6));
    let line = LineId(7);
    let (ms, by) = (Duration::from_millis, Actor::Task(TaskId(1)));
    vec![
        E::TurnBegin { turn: 1, ready: 0, timers: 0, sources: 0, jobs: 0 },
        E::TurnBegin { turn: 1, ready: 2, timers: 1, sources: 2, jobs: 1 },
        E::TurnEnd { turn: 1, ready: 0 },
        E::TurnEnd { turn: 1, ready: 3 },
        E::WaitBegin { timeout: Some(Duration::ZERO), why: WaitReason::ReadyWork },
        E::WaitBegin { timeout: Some(ms(20)), why: WaitReason::NextTimer },
        E::WaitBegin { timeout: None, why: WaitReason::Forever },
        E::WaitEnd { sources: 1, by: WaitEnd::Io },
        E::WaitEnd { sources: 2, by: WaitEnd::Io },
        E::WaitEnd { sources: 0, by: WaitEnd::Notify },
        E::WaitEnd { sources: 0, by: WaitEnd::Timeout },
        E::Notify { by: Actor::Thread("worker".into()) },
        E::ClockJump { from: ms(500), to: ms(1_500) },
        E::Stop { by: Actor::Callback(callback) },
        E::LoopEnd { why: LoopEnd::MainDone },
        E::LoopEnd { why: LoopEnd::Stopped },
        E::LoopEnd { why: LoopEnd::Panicked },
        E::LoopEnd { why: LoopEnd::Stuck },
        E::Stuck { tasks: 0, report: "".into(), fatal: true },
        E::Stuck { tasks: 1, report: "".into(), fatal: true },
        E::Stuck { tasks: 2, report: "".into(), fatal: false },
        E::HeldUp { by: by.clone(), took: ms(1_000) },
        E::CallbackNew { callback, at: None, by: Actor::Loop, site },
        E::CallbackNew { callback, at: Some(ms(1_500)), by: Actor::Loop, site },
        E::CallbackBegin { callback },
        E::CallbackEnd { callback, took: Duration::ZERO, panicked: false },
        E::CallbackEnd { callback, took: ms(2), panicked: true },
        E::CallbackCancel { callback, by: by.clone() },
        E::Spawn { task, name: "fetch".into(), by: by.clone(), site, future: "app::fetch::{{closure}}", size: 96 },
        E::Wake { task, by: Actor::Timer(timer), effect: WakeEffect::Queued },
        E::Wake { task, by: by.clone(), effect: WakeEffect::AlreadyQueued },
        E::Wake { task, by: Actor::Task(task), effect: WakeEffect::WhileRunning },
        E::Wake { task, by: by.clone(), effect: WakeEffect::WhileRunning },
        E::Wake { task, by: Actor::Job(job), effect: WakeEffect::AfterDone },
        E::PollBegin { task, poll: 3, waited: Duration::from_nanos(12_340) },
        E::LeafWait { wait: Wait::Sleep, by: by.clone(), site },
        E::Chain { task, frames: Frames::new(vec![site, site]) },
        E::Chain { task, frames: Frames::new(Vec::new()) },
        E::PollEnd { task, poll: 3, took: ms(1), suspended: Some((Wait::Sleep, Some(site))), wakers: 1 },
        E::PollEnd { task, poll: 3, took: Duration::ZERO, suspended: Some((Wait::Custom, None)), wakers: 0 },
        E::PollEnd { task, poll: 3, took: Duration::ZERO, suspended: None, wakers: 0 },
        E::HandleDrop { task, cancelled: false },
        E::Cancel { task, by: by.clone() },
        E::HandleDrop { task, cancelled: false },
        E::HandleDrop { task, cancelled: true },
        E::TaskEnd { task, outcome: Outcome::Cancelled, at: Some(site) },
        E::TaskEnd { task, outcome: Outcome::Cancelled, at: None },
        E::TaskEnd { task, outcome: Outcome::Panicked, at: None },
        E::TaskEnd { task, outcome: Outcome::Done, at: None },
        E::Lost { task },
        E::JoinWait { task, by: by.clone(), site },
        E::Joined { task, by: by.clone() },
        E::Unheard { task, name: "fetch".into(), how: "panicked".into(), text: "no\nroute".into() },
        E::LineWait { line, ticket: 2, wait: Wait::Lock, by: by.clone(), site },
        E::LineGrant { line, ticket: 2, by: by.clone() },
        E::LineLeave { line, ticket: 2, served: true, by: by.clone() },
        E::LineLeave { line, ticket: 2, served: false, by: by.clone() },
        E::PermitTake { line, by: by.clone() },
        E::PermitRelease { line, by: by.clone() },
        E::TimerArm { timer, callback: None, by: by.clone(), at: ms(1_500), place: Some((1, 24)) },
        E::TimerArm { timer, callback: Some(callback), by: by.clone(), at: ms(100), place: None },
        E::TimerFire { timer, callback: None, late: Duration::from_micros(200) },
        E::TimerFire { timer, callback: Some(callback), late: Duration::ZERO },
        E::TimerCancel { timer, by: by.clone() },
        E::IoOpen { source, what: "connection", by: by.clone(), site },
        E::IoInterest { source, wait: Wait::Readable, by: by.clone() },
        E::IoForget { source, wait: Wait::Readable, by: by.clone() },
        E::IoReady { source, readable: true, writable: true, closed: false },
        E::IoReady { source, readable: true, writable: false, closed: true },
        E::IoOp { source, op: IoOp::Connect, result: IoResult::Bytes(0) },
        E::IoOp { source, op: IoOp::Accept, result: IoResult::Bytes(0) },
        E::IoOp { source, op: IoOp::Wait, result: IoResult::WouldBlock },
        E::IoOp { source, op: IoOp::Wait, result: IoResult::Bytes(0) },
        E::IoOp { source, op: IoOp::Read, result: IoResult::Bytes(5) },
        E::IoOp { source, op: IoOp::Read, result: IoResult::Eof },
        E::IoOp { source, op: IoOp::Read, result: IoResult::WouldBlock },
        E::IoOp { source, op: IoOp::Write, result: IoResult::Error(ErrorKind::BrokenPipe) },
        E::IoClose { source, by: by.clone() },
        E::JobNew { job, by, site },
        E::JobStart { job, waited: ms(3) },
        E::JobEnd { job, took: ms(20), panicked: false },
        E::JobEnd { job, took: ms(20), panicked: true },
        E::JobDeliver { job },
        E::JobAbandon { job },
        E::ThreadStart { thread: "oneloop-blocking-1".into() },
        E::ThreadExit { thread: "oneloop-blocking-1".into() },
    ]
}

/// The kinds as the table in `trace/event.rs` lists them.
fn table() -> HashSet<String> {
    let source = include_str!("../event.rs");
    let (_, table) = source.split_once("pub enum EventKind {").expect("the table is there");
    let rows = table.lines().filter(|line| line.starts_with("    ") && line.contains(" {"));
    let names = rows.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| name.starts_with(char::is_uppercase)).map(str::to_owned).collect()
}

#[test]
fn every_kind_has_a_sentence_and_no_two_events_share_one() {
    let kinds = kinds();
    let said: HashSet<String> = kinds.iter().map(name).collect();
    assert_eq!(said, table(), "this test leaves out a kind");
    let mut narrator = Narrator::new();
    let mut sentences = HashSet::new();
    for kind in kinds {
        let sentence = narrator.sentence(&event(kind.clone()));
        assert!(sentences.insert(sentence.clone()), "said twice: {sentence} ({kind:?})");
    }
}

#[test]
fn a_sentence_is_one_line_of_english_and_shows_nothing_of_the_code() {
    let mut narrator = Narrator::new();
    for kind in kinds() {
        let sentence = narrator.sentence(&event(kind));
        assert!(sentence.starts_with(|first: char| first.is_uppercase()), "{sentence}");
        assert!(sentence.ends_with('.') && !sentence.ends_with(".."), "{sentence}");
        assert!(!sentence.contains("  ") && !sentence.contains(" ,"), "{sentence}");
        for leak in ["{", "}", "\"", "\n", "Some", "None", "Id(", "(Wait", "Location", "true", "false"] {
            assert!(!sentence.contains(leak), "{leak:?} in: {sentence}");
        }
    }
}

#[test]
fn the_sentences_are_these() {
    let mut narrator = Narrator::new();
    let said: Vec<String> = kinds().into_iter().map(|kind| narrator.sentence(&event(kind))).collect();
    for sentence in [
        "Turn 1 begins: 2 in the ready queue, 1 timer armed, 2 sources open, 1 job with the pool.",
        "The loop waits for at most 20 ms, until the next timer is due.",
        "Thread worker notified the loop, which was waiting.",
        "Timer 4 woke task 2 (fetch), which joined the ready queue.",
        "Task 2 (fetch) woke itself, so it joined the ready queue for another turn.",
        "The loop polls task 2 (fetch) for the 3rd time, after it was ready for 12.3 µs.",
        "Timer 4 fired 200 µs late.",
        "Timer 4 fired on time: callback 3 joined the ready queue.",
        "Task 1 armed timer 4, which is due in 1 s, at 1.5 s.",
        "Reading from source 5 (connection) moved 5 bytes.",
        "Writing to source 5 (connection) failed: broken pipe.",
    ] {
        assert!(said.iter().any(|line| line == sentence), "missing: {sentence}\nin: {said:#?}");
    }
}

#[test]
fn names_are_forgotten_when_their_task_is_gone() {
    let mut narrator = Narrator::new();
    let site = Place::from(Location::caller());
    for number in 0..100 {
        let (task, by) = (TaskId(number), Actor::Loop);
        let name: Arc<str> = if number % 2 == 0 { "main".into() } else { "child".into() };
        let spawn = E::Spawn { task, name: name.into(), by: by.clone(), site, future: "f", size: 1 };
        narrator.sentence(&event(spawn));
        narrator.sentence(&event(E::TaskEnd { task, outcome: Outcome::Done, at: None }));
        if number % 2 == 1 {
            narrator.sentence(&event(E::Joined { task, by }));
        } else {
            narrator.sentence(&event(E::LoopEnd { why: LoopEnd::MainDone }));
        }
    }
    assert!(narrator.tasks.is_empty());
}
