//! Chapter 35, part 19: how do events get away from the loop's thread?
//!
//! The loop must not wait for a file, and formatting a line takes longer than all that the loop does between two events.
//! So its thread only copies each event to the end of a list; another thread takes the whole list away from time to time,
//! and leaves an empty one:
//!
//! ```text
//!   loop's thread                          writer's thread
//!   push  a ┐
//!   push  b │ [a b c]  ── take ──▶  [a b c]   format, pack, write: 0.1 s later at the latest
//!   push  c ┘
//!   push  d   [d]
//! ```
//!
//! The list can be taken at any time, so also when the loop hangs in the middle of a poll: what the file then lacks is
//! not the very events that one looks for. A loop that is faster than the writer for long waits for it, instead of filling
//! the memory or leaving gaps.
//!
//! Before: `trace/record/header.rs`. Next: `trace/record/pieces.rs`.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::trace::event::Event;

/// How long an event may lie in the list. With the time it takes to write, a killed program's file ends at most
/// 200 ms before it.
const PERIOD: Duration = Duration::from_millis(100);

/// So many events are worth being taken at once, before the time is over.
const MANY: usize = 1 << 14;

/// The most events in the list, 30 MB of them; the loop then waits for the writer.
const MOST: usize = 1 << 17;

/// How long a program that ends waits for what is left to be written.
const PATIENCE: Duration = Duration::from_secs(10);

/// The list between the loop's thread and the writer's.
pub(crate) struct Queue {
    pending: Mutex<Pending>,
    /// There is something for the writer to do.
    work: Condvar,
    /// The writer has taken or written something.
    progress: Condvar,
}

#[derive(Default)]
struct Pending {
    /// What happened and was not taken yet, in order.
    events: Vec<Event>,
    /// Whether somebody waits for all of it to be written.
    hurry: bool,
    /// Whether the writer is at work with what it has taken.
    writing: bool,
    /// Nothing more comes.
    closed: bool,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue { pending: Mutex::default(), work: Condvar::new(), progress: Condvar::new() }
    }

    /// Adds an event. The loop's thread.
    #[inline]
    pub(crate) fn push(&self, event: &Event) {
        let mut pending = self.lock();
        pending.events.push(event.clone());
        let events = pending.events.len();
        if events == 1 || events >= MANY {
            self.mind(pending);
        }
    }

    /// Has the writer called if it may be asleep, and waits for it if it is far behind.
    #[cold]
    fn mind(&self, pending: MutexGuard<'_, Pending>) {
        let events = pending.events.len();
        if events == 1 || events == MANY {
            self.work.notify_one();
        }
        if events >= MOST {
            let behind = |pending: &mut Pending| pending.events.len() >= MOST;
            drop(self.progress.wait_while(pending, behind));
        }
    }

    /// Takes all events into `batch`, which is empty, once it is time; `false`: nothing more comes. The writer's thread.
    pub(crate) fn take(&self, batch: &mut Vec<Event>) -> bool {
        let mut pending = self.lock();
        pending.writing = false;
        self.progress.notify_all();
        let idle = |pending: &mut Pending| pending.events.is_empty() && !pending.closed;
        let pending = self.work.wait_while(pending, idle).unwrap_or_else(PoisonError::into_inner);
        let early = |pending: &mut Pending| pending.events.len() < MANY && !pending.hurry && !pending.closed;
        let waited = self.work.wait_timeout_while(pending, PERIOD, early);
        let (mut pending, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut pending.events, batch);
        pending.hurry = false;
        pending.writing = !batch.is_empty();
        self.progress.notify_all();
        !batch.is_empty()
    }

    /// Waits until all that was pushed is written.
    pub(crate) fn flush(&self) {
        let mut pending = self.lock();
        if pending.events.is_empty() && !pending.writing {
            return;
        }
        pending.hurry = true;
        self.work.notify_one();
        let unwritten = |pending: &mut Pending| !pending.events.is_empty() || pending.writing;
        drop(self.progress.wait_timeout_while(pending, PATIENCE, unwritten));
    }

    /// Says that nothing more comes.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        // No code of anybody else's runs under this lock; what a panic left is whole.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
