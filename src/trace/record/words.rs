//! Chapter 35, part 14: the words of the trace format. Each is the name of a variant in snake_case.
//!
//! Before: `trace/record/json.rs`. Next: `trace/record/line.rs`, one event as one line.

use std::io::ErrorKind;

use crate::trace::event::{IoOp, LoopEnd, Outcome, Wait, WaitEnd, WaitReason, WakeEffect};

#[rustfmt::skip] // one line per word: this is the table
pub(crate) fn wait(wait: Wait) -> &'static str {
    match wait {
        Wait::Custom => "custom",
        Wait::Sleep => "sleep",
        Wait::Yield => "yield",
        Wait::Join => "join",
        Wait::Gather => "gather",
        Wait::NextEnd => "next_end",
        Wait::Group => "group",
        Wait::Race => "race",
        Wait::Timeout => "timeout",
        Wait::Job => "job",
        Wait::Worker => "worker",
        Wait::Readable => "readable",
        Wait::Writable => "writable",
        Wait::Connect => "connect",
        Wait::Accept => "accept",
        Wait::Lookup => "lookup",
        Wait::Handshake => "handshake",
        Wait::Get => "get",
        Wait::Put => "put",
        Wait::QueueJoin => "queue_join",
        Wait::Acquire => "acquire",
        Wait::Lock => "lock",
        Wait::Condition => "condition",
        Wait::Barrier => "barrier",
        Wait::Event => "event",
        Wait::Receive => "receive",
        Wait::Signal => "signal",
        Wait::Datagram => "datagram",
        Wait::Exit => "exit",
        Wait::Request => "request",
        Wait::Response => "response",
        Wait::Body => "body",
    }
}

pub(crate) fn effect(effect: WakeEffect) -> &'static str {
    match effect {
        WakeEffect::Queued => "queued",
        WakeEffect::AlreadyQueued => "already_queued",
        WakeEffect::WhileRunning => "while_running",
        WakeEffect::AfterDone => "after_done",
    }
}

pub(crate) fn reason(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::ReadyWork => "ready_work",
        WaitReason::NextTimer => "next_timer",
        WaitReason::Forever => "forever",
    }
}

pub(crate) fn wait_end(end: WaitEnd) -> &'static str {
    match end {
        WaitEnd::Io => "io",
        WaitEnd::Notify => "notify",
        WaitEnd::Timeout => "timeout",
    }
}

pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Panicked => "panicked",
        Outcome::Cancelled => "cancelled",
    }
}

pub(crate) fn loop_end(end: LoopEnd) -> &'static str {
    match end {
        LoopEnd::MainDone => "main_done",
        LoopEnd::Stopped => "stopped",
        LoopEnd::Panicked => "panicked",
        LoopEnd::Stuck => "stuck",
    }
}

pub(crate) fn io_op(op: IoOp) -> &'static str {
    match op {
        IoOp::Connect => "connect",
        IoOp::Accept => "accept",
        IoOp::Read => "read",
        IoOp::Write => "write",
        IoOp::Wait => "wait",
    }
}

/// The library's own name of the error, `ConnectionReset`, as `connection_reset`.
pub(crate) fn error(error: ErrorKind) -> String {
    let mut word = String::new();
    for letter in format!("{error:?}").chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_called_as_the_library_calls_them() {
        assert_eq!(error(ErrorKind::ConnectionReset), "connection_reset");
        assert_eq!(error(ErrorKind::Other), "other");
    }
}
