use std::cell::RefCell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use oneloop::{sleep, spawn, spawn_blocking};

pub fn main() {
    let said = Rc::new(RefCell::new(Vec::new()));
    let (ticks, calls) = (Rc::clone(&said), Rc::clone(&said));
    oneloop::run(async move {
        let ticker = spawn(async move {
            for tick in ["tick 1", "tick 2"] {
                sleep(Duration::from_millis(20)).await;
                ticks.borrow_mut().push(tick);
            }
        });
        let call = spawn_blocking(|| thread::sleep(Duration::from_millis(300)));
        call.await.expect("sleeping does not panic");
        calls.borrow_mut().push("the call has returned");
        ticker.await.expect("pushing does not panic");
    });
    assert_eq!(*said.borrow(), ["tick 1", "tick 2", "the call has returned"]);
}
