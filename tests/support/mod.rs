//! What the tests of the loop share: a loop with virtual time, and a list that several parties write to.

use std::cell::RefCell;
use std::rc::Rc;

use oneloop::EventLoop;

/// Lines in the order in which they were noted, by whoever has a clone.
#[derive(Clone, Default)]
pub struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    /// Adds a line.
    pub fn note(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    /// Takes the lines out.
    pub fn lines(&self) -> Vec<String> {
        self.0.take()
    }
}

/// A loop whose time passes only when nothing else can happen.
pub fn virtual_loop() -> EventLoop {
    EventLoop::builder().virtual_time().build().expect("a loop needs three descriptors")
}
