use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use oneloop::{race, spawn, yield_now};

/// Set once; one task at a time may wait for it.
#[derive(Default)]
struct Flag {
    set: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Flag {
    fn set(&self) {
        self.set.set(true);
        let waker = self.waker.take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll_wait(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.set.get() {
            return Poll::Ready(());
        }
        // Always the latest: whoever polled before may not be the one who waits now.
        let before = self.waker.replace(Some(cx.waker().clone()));
        drop(before);
        Poll::Pending
    }
}

pub fn main() {
    oneloop::run(async {
        let flag = Rc::new(Flag::default());
        let theirs = Rc::clone(&flag);
        let mut wait = Box::pin(poll_fn(move |cx| theirs.poll_wait(cx)));
        // Polled once by this task, then given to another.
        race(&mut wait, yield_now()).await;
        let other = spawn(wait);
        yield_now().await;
        assert!(!other.is_finished());
        flag.set();
        other.await.expect("it is woken, though it was not the first to wait");
    });
}
