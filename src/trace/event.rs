//! Chapter 1, part 5: what can happen in a loop, as data.
//!
//! Everything oneloop shows of itself is made of the events in this file: one event is one thing that
//! happened, with its time and what caused it. The state of a loop at any moment can be worked out by
//! going through its events from the first one on; nothing else is needed, so a recorded run can be
//! stepped backwards as well as forwards.
//!
//! ```text
//!   timer fires ──▶ wake task 2 ──▶ (queue) ──▶ poll begins ──▶ poll ends: pending at main.rs:7
//!      seq 40          seq 41                      seq 43            seq 44
//!   cause: 17        cause: 40                   cause: 41         cause: 43
//!   (armed)
//! ```
//!
//! Left out on purpose: how an event is put in words (`narrate`) and who listens (`observer`).
//!
//! Before: `trace/frames/stack.rs`. Next: `trace/observer.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::frames::Frames;
pub use super::who::*;

/// What a suspended task waits for, as far as the future at its `.await` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Wait {
    /// A future that oneloop did not write: nothing is known of it.
    #[default]
    Custom,
    /// Time: `sleep`, `sleep_until`.
    Sleep,
    /// Its next turn: `yield_now`, or its share of I/O for this turn is used up.
    Yield,
    /// The end of another task.
    Join,
    /// The end of several tasks.
    Gather,
    /// The end of whichever of several tasks is next.
    NextEnd,
    /// The end of all tasks of a group.
    Group,
    /// The first of two futures.
    Race,
    /// A future, with a limit of time.
    Timeout,
    /// A job on the blocking pool.
    Job,
    /// A job in a worker process.
    Worker,
    /// Bytes to read.
    Readable,
    /// Room to write.
    Writable,
    /// A connection being made.
    Connect,
    /// A connection coming in.
    Accept,
    /// The addresses of a name.
    Lookup,
    /// A TLS handshake.
    Handshake,
    /// An item from a queue.
    Get,
    /// Room in a queue.
    Put,
    /// The last item of a queue being done.
    QueueJoin,
    /// A permit of a semaphore.
    Acquire,
    /// A mutex.
    Lock,
    /// A condition being notified.
    Condition,
    /// The others at a barrier.
    Barrier,
    /// An event being set.
    Event,
    /// A value from a oneshot sender.
    Receive,
    /// A signal of the operating system.
    Signal,
    /// A datagram.
    Datagram,
    /// A child process to end.
    Exit,
    /// An HTTP request to be sent or accepted.
    Request,
    /// The head of an HTTP response.
    Response,
    /// The body of an HTTP response.
    Body,
}

impl fmt::Display for Wait {
    /// To be put after "waiting for".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wait::Custom => "a future that oneloop did not write",
            Wait::Sleep => "a sleep",
            Wait::Yield => "its next turn",
            Wait::Join => "a task to end",
            Wait::Gather => "several tasks to end",
            Wait::NextEnd => "the next of several tasks to end",
            Wait::Group => "the tasks of a group to end",
            Wait::Race => "the first of two futures",
            Wait::Timeout => "a future, with a limit of time",
            Wait::Job => "a job of the blocking pool",
            Wait::Worker => "a worker process",
            Wait::Readable => "bytes to read",
            Wait::Writable => "room to write",
            Wait::Connect => "a connection to be made",
            Wait::Accept => "a connection to come in",
            Wait::Lookup => "the addresses of a name",
            Wait::Handshake => "a TLS handshake",
            Wait::Get => "an item from a queue",
            Wait::Put => "room in a queue",
            Wait::QueueJoin => "the last item of a queue to be done",
            Wait::Acquire => "a permit of a semaphore",
            Wait::Lock => "a mutex",
            Wait::Condition => "a condition to be notified",
            Wait::Barrier => "the others at a barrier",
            Wait::Event => "an event to be set",
            Wait::Receive => "a value from a oneshot sender",
            Wait::Signal => "a signal of the operating system",
            Wait::Datagram => "a datagram",
            Wait::Exit => "a child process to end",
            Wait::Request => "an HTTP request to be sent or accepted",
            Wait::Response => "the head of an HTTP response",
            Wait::Body => "the body of an HTTP response",
        })
    }
}

/// What a wake did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WakeEffect {
    /// The task joined the ready queue.
    Queued,
    /// It was in the queue already: one turn of the task will do for both wakes.
    AlreadyQueued,
    /// It was being polled at that moment; it joined the queue, for another turn.
    WhileRunning,
    /// The task is gone; nothing happened.
    AfterDone,
}

/// How long step 2 of a turn may wait, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitReason {
    /// Not at all: there is work in the ready queue.
    ReadyWork,
    /// Until the next timer.
    NextTimer,
    /// Until I/O or a notification: there is no timer.
    Forever,
}

/// What ended step 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitEnd {
    /// At least one source became ready.
    Io,
    /// Another thread notified the loop.
    Notify,
    /// The time ran out.
    Timeout,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It returned.
    Done,
    /// It panicked.
    Panicked,
    /// It was cancelled: its future was dropped.
    Cancelled,
}

/// Why a run of the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopEnd {
    /// The main future returned.
    MainDone,
    /// `stop` was called.
    Stopped,
    /// The main future panicked.
    Panicked,
    /// It could never have gone on.
    Stuck,
}

/// An operation on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IoOp {
    /// Making a connection.
    Connect,
    /// Taking a connection.
    Accept,
    /// Reading bytes.
    Read,
    /// Writing bytes.
    Write,
    /// Asking whether a child process has ended.
    Wait,
}

/// What an I/O operation gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IoResult {
    /// It moved so many bytes (0 for a connection made or taken).
    Bytes(usize),
    /// The peer closed its side: nothing more to read.
    Eof,
    /// Not now; the task will wait for readiness.
    WouldBlock,
    /// It failed.
    Error(std::io::ErrorKind),
}

/// One thing that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// Its number in this loop's life, from 0, without gaps.
    pub seq: u64,
    /// When, on the loop's clock, since the loop was made.
    pub time: Duration,
    /// The event that led to this one; `None` for a first cause (the program, another thread).
    pub cause: Option<u64>,
    /// The thread it happened on, if it was not the loop's own.
    pub thread: Option<Arc<str>>,
    /// What it was.
    pub kind: EventKind,
}

/// What happened. The groups follow the chapters: loop, callbacks, tasks, timers, I/O, jobs.
///
/// Fields that occur in many kinds mean the same in all: `by` is who did it, `site` the line of the program
/// that asked for it, `at` a time on the loop's clock, `took` how long it went on, `waited` how long it lay in
/// a queue before. What is particular to a kind is said with the kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are explained with their kind, so that the table stays one line each")]
#[rustfmt::skip] // one line per kind: this is the table of the vocabulary
pub enum EventKind {
    /// A turn begins: so many entries in the ready queue, timers armed, sources registered, and jobs whose end
    /// the loop has not heard of.
    TurnBegin { turn: u64, ready: usize, timers: usize, sources: usize, jobs: usize },
    /// The turn ended; `ready` entries wait for the next one.
    TurnEnd { turn: u64, ready: usize },
    /// Step 2 begins: the loop waits, at most `timeout` of its clock (`None`: without limit; zero: it looks at
    /// I/O and goes on).
    WaitBegin { timeout: Option<Duration>, why: WaitReason },
    /// Step 2 ended with so many readiness events.
    WaitEnd { sources: usize, by: WaitEnd },
    /// Another thread ended the loop's wait, to hand something over; told in step 3, before what it handed over.
    Notify { by: Actor },
    /// The clock jumped: virtual time to the next deadline, since nothing else happened, or any clock as far
    /// as an observer decided.
    ClockJump { from: Duration, to: Duration },
    /// The loop was asked to end its run after this turn.
    Stop { by: Actor },
    /// The loop can never go on: `tasks` wait, and nothing is left that could wake any. The `report` lists them with
    /// their lines. In virtual time it is `fatal`: the run ends. In real time the loop waits on, in case it is wrong.
    Stuck { tasks: usize, report: Arc<str>, fatal: bool },
    /// A poll or a call has been going on for more than `took`, and holds the loop up. Only recordings have it, and only
    /// as their last event: it is another thread that sees it, and what the loop tells next takes its place.
    HeldUp { by: Actor, took: Duration },
    /// A run of the loop ended.
    LoopEnd { why: LoopEnd },

    /// A plain function was handed to the loop. `at` is when it is due, for `call_later` and `call_at`; with
    /// `None` it has joined the ready queue.
    CallbackNew { callback: CallbackId, at: Option<Duration>, by: Actor, site: Place },
    /// It is being called.
    CallbackBegin { callback: CallbackId },
    /// It returned, or panicked.
    CallbackEnd { callback: CallbackId, took: Duration, panicked: bool },
    /// It was cancelled and will not be called.
    CallbackCancel { callback: CallbackId, by: Actor },

    /// A task was made, and joined the ready queue; in a loop that is being closed it ends at once instead.
    /// `future` is the type of its future, `size` its bytes.
    Spawn { task: TaskId, name: Name, by: Actor, site: Place, future: &'static str, size: usize },
    /// A task was woken: it may go on, and `effect` says what that changed.
    Wake { task: TaskId, by: Actor, effect: WakeEffect },
    /// Poll number `poll` (from 1) begins, after `waited` in the ready queue.
    PollBegin { task: TaskId, poll: u32, waited: Duration },
    /// A future at the end of a chain of awaits was polled in vain, and then another one: the task waits here too. Where
    /// the last one is, the end of the poll tells.
    LeafWait { wait: Wait, by: Actor, site: Place },
    /// The async functions that the task is about to be suspended in, if they are others than last time.
    Chain { task: TaskId, frames: Frames },
    /// The poll ended. If the task is suspended, `suspended` says at which line and for what;
    /// `wakers` is how many clones of its waker others keep.
    PollEnd { task: TaskId, poll: u32, took: Duration, suspended: Option<(Wait, Option<Place>)>, wakers: usize },
    /// The task was asked to end; its future is dropped at its next turn.
    Cancel { task: TaskId, by: Actor },
    /// The task ended; `at` is where it was suspended, if it was cancelled.
    TaskEnd { task: TaskId, outcome: Outcome, at: Option<Place> },
    /// Its handle was dropped: nobody will take its result. `cancelled`: the handle was being awaited, so the
    /// task was cancelled with it.
    HandleDrop { task: TaskId, cancelled: bool },
    /// Its end is waited for: its handle was polled, in vain.
    JoinWait { task: TaskId, by: Actor, site: Place },
    /// Its result was handed to whoever awaited its handle.
    Joined { task: TaskId, by: Actor },
    /// It is suspended, and nobody is left who could wake it: no timer, no source, no object, no clone of its waker.
    Lost { task: TaskId },
    /// It failed, and nobody will ever take its panic or its error: `how` it failed, in words, and the `text`.
    Unheard { task: TaskId, name: Arc<str>, how: Arc<str>, text: Arc<str> },

    /// A future for an object (a lock, a queue, an event…) was polled in vain: it waits in that `line`, as number
    /// `ticket` (numbers are given anew, once they are free). `wait` says for what.
    LineWait { line: LineId, ticket: usize, wait: Wait, by: Actor, site: Place },
    /// What the holder of the ticket waits for is there: the task is woken, and has it once the future is polled.
    LineGrant { line: LineId, ticket: usize, by: Actor },
    /// The ticket is free: its future was polled and has taken what it was granted (`served`), or was dropped.
    LineLeave { line: LineId, ticket: usize, served: bool, by: Actor },
    /// A permit of a semaphore was taken, or a mutex locked, whether after a wait or without.
    PermitTake { line: LineId, by: Actor },
    /// A permit was given back (or forgotten), a mutex unlocked.
    PermitRelease { line: LineId, by: Actor },

    /// A timer was armed, for a `callback` or else for a task to be woken; `place` is its level and slot in the
    /// wheel (`None`: it is due within this tick).
    TimerArm { timer: TimerId, callback: Option<CallbackId>, by: Actor, at: Duration, place: Option<(u8, u8)> },
    /// A timer fired, `late` after its deadline. A `callback` thereby joined the ready queue; a task is woken,
    /// which is an event of its own.
    TimerFire { timer: TimerId, callback: Option<CallbackId>, late: Duration },
    /// A timer was taken out before it fired.
    TimerCancel { timer: TimerId, by: Actor },

    /// A source was registered; `what` is its sort.
    IoOpen { source: SourceId, what: &'static str, by: Actor, site: Place },
    /// A task now waits for the source to become readable or writable.
    IoInterest { source: SourceId, wait: Wait, by: Actor },
    /// A future that waited for the source was dropped.
    IoForget { source: SourceId, wait: Wait, by: Actor },
    /// The operating system reported the source ready. `closed`: the peer has ended its side, or the source
    /// failed.
    IoReady { source: SourceId, readable: bool, writable: bool, closed: bool },
    /// An operation was tried on the source.
    IoOp { source: SourceId, op: IoOp, result: IoResult },
    /// The source was taken out.
    IoClose { source: SourceId, by: Actor },

    /// A job was handed to the blocking pool.
    JobNew { job: JobId, by: Actor, site: Place },
    /// A thread of the pool took it.
    JobStart { job: JobId, waited: Duration },
    /// The job ended, on its thread.
    JobEnd { job: JobId, took: Duration, panicked: bool },
    /// Its result was handed to the awaiting task.
    JobDeliver { job: JobId },
    /// Nobody waits for it any more; a job that had started runs on to its end.
    JobAbandon { job: JobId },
    /// A pool thread started.
    ThreadStart { thread: Arc<str> },
    /// A pool thread ended.
    ThreadExit { thread: Arc<str> },
}
