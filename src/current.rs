//! Chapter 13: how a future finds its loop.
//!
//! A future is given nothing but a waker. A sleep needs a timer wheel, a socket needs a reactor: they find
//! them through a thread-local that holds the state of the loop running on this thread. It is set for the
//! length of a run and of a close, and there is one at most: a loop inside a loop is refused, as asyncio
//! does, since the inner one would keep the outer one from ever going on.
//!
//! Before: `state/timers.rs`. Next: `kept.rs`, a waker kept on its thread.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::state::State;
use crate::trace::event::{Site, Wait};
use crate::trace::observer::WATCHABLE;

thread_local! {
    /// The loop running on this thread; `None`: none is. Never dropped, since `Current` empties it, and so nobody has
    /// to ask whether the thread has dropped it already.
    static CURRENT: ManuallyDrop<RefCell<Option<Rc<State>>>> = const { ManuallyDrop::new(RefCell::new(None)) };
    /// Whether it is watched: the one thing that objects which know no loop have to ask again and again.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Makes a loop the current one until dropped.
#[must_use]
pub(crate) struct Current(());

/// Refuses a loop inside a loop.
///
/// # Panics
/// If the thread has a current loop.
#[track_caller]
pub(crate) fn check_free() {
    assert!(
        is_free(),
        "another event loop is running on this thread, and a loop inside a loop would stop the outer one: \
         await the future instead, or start the inner loop on a thread of its own"
    );
}

/// Makes `state` the current loop of this thread.
///
/// # Panics
/// If the thread has a current loop already.
#[track_caller]
pub(crate) fn enter(state: &Rc<State>) -> Current {
    check_free();
    CURRENT.with(|current| *current.borrow_mut() = Some(Rc::clone(state)));
    WATCHED.set(state.seam.watched());
    state.enter();
    Current(())
}

impl Drop for Current {
    fn drop(&mut self) {
        WATCHED.set(false);
        // Taken out first: dropping the last owner of a state may look for the current loop.
        let state = CURRENT.with(|current| current.borrow_mut().take());
        if let Some(state) = &state {
            state.ready.leave();
        }
        drop(state);
    }
}

/// Calls `f` with the current loop.
///
/// # Panics
/// If no loop is running on this thread.
#[inline]
#[track_caller]
pub(crate) fn with<R>(f: impl FnOnce(&Rc<State>) -> R) -> R {
    match try_with(f) {
        Some(result) => result,
        None => panic!(
            "no event loop is running on this thread: call this from a task or a callback, \
             inside oneloop::run or EventLoop::run_until_complete"
        ),
    }
}

/// Calls `f` with the current loop, if there is one.
#[inline]
pub(crate) fn try_with<R>(f: impl FnOnce(&Rc<State>) -> R) -> Option<R> {
    CURRENT.with(|current| current.borrow().as_ref().map(f))
}

/// Calls `f` with the current loop, if there is one and it is watched.
#[inline]
pub(crate) fn if_watched(f: impl FnOnce(&Rc<State>)) {
    #[cold]
    #[inline(never)]
    fn tell(f: impl FnOnce(&Rc<State>)) {
        try_with(f);
    }
    if WATCHABLE && WATCHED.get() {
        tell(f);
    }
}

/// Whether a loop could run on this thread now: none does.
pub(crate) fn is_free() -> bool {
    try_with(|_| ()).is_none()
}

/// The current loop's state, for a future that will need it again.
///
/// # Panics
/// If no loop is running on this thread.
#[track_caller]
pub(crate) fn state() -> Rc<State> {
    with(Rc::clone)
}

/// Note of a leaf future, made just before it returns `Pending`: what it waits for, at which line. Nothing
/// happens where no loop runs.
#[inline]
pub(crate) fn suspended(wait: Wait, site: Site) {
    try_with(|state| state.note_suspended(wait, site));
}

/// The latest of such notes in this poll. A scope whose body is suspended leaves it as it is, since it says more
/// exactly where the program stands.
pub(crate) fn noted() -> Option<(Wait, Site)> {
    try_with(|state| state.noted()).flatten()
}
