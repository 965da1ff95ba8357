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
//! Before: `trace/event.rs`. Next: `trace/observer/notes.rs`, how causes are known.

mod notes;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::event::{Actor, CallbackId, Event, EventKind, IoOp, SourceId, TaskId};
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

    /// Whether it wants to be asked: `false` if it only listens, which spares the loop the asking. Looked at once, when the
    /// loop is made.
    fn decides(&self) -> bool {
        true
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

/// Whether loops can be watched at all. Built with `RUSTFLAGS="--cfg oneloop_unwatched"`, whoever watches is told nothing, and
/// the compiler leaves out all that would tell: that is how it is measured what the seam costs.
pub(crate) const WATCHABLE: bool = !cfg!(oneloop_unwatched);

/// The loop's side of the seam: who listens, and what is needed to name causes.
pub(crate) struct Seam {
    /// Whether anybody listens: the one branch an unwatched loop pays.
    watched: Cell<bool>,
    /// The listeners, in the order they were added.
    observers: Vec<Rc<dyn Observer>>,
    /// What takes the chains of awaits; `None`: nobody wants them.
    stacks: Option<Stacks>,
    /// Whether any of them wants to be asked.
    decided: Cell<bool>,
    /// The next event's number.
    seq: Cell<u64>,
    /// The time, if it was looked at and nothing of the program has run since then, so that it still is that time. Reading
    /// a clock is half of what an event costs.
    still: Cell<Option<Duration>>,
    /// Who is at work now. Kept only while watched.
    actor: RefCell<Actor>,
    /// The event that began what is going on now; `None` outside of everything.
    cause: Cell<Option<u64>>,
    /// What is remembered of tasks, timers and others, to name the causes of what comes. Empty unless watched.
    notes: notes::Notes,
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
            decided: Cell::new(observers.iter().any(|observer| observer.decides())),
            observers,
            stacks: chains.then(Stacks::default),
            seq: Cell::new(0),
            still: Cell::new(None),
            actor: RefCell::new(Actor::Loop),
            cause: Cell::new(None),
            notes: notes::Notes::default(),
            held_back: RefCell::default(),
            panicked: Cell::new(None),
        }
    }

    /// Whether anybody listens. Everything else here is called only if so.
    #[inline(always)]
    pub(crate) fn watched(&self) -> bool {
        WATCHABLE && self.watched.get()
    }

    /// What takes the chains of awaits, if they are wanted.
    #[inline]
    pub(crate) fn stacks(&self) -> Option<&Stacks> {
        self.stacks.as_ref()
    }

    /// Tells every observer; returns the event's number.
    #[inline]
    pub(crate) fn tell(&self, time: Duration, kind: impl FnOnce() -> EventKind) -> u64 {
        self.tell_because(self.cause.get(), time, kind)
    }

    /// As [`tell`](Seam::tell), with a cause of its own instead of what is going on now.
    #[inline]
    pub(crate) fn tell_because(
        &self,
        cause: Option<u64>,
        time: Duration,
        kind: impl FnOnce() -> EventKind,
    ) -> u64 {
        self.tell_of_thread(cause, time, None, kind)
    }

    /// As [`tell_because`](Seam::tell_because), of something that happened on the thread of that name; `None`: on the loop's.
    // The kind comes as a function, and all of this is inlined, so that the event is built where it stays: to move its
    // hundred bytes, just written, takes as long as to write them.
    #[inline]
    pub(crate) fn tell_of_thread(
        &self,
        cause: Option<u64>,
        time: Duration,
        thread: Option<Arc<str>>,
        kind: impl FnOnce() -> EventKind,
    ) -> u64 {
        if !self.held_back.borrow().is_empty() {
            self.tell_held_back();
        }
        let seq = self.next_seq();
        self.tell_all(&Event { seq, time, cause, thread, kind: kind() });
        seq
    }

    fn next_seq(&self) -> u64 {
        let seq = self.seq.get();
        self.seq.set(seq + 1);
        seq
    }

    /// Tells what had to wait until nothing is borrowed.
    #[cold]
    #[inline(never)]
    fn tell_held_back(&self) {
        for (time, cause, kind) in self.held_back.take() {
            self.tell_all(&Event { seq: self.next_seq(), time, cause, thread: None, kind });
        }
    }

    /// As [`tell`](Seam::tell), but with the next event, since now an object is borrowed that observers may look at.
    pub(crate) fn tell_later(&self, time: Duration, kind: EventKind) {
        self.held_back.borrow_mut().push((time, self.cause.get(), kind));
    }

    #[inline]
    fn tell_all(&self, event: &Event) {
        self.still.set(None);
        let mut observers = self.observers.iter();
        // One catch of panics for all; those behind one that has panicked are still told.
        while observers.len() > 0 {
            self.catch(|| observers.by_ref().for_each(|observer| observer.event(event)));
        }
    }

    /// It is `time`, for the next event, since nothing of the program runs until then. Not so where an observer may hold
    /// the loop up, or move its clock.
    #[inline]
    pub(crate) fn still(&self, time: Duration) {
        if self.watched() && !self.decided() {
            self.still.set(Some(time));
        }
    }

    /// The time, if it is known; whoever asks next must look at the clock.
    #[inline]
    pub(crate) fn now(&self) -> Option<Duration> {
        self.still.take()
    }

    /// Whether any observer wants to be asked.
    #[inline]
    pub(crate) fn decided(&self) -> bool {
        self.decided.get()
    }

    /// Asks the observers in turn; the first answer other than `GoOn` counts.
    pub(crate) fn decide(&self, choice: &Choice<'_>) -> Decision {
        if !self.decided() {
            return Decision::GoOn;
        }
        let mut answers = self.observers.iter().map(|observer| self.catch(|| observer.decide(choice)));
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
            self.still.set(None);
            self.leave();
        }
    }

    /// The event that began what is going on now; `None` outside of everything.
    #[inline]
    pub(crate) fn cause(&self) -> Option<u64> {
        self.cause.get()
    }

    /// Who is at work now.
    #[inline]
    pub(crate) fn actor(&self) -> Actor {
        self.actor.borrow().clone()
    }

    /// From now on `actor` is at work, begun by event `cause`, and nobody else; until `leave`.
    #[inline]
    pub(crate) fn enter(&self, actor: Actor, cause: u64) {
        *self.actor.borrow_mut() = actor;
        self.cause.set(Some(cause));
    }

    /// Nobody is at work any more but the loop.
    #[inline]
    pub(crate) fn leave(&self) {
        *self.actor.borrow_mut() = Actor::Loop;
        self.cause.set(None);
    }

    /// What `act` does is done by `actor`, and was begun by event `cause`. Then whoever was at work before goes on.
    pub(crate) fn act_as<R>(&self, actor: Actor, cause: Option<u64>, act: impl FnOnce() -> R) -> R {
        let before = (self.actor.replace(actor), self.cause.replace(cause));
        let result = act();
        self.actor.replace(before.0);
        self.cause.set(before.1);
        result
    }
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seam").field("watched", &self.watched).field("seq", &self.seq).finish_non_exhaustive()
    }
}
