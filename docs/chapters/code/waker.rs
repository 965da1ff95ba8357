use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use oneloop::{spawn_named, yield_now};

pub fn main() {
    oneloop::run(async {
        let place = Rc::new(RefCell::new(None::<Waker>));
        let left_here = Rc::clone(&place);
        let mut polls = 0;
        let sleeper = poll_fn(move |cx| {
            polls += 1;
            println!("poll {polls}");
            left_here.replace(Some(cx.waker().clone()));
            if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
        });
        let sleeper = spawn_named("sleeper", sleeper);
        yield_now().await;

        let waker = place.take().expect("the sleeper has left its waker");
        waker.wake_by_ref();
        waker.wake_by_ref();
        println!("woken twice");
        sleeper.await.expect("it neither panics nor is cancelled");
        waker.wake();
    });
}
