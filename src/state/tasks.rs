//! Spawning, waking, polling, cancelling, and the end of a task.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::{IO_BUDGET, Polled, State};
use crate::ready::Entry;
use crate::task::BoxedCell;
use crate::task::{self, JoinError, Panic, drop_quietly, panic_text};
use crate::tasks::Polling;
use crate::trace::event::{Actor, EventKind, Outcome, Site, TaskId, Wait, WakeEffect};

/// The main future: polled like a task, but it stays on the stack of `run_until_complete`, so that it may
/// borrow.
pub(crate) trait Main {
    /// Polls it with its waker; at `Ready` the output is kept.
    fn poll(&mut self) -> Poll<()>;

    /// It panicked with this.
    fn panicked(&mut self, payload: Box<dyn Any + Send>);
}

/// What an observer is told when a task is made.
pub(crate) struct Origin {
    pub(crate) site: Site,
    pub(crate) future: &'static str,
    pub(crate) size: usize,
    /// `None`: the task is named after its number.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) joinable: bool,
}

/// A task's number, as the observers know it.
pub(crate) fn task_id(entry: Entry) -> TaskId {
    TaskId(u64::from(entry.serial()))
}

impl State {
    /// Makes a task (see [`TaskTable::insert`](crate::tasks::TaskTable::insert)) and puts it in the ready
    /// queue. In a loop that is closing it is cancelled at once.
    #[inline]
    pub(crate) fn spawn(&self, make: impl FnOnce(Waker) -> Option<BoxedCell>, origin: Origin) -> Entry {
        let entry = self.tasks.borrow_mut().insert(make, origin.site, origin.joinable);
        if let Some(name) = &origin.name {
            self.names.borrow_mut().insert(task_id(entry), Arc::clone(name));
        }
        if self.seam.watched() {
            self.tell_spawn(entry, &origin);
        }
        match self.is_closing() {
            true => self.drop_now(entry),
            false => self.ready.push(entry),
        }
        entry
    }

    #[cold]
    fn tell_spawn(&self, entry: Entry, origin: &Origin) {
        let (task, time) = (task_id(entry), self.moment());
        let (name, by) = (self.name_of(entry), self.seam.actor());
        let Origin { site, future, size, .. } = *origin;
        let seq = self.seam.tell(time, None, EventKind::Spawn { task, name, by, site, future, size });
        // What leads to the first poll is the spawning.
        self.seam.note_wake(task, seq, time);
    }

    /// The name given to a task, or one made of its number.
    pub(crate) fn name_of(&self, entry: Entry) -> Arc<str> {
        self.given_name(entry).unwrap_or_else(|| format!("task-{}", entry.serial()).into())
    }

    /// The name given to a task; `None`: it is named after its number.
    pub(crate) fn given_name(&self, entry: Entry) -> Option<Arc<str>> {
        self.names.borrow().get(&task_id(entry)).cloned()
    }

    /// The task being polled or dropped; `None` outside of tasks.
    pub(crate) fn current_task(&self) -> Option<Entry> {
        self.polled.get().map(|polled| polled.entry)
    }

    /// A wake on the loop's own thread.
    #[inline(always)]
    pub(crate) fn wake(&self, entry: Entry) {
        let effect = self.tasks.borrow_mut().wake(entry);
        if matches!(effect, WakeEffect::Queued | WakeEffect::WhileRunning) {
            self.ready.push(entry);
        }
        if self.seam.watched() {
            self.tell_wake(entry, effect);
        }
    }

    #[cold]
    fn tell_wake(&self, entry: Entry, effect: WakeEffect) {
        let (task, time) = (task_id(entry), self.moment());
        let seq = self.seam.tell(time, None, EventKind::Wake { task, by: self.seam.actor(), effect });
        if matches!(effect, WakeEffect::Queued | WakeEffect::WhileRunning) {
            self.seam.note_wake(task, seq, time);
        }
    }

    /// Step 5, for a task: polls it once. An entry whose task has ended is passed over.
    #[inline]
    pub(crate) fn run_task(&self, entry: Entry, main: &mut Option<&mut dyn Main>) {
        let polling = self.tasks.borrow_mut().begin_poll(entry);
        let Some(Polling { mut cell, waker, cancelled }) = polling else { return };
        if cancelled && cell.is_some() {
            return self.drop_cell(entry, cell);
        }
        let watch = self.seam.watched().then(|| self.tell_poll_begin(entry));
        self.polled.set(Some(Polled { entry, waker }));
        self.suspended.set((Wait::Custom, None));
        self.budget.set(IO_BUDGET);
        let result = catch_unwind(AssertUnwindSafe(|| match (&mut cell, &mut *main) {
            (Some(cell), _) => cell.as_mut().poll(),
            (None, Some(main)) => main.poll(),
            (None, None) => Poll::Pending,
        }));
        self.polled.set(None);
        if let Some(watch) = watch {
            self.tell_poll_end(entry, &result, watch);
        }
        match result {
            Ok(Poll::Pending) => {
                let (wait, site) = self.suspended.get();
                self.tasks.borrow_mut().suspend(entry, cell, wait, site);
            }
            Ok(Poll::Ready(())) => self.finish(entry, cell, Outcome::Done, None),
            Err(payload) => self.finish_panicked(entry, cell, main, payload),
        }
        // Only now: whom the task's end wakes, the task has woken.
        if watch.is_some() {
            self.seam.leave();
        }
    }

    /// A task has ended; its cell holds the output or the error.
    fn finish(&self, entry: Entry, cell: Option<BoxedCell>, outcome: Outcome, at: Option<Site>) {
        if self.seam.watched() {
            self.tell(|| EventKind::TaskEnd { task: task_id(entry), outcome, at });
            self.seam.note_end(task_id(entry));
        }
        if cell.is_none() {
            self.ready.push(Entry::MAIN_DONE);
        }
        let ended = self.tasks.borrow_mut().finish(entry, cell);
        if let Some(cell) = ended.unwanted {
            self.discard(entry, cell);
        }
        if ended.freed {
            self.forget_name(entry);
        }
        if self.ends.any() {
            self.tell_of_end(entry, outcome);
        }
        if let Some(joiner) = ended.joiner {
            joiner.wake();
        }
    }

    /// Drops what is left of a task that nobody joined. A panic is reported, since nobody else will.
    pub(crate) fn discard(&self, entry: Entry, mut cell: BoxedCell) {
        let (error, what) = match catch_unwind(AssertUnwindSafe(|| cell.as_mut().take(&mut ()))) {
            Ok(Err(JoinError::Panicked(panic))) => (panic.into_payload(), ""),
            Err(payload) => (payload, " when its output was dropped"),
            Ok(_) => return,
        };
        self.report(task_id(entry), self.name_of(entry), &format!("panicked{what}"), panic_text(&*error));
    }

    /// Says of a task that it failed (`how`, with `text`), where nobody will ever learn of it otherwise.
    #[cold]
    pub(crate) fn report(&self, task: TaskId, name: Arc<str>, how: &str, text: &str) {
        log::error!(target: "oneloop", "{name}, which nobody joined, {how}: {text}");
        self.tell(|| EventKind::Unheard { task, name, how: how.into(), text: text.into() });
    }

    #[cold]
    fn finish_panicked(
        &self,
        entry: Entry,
        cell: Option<BoxedCell>,
        main: &mut Option<&mut dyn Main>,
        payload: Box<dyn Any + Send>,
    ) {
        let error = match (cell, main) {
            (Some(cell), _) => {
                drop_quietly(Some(cell), "future of a task that had panicked");
                Some(task::failed(JoinError::Panicked(Panic::new(payload))))
            }
            (None, Some(main)) => {
                main.panicked(payload);
                None
            }
            (None, None) => None,
        };
        self.finish(entry, error, Outcome::Panicked, None);
    }

    /// Marks a task to be dropped at its next turn; `false` if there is nothing to cancel any more. A main
    /// future cannot be: it is not the loop's to drop.
    pub(crate) fn cancel(&self, entry: Entry) -> bool {
        let cancelled = self.main.get() != Some(entry) && self.tasks.borrow_mut().cancel(entry);
        if cancelled {
            let told = self.seam.watched().then(|| self.tell_cancel(entry));
            self.wake(entry);
            if let Some((seq, time)) = told {
                // Whatever queued the task: what leads to its end is this.
                self.seam.note_wake(task_id(entry), seq, time);
            }
        }
        cancelled
    }

    #[cold]
    fn tell_cancel(&self, entry: Entry) -> (u64, Duration) {
        let (time, by) = (self.moment(), self.seam.actor());
        (self.seam.tell(time, None, EventKind::Cancel { task: task_id(entry), by }), time)
    }

    /// The turn of a cancelled task: its future is dropped where it is suspended, and its guards run.
    fn drop_cell(&self, entry: Entry, cell: Option<BoxedCell>) {
        let at = self.tasks.borrow_mut().info(entry).and_then(|info| info.suspended_at);
        let before = self.polled.replace(Some(Polled { entry, waker: std::ptr::null() }));
        let watched = self.seam.watched();
        if watched {
            let task = task_id(entry);
            self.seam.enter(Actor::Task(task), self.seam.take_wake(task));
        }
        drop_quietly(cell, "future of a cancelled task");
        self.polled.set(before);
        self.finish(entry, Some(task::failed(JoinError::Cancelled)), Outcome::Cancelled, at);
        if watched {
            self.seam.leave();
        }
    }

    /// Drops a task at once, whether it was queued or suspended: how a closing loop ends it.
    fn drop_now(&self, entry: Entry) {
        self.tasks.borrow_mut().force_queued(entry);
        let polling = self.tasks.borrow_mut().begin_poll(entry);
        if let Some(polling) = polling {
            self.drop_cell(entry, polling.cell);
        }
    }

    /// Drops every task that has not ended.
    pub(crate) fn drop_tasks(&self) {
        let live = self.tasks.borrow().live();
        live.into_iter().for_each(|entry| self.drop_now(entry));
    }

    /// A main future is gone from the stack without having ended: its slot is freed.
    pub(crate) fn forget_main(&self, entry: Entry) {
        if self.seam.watched() {
            let at = self.tasks.borrow_mut().info(entry).and_then(|info| info.suspended_at);
            self.tell(|| EventKind::TaskEnd { task: task_id(entry), outcome: Outcome::Cancelled, at });
            self.seam.note_end(task_id(entry));
        }
        self.tasks.borrow_mut().free(entry);
        self.forget_name(entry);
    }

    /// The name of a task whose slot is free is no longer needed.
    pub(crate) fn forget_name(&self, entry: Entry) {
        let mut names = self.names.borrow_mut();
        if !names.is_empty() {
            names.remove(&task_id(entry));
        }
    }

    #[cold]
    fn tell_poll_begin(&self, entry: Entry) -> Watch {
        let (task, time) = (task_id(entry), self.moment());
        let (poll, wake) = self.seam.note_poll(task);
        let waited = wake.map_or(Duration::ZERO, |(_, woken)| time.saturating_sub(woken));
        let kind = EventKind::PollBegin { task, poll, waited };
        let seq = self.seam.tell_because(wake.map(|(seq, _)| seq), time, None, kind);
        self.seam.enter(Actor::Task(task), Some(seq));
        Watch { poll, began: time }
    }

    #[cold]
    fn tell_poll_end(&self, entry: Entry, result: &std::thread::Result<Poll<()>>, watch: Watch) {
        let suspended = matches!(result, Ok(Poll::Pending)).then(|| self.suspended.get());
        let wakers = self.tasks.borrow_mut().clones_of_waker(entry);
        let took = self.moment().saturating_sub(watch.began);
        self.tell(|| EventKind::PollEnd { task: task_id(entry), poll: watch.poll, took, suspended, wakers });
    }
}

/// What is remembered of a poll while somebody watches.
#[derive(Clone, Copy)]
struct Watch {
    poll: u32,
    began: Duration,
}
