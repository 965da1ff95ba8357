use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

type Slot = Rc<Cell<Option<Waker>>>;

async fn waiter(slot: Slot) {
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        println!("waiter: poll {polls}");
        slot.set(Some(cx.waker().clone()));
        if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

pub fn main() {
    oneloop::run(async {
        let slot = Slot::default();
        let waiter = oneloop::spawn(waiter(slot.clone()));
        oneloop::yield_now().await;
        let waker = slot.take().expect("the waiter was polled");
        (0..3).for_each(|_| waker.wake_by_ref());
        println!("main: woke it three times");
        waiter.await.expect("it does not panic");
    });
}
