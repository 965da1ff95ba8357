//! Chapter 35, part 47: Chrome's JSON ("Trace Event Format").
//!
//! Slices of a thread are complete events (`X`), which must nest; a task's life is no thread's, so it is made of
//! asynchronous ones (`b`, `e`) with the task's number. An arrow is a pair of `s` and `f` with equal name, category and
//! number, each of them within a slice. Times are microseconds, with a fraction.
//!
//! Before: `trace/export/marks.rs`. Next: `trace/export/protobuf.rs`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::marks::{Mark, Track, draw};
use crate::trace::narrate::plain;
use crate::trace::read::Recording;

/// The loop's thread. Threads of the pool are numbered from the next one on.
const LOOP: usize = 1;

pub(super) fn write(recording: &Recording, mut out: impl Write) -> io::Result<()> {
    let program = &recording.header.program;
    write!(out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    let named = |what: &str, tid: usize, name: &str| json!({"ph": "M", "name": what, "pid": 1, "tid": tid, "args": {"name": plain(name)}});
    write!(out, "\n{},\n{}", named("process_name", LOOP, program), named("thread_name", LOOP, "the loop"))?;
    let mut threads: HashMap<Arc<str>, usize> = HashMap::new();
    draw(recording, |mark| {
        let (track, ended) = match &mark {
            Mark::Begin { track, .. } => (*track, false),
            Mark::End { track, .. } => (*track, true),
            _ => (&Track::Loop, false),
        };
        let mut tid = LOOP;
        if let Track::Thread(name) = track {
            let known = threads.len();
            tid = *threads.entry(Arc::clone(name)).or_insert(LOOP + 1 + known);
            if threads.len() > known {
                write!(out, ",\n{}", named("thread_name", tid, name))?;
            }
        }
        let is_async = matches!(track, Track::Task(_));
        match mark {
            Mark::Begin { at, name, track: Track::Task(task), .. } => {
                let event =
                    json!({"ph": "b", "cat": "task", "id": task.0, "name": name, "pid": 1, "tid": tid});
                entry(&mut out, event, at, None)
            }
            Mark::End { at, name, track: Track::Task(task), .. } => {
                let event =
                    json!({"ph": "e", "cat": "task", "id": task.0, "name": name, "pid": 1, "tid": tid});
                entry(&mut out, event, at, None)
            }
            Mark::Begin { at, flow: Some(flow), .. } => {
                let event = json!({"ph": "f", "bp": "e", "cat": "wake", "id": flow, "name": "wake", "pid": 1, "tid": tid});
                entry(&mut out, event, at, None)
            }
            Mark::End { at, name, began, .. } if ended && !is_async => {
                let event = json!({"ph": "X", "cat": "loop", "name": name, "pid": 1, "tid": tid});
                entry(&mut out, event, began, Some(at.saturating_sub(began)))
            }
            Mark::Flow { at, flow, .. } => {
                let event =
                    json!({"ph": "s", "cat": "wake", "id": flow, "name": "wake", "pid": 1, "tid": tid});
                entry(&mut out, event, at, None)
            }
            Mark::Ready { at, length } => {
                let event = json!({"ph": "C", "name": "ready queue", "pid": 1, "args": {"tasks": length}});
                entry(&mut out, event, at, None)
            }
            _ => Ok(()),
        }
    })?;
    writeln!(out, "\n]}}")?;
    out.flush()
}

/// One event. The times are written by hand: a number in JSON may have a fraction of any length, a float does not.
fn entry(
    out: &mut impl Write,
    event: serde_json::Value,
    at: Duration,
    took: Option<Duration>,
) -> io::Result<()> {
    let event = event.to_string();
    let fields = event.strip_suffix('}').unwrap_or(&event);
    write!(out, ",\n{fields},\"ts\":{}", micros(at))?;
    if let Some(took) = took {
        write!(out, ",\"dur\":{}", micros(took))?;
    }
    write!(out, "}}")
}

/// `1234.567`.
fn micros(time: Duration) -> String {
    format!("{}.{:03}", time.as_micros(), time.subsec_nanos() % 1_000)
}
