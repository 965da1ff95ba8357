//! Chapter 14: a waker kept on its thread.
//!
//! Whoever makes a task wait keeps its waker. A waker may go to any thread, and pays for that: each clone counts an
//! atomic up and down. But a lock, a queue or a group is a thing of one thread, and mostly it is asked to
//! wait by the very task that is being polled. For that task its entry will do, and the way to its loop:
//!
//! ```text
//!   cx.waker() is that of the task being polled  ──▶ Task(loop, entry)    plain data, and a count without atomics
//!   any other (of a combinator, another loop's)  ──▶ Waker                a clone, as everywhere
//! ```
//!
//! It has a second use. What the loop's own things keep is then no clone of a waker; so every clone there is belongs to
//! somebody outside, who may wake from there (`state/stuck.rs` counts on it).
//!
//! Before: `current.rs`. Next: `calls.rs`, plain functions.

use std::mem;
use std::rc::Rc;
use std::task::Waker;

use crate::current;
use crate::ready::Entry;
use crate::state::State;
use crate::task::wake_quietly;

/// Whom to wake, for a thing that does not leave its thread. As large as a waker: two words.
pub(crate) enum Kept {
    /// A task of this loop.
    Task(Rc<State>, Entry),
    /// Anybody. Rare, so it may cost an allocation.
    Waker(Box<Waker>),
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Kept>() == size_of::<Waker>());

impl Kept {
    /// Keeps whom `waker` would wake.
    #[inline]
    pub(crate) fn new(waker: &Waker) -> Kept {
        let polled =
            current::try_with(|state| state.polled_with(waker).map(|entry| (Rc::clone(state), entry)));
        match polled.flatten() {
            Some((state, entry)) => {
                state.note_kept(entry, true);
                Kept::Task(state, entry)
            }
            None => Kept::Waker(Box::new(waker.clone())),
        }
    }

    /// Whether it is `waker` that is kept already.
    #[inline]
    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        match self {
            Kept::Task(state, entry) => state.polled_with(waker) == Some(*entry),
            Kept::Waker(kept) => kept.will_wake(waker),
        }
    }

    /// The task, if it is one of this loop.
    pub(crate) fn entry(&self) -> Option<Entry> {
        match self {
            Kept::Task(_, entry) => Some(*entry),
            Kept::Waker(_) => None,
        }
    }

    /// Wakes it. To be called with no borrow held, and dropped likewise: a waker may be anybody's code. If it panics,
    /// that is reported, since the one who wakes has more to do.
    #[inline]
    pub(crate) fn wake(mut self) {
        match &mut self {
            Kept::Task(state, entry) => state.wake(*entry),
            Kept::Waker(waker) => wake_quietly(mem::replace(&mut **waker, Waker::noop().clone())),
        }
    }
}

impl Drop for Kept {
    #[inline]
    fn drop(&mut self) {
        if let Kept::Task(state, entry) = self {
            state.note_kept(*entry, false);
        }
    }
}
