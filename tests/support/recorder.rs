//! An observer that keeps what it is told.

use std::cell::RefCell;
use std::rc::Rc;

use oneloop::trace::{Event, Observer};

/// Keeps every event; clones share the list.
#[derive(Clone, Default)]
pub struct Recorder(Rc<RefCell<Vec<Event>>>);

impl Observer for Recorder {
    fn event(&self, event: &Event) {
        self.0.borrow_mut().push(event.clone());
    }
}

impl Recorder {
    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.borrow().clone()
    }
}
