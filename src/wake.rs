//! Chapter 16: the way of a wake.
//!
//! `Waker::wake` is all that the world outside knows of a task. It may be called by anybody, on any thread,
//! at any time: twice, during the task's own poll, long after its end. Here is what happens:
//!
//! ```text
//!   waker.wake()
//!       │
//!       ├─ is the task's loop the one running on this thread?
//!       │      yes ─▶ TaskHeader::queue: is it in the ready queue already?
//!       │                no  ─▶ its entry is pushed on the ready queue      a nanosecond or two, no atomics
//!       │                yes ─▶ nothing: one poll will serve both wakes     (a task that has ended says yes for ever)
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
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    #[inline]
    fn wake_by_ref(self: &Arc<Self>) {
        if !ready::is_here(self.owner()) {
            if !wake_watched(self) {
                self.send(this_thread);
            }
        } else if self.queue() {
            ready::push_here(self.entry());
        }
    }
}

/// The way of a wake where the task's loop is watched, or another one runs here, or none. Whether it was the first.
#[cold]
#[inline(never)]
fn wake_watched(header: &TaskHeader) -> bool {
    let here = current::try_with(|state| {
        let here = header.belongs_to(&state.remote);
        if here {
            state.wake(header.entry());
        }
        here
    });
    here == Some(true)
}

/// Who acts on a loop from another thread: the job it is working at, or else the thread, by its name.
pub(crate) fn this_thread() -> Actor {
    if let Some(job) = pool::job_here() {
        return Actor::Job(job);
    }
    Actor::Thread(std::thread::current().name().unwrap_or("unnamed").into())
}
