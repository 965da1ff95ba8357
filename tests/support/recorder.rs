//! An observer that keeps what it is told.

use std::cell::RefCell;
use std::rc::Rc;

use oneloop::trace::{Event, EventKind, Observer};

/// Keeps every event; clones share the list.
#[derive(Clone, Default)]
pub struct Recorder(Rc<RefCell<Vec<Event>>>);

impl Observer for Recorder {
    fn event(&self, event: &Event) {
        self.0.borrow_mut().push(event.clone());
    }
}

impl Recorder {
    /// What `choose` finds in the events so far, in their order.
    pub fn find<T>(&self, mut choose: impl FnMut(&EventKind) -> Option<T>) -> Vec<T> {
        self.0.borrow().iter().filter_map(|event| choose(&event.kind)).collect()
    }

    /// The events themselves.
    pub fn events(&self) -> Vec<Event> {
        self.0.borrow().clone()
    }
}
