//! Chapter 35, part 29: One event of each kind at least, with every field, for the tests of what is written and of what is read.
//!
//! Before: `trace/record/recorder.rs`. Next: `trace/record/format_page.rs`.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use crate::trace::event::*;
use crate::trace::frames::Frames;

const SITE: Place = Place { file: "src/main.rs", line: 7, column: 39 };
/// A task that was given no name.
const UNNAMED: TaskId = TaskId(9);
const OTHER: Place = Place { file: "src/main.rs", line: 9, column: 5 };

fn name(name: &str) -> Arc<str> {
    name.into()
}

fn ns(ns: u64) -> Duration {
    Duration::from_nanos(ns)
}

/// The events, numbered from 0.
pub(crate) fn events() -> Vec<Event> {
    let kinds = of_the_loop().into_iter().chain(of_tasks()).chain(of_lines()).chain(of_the_world());
    let events = kinds.enumerate().map(|(index, kind)| {
        let seq = index as u64;
        let thread = matches!(kind, EventKind::JobStart { .. }).then(|| name("oneloop-blocking-0"));
        Event { seq, time: ns(1_000 * seq), cause: seq.checked_sub(1), thread, kind }
    });
    events.collect()
}

fn of_the_loop() -> Vec<EventKind> {
    use EventKind::*;
    let callback = CallbackId(4);
    vec![
        TurnBegin { turn: 1, ready: 2, timers: 3, sources: 4, jobs: 5 },
        WaitBegin { timeout: None, why: WaitReason::Forever },
        WaitBegin { timeout: Some(ns(500)), why: WaitReason::NextTimer },
        WaitEnd { sources: 2, by: crate::trace::WaitEnd::Io },
        Notify { by: Actor::Thread(name("a \"thread\"")) },
        ClockJump { from: ns(1), to: ns(2) },
        Stop { by: Actor::Observer },
        Stuck { tasks: 2, report: name("nobody\n  waits"), fatal: true },
        HeldUp { by: Actor::Callback(callback), took: ns(1_500) },
        LoopEnd { why: crate::trace::LoopEnd::MainDone },
        CallbackNew { callback, at: Some(ns(9)), by: Actor::Loop, site: SITE },
        CallbackBegin { callback },
        CallbackEnd { callback, took: ns(11), panicked: true },
        CallbackCancel { callback, by: Actor::Callback(CallbackId(3)) },
        TurnEnd { turn: 1, ready: 0 },
    ]
}

fn of_tasks() -> Vec<EventKind> {
    use EventKind::*;
    let (task, by) = (TaskId(2), Actor::Task(TaskId(1)));
    let suspended = Some((Wait::Sleep, Some(SITE)));
    vec![
        Spawn {
            task,
            name: "</script>".into(),
            by: by.clone(),
            site: SITE,
            future: "main::{{closure}}",
            size: 24,
        },
        Spawn {
            task: UNNAMED,
            name: Name::numbered(UNNAMED),
            by: by.clone(),
            site: OTHER,
            future: "main::other",
            size: 1 << 40,
        },
        Wake { task, by: Actor::Timer(TimerId(3)), effect: WakeEffect::Queued },
        Wake { task, by: Actor::Source(SourceId(5)), effect: WakeEffect::AlreadyQueued },
        Wake { task, by: Actor::Job(JobId(6)), effect: WakeEffect::WhileRunning },
        PollBegin { task, poll: 1, waited: ns(77) },
        LeafWait { wait: Wait::Sleep, by: by.clone(), site: SITE },
        Chain { task, frames: Frames::new(vec![OTHER, SITE]) },
        Chain { task, frames: Frames::new(Vec::new()) },
        PollEnd { task, poll: 1, took: ns(88), suspended, wakers: 1 },
        PollEnd { task, poll: 2, took: ns(88), suspended: Some((Wait::Custom, None)), wakers: 0 },
        PollEnd { task, poll: 3, took: ns(88), suspended: None, wakers: 0 },
        Cancel { task, by: Actor::Observer },
        TaskEnd { task, outcome: Outcome::Cancelled, at: Some(OTHER) },
        TaskEnd { task, outcome: Outcome::Done, at: None },
        HandleDrop { task, cancelled: true },
        JoinWait { task, by: Actor::Task(TaskId(1)), site: OTHER },
        Joined { task, by: Actor::Task(TaskId(1)) },
        Lost { task },
        Unheard { task, name: name("fetch"), how: name("panicked"), text: name("no\u{1b}such page") },
    ]
}

fn of_lines() -> Vec<EventKind> {
    use EventKind::*;
    let (line, ticket, by) = (LineId(1), 3, Actor::Task(TaskId(1)));
    vec![
        LineWait { line, ticket, wait: Wait::Lock, by: by.clone(), site: SITE },
        LineGrant { line, ticket, by: by.clone() },
        LineLeave { line, ticket, served: true, by: by.clone() },
        PermitTake { line, by: by.clone() },
        PermitRelease { line, by },
    ]
}

fn of_the_world() -> Vec<EventKind> {
    use EventKind::*;
    let (timer, source, job, by) = (TimerId(3), SourceId(5), JobId(6), Actor::Task(TaskId(1)));
    let op = |op, result| IoOp { source, op, result };
    vec![
        TimerArm { timer, callback: None, by: by.clone(), at: ns(400), place: Some((1, 24)) },
        TimerArm { timer, callback: Some(CallbackId(4)), by: by.clone(), at: ns(400), place: None },
        TimerFire { timer, callback: Some(CallbackId(4)), late: ns(12) },
        TimerCancel { timer, by: by.clone() },
        IoOpen { source, what: "connection", by: by.clone(), site: SITE },
        IoInterest { source, wait: Wait::Readable, by: by.clone() },
        IoForget { source, wait: Wait::Readable, by: by.clone() },
        IoReady { source, readable: true, writable: true, closed: true },
        op(crate::trace::IoOp::Read, IoResult::Bytes(512)),
        op(crate::trace::IoOp::Write, IoResult::WouldBlock),
        op(crate::trace::IoOp::Read, IoResult::Eof),
        op(crate::trace::IoOp::Connect, IoResult::Error(ErrorKind::ConnectionRefused)),
        IoClose { source, by: by.clone() },
        JobNew { job, by, site: SITE },
        JobStart { job, waited: ns(5) },
        JobEnd { job, took: ns(6), panicked: true },
        JobDeliver { job },
        JobAbandon { job },
        ThreadStart { thread: name("oneloop-blocking-0") },
        ThreadExit { thread: name("oneloop-blocking-0") },
    ]
}
