//! Chapter 15: the way of a wake.
//!
//! `Waker::wake` is all that the world outside knows of a task. It may be called by anybody, on any thread,
//! at any time: twice, during the task's own poll, long after its end. Here is what happens:
//!
//! ```text
//!   waker.wake()
//!       │
//!       ├─ is the task's loop the one running on this thread?
//!       │      yes ─▶ TaskTable::wake: the slot has the same serial, and is Suspended?
//!       │                yes ─▶ Queued, entry pushed on the ready queue     a few nanoseconds, no atomics
//!       │                no  ─▶ nothing: it is queued already, or gone
//!       │
//!       └─ no ─▶ TaskHeader::send: once until fetched, under the mutex, and a notify if the loop is blocked;
//!                the loop does the first branch when it fetches (step 3)
//! ```
//!
//! Waking runs nothing. It puts an entry in a queue; the task is *resumed* when the loop polls it.
//!
//! Before: `calls.rs`. Next chapter: `task_ref.rs`, a task seen from outside.

use std::sync::Arc;
use std::task::Wake;

use crate::current;
use crate::pool;
use crate::sent::TaskHeader;
use crate::trace::event::Actor;

impl Wake for TaskHeader {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    #[inline]
    fn wake_by_ref(self: &Arc<Self>) {
        let here = current::try_with(|state| {
            let here = self.belongs_to(&state.remote);
            if here {
                state.wake(self.entry());
            }
            here
        });
        if here != Some(true) {
            self.send(this_thread);
        }
    }
}

/// Who acts on a loop from another thread: the job it is working at, or else the thread, by its name.
pub(crate) fn this_thread() -> Actor {
    if let Some(job) = pool::job_here() {
        return Actor::Job(job);
    }
    Actor::Thread(std::thread::current().name().unwrap_or("unnamed").into())
}
