use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oneloop::call_later;

/// A sleep made of a callback and a waker.
struct Pause {
    over: Rc<Cell<bool>>,
    waker: Rc<RefCell<Option<Waker>>>,
}

fn pause(delay: Duration) -> Pause {
    let (over, waker) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(None::<Waker>)));
    let pause = Pause { over: Rc::clone(&over), waker: Rc::clone(&waker) };
    call_later(delay, move || {
        over.set(true);
        // Taken out first: nobody is woken under a borrow.
        let waker = waker.take();
        waker.into_iter().for_each(Waker::wake);
    });
    pause
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

/// `async { println!("Hello"); pause(3 s).await; println!("World!"); }`, by hand.
enum Hello {
    Begin,
    Pausing(Pause),
    End,
}

impl Future for Hello {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut *self {
                Hello::Begin => {
                    println!("Hello");
                    *self = Hello::Pausing(pause(Duration::from_secs(3)));
                }
                Hello::Pausing(pause) => {
                    if Pin::new(pause).poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    println!("World!");
                    *self = Hello::End;
                    return Poll::Ready(());
                }
                Hello::End => panic!("a future that has ended is not polled again"),
            }
        }
    }
}

pub fn main() {
    oneloop::run(Hello::Begin);
}
