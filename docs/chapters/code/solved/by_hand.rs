use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oneloop::{CallHandle, call_later, race, yield_now};

struct Pause {
    over: Rc<Cell<bool>>,
    waker: Rc<RefCell<Option<Waker>>>,
    call: CallHandle,
}

fn pause(delay: Duration) -> Pause {
    let (over, waker) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(None::<Waker>)));
    let (now_over, to_wake) = (Rc::clone(&over), Rc::clone(&waker));
    let call = call_later(delay, move || {
        now_over.set(true);
        let waker = to_wake.take();
        waker.into_iter().for_each(Waker::wake);
    });
    Pause { over, waker, call }
}

impl Future for Pause {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.over.get() {
            return Poll::Ready(());
        }
        self.waker.replace(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        // Nothing happens if it was called already.
        self.call.cancel();
    }
}

pub fn main() {
    oneloop::run(async {
        let long = pause(Duration::from_secs(3600));
        let over = Rc::clone(&long.over);
        assert_eq!(Rc::strong_count(&over), 3, "ours, the pause's, and the callback's");
        race(long, yield_now()).await;
        assert_eq!(Rc::strong_count(&over), 1, "the pause lost, and took its callback with it");

        let short = pause(Duration::from_millis(1));
        let over = Rc::clone(&short.over);
        short.await;
        assert!(over.get());
    });
}
