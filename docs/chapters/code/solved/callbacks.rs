use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use oneloop::{EventLoop, call_soon};

/// Has itself called again, for ever.
fn hasty(calls: Rc<Cell<u32>>) {
    calls.set(calls.get() + 1);
    call_soon(move || hasty(calls));
}

pub fn main() {
    let event_loop = EventLoop::new().expect("a loop needs three descriptors");
    let calls = Rc::new(Cell::new(0));
    let counter = Rc::clone(&calls);
    event_loop.call_soon(move || hasty(counter));
    event_loop.call_later(Duration::from_millis(5), oneloop::stop);
    event_loop.run_forever();
    // We came here: so the timer fired. And the queue was never empty meanwhile.
    assert!(calls.get() > 1);
}
