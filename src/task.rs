//! Chapter 2: what a task is.
//!
//! A future does nothing by itself: somebody has to poll it. A *task* is a future that has been given to
//! a loop, which from then on does the polling. This file holds the part of a task that knows its types:
//! one pinned box with the future inside, later its output, behind a trait that no longer names either.
//! One allocation a task, and that is this one.
//!
//! ```text
//!       spawn
//!         │
//!         ▼
//!   ┌ Live ───────────────────────────────────┐
//!   │ suspended ────── begin_poll ───▶ polled │── finish (Ready, or a panic) ──┐
//!   │     ▲                              │    │                                ▼
//!   │     └───── suspend (Pending) ──────┘    │                               Done ── join, or the handle
//!   └────────────────────┬────────────────────┘                                ▲      is dropped ──▶ Vacant
//!                        │ cancel                                              │
//!                        └───▶ Condemned ──── its turn: dropped ───────────────┘
//! ```
//!
//! The arrows are methods of `Slot` in `tasks/slot.rs`, where a task's other half lives: what the
//! loop needs to know of it. A wake is none of them: it sets one flag, and puts the task's entry in the ready queue
//! if the flag was not set. `begin_poll` unsets it, so that a wake that arrives during the poll is not lost: the task
//! is polled once more. Cancelled while it is polled, a task is condemned at once: if the poll returns `Pending`, its next
//! turn drops it. What the box in the drawing holds are no lives of their own: which task is polled, the loop knows.
//!
//! Before: `trace/observer/notes.rs`. Next: `ready.rs`.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::trace::event::Outcome;

/// A task with its types forgotten: what the loop can do with any of them.
pub(crate) trait TaskCell {
    /// Polls the future with the task's own waker; at `Ready` the output is kept inside. Not called again after
    /// that.
    fn poll(self: Pin<&mut Self>) -> Poll<()>;

    /// Moves the output into `place`, which must be an `Option` of the output's type; or says why
    /// there is none.
    fn take(self: Pin<&mut Self>, place: &mut dyn Any) -> Result<(), JoinError>;

    /// The output of an ended task, as what it is; or how it ended without one.
    fn look(self: Pin<&Self>) -> Result<&dyn Any, Outcome>;

    /// Whether the output is there.
    fn is_done(&self) -> bool;

    /// Gives the waker back, to be used for another task.
    fn take_waker(self: Pin<&mut Self>) -> Option<Waker>;
}

/// A task's future or output, boxed.
pub(crate) type BoxedCell = Pin<Box<dyn TaskCell>>;

pin_project! {
    /// What is in the box: the future while it runs, then its output.
    ///
    /// The waker is in both, and not beside them: a waker has bit patterns to spare, which tell the two from each other,
    /// and so there is no word that says which one it is.
    #[project = CellNow]
    #[project_ref = CellSeen]
    #[project_replace = CellBefore]
    enum Cell<F: Future> {
        Running {
            // What every poll hands to the future. It lies here, and not in the loop's table, so that only the
            // box has to be moved when the task is taken out to be polled.
            waker: Waker,
            #[pin]
            future: F,
        },
        // `None`: the waker was given back, the output was handed over.
        Done { waker: Option<Waker>, output: Option<F::Output> },
    }
}

/// Boxes `future` as a task that is polled with `waker`.
#[inline]
pub(crate) fn cell<F>(future: F, waker: Waker) -> BoxedCell
where
    F: Future + 'static,
    F::Output: 'static,
{
    Box::pin(Cell::Running { waker, future })
}

/// A task that ended without an output.
pub(crate) fn failed(error: JoinError) -> BoxedCell {
    Box::pin(Failed(Some(error)))
}

impl<F: Future> Cell<F> {
    /// The future has ended with `output`. Not a part of `poll`, most calls of which end without one, and are spared
    /// what this needs of the stack.
    #[inline(never)]
    fn keep(mut self: Pin<&mut Self>, output: F::Output) {
        // Drops the future in place, before anybody learns of the output.
        let before = self.as_mut().project_replace(Cell::Done { waker: None, output: Some(output) });
        if let (CellBefore::Running { waker: kept, .. }, CellNow::Done { waker, .. }) =
            (before, self.project())
        {
            *waker = Some(kept);
        }
    }
}

impl<F> TaskCell for Cell<F>
where
    F: Future,
    F::Output: 'static,
{
    #[inline]
    fn poll(mut self: Pin<&mut Self>) -> Poll<()> {
        let CellNow::Running { waker, future } = self.as_mut().project() else { return Poll::Ready(()) };
        future.poll(&mut Context::from_waker(waker)).map(|output| self.keep(output))
    }

    fn take(self: Pin<&mut Self>, place: &mut dyn Any) -> Result<(), JoinError> {
        if let CellNow::Done { output, .. } = self.project() {
            let output = output.take();
            if let Some(place) = place.downcast_mut::<Option<F::Output>>() {
                *place = output;
            }
        }
        Ok(())
    }

    fn look(self: Pin<&Self>) -> Result<&dyn Any, Outcome> {
        match self.project_ref() {
            CellSeen::Done { output: Some(output), .. } => Ok(output),
            _ => Err(Outcome::Cancelled),
        }
    }

    fn is_done(&self) -> bool {
        !matches!(self, Cell::Running { .. })
    }

    fn take_waker(self: Pin<&mut Self>) -> Option<Waker> {
        match self.project() {
            CellNow::Done { waker, .. } => waker.take(),
            CellNow::Running { .. } => None,
        }
    }
}

/// See [`failed`]. `None` once the error was handed over.
struct Failed(Option<JoinError>);

impl TaskCell for Failed {
    fn poll(self: Pin<&mut Self>) -> Poll<()> {
        Poll::Ready(())
    }

    fn take(mut self: Pin<&mut Self>, _: &mut dyn Any) -> Result<(), JoinError> {
        Err(self.0.take().unwrap_or(JoinError::Cancelled))
    }

    fn look(self: Pin<&Self>) -> Result<&dyn Any, Outcome> {
        match &self.get_ref().0 {
            Some(JoinError::Panicked(_)) => Err(Outcome::Panicked),
            Some(JoinError::Cancelled) | None => Err(Outcome::Cancelled),
        }
    }

    fn is_done(&self) -> bool {
        true
    }

    fn take_waker(self: Pin<&mut Self>) -> Option<Waker> {
        None
    }
}

/// Why a task, or a job of the blocking pool, has no result.
///
/// asyncio's `CancelledError`, and whatever exception the coroutine raised.
#[non_exhaustive]
pub enum JoinError {
    /// It was cancelled, or its loop was closed, before it could finish.
    Cancelled,
    /// It panicked.
    Panicked(Panic),
}

/// What a task or a job panicked with.
///
/// Behind a mutex, which makes the error `Sync`, as `Box<dyn Error + Send + Sync>` wants its contents.
pub struct Panic(Mutex<Box<dyn Any + Send>>);

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Panic {
        Panic(Mutex::new(payload))
    }

    /// The payload, to go on with in `std::panic::resume_unwind`.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its text, as most payloads have one.
    pub fn message(&self) -> String {
        panic_text(&**self.0.lock().unwrap_or_else(PoisonError::into_inner)).to_owned()
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.message())
    }
}

impl JoinError {
    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, JoinError::Cancelled)
    }

    /// Whether it panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, JoinError::Panicked(_))
    }

    /// What it panicked with, to go on with in `std::panic::resume_unwind`.
    ///
    /// # Errors
    /// The error itself, if there was no panic.
    pub fn into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        match self {
            JoinError::Panicked(panic) => Ok(panic.into_payload()),
            other => Err(other),
        }
    }
}

const _: () = {
    const fn fits_in_any_error_box<T: Send + Sync>() {}
    fits_in_any_error_box::<JoinError>();
};

/// The text of a panic: most payloads are a string of one kind or the other.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}

/// Drops the user's code where a panic must not go further; it is reported instead.
pub(crate) fn drop_quietly<T>(value: Option<T>, what: &str) {
    let Some(value) = value else { return };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        report_panic(format_args!("dropping the {what}"), payload);
    }
}

/// Wakes, and drops the waker, where a panic of either must not keep others from being woken; it is reported instead.
/// A task's waker does not panic, but there are others.
pub(crate) fn wake_quietly(waker: Waker) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        report_panic(format_args!("a waker"), payload);
    }
}

/// Says of a panic that goes no further what it came from.
#[cold]
pub(crate) fn report_panic(what: fmt::Arguments<'_>, payload: Box<dyn Any + Send>) {
    log::error!(target: "oneloop", "{what} panicked: {}", panic_text(&*payload));
    drop_payload(payload);
}

/// Drops what a panic carried, which may panic as well. What that panic carries is leaked: there must be an end.
#[cold]
pub(crate) fn drop_payload(payload: Box<dyn Any + Send>) {
    if let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(next);
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled => f.write_str("Cancelled"),
            JoinError::Panicked(payload) => f.debug_tuple("Panicked").field(payload).finish(),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled => f.write_str("cancelled"),
            JoinError::Panicked(payload) => write!(f, "panicked: {}", payload.message()),
        }
    }
}

impl std::error::Error for JoinError {}
