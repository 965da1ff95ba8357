//! Chapter 12, part 3: who hears of a task's end, besides whoever awaits its handle.
//!
//! They stand in a table beside the tasks, so that a task that nobody listens to pays one test for it at its
//! end and no memory.
//!
//! Before: `state/telling.rs`. Next: `state/sources.rs`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::{State, task_id};
use crate::ready::Entry;
use crate::trace::event::{Outcome, Site, TaskId};

/// Hears of the ends of several tasks, each of which it knows by a number of its own.
pub(crate) trait Listener {
    /// Told once for each task, as soon as it has ended and before anything else runs. No borrow is held.
    fn ended(&self, number: usize);

    /// The task that waits for the ends; `None`: nobody does now, or nobody knows.
    fn waits(&self) -> Option<Entry>;
}

/// What a user wants called when a task has ended.
pub(crate) type DoneFunction = Box<dyn FnOnce(Outcome)>;

/// One that hears of one task's end.
enum Hearer {
    /// A function of the user's, to be called soon after; added at that line, and known by that number.
    Callback(DoneFunction, Site, u64),
    /// A future that waits for several tasks, and its number for this one.
    Listener(Rc<dyn Listener>, usize),
}

/// All that want to hear of ends.
#[derive(Default)]
pub(crate) struct Ends {
    /// In the order of joining, by task. A task that nobody listens to is not in here.
    hearers: RefCell<HashMap<TaskId, Vec<Hearer>>>,
    /// Whether there are any: the one test that all tasks pay for at their end.
    any: Cell<bool>,
    /// The next callback's number.
    next: Cell<u64>,
}

impl Ends {
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.get()
    }

    fn add(&self, task: TaskId, hearer: Hearer) {
        self.hearers.borrow_mut().entry(task).or_default().push(hearer);
        self.any.set(true);
    }

    fn take(&self, task: TaskId) -> Vec<Hearer> {
        let mut hearers = self.hearers.borrow_mut();
        let taken = hearers.remove(&task).unwrap_or_default();
        self.any.set(!hearers.is_empty());
        taken
    }

    /// Who waits for which task's end, as far as those who listen know.
    pub(super) fn waits(&self) -> Vec<(Entry, TaskId)> {
        let hearers = self.hearers.borrow();
        let of_one = hearers.iter().flat_map(|(task, hearers)| hearers.iter().map(|hearer| (*task, hearer)));
        of_one
            .filter_map(|(task, hearer)| match hearer {
                Hearer::Listener(listener, _) => Some((listener.waits()?, task)),
                Hearer::Callback(..) => None,
            })
            .collect()
    }

    /// Takes out those that `leaves`; the caller drops them with the borrow given back.
    fn remove(&self, task: TaskId, leaves: impl Fn(&Hearer) -> bool) -> Vec<Hearer> {
        let (gone, rest): (Vec<_>, Vec<_>) = self.take(task).into_iter().partition(leaves);
        if !rest.is_empty() {
            self.hearers.borrow_mut().insert(task, rest);
            self.any.set(true);
        }
        gone
    }
}

impl State {
    /// A number for a callback.
    pub(crate) fn number_callback(&self) -> u64 {
        let number = self.ends.next.get();
        self.ends.next.set(number + 1);
        number
    }

    /// Has `function` called through `call_soon` when the task ends, which has not ended yet.
    pub(crate) fn call_at_end(&self, entry: Entry, function: DoneFunction, site: Site, number: u64) {
        self.ends.add(task_id(entry), Hearer::Callback(function, site, number));
    }

    /// Takes such a function back; `false` if it is not there any more.
    pub(crate) fn uncall_at_end(&self, entry: Entry, number: u64) -> bool {
        let leaves = |hearer: &Hearer| matches!(hearer, Hearer::Callback(_, _, own) if *own == number);
        !self.ends.remove(task_id(entry), leaves).is_empty()
    }

    /// Tells `listener` when the task ends, which has not ended yet.
    pub(crate) fn listen(&self, entry: Entry, listener: Rc<dyn Listener>, number: usize) {
        self.ends.add(task_id(entry), Hearer::Listener(listener, number));
    }

    /// The listener does not want to hear of that task any more.
    pub(crate) fn unlisten(&self, entry: Entry, listener: &Rc<dyn Listener>) {
        let leaves =
            |hearer: &Hearer| matches!(hearer, Hearer::Listener(own, _) if Rc::ptr_eq(own, listener));
        let gone = self.ends.remove(task_id(entry), leaves);
        drop(gone);
    }

    /// The task has ended: callbacks join the ready queue, listeners hear of it at once.
    #[cold]
    pub(super) fn tell_of_end(&self, entry: Entry, outcome: Outcome) {
        for hearer in self.ends.take(task_id(entry)) {
            match hearer {
                Hearer::Callback(function, site, _) => {
                    self.call_soon(Box::new(move || function(outcome)), site);
                }
                Hearer::Listener(listener, number) => listener.ended(number),
            }
        }
    }
}
