//! Chapter 12, part 6: whether a loop with nothing to do can ever have something to do again.
//!
//! A suspended task goes on when somebody wakes it, and whoever wants to must have its waker, or be something that the
//! loop itself keeps for it. So before the loop waits without limit it can go through all who might:
//!
//! ```text
//!   timers             none armed: that is why the wait has no limit
//!   reactor            does anybody wait for a source?
//!   jobs               is one with a pool?
//!   Remote handles     counted
//!   wakers             each task's header has two owners, the slot and the box; one more is somebody outside
//! ```
//!
//! What a thing of this thread keeps of a task is its entry and no waker (`kept.rs`). Where a handle is awaited with another
//! waker than that of the task being polled, the table keeps that one in a list, where it can be counted. So a task that
//! waits for another task counts as what it is: nobody outside can wake it. A `Remote` or a waker kept somewhere for nothing
//! makes the loop look as if it could go on. It never is the other way round.
//!
//! A single task can be *lost* while the loop goes on: a poll has returned `Pending` and has left word nowhere. The same
//! counting shows that at the end of the poll, and observers are told.
//!
//! Before: `state/standing.rs`. Next: `state/tasks.rs`.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::{State, task_id};
use crate::ready::Entry;
use crate::tasks::Slot;
use crate::trace::event::{EventKind, Place};

impl State {
    /// Whether anything may still happen in a loop with an empty ready queue and no timer. Where nobody wants to know,
    /// it is taken for granted.
    pub(crate) fn can_go_on(&self) -> bool {
        if !self.looks_ahead {
            return true;
        }
        // Asleep from here on: the last `Remote`, if it is dropped after this look, ends the wait, for another look.
        self.remote.fall_asleep();
        let can = self.can_be_woken_from_outside();
        if !can {
            self.remote.woke_up();
        }
        can
    }

    /// Whether anybody is left who could wake a task or send a call.
    fn can_be_woken_from_outside(&self) -> bool {
        if self.reactor.borrow().anybody_waits() || self.jobs() > 0 || self.tasks.are_held_outside() {
            return true;
        }
        // A thread that woke and then dropped its waker is seen to have done the former, having been seen to have done
        // the latter.
        fence(Ordering::Acquire);
        self.remote.may_bring_something()
    }

    /// Whether a task that is out for a poll, which ended without a note of any leaf of ours, will never be woken: it is
    /// not in the queue, and there is neither a clone of its waker nor anything that keeps its entry.
    pub(crate) fn is_lost(&self, slot: &Slot, entry: Entry) -> bool {
        let clones = slot.clones_of_waker();
        // What a thread that has dropped the last clone did with it before is seen from here on.
        fence(Ordering::Acquire);
        let waits = self.info(entry).is_some_and(|info| !info.queued && !info.cancelled);
        clones == 0
            && waits
            && !self.seam.is_kept(entry.key(), task_id(entry))
            && !self.tasks.awaits(entry)
            && !self.reactor.borrow().keeps(entry)
            && !self.timers.borrow().waiting().any(|(_, _, target)| target.is_of(entry))
    }

    /// Tells that the loop can never go on, and returns the report: every task that waits, with its lines.
    pub(crate) fn tell_stuck(&self, fatal: bool) -> Arc<str> {
        let mut live = self.tasks.live();
        live.sort_by_key(|entry| entry.serial());
        let mut report = String::from(
            "this event loop can never go on: nothing is ready, no timer is armed, nobody waits for a socket, a job or \
             a signal, and nobody outside has a Remote or a task's waker",
        );
        report.push_str(if live.is_empty() { "; no task is left" } else { "; these tasks wait:" });
        for &entry in &live {
            let Some(info) = self.info(entry) else { continue };
            let (task, name) = (task_id(entry), self.given_name(entry));
            let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
            let at = info.suspended_at.map(|site| format!(" at {:#}", Place::from(site))).unwrap_or_default();
            let (wait, spawned) = (info.wait, Place::from(info.spawned_at));
            let _ = write!(report, "\n  {task}{name}{at}, waiting for {wait}; spawned at {spawned:#}");
        }
        let report: Arc<str> = report.into();
        self.tell(|| EventKind::Stuck { tasks: live.len(), report: Arc::clone(&report), fatal });
        report
    }
}
