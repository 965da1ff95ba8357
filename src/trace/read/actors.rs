//! Chapter 35, part 40: the words of the trace format for who, what and how.
//!
//! Each is the name of a variant in snake_case.
//!
//! Before: `trace/read/fields.rs`. Next: `trace/read/sites.rs`.

use std::fmt::Debug;
use std::io::ErrorKind;

use serde_json::Value;

use super::names;
use crate::trace::event::{
    Actor, CallbackId, IoOp, IoResult, JobId, LoopEnd, Outcome, SourceId, TaskId, TimerId, Wait, WaitEnd,
    WaitReason, WakeEffect,
};

/// Who: `"loop"`, `"observer"`, `{"task":3}`, `{"thread":"name"}` and so on.
pub(super) fn actor(value: &Value) -> Option<Actor> {
    if let Some(word) = value.as_str() {
        return match word {
            "loop" => Some(Actor::Loop),
            "observer" => Some(Actor::Observer),
            _ => None,
        };
    }
    let (sort, who) = value.as_object()?.iter().next()?;
    if sort == "thread" {
        return Some(Actor::Thread(names::name(who.as_str()?)));
    }
    let number = who.as_u64()?;
    Some(match sort.as_str() {
        "task" => Actor::Task(TaskId(number)),
        "callback" => Actor::Callback(CallbackId(number)),
        "timer" => Actor::Timer(TimerId(number)),
        "source" => Actor::Source(SourceId(number)),
        "job" => Actor::Job(JobId(number)),
        _ => return None,
    })
}

/// What an I/O operation gave: `{"bytes":5}`, `"eof"`, `"would_block"`, `{"error":"broken_pipe"}`.
pub(super) fn io_result(value: &Value) -> Option<IoResult> {
    match value.as_str() {
        Some("eof") => return Some(IoResult::Eof),
        Some("would_block") => return Some(IoResult::WouldBlock),
        Some(_) => return None,
        None => {}
    }
    if let Some(bytes) = value.get("bytes") {
        return Some(IoResult::Bytes(super::fields::clamped(bytes.as_u64()?)));
    }
    let word = value.get("error")?.as_str()?;
    Some(IoResult::Error(among(&ERRORS, word).unwrap_or(ErrorKind::Other)))
}

/// What a task waits for; what is not known is a future of somebody else.
pub(super) fn wait(word: &str) -> Wait {
    among(&WAITS, word).unwrap_or_default()
}

pub(super) fn effect(word: &str) -> Option<WakeEffect> {
    use WakeEffect::{AfterDone, AlreadyQueued, Queued, WhileRunning};
    among(&[Queued, AlreadyQueued, WhileRunning, AfterDone], word)
}

pub(super) fn reason(word: &str) -> Option<WaitReason> {
    among(&[WaitReason::ReadyWork, WaitReason::NextTimer, WaitReason::Forever], word)
}

pub(super) fn wait_end(word: &str) -> Option<WaitEnd> {
    among(&[WaitEnd::Io, WaitEnd::Notify, WaitEnd::Timeout], word)
}

pub(super) fn outcome(word: &str) -> Option<Outcome> {
    among(&[Outcome::Done, Outcome::Panicked, Outcome::Cancelled], word)
}

pub(super) fn loop_end(word: &str) -> Option<LoopEnd> {
    among(&[LoopEnd::MainDone, LoopEnd::Stopped, LoopEnd::Panicked, LoopEnd::Stuck], word)
}

pub(super) fn io_op(word: &str) -> Option<IoOp> {
    among(&[IoOp::Connect, IoOp::Accept, IoOp::Read, IoOp::Write, IoOp::Wait], word)
}

/// The variant with this name.
fn among<T: Copy + Debug>(variants: &[T], word: &str) -> Option<T> {
    variants.iter().copied().find(|variant| is_called(&format!("{variant:?}"), word))
}

/// Whether `CamelCase` is `camel_case`, or just as it is.
fn is_called(variant: &str, word: &str) -> bool {
    let mut letters = word.chars();
    let snake = variant.chars().enumerate().all(|(index, letter)| {
        let gap = index > 0 && letter.is_uppercase();
        (!gap || letters.next() == Some('_')) && letters.next() == Some(letter.to_ascii_lowercase())
    });
    (snake && letters.next().is_none()) || variant == word
}

const WAITS: [Wait; 32] = [
    Wait::Custom,
    Wait::Sleep,
    Wait::Yield,
    Wait::Join,
    Wait::Gather,
    Wait::NextEnd,
    Wait::Group,
    Wait::Race,
    Wait::Timeout,
    Wait::Job,
    Wait::Worker,
    Wait::Readable,
    Wait::Writable,
    Wait::Connect,
    Wait::Accept,
    Wait::Lookup,
    Wait::Handshake,
    Wait::Get,
    Wait::Put,
    Wait::QueueJoin,
    Wait::Acquire,
    Wait::Lock,
    Wait::Condition,
    Wait::Barrier,
    Wait::Event,
    Wait::Receive,
    Wait::Signal,
    Wait::Datagram,
    Wait::Exit,
    Wait::Request,
    Wait::Response,
    Wait::Body,
];

const ERRORS: [ErrorKind; 22] = [
    ErrorKind::NotFound,
    ErrorKind::PermissionDenied,
    ErrorKind::ConnectionRefused,
    ErrorKind::ConnectionReset,
    ErrorKind::HostUnreachable,
    ErrorKind::NetworkUnreachable,
    ErrorKind::ConnectionAborted,
    ErrorKind::NotConnected,
    ErrorKind::AddrInUse,
    ErrorKind::AddrNotAvailable,
    ErrorKind::NetworkDown,
    ErrorKind::BrokenPipe,
    ErrorKind::AlreadyExists,
    ErrorKind::WouldBlock,
    ErrorKind::InvalidInput,
    ErrorKind::InvalidData,
    ErrorKind::TimedOut,
    ErrorKind::WriteZero,
    ErrorKind::Interrupted,
    ErrorKind::Unsupported,
    ErrorKind::UnexpectedEof,
    ErrorKind::OutOfMemory,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_of_each_wait_what_everybody_says() {
        let page = include_str!("../page/words.js");
        for wait in WAITS {
            let said = format!(": [\"{wait}\", \"");
            let word = page.lines().find_map(|line| Some(line.trim_start().split_once(&said)?.0));
            assert_eq!(word.and_then(|word| among(&WAITS, word)), Some(wait), "{wait}");
        }
    }
}
