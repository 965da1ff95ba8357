//! Chapter 1, part 6: who is told, and who may decide otherwise.
//!
//! The loop never prints. At fixed points it tells its observers what happened; with no observer that
//! costs one branch, and the event is not even built. An observer may also answer a choice the loop is
//! about to make (which ready entry runs next, what time it is, what an I/O call returned, whether to
//! cancel something), which is how a stepper plays "what if".
//!
//! Observers run on the loop's own thread and never under a borrow, so they may look at the loop. They
//! see events of other threads (pool jobs) when the loop gets to them, in step 3, with the time and
//! thread they had.
//!
//! ```
//! use oneloop::trace::{Event, Observer};
//! use std::{cell::Cell, rc::Rc};
//!
//! #[derive(Clone, Default)]
//! struct Count(Rc<Cell<u64>>);
//!
//! impl Observer for Count {
//!     fn event(&self, _: &Event) {
//!         self.0.set(self.0.get() + 1);
//!     }
//! }
//!
//! let count = Count::default();
//! let event_loop = oneloop::EventLoop::builder().observer(count.clone()).build()?;
//! event_loop.run_until_complete(async {});
//! assert!(count.0.get() > 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Before: `trace/event.rs`. Next: `task.rs`, what a task is.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::event::{Actor, CallbackId, Event, EventKind, IoOp, JobId, LineId, SourceId, TaskId, TimerId};
use super::frames::Stacks;

/// Watches a loop. Both methods are called on the loop's thread, never while the loop holds a borrow.
///
/// Comparable to trio's `Instrument`. A panic in an observer ends the run, or the next one: it comes out of it as soon
/// as the poll or call going on is over. Nothing is lost, and the next run goes on.
pub trait Observer {
    /// Something happened.
    fn event(&self, event: &Event);

    /// The loop is about to choose; the default lets it go on as it would.
    ///
    /// An answer that does not fit the choice, or names what does not exist, is ignored.
    fn decide(&self, choice: &Choice<'_>) -> Decision {
        let _ = choice;
        Decision::GoOn
    }
}

/// Something in the ready queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ready {
    /// A task to be polled.
    Task(TaskId),
    /// A callback to be called.
    Callback(CallbackId),
    /// The mark that the main future left when it ended: the run ends after the turn in which it comes up.
    RunEnd,
}

/// A choice the loop is about to make.
#[derive(Debug)]
#[non_exhaustive]
pub enum Choice<'a> {
    /// Which entry runs next; the loop would take the first. Answer: [`Decision::Run`].
    Next(&'a [Ready]),
    /// Step 2 is about to wait so long (`None`: without limit). Answer: [`Decision::Advance`] or [`Decision::Cancel`].
    Time(Option<Duration>),
    /// An I/O operation is about to be tried. Answer: [`Decision::Fail`] or [`Decision::Delay`].
    Io(SourceId, IoOp),
    /// A turn begins. Answer: [`Decision::Cancel`] or [`Decision::Advance`].
    Turn(u64),
}

/// An observer's answer to a [`Choice`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Do what you would have done.
    #[default]
    GoOn,
    /// Run the entry at this index of the slice first.
    Run(usize),
    /// Move the loop's clock forward by this much, and do not wait.
    Advance(Duration),
    /// Do not try the operation; it failed with this error.
    Fail(std::io::ErrorKind),
    /// Do not try the operation now; the task gives way and tries again at its next turn.
    Delay,
    /// Cancel this task.
    Cancel(TaskId),
}

/// What the seam remembers of a task while somebody watches.
#[derive(Clone, Copy, Default)]
struct TaskNotes {
    /// Polls begun.
    polls: u32,
    /// The wake that queued it last (at first its spawning), and when; `None` once polled.
    wake: Option<(u64, Duration)>,
    /// How many objects of its thread keep its entry, to wake it.
    kept: usize,
}

/// The loop's side of the seam: who listens, and what is needed to name causes.
pub(crate) struct Seam {
    /// Whether anybody listens: the one branch an unwatched loop pays.
    watched: Cell<bool>,
    /// The listeners, in the order they were added; cloned out before they are called.
    observers: RefCell<Rc<[Rc<dyn Observer>]>>,
    /// What takes the chains of awaits; `None`: nobody wants them.
    stacks: Option<Stacks>,
    /// The next event's number.
    seq: Cell<u64>,
    /// Who is at work now. Kept only while watched.
    actor: RefCell<Actor>,
    /// The event that began what is going on now; `None` outside of everything.
    cause: Cell<Option<u64>>,
    /// Who was at work before, and what began that: the wake inside a timer inside a turn. Empty unless watched.
    outer: RefCell<Vec<(Actor, Option<u64>)>>,
    /// Notes on live tasks. Empty unless watched.
    notes: RefCell<HashMap<TaskId, TaskNotes>>,
    /// The events that armed the timers in the wheel, and their deadlines. Empty unless watched.
    deadlines: RefCell<HashMap<TimerId, (u64, Duration)>>,
    /// What led to callbacks that were not called yet: the event that made or queued them. Empty unless watched.
    callbacks: RefCell<HashMap<CallbackId, u64>>,
    /// The latest event of each job that is awaited. Empty unless watched.
    jobs: RefCell<HashMap<JobId, u64>>,
    /// The numbers of lines, by where they lie in memory. Empty unless watched.
    lines: RefCell<HashMap<usize, LineId>>,
    /// The next line's number.
    next_line: Cell<u64>,
    /// What happened under somebody's borrow, to be told before the next event: when, why and what.
    held_back: RefCell<Vec<(Duration, Option<u64>, EventKind)>>,
    /// What an observer panicked with; `None`: none has since the last time the loop could tell.
    panicked: Cell<Option<mem::ManuallyDrop<Box<dyn Any + Send>>>>,
}

impl Seam {
    /// `chains`: whether chains of awaits are told.
    pub(crate) fn new(observers: Vec<Rc<dyn Observer>>, chains: bool) -> Seam {
        Seam {
            watched: Cell::new(!observers.is_empty()),
            observers: RefCell::new(observers.into()),
            stacks: chains.then(Stacks::default),
            seq: Cell::new(0),
            actor: RefCell::new(Actor::Loop),
            cause: Cell::new(None),
            outer: RefCell::default(),
            notes: RefCell::default(),
            deadlines: RefCell::default(),
            callbacks: RefCell::default(),
            jobs: RefCell::default(),
            lines: RefCell::default(),
            next_line: Cell::new(0),
            held_back: RefCell::default(),
            panicked: Cell::new(None),
        }
    }

    /// Whether anybody listens. Everything else here is called only if so.
    #[inline(always)]
    pub(crate) fn watched(&self) -> bool {
        self.watched.get()
    }

    /// What takes the chains of awaits, if they are wanted.
    #[inline]
    pub(crate) fn stacks(&self) -> Option<&Stacks> {
        self.stacks.as_ref()
    }

    /// Tells every observer; returns the event's number.
    #[cold]
    pub(crate) fn tell(&self, time: Duration, thread: Option<Arc<str>>, kind: EventKind) -> u64 {
        let cause = self.cause.get();
        self.tell_because(cause, time, thread, kind)
    }

    /// As [`tell`](Seam::tell), with a cause of its own instead of what is going on now.
    pub(crate) fn tell_because(
        &self,
        cause: Option<u64>,
        time: Duration,
        thread: Option<Arc<str>>,
        kind: EventKind,
    ) -> u64 {
        let held_back = self.held_back.take();
        for (time, cause, kind) in held_back {
            self.tell_now(Event { seq: self.seq.get(), time, cause, thread: None, kind });
        }
        self.tell_now(Event { seq: self.seq.get(), time, cause, thread, kind })
    }

    /// As [`tell`](Seam::tell), but with the next event, since now an object is borrowed that observers may look at.
    pub(crate) fn tell_later(&self, time: Duration, kind: EventKind) {
        self.held_back.borrow_mut().push((time, self.cause.get(), kind));
    }

    fn tell_now(&self, event: Event) -> u64 {
        let seq = event.seq;
        self.seq.set(seq + 1);
        let observers = Rc::clone(&self.observers.borrow());
        for observer in observers.iter() {
            self.catch(|| observer.event(&event));
        }
        seq
    }

    /// Asks the observers in turn; the first answer other than `GoOn` counts.
    #[cold]
    pub(crate) fn decide(&self, choice: &Choice<'_>) -> Decision {
        let observers = Rc::clone(&self.observers.borrow());
        let mut answers = observers.iter().map(|observer| self.catch(|| observer.decide(choice)));
        answers.find(|answer| *answer != Decision::GoOn).unwrap_or_default()
    }

    /// Calls an observer. What it panics with is kept, since the loop may be in the middle of something; of several
    /// panics the first, and the others' contents are leaked: their drop might be the next.
    fn catch<R: Default>(&self, call: impl FnOnce() -> R) -> R {
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
            let before = self.panicked.take();
            self.panicked.set(before.or_else(|| Some(mem::ManuallyDrop::new(payload))));
            R::default()
        })
    }

    /// The loop is in the middle of nothing: if an observer has panicked, that panic goes on now.
    pub(crate) fn go_on(&self) {
        if let Some(payload) = self.panicked.take() {
            resume_unwind(mem::ManuallyDrop::into_inner(payload));
        }
    }

    /// A run is over, maybe by a panic: nobody is at work, and nothing is left to go on.
    pub(crate) fn end_run(&self) {
        self.panicked.set(None);
        if self.watched() {
            self.outer.take();
            self.actor.replace(Actor::Loop);
            self.cause.set(None);
        }
    }

    /// Who is at work now.
    pub(crate) fn actor(&self) -> Actor {
        self.actor.borrow().clone()
    }

    /// From now on `actor` is at work, begun by event `cause`; until `leave`.
    pub(crate) fn enter(&self, actor: Actor, cause: Option<u64>) {
        let outer = (self.actor.replace(actor), self.cause.replace(cause));
        self.outer.borrow_mut().push(outer);
    }

    /// Whoever was at work before the last `enter` goes on.
    pub(crate) fn leave(&self) {
        let (actor, cause) = self.outer.borrow_mut().pop().unwrap_or((Actor::Loop, None));
        self.actor.replace(actor);
        self.cause.set(cause);
    }

    /// Notes the wake that queued `task`.
    pub(crate) fn note_wake(&self, task: TaskId, seq: u64, time: Duration) {
        self.notes.borrow_mut().entry(task).or_default().wake = Some((seq, time));
    }

    /// Counts a poll of `task`: its number, and the wake that led to it.
    pub(crate) fn note_poll(&self, task: TaskId) -> (u32, Option<(u64, Duration)>) {
        let mut notes = self.notes.borrow_mut();
        let note = notes.entry(task).or_default();
        note.polls += 1;
        (note.polls, note.wake.take())
    }

    /// Takes the wake that queued `task`, for one that is dropped and not polled.
    pub(crate) fn take_wake(&self, task: TaskId) -> Option<u64> {
        let mut notes = self.notes.borrow_mut();
        notes.get_mut(&task).and_then(|note| note.wake.take()).map(|(seq, _)| seq)
    }

    /// Notes that event `seq` armed a timer, due at `at`.
    pub(crate) fn note_deadline(&self, timer: TimerId, seq: u64, at: Duration) {
        self.deadlines.borrow_mut().insert(timer, (seq, at));
    }

    /// Forgets a timer that fired or was cancelled; says what armed it, and when it was due.
    pub(crate) fn take_deadline(&self, timer: TimerId) -> Option<(u64, Duration)> {
        self.deadlines.borrow_mut().remove(&timer)
    }

    /// Notes that event `seq` made a callback, or put it in the ready queue.
    pub(crate) fn note_callback(&self, callback: CallbackId, seq: u64) {
        self.callbacks.borrow_mut().insert(callback, seq);
    }

    /// What led to a callback so far.
    pub(crate) fn callback_cause(&self, callback: CallbackId) -> Option<u64> {
        self.callbacks.borrow().get(&callback).copied()
    }

    /// Forgets a callback that is called or cancelled; says what led to it.
    pub(crate) fn take_callback(&self, callback: CallbackId) -> Option<u64> {
        self.callbacks.borrow_mut().remove(&callback)
    }

    /// Notes that event `seq` made a job.
    pub(crate) fn note_job(&self, job: JobId, seq: u64) {
        self.jobs.borrow_mut().insert(job, seq);
    }

    /// What led to what a job does now; `None` if nobody awaits it any more.
    pub(crate) fn job_cause(&self, job: JobId) -> Option<u64> {
        self.jobs.borrow().get(&job).copied()
    }

    /// Notes that the latest event of a job is `seq`, if somebody awaits it.
    pub(crate) fn follow_job(&self, job: JobId, seq: u64) {
        if let Some(latest) = self.jobs.borrow_mut().get_mut(&job) {
            *latest = seq;
        }
    }

    /// Forgets a job whose result was delivered, or that was abandoned; says what led to that.
    pub(crate) fn take_job(&self, job: JobId) -> Option<u64> {
        self.jobs.borrow_mut().remove(&job)
    }

    /// Notes that one object more keeps the task's entry, or one less.
    pub(crate) fn note_kept(&self, task: TaskId, more: bool) {
        if let Some(note) = self.notes.borrow_mut().get_mut(&task) {
            note.kept = if more { note.kept + 1 } else { note.kept.saturating_sub(1) };
        }
    }

    /// Whether any object keeps the task's entry.
    pub(crate) fn is_kept(&self, task: TaskId) -> bool {
        self.notes.borrow().get(&task).is_some_and(|note| note.kept > 0)
    }

    /// The number of the line that lies there in memory.
    pub(crate) fn line(&self, address: usize) -> LineId {
        *self.lines.borrow_mut().entry(address).or_insert_with(|| {
            self.next_line.set(self.next_line.get() + 1);
            LineId(self.next_line.get() - 1)
        })
    }

    /// Forgets a line: another one may come to lie there.
    pub(crate) fn forget_line(&self, address: usize) {
        self.lines.borrow_mut().remove(&address);
    }

    /// Forgets `task`, which ended.
    pub(crate) fn note_end(&self, task: TaskId) {
        self.notes.borrow_mut().remove(&task);
        if let Some(stacks) = &self.stacks {
            stacks.forget(task);
        }
    }
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seam").field("watched", &self.watched).field("seq", &self.seq).finish_non_exhaustive()
    }
}
