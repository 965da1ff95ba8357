//! Chapter 35, part 23: how do events get away from the loop's thread?
//!
//! The loop must not wait for a file, and formatting a line takes longer than all that the loop does between two events.
//! So its thread only packs each event into the chunk at hand (`compact.rs`); another thread reads the chunks:
//!
//! ```text
//!   loop's thread                              writer's thread
//!   push ──▶ [a b c d e f]  full               [a b c d e f] ──▶ format, pack, write: 0.1 s later at the latest
//!   push ──▶ [g h          ◀── reads up to h, at any time ──
//!            [             ◀──────────────────────────────────── used again, while it is warm
//! ```
//!
//! The lock is taken once a chunk. The chunk at hand can be read at any time, so also when the loop hangs in the middle of
//! a poll: what the file then lacks is not the very events that one looks for. A loop that is faster than the writer for
//! long waits for it, instead of filling the memory or leaving gaps.
//!
//! Before: `trace/record/compact/unpack.rs`. Next: `trace/record/pieces.rs`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::compact::{Chunk, Numbered, Packer, Spot, Spots, Unpacker};
use crate::trace::event::Event;

/// How long an event may lie in memory. With the time it takes to write, a killed program's file ends at most 200 ms
/// before it.
const PERIOD: Duration = Duration::from_millis(100);

/// The most chunks that are not read, 16 MiB of them; the loop then waits for the writer.
const MOST: usize = 128;

/// So many empty chunks are kept for their memory.
const SPARE: usize = 8;

/// How long a program that ends waits for what is left to be written.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is between the loop's thread and the one that reads.
#[derive(Debug)]
pub(super) struct Queue {
    pending: Mutex<Pending>,
    /// There is something for the reader to do.
    work: Condvar,
    /// The reader has done something.
    progress: Condvar,
    /// Whether the reader is asleep until it is called, since nothing has come for a while.
    asleep: AtomicBool,
    spots: Arc<Numbered>,
}

#[derive(Debug, Default)]
struct Pending {
    /// What was not read to its end, in order; the last one is being written.
    chunks: VecDeque<Arc<Chunk>>,
    /// Empty ones.
    spare: Vec<Arc<Chunk>>,
    /// How often the reader was asked for what there is.
    asked: u64,
    /// Up to which of these it has begun with it.
    begun: u64,
    /// Up to which it has done it.
    served: u64,
    /// Nothing more comes.
    closed: bool,
}

/// What the reader is to do once it was called.
#[derive(Debug)]
pub(super) struct Work {
    /// Nothing more comes after what is there now.
    pub(super) closed: bool,
    /// To be handed back.
    asked: u64,
}

impl Queue {
    pub(super) fn new() -> Arc<Queue> {
        let (work, progress) = (Condvar::new(), Condvar::new());
        let (pending, asleep) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Queue { pending, work, progress, asleep, spots: Arc::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        // No code of anybody else's runs under this lock; what a panic left is whole.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A chunk to write in. Waits if the reader is far behind.
    #[cold]
    fn chunk(&self) -> Arc<Chunk> {
        let behind = |pending: &mut Pending| pending.chunks.len() >= MOST;
        let waited = self.progress.wait_while(self.lock(), behind);
        let mut pending = waited.unwrap_or_else(PoisonError::into_inner);
        let chunk = pending.spare.pop().unwrap_or_else(|| Arc::new(Chunk::new()));
        pending.chunks.push_back(Arc::clone(&chunk));
        if pending.chunks.len() > 1 {
            self.work.notify_one();
        }
        chunk
    }

    /// Takes back a chunk that was read.
    pub(super) fn give_back(&self, chunk: Arc<Chunk>) {
        chunk.clear();
        let mut pending = self.lock();
        if pending.spare.len() < SPARE {
            pending.spare.push(chunk);
        }
    }

    /// Calls the reader, which is asleep.
    #[cold]
    fn call(&self) {
        let _pending = self.lock();
        self.asleep.store(false, Ordering::Relaxed);
        self.work.notify_one();
    }

    /// Asks the reader to begin at once, and waits until it has taken up all that was pushed. Any thread.
    pub(super) fn ask(&self) {
        let mut pending = self.lock();
        pending.asked += 1;
        let asked = pending.asked;
        self.work.notify_one();
        let unserved = |pending: &mut Pending| pending.served < asked;
        drop(self.progress.wait_timeout_while(pending, PATIENCE, unserved));
    }

    /// Says that nothing more comes.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    /// The reader has done its work.
    pub(super) fn done(&self, work: Work) {
        self.lock().served = work.asked;
        self.progress.notify_all();
    }
}

impl Pending {
    /// Whether the reader should begin at once.
    fn is_urgent(&self) -> bool {
        self.closed || self.begun < self.asked || self.chunks.len() > 1
    }

    fn work(&mut self) -> Work {
        self.begun = self.asked;
        Work { closed: self.closed, asked: self.asked }
    }
}

/// The end of the loop's thread.
#[derive(Debug)]
pub(super) struct Pen {
    queue: Arc<Queue>,
    packer: Packer,
}

impl Pen {
    pub(super) fn new(queue: Arc<Queue>) -> Pen {
        let packer = Packer::new(Spots::new(Arc::clone(&queue.spots)));
        Pen { queue, packer }
    }

    /// Adds an event.
    #[inline]
    pub(super) fn push(&mut self, event: &Event) {
        if self.packer.is_full() {
            self.packer.end();
            self.packer.begin(self.queue.chunk());
        }
        self.packer.push(event);
        // The reader may go to sleep at this very moment. It looks once more before it does so without limit.
        if self.queue.asleep.load(Ordering::Relaxed) {
            self.queue.call();
        }
    }
}

/// The other end: reads all events, once each.
#[derive(Debug)]
pub(super) struct Reader {
    queue: Arc<Queue>,
    /// The chunk being read; `None`: none has been begun.
    chunk: Option<Unpacker>,
    known: Vec<Spot>,
}

impl Reader {
    pub(super) fn new(queue: Arc<Queue>) -> Reader {
        Reader { queue, chunk: None, known: Vec::new() }
    }

    /// The next event; `None`: there is none yet.
    pub(super) fn next(&mut self) -> Option<Event> {
        loop {
            if self.chunk.is_none() {
                self.chunk = self.queue.lock().chunks.front().cloned().map(Unpacker::new);
            }
            let unpacker = self.chunk.as_mut()?;
            if let Some(event) = unpacker.next(&mut self.known, &self.queue.spots) {
                return Some(event);
            }
            if !unpacker.has_ended() {
                return None;
            }
            self.queue.lock().chunks.pop_front();
            let read = self.chunk.take()?;
            self.queue.give_back(read.into_chunk());
            self.queue.progress.notify_all();
        }
    }

    /// Waits until it is time to read.
    pub(super) fn wait(&self) -> Work {
        loop {
            let mut pending = self.wait_while(PERIOD, |pending| !pending.is_urgent());
            if pending.is_urgent() || self.is_behind(&pending) {
                return pending.work();
            }
            // Nothing comes: sleep until called. The first while may be cut short by a call that came too early.
            self.queue.asleep.store(true, Ordering::Relaxed);
            drop(pending);
            let asleep =
                |pending: &mut Pending| !pending.is_urgent() && self.queue.asleep.load(Ordering::Relaxed);
            let pending = self.wait_while(PERIOD, asleep);
            if !self.is_behind(&pending) {
                drop(self.queue.work.wait_while(pending, asleep));
            }
            self.queue.asleep.store(false, Ordering::Relaxed);
        }
    }

    fn wait_while(
        &self,
        limit: Duration,
        condition: impl Fn(&mut Pending) -> bool,
    ) -> MutexGuard<'_, Pending> {
        let waited = self.queue.work.wait_timeout_while(self.queue.lock(), limit, condition);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn is_behind(&self, pending: &Pending) -> bool {
        match &self.chunk {
            Some(unpacker) => unpacker.is_behind(),
            None => pending.chunks.front().is_some_and(|chunk| chunk.len() > 0),
        }
    }
}
