use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::{thread, time::Duration};

use oneloop::{time, wait_for};

pub fn main() {
    let shared = Arc::new(Mutex::new((false, None::<Waker>)));
    let theirs = shared.clone();
    let mut other = Some(move || {
        let (done, waker) = &mut *theirs.lock().expect("nobody panics");
        *done = true;
        println!("woken: {}", waker.take().map(Waker::wake).is_some());
    });
    let is_done = poll_fn(|cx| {
        if shared.lock().expect("nobody panics").0 {
            return Poll::Ready(());
        }
        other.take().map(|other| thread::spawn(other).join());
        shared.lock().expect("nobody panics").1 = Some(cx.waker().clone());
        Poll::Pending
    });
    oneloop::run(async {
        let start = time();
        let answer = wait_for(is_done, Duration::from_secs(60)).await;
        println!("{answer:?} after {} s", (time() - start).as_secs());
    });
}
