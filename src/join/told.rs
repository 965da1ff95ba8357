//! Chapter 18, part 2: who is told when a task has ended.
//!
//! Whoever awaits the handle, of course. But a handle is awaited by one at a time, and callbacks have no `await`. So
//! there is a list for each task that anybody else listens to (`state/ends.rs`):
//!
//! ```text
//!   the task ends ──▶ listeners, at once      wait, as_completed and groups, which count
//!                 ──▶ callbacks, call_soon    the user's functions, in the order in which they were added
//!                 ──▶ whoever awaits          is woken behind them
//! ```
//!
//! Before: `join.rs`. Next: `remote.rs`, the same from another thread.

use std::panic::Location;
use std::rc::Rc;

use super::JoinHandle;
use crate::state::Listener;
use crate::trace::event::Outcome;

/// The ticket of a callback added to a task: [`JoinHandle::add_done_callback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DoneCallback(u64);

impl<T> JoinHandle<T> {
    /// Has `callback` called when the task has ended, and told how: through
    /// [`call_soon`](crate::call_soon), after those that were added before, and before whoever awaits the handle
    /// goes on. If the task has ended already, it is called soon.
    ///
    /// asyncio's `Task.add_done_callback`. The result stays with the handle. The callback is called also if the
    /// handle is dropped meanwhile, but not in a loop that is being closed.
    #[track_caller]
    pub fn add_done_callback(&self, callback: impl FnOnce(Outcome) + 'static) -> DoneCallback {
        let (site, number) = (Location::caller(), self.state.number_callback());
        match self.outcome() {
            Some(outcome) => drop(self.state.call_soon(Box::new(move || callback(outcome)), site)),
            None => self.state.call_at_end(self.entry, Box::new(callback), site, number),
        }
        DoneCallback(number)
    }

    /// Takes back a callback of this task. `false`: the task has ended, so that it was called or soon will be,
    /// or it was taken back before. asyncio's `Task.remove_done_callback`.
    pub fn remove_done_callback(&self, callback: DoneCallback) -> bool {
        self.state.uncall_at_end(self.entry, callback.0)
    }

    /// Tells `listener` of the task's end; `false` if it has ended already.
    pub(crate) fn listen(&self, listener: &Rc<dyn Listener>, number: usize) -> bool {
        let listens = !self.is_finished();
        if listens {
            self.state.listen(self.entry, Rc::clone(listener), number);
        }
        listens
    }

    /// Takes that back.
    pub(crate) fn unlisten(&self, listener: &Rc<dyn Listener>) {
        self.state.unlisten(self.entry, listener);
    }
}
