use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use oneloop::{call_later, race, spawn_named, yield_now};

pub fn main() {
    oneloop::run(async {
        let kept = Rc::new(RefCell::new((false, None::<Waker>)));
        let shared = Rc::clone(&kept);
        call_later(Duration::from_secs(1), move || {
            kept.borrow_mut().0 = true;
            let waker = kept.borrow_mut().1.take();
            waker.expect("somebody waits").wake();
        });
        let mut flag = Box::pin(poll_fn(move |cx| {
            let (set, waker) = &mut *shared.borrow_mut();
            waker.get_or_insert_with(|| cx.waker().clone());
            if *set { Poll::Ready(()) } else { Poll::Pending }
        }));
        race(flag.as_mut(), yield_now()).await;
        spawn_named("moved", flag).await.expect("it does not panic");
    });
}
