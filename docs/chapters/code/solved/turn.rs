use std::cell::RefCell;
use std::rc::Rc;

use oneloop::{call_soon, spawn, yield_now};

pub fn main() {
    let said = Rc::new(RefCell::new(Vec::new()));
    let say = |word: &'static str| {
        let said = Rc::clone(&said);
        move || said.borrow_mut().push(word)
    };
    let (a, b, c, d, e) = (say("a"), say("b"), say("c"), say("d"), say("e"));
    oneloop::run(async {
        let task = spawn(async move {
            a();
            call_soon(b);
            yield_now().await;
            c();
        });
        call_soon(d);
        e();
        task.await.expect("pushing does not panic");
    });
    // e: turn 0, the main future. a, d: turn 1, in the order of queueing. b, c: turn 2.
    assert_eq!(*said.borrow(), ["e", "a", "d", "b", "c"]);
}
