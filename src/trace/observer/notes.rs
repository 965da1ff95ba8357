//! Chapter 1, part 7: how does an event know its cause?
//!
//! A poll begins because of a wake some events ago, a timer fires because it was armed long before. The loop itself
//! forgets such things; while somebody watches, the seam remembers the number of the last event of each task, timer,
//! callback and job that goes on.
//!
//! These notes are looked at several times in each poll that is watched. So those on tasks and timers lie in plain lists,
//! by the slots in which these are, and the other ones are found by the quickest hash that will do.
//!
//! Before: `trace/observer.rs`. Next: `task.rs`, what a task is.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::time::Duration;

use super::Seam;
use crate::trace::event::{ById, CallbackId, JobId, LineId, TaskId, TimerId};

/// All notes of a loop.
#[derive(Default)]
pub(super) struct Notes {
    /// On live tasks, by their slots in the task table.
    tasks: RefCell<Vec<TaskNotes>>,
    /// On the timers in the wheel, by their places in memory: which it is, the event that armed it, and its deadline.
    deadlines: RefCell<Vec<Option<(TimerId, u64, Duration)>>>,
    /// What led to callbacks that were not called yet: the event that made or queued them.
    callbacks: RefCell<ById<CallbackId, u64>>,
    /// The latest event of each job that is awaited.
    jobs: RefCell<ById<JobId, u64>>,
    /// The numbers of lines, by where they lie in memory.
    lines: RefCell<HashMap<usize, LineId>>,
    /// The next line's number.
    next_line: Cell<u64>,
}

/// What is remembered of one task.
#[derive(Clone, Copy, Default)]
struct TaskNotes {
    /// Whose notes these are; `None`: nobody's.
    task: Option<TaskId>,
    /// Polls begun.
    polls: u32,
    /// The wake that queued it last (at first its spawning), and when; `None` once polled.
    wake: Option<(u64, Duration)>,
    /// How many objects of its thread keep its entry, to wake it.
    kept: usize,
}

impl Seam {
    /// The notes on the task in this slot; empty ones if it has none yet.
    #[inline]
    fn notes_on(&self, slot: usize, task: TaskId) -> RefMut<'_, TaskNotes> {
        RefMut::map(self.notes.tasks.borrow_mut(), |tasks| {
            if slot >= tasks.len() {
                tasks.resize_with(slot + 1, TaskNotes::default);
            }
            let notes = &mut tasks[slot];
            if notes.task != Some(task) {
                *notes = TaskNotes { task: Some(task), ..TaskNotes::default() };
            }
            notes
        })
    }

    /// Notes the wake that queued `task`.
    #[inline]
    pub(crate) fn note_wake(&self, slot: usize, task: TaskId, seq: u64, time: Duration) {
        self.notes_on(slot, task).wake = Some((seq, time));
    }

    /// Counts a poll of `task`: its number, and the wake that led to it.
    #[inline]
    pub(crate) fn note_poll(&self, slot: usize, task: TaskId) -> (u32, Option<(u64, Duration)>) {
        let mut notes = self.notes_on(slot, task);
        notes.polls += 1;
        (notes.polls, notes.wake.take())
    }

    /// Takes the wake that queued `task`, for one that is dropped and not polled.
    pub(crate) fn take_wake(&self, slot: usize, task: TaskId) -> Option<u64> {
        self.notes_on(slot, task).wake.take().map(|(seq, _)| seq)
    }

    /// Notes that one object more keeps the task's entry, or one less.
    pub(crate) fn note_kept(&self, slot: usize, task: TaskId, more: bool) {
        let mut tasks = self.notes.tasks.borrow_mut();
        if let Some(notes) = tasks.get_mut(slot).filter(|notes| notes.task == Some(task)) {
            notes.kept = if more { notes.kept + 1 } else { notes.kept.saturating_sub(1) };
        }
    }

    /// Whether any object keeps the task's entry.
    pub(crate) fn is_kept(&self, slot: usize, task: TaskId) -> bool {
        let tasks = self.notes.tasks.borrow();
        tasks.get(slot).is_some_and(|notes| notes.task == Some(task) && notes.kept > 0)
    }

    /// Forgets `task`, which ended.
    pub(crate) fn note_end(&self, slot: usize, task: TaskId) {
        let mut tasks = self.notes.tasks.borrow_mut();
        if let Some(notes) = tasks.get_mut(slot).filter(|notes| notes.task == Some(task)) {
            notes.task = None;
        }
        if let Some(stacks) = &self.stacks {
            stacks.forget(task);
        }
    }

    /// Notes that event `seq` armed the timer in this slot, due at `at`.
    pub(crate) fn note_deadline(&self, slot: usize, timer: TimerId, seq: u64, at: Duration) {
        let mut deadlines = self.notes.deadlines.borrow_mut();
        if slot >= deadlines.len() {
            deadlines.resize(slot + 1, None);
        }
        deadlines[slot] = Some((timer, seq, at));
    }

    /// Forgets a timer that fired or was cancelled; says what armed it, and when it was due.
    pub(crate) fn take_deadline(&self, slot: usize, timer: TimerId) -> Option<(u64, Duration)> {
        let mut deadlines = self.notes.deadlines.borrow_mut();
        // Its slot may be another one's by now.
        let noted = deadlines.get_mut(slot)?.take_if(|(noted, ..)| *noted == timer);
        noted.map(|(_, seq, at)| (seq, at))
    }

    /// Notes that event `seq` made a callback, or put it in the ready queue.
    pub(crate) fn note_callback(&self, callback: CallbackId, seq: u64) {
        self.notes.callbacks.borrow_mut().insert(callback, seq);
    }

    /// What led to a callback so far.
    pub(crate) fn callback_cause(&self, callback: CallbackId) -> Option<u64> {
        self.notes.callbacks.borrow().get(&callback).copied()
    }

    /// Forgets a callback that is called or cancelled; says what led to it.
    pub(crate) fn take_callback(&self, callback: CallbackId) -> Option<u64> {
        self.notes.callbacks.borrow_mut().remove(&callback)
    }

    /// Notes that event `seq` made a job.
    pub(crate) fn note_job(&self, job: JobId, seq: u64) {
        self.notes.jobs.borrow_mut().insert(job, seq);
    }

    /// What led to what a job does now; `None` if nobody awaits it any more.
    pub(crate) fn job_cause(&self, job: JobId) -> Option<u64> {
        self.notes.jobs.borrow().get(&job).copied()
    }

    /// Notes that the latest event of a job is `seq`, if somebody awaits it.
    pub(crate) fn follow_job(&self, job: JobId, seq: u64) {
        if let Some(latest) = self.notes.jobs.borrow_mut().get_mut(&job) {
            *latest = seq;
        }
    }

    /// Forgets a job whose result was delivered, or that was abandoned; says what led to that.
    pub(crate) fn take_job(&self, job: JobId) -> Option<u64> {
        self.notes.jobs.borrow_mut().remove(&job)
    }

    /// The number of the line that lies there in memory.
    pub(crate) fn line(&self, address: usize) -> LineId {
        let notes = &self.notes;
        *notes.lines.borrow_mut().entry(address).or_insert_with(|| {
            notes.next_line.set(notes.next_line.get() + 1);
            LineId(notes.next_line.get() - 1)
        })
    }

    /// The same if it has one already.
    pub(crate) fn known_line(&self, address: usize) -> Option<LineId> {
        self.notes.lines.borrow().get(&address).copied()
    }

    /// Forgets a line: another one may come to lie there.
    pub(crate) fn forget_line(&self, address: usize) {
        self.notes.lines.borrow_mut().remove(&address);
    }
}
