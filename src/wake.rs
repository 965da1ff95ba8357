//! Chapter 16: the way of a wake.
//!
//! `Waker::wake` is all that the world outside knows of a task. It may be called by anybody, on any thread,
//! at any time: twice, during the task's own poll, long after its end. Here is what happens:
//!
//! ```text
//!   waker.wake()
//!       │
//!       ├─ is the task's loop the one running on this thread?
//!       │      yes ─▶ wake_here: is it in the ready queue already?
//!       │                no  ─▶ its entry is pushed on the ready queue      a nanosecond or two, no atomics
//!       │                yes ─▶ nothing: one poll will serve both wakes     (a task that has ended says yes for ever)
//!       │              (a full ring, or somebody watches ─▶ wake_the_long_way: the same, by another way)
//!       │
//!       └─ no ─▶ TaskHeader::send: once until fetched, under the mutex, and a notify if the loop is blocked;
//!                the loop does the first branch when it fetches (step 3)
//! ```
//!
//! Waking runs nothing. It puts an entry in a queue; the task is *resumed* when the loop polls it.
//!
//! Before: `calls.rs`. Next: `task_ref.rs`, a task seen from outside.

use std::sync::Arc;
use std::task::Wake;

use crate::current;
use crate::pool;
use crate::ready;
use crate::sent::TaskHeader;
use crate::trace::event::Actor;

impl Wake for TaskHeader {
    // Nearly every wake ends in `wake_here`. What is seldom needed is in functions of their own, so that these two
    // take no room on the stack.
    #[inline]
    fn wake(self: Arc<Self>) {
        if !wake_here(&self) {
            wake_elsewhere(self);
        }
    }

    #[inline]
    fn wake_by_ref(self: &Arc<Self>) {
        if !wake_here(self) && !wake_the_long_way(self) && self.claim() {
            Arc::clone(self).send(this_thread);
        }
    }
}

/// The first branch. `false`: nothing was done; another loop runs here, or none, or it is watched, or the ring is full.
#[inline(always)]
fn wake_here(header: &TaskHeader) -> bool {
    if !ready::is_here(header.owner()) {
        return false;
    }
    let pushed = header.is_queued() || ready::push_here(header.entry());
    if pushed {
        // If it was set already, that costs less than to find out.
        header.set_queued();
    }
    pushed
}

/// The same where the ring is full, and while somebody watches; `false`: the task's loop does not run here.
#[cold]
#[inline(never)]
fn wake_the_long_way(header: &TaskHeader) -> bool {
    if ready::is_here(header.owner()) {
        header.set_queued();
        ready::push_behind(header.entry());
        return true;
    }
    let here = current::try_with(|state| {
        let here = header.belongs_to(&state.remote);
        if here {
            state.wake(header.entry());
        }
        here
    });
    here == Some(true)
}

/// A wake by value that `wake_here` has not served: the long way, or else the second branch.
#[cold]
#[inline(never)]
fn wake_elsewhere(header: Arc<TaskHeader>) {
    if !wake_the_long_way(&header) && header.claim() {
        header.send(this_thread);
    }
}

/// Who acts on a loop from another thread: the job it is working at, or else the thread, by its name.
pub(crate) fn this_thread() -> Actor {
    if let Some(job) = pool::job_here() {
        return Actor::Job(job);
    }
    Actor::Thread(std::thread::current().name().unwrap_or("unnamed").into())
}
