//! Chapter 12, part 7: spawning, waking, polling, cancelling, and the end of a task.
//!
//! Before: `state/stuck.rs`. Next: `state/timers.rs`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::{IO_BUDGET, Polled, State, no_waker};
use crate::ready::Entry;
use crate::task::BoxedCell;
use crate::task::{self, JoinError, Panic, drop_payload, drop_quietly, panic_text, report_panic};
use crate::tasks::{Ended, Slot, Suspended, Unwanted};
use crate::trace::event::{Actor, EventKind, Outcome, Site, TaskId, Wait};

/// The main future: polled like a task, but it stays on the stack of `run_until_complete`, so that it may
/// borrow.
pub(crate) trait Main {
    /// Polls it with its waker; at `Ready` the output is kept.
    fn poll(&mut self) -> Poll<()>;

    /// It panicked with this.
    fn panicked(&mut self, payload: Box<dyn Any + Send>);
}

/// What an observer is told when a task is made.
pub(crate) struct Origin<'a> {
    pub(crate) site: Site,
    pub(crate) future: &'static str,
    pub(crate) size: usize,
    /// `None`: the task is named after its number.
    pub(crate) name: Option<&'a str>,
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
    pub(crate) fn spawn(&self, make: impl FnOnce(Waker) -> Option<BoxedCell>, origin: Origin<'_>) -> Entry {
        let entry = self.tasks.insert(make, origin.site, origin.joinable);
        if self.tasks.are_unsettled() {
            // A new slot is not among those that step 5 holds, one to be mended is empty until then: they are asked for anew.
            self.pace.ask_next();
        }
        if let Some(name) = origin.name {
            self.tasks.set_name(entry, name);
        }
        if self.seam.watched() {
            self.tell_spawn(entry, origin.site, origin.future, origin.size);
        }
        match self.is_closing() {
            true => self.drop_now(entry),
            false => self.ready.push(entry),
        }
        entry
    }

    /// A task's name.
    pub(crate) fn name_of(&self, entry: Entry) -> Arc<str> {
        self.given_name(entry).unwrap_or_else(|| format!("task-{}", entry.serial()).into())
    }

    /// The name given to a task; `None`: it is named after its number.
    pub(crate) fn given_name(&self, entry: Entry) -> Option<Arc<str>> {
        self.tasks.name(entry)
    }

    /// The task being polled or dropped; `None` outside of tasks.
    pub(crate) fn current_task(&self) -> Option<Entry> {
        Some(self.polled.get().entry).filter(|entry| *entry != Entry::MAIN_DONE)
    }

    /// A wake on the loop's own thread, by whoever has kept the task's entry instead of its waker.
    #[inline]
    pub(crate) fn wake(&self, entry: Entry) {
        if self.seam.watched() {
            self.wake_watched(entry);
        } else if self.tasks.wake(entry) {
            self.ready.push(entry);
        }
    }

    /// Makes ready what a source was kept for, while nobody watches; for one who wakes many, and holds the table's
    /// `slots` meanwhile.
    #[inline]
    pub(super) fn make_ready_among(&self, slots: &[Slot], entry: Entry) {
        if entry.is_callback() || slots.get(entry.key()).is_some_and(|slot| slot.wake(entry)) {
            self.ready.push(entry);
        }
    }

    #[cold]
    #[inline(never)]
    fn wake_watched(&self, entry: Entry) {
        let (queued, effect) = self.tasks.wake_seen(entry, self.is_running(entry));
        if queued {
            self.ready.push(entry);
        }
        // Known where the loop itself wakes: for a timer, a source, the end of a task.
        let still = self.seam.now();
        let (task, time) = (task_id(entry), still.unwrap_or_else(|| self.moment()));
        let seq = self.seam.tell(time, || EventKind::Wake { task, by: self.seam.actor(), effect });
        if queued {
            self.seam.note_wake(entry.key(), task, seq, time);
        }
        if let Some(time) = still {
            self.seam.still(time);
        }
    }

    /// Begins step 5 with all that is ready now; returns how much that is.
    #[inline]
    pub(crate) fn begin_step_5(&self) -> usize {
        self.ready.begin()
    }

    /// Whether the next turn may leave out steps 2 to 4 without asking anything.
    #[inline]
    pub(crate) fn asks_nothing(&self) -> bool {
        self.pace.asks_nothing(self.ready.ran())
    }

    /// Whether the next turn may leave out steps 2 to 4; asks the clock, if need be.
    pub(crate) fn may_skip(&self) -> bool {
        self.pace.may_skip(self.ready.ran(), || self.clock.now())
    }

    /// The queue's ring is dry: whether this turn goes on, with what was behind it, and is now on its way from memory.
    #[cold]
    #[inline(never)]
    pub(crate) fn go_on_with_burst(&self) -> bool {
        let Some(coming) = self.ready.more() else { return false };
        self.tasks.touch(coming.into_iter());
        true
    }

    /// Step 5, for a task: polls it once. An entry whose task has ended is passed over. `slot` is the entry's.
    ///
    /// A panic of the future comes out here, and is for the caller to catch and to give to
    /// [`end_panicked`](State::end_panicked): one catch around all turns costs less than one around each poll.
    #[inline(always)]
    pub(crate) fn run_task(&self, slot: &Slot, entry: Entry, main: &mut Option<&mut dyn Main>) {
        let Some(waker) = slot.begin_poll(entry) else { return self.drop_condemned(entry) };
        self.budget.set(IO_BUDGET);
        let result = self.poll(slot, Polled { entry, waker }, main);
        self.settle(slot, result);
    }

    /// The same while somebody watches. No panic comes out.
    #[cold]
    #[inline(never)]
    pub(crate) fn run_task_watched(&self, slot: &Slot, entry: Entry, main: &mut Option<&mut dyn Main>) {
        let Some(waker) = slot.begin_poll(entry) else { return self.drop_condemned(entry) };
        self.polled.set(Polled { entry, waker: no_waker() });
        let watch = self.tell_poll_begin(entry);
        self.budget.set(0);
        self.budget_watched.set(IO_BUDGET);
        if let Some(stacks) = self.seam.stacks() {
            stacks.begin(&watch);
        }
        let poll = || self.poll(slot, Polled { entry, waker }, main);
        let result = catch_unwind(AssertUnwindSafe(poll));
        self.tell_poll_end(slot, entry, result.as_ref().ok(), watch);
        match result {
            Ok(result) => self.settle(slot, result),
            Err(payload) => self.end_panicked(main, payload),
        }
        self.nobody_is_polled();
        // Only now: whom the task's end wakes, the task has woken.
        self.seam.leave();
    }

    #[inline(always)]
    fn poll(&self, slot: &Slot, polled: Polled, main: &mut Option<&mut dyn Main>) -> Poll<()> {
        self.polled.set(polled);
        self.suspended.set(Suspended::UNKNOWN);
        match (slot.take_out(), main) {
            (Some(out), _) => out.poll(),
            (None, Some(main)) => main.poll(),
            (None, None) => Poll::Pending,
        }
    }

    /// Note of a leaf future, made just before it returns `Pending`: what it waits for, and at which line.
    /// An outer future that makes its own note after an inner one's has the last word.
    #[inline]
    pub(crate) fn note_suspended(&self, wait: Wait, site: Site) {
        if self.seam.watched() {
            self.tell_leaf(site);
        }
        self.suspend_at(Some((wait, site)));
    }

    /// The same, of which whoever watches has been told.
    #[inline]
    pub(super) fn suspend_at(&self, noted: Option<(Wait, Site)>) {
        if let Some((wait, site)) = noted {
            self.suspended.set(Suspended { site: Some(site), wait });
        }
    }

    /// What the leaves of this poll have noted so far; `None`: nothing.
    pub(crate) fn noted(&self) -> Option<(Wait, Site)> {
        let Suspended { site, wait } = self.suspended.get();
        site.map(|site| (wait, site))
    }

    /// The poll of the task in `slot` has returned; `polled` still names it.
    #[inline(always)]
    fn settle(&self, slot: &Slot, result: Poll<()>) {
        match result {
            Poll::Pending => slot.suspend(self.suspended.get()),
            Poll::Ready(()) => {
                self.finish(self.polled.get().entry, || slot.finish(None), Outcome::Done, None)
            }
        }
    }

    /// Ends the task whose poll panicked. If it was no poll that did (but a waker of somebody else's, woken at a
    /// task's end), the panic goes on.
    #[cold]
    pub(crate) fn end_panicked(&self, main: &mut Option<&mut dyn Main>, payload: Box<dyn Any + Send>) {
        let Polled { entry, waker } = self.polled.get();
        if waker == no_waker() {
            resume_unwind(payload);
        }
        self.nobody_is_polled();
        self.finish_panicked(entry, main, payload);
    }

    /// The turn's polls are over, or something else than a poll begins.
    #[inline]
    pub(crate) fn nobody_is_polled(&self) {
        self.polled.set(Polled::nobody());
    }

    /// A task has ended, and `finish` says so in its slot.
    fn finish(&self, entry: Entry, finish: impl FnOnce() -> Ended, outcome: Outcome, at: Option<Site>) {
        self.nobody_is_polled();
        if self.seam.watched() {
            self.tell_task_end(entry, outcome, at);
        }
        let ended = finish();
        if ended.main {
            self.ready.push(Entry::MAIN_DONE);
        }
        if !ended.joinable
            && let Some(unwanted) = self.tasks.free_unwanted(entry)
        {
            self.seam.now();
            self.discard(entry, unwanted);
        }
        if self.ends.any() {
            self.tell_of_end(entry, outcome);
        }
        match self.tasks.take_joiner(ended.joiner) {
            Some(waker) => waker.wake(),
            None if ended.joiner != Entry::default() => self.wake(ended.joiner),
            None => {}
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_task_end(&self, entry: Entry, outcome: Outcome, at: Option<Site>) {
        // To whoever is told it still runs.
        self.polled.set(Polled { entry, waker: no_waker() });
        self.tell_still(|| EventKind::TaskEnd { task: task_id(entry), outcome, at: at.map(Into::into) });
        self.nobody_is_polled();
        self.seam.note_end(entry.key(), task_id(entry));
    }

    /// A task has ended without an output.
    fn fail(&self, entry: Entry, error: Option<BoxedCell>, outcome: Outcome, at: Option<Site>) {
        self.finish(entry, || self.tasks.finish(entry, error), outcome, at);
    }

    /// Drops what is left of a task that nobody joined. A panic is reported, since nobody else will.
    pub(crate) fn discard(&self, entry: Entry, unwanted: Unwanted) {
        let Unwanted { mut cell, name } = unwanted;
        let (error, what) = match catch_unwind(AssertUnwindSafe(|| cell.as_mut().take(&mut ()))) {
            Ok(Err(JoinError::Panicked(panic))) => (panic.into_payload(), ""),
            Err(payload) => (payload, " when its output was dropped"),
            Ok(_) => return,
        };
        let name = name.unwrap_or_else(|| self.name_of(entry));
        self.report(task_id(entry), name, &format!("panicked{what}"), panic_text(&*error));
        drop_payload(error);
    }

    /// Says of a task that it failed (`how`, with `text`), where nobody will ever learn of it otherwise.
    #[cold]
    pub(crate) fn report(&self, task: TaskId, name: Arc<str>, how: &str, text: &str) {
        log::error!(target: "oneloop", "nobody took what {name} ended with: it {how}: {text}");
        self.tell(|| EventKind::Unheard { task, name, how: how.into(), text: text.into() });
    }

    #[cold]
    fn finish_panicked(&self, entry: Entry, main: &mut Option<&mut dyn Main>, payload: Box<dyn Any + Send>) {
        let error = match (self.tasks.take_panicked(entry), main) {
            (Some(cell), _) => {
                self.polled.set(Polled { entry, waker: no_waker() });
                drop_quietly(Some(cell), "future of a task that had panicked");
                Some(task::failed(JoinError::Panicked(Panic::new(payload))))
            }
            (None, Some(main)) => {
                main.panicked(payload);
                None
            }
            (None, None) => None,
        };
        self.fail(entry, error, Outcome::Panicked, None);
    }

    /// Marks a task to be dropped at its next turn; `false` if there is nothing to cancel any more. A main
    /// future cannot be: it is not the loop's to drop.
    pub(crate) fn cancel(&self, entry: Entry) -> bool {
        let cancelled = self.tasks.cancel(entry);
        match cancelled && self.seam.watched() {
            true => self.wake_cancelled_watched(entry),
            false if cancelled => self.wake(entry),
            false => {}
        }
        cancelled
    }

    #[cold]
    fn wake_cancelled_watched(&self, entry: Entry) {
        let (task, time) = (task_id(entry), self.moment());
        let seq = self.seam.tell(time, || EventKind::Cancel { task, by: self.seam.actor() });
        // A task that is queued already has its next turn coming: there is no wake to tell of.
        if !self.tasks.is_queued(entry) {
            self.wake(entry);
        }
        // Whatever queued the task: what leads to its end is this.
        self.seam.note_wake(entry.key(), task, seq, time);
    }

    /// The turn of a cancelled task: its future is dropped where it is suspended, and its guards run. Nothing
    /// happens if the task is gone.
    #[cold]
    fn drop_condemned(&self, entry: Entry) {
        let cell = self.tasks.take_condemned(entry);
        let Some(cell) = cell else { return };
        let at = self.info(entry).and_then(|info| info.suspended_at);
        let end = || {
            let before = self.polled.replace(Polled { entry, waker: no_waker() });
            drop_quietly(Some(cell), "future of a cancelled task");
            self.fail(entry, Some(task::failed(JoinError::Cancelled)), Outcome::Cancelled, at);
            self.polled.set(before);
        };
        if !self.seam.watched() {
            return end();
        }
        // Its guards take the time they take.
        self.seam.now();
        let task = task_id(entry);
        self.seam.act_as(Actor::Task(task), self.seam.take_wake(entry.key(), task), end);
    }

    /// Drops a task at once, whether it was queued or suspended: how a closing loop ends it.
    fn drop_now(&self, entry: Entry) {
        self.tasks.cancel(entry);
        self.drop_condemned(entry);
    }

    /// Drops every task that has not ended.
    pub(crate) fn drop_tasks(&self) {
        let live = self.tasks.live();
        for entry in live {
            // Its own panics are caught; this would be one of whoever is woken at its end.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.drop_now(entry))) {
                report_panic(format_args!("a waker"), payload);
            }
        }
    }

    /// A main future is gone from the stack. If it has not ended, its slot is freed: the next run's queue may hold
    /// its entry, and must find nothing there.
    pub(crate) fn forget_main(&self, entry: Entry) {
        if self.tasks.is_finished(entry) {
            return;
        }
        if self.seam.watched() {
            let at = self.info(entry).and_then(|info| info.suspended_at).map(Into::into);
            self.tell(|| EventKind::TaskEnd { task: task_id(entry), outcome: Outcome::Cancelled, at });
            self.seam.note_end(entry.key(), task_id(entry));
        }
        self.tasks.free(entry);
    }
}
