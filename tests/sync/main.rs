//! The stories of `oneloop::sync`. Those told by polling by hand need no loop; the others are asyncio's own, on a
//! loop in virtual time: the same programs, the same orders.

mod barrier;
mod condition;
mod event;
mod lines;
mod locks;
mod on_a_loop;
mod orders;
mod permits;
mod queue;
mod queue_on_a_loop;
mod twice;
mod wakers;

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use oneloop::sync::{Event, Semaphore, oneshot};
use oneloop::{EventLoop, yield_now};

fn virtually<F: Future>(future: F) -> F::Output {
    EventLoop::builder().virtual_time().build().unwrap().run_until_complete(future)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Lets every task go as far as it can without time passing.
async fn let_all_run() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// What several tasks note, in the order in which they do.
#[derive(Clone)]
struct Notes<T>(Rc<RefCell<Vec<T>>>);

impl<T> Default for Notes<T> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<T> Notes<T> {
    fn add(&self, note: T) {
        self.0.borrow_mut().push(note);
    }

    /// Takes out what was noted since the last call.
    fn take(&self) -> Vec<T> {
        self.0.take()
    }
}

/// A waker that counts.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Somebody who polls, and counts how often it is woken.
#[derive(Default)]
struct Someone(Arc<Counter>);

impl Someone {
    fn poll<F: Future>(&self, future: &mut Pin<&mut F>) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.0));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn wakes(&self) -> usize {
        self.0.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_semaphore_serves_in_the_order_of_asking() {
    let semaphore = Semaphore::new(1);
    let waiters: [Someone; 2] = Default::default();
    let permit = semaphore.try_acquire().unwrap();
    let (mut first, mut second) = (pin!(semaphore.acquire()), pin!(semaphore.acquire()));
    assert!(waiters[0].poll(&mut first).is_pending());
    assert!(waiters[1].poll(&mut second).is_pending());
    drop(permit);
    assert_eq!(waiters.each_ref().map(Someone::wakes), [1, 0]);
    assert!(semaphore.is_locked() && semaphore.try_acquire().is_none(), "the permit is promised");
    let Poll::Ready(permit) = waiters[0].poll(&mut first) else { panic!("granted") };
    assert!(waiters[1].poll(&mut second).is_pending());
    drop(permit);
    assert!(waiters[1].poll(&mut second).is_ready());
}

#[test]
fn a_newcomer_waits_behind_a_granted_waiter_even_if_a_permit_is_left() {
    let semaphore = Semaphore::new(0);
    let (waiter, newcomer) = (Someone::default(), Someone::default());
    let mut first = pin!(semaphore.acquire());
    assert!(waiter.poll(&mut first).is_pending());
    semaphore.add_permits(2);
    assert_eq!(semaphore.available(), 1);
    assert!(semaphore.is_locked());
    let mut second = pin!(semaphore.acquire());
    assert!(newcomer.poll(&mut second).is_pending());
    // It need not wait for long: it is woken already, after the other.
    assert_eq!((waiter.wakes(), newcomer.wakes()), (1, 1));
    let _first = waiter.poll(&mut first);
    assert!(newcomer.poll(&mut second).is_ready());
}

#[test]
fn an_acquire_cancelled_after_it_was_granted_passes_the_permit_on() {
    let semaphore = Semaphore::new(0);
    let (first, second) = (Someone::default(), Someone::default());
    let mut acquire = Box::pin(semaphore.acquire());
    assert!(first.poll(&mut acquire.as_mut()).is_pending());
    let mut next = pin!(semaphore.acquire());
    assert!(second.poll(&mut next).is_pending());
    semaphore.release();
    drop(acquire);
    assert_eq!(second.wakes(), 1);
    let permit = second.poll(&mut next);
    assert!(permit.is_ready());
    drop(permit);
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_forgotten_permit_does_not_come_back() {
    let semaphore = Semaphore::new(2);
    semaphore.try_acquire().unwrap().forget();
    assert_eq!(semaphore.available(), 1);
    semaphore.release();
    assert_eq!(semaphore.available(), 2);
}

#[test]
#[should_panic(expected = "cannot hold more than `usize::MAX` permits")]
fn too_many_permits_are_refused_with_a_sentence() {
    Semaphore::new(usize::MAX).release();
}

#[test]
fn set_releases_all_that_wait_even_if_the_event_is_cleared_at_once() {
    let event = Event::new();
    let waiters: [Someone; 3] = Default::default();
    let (mut first, mut second, mut third) = (pin!(event.wait()), pin!(event.wait()), pin!(event.wait()));
    assert!(waiters[0].poll(&mut first).is_pending());
    assert!(waiters[1].poll(&mut second).is_pending());
    event.set();
    event.clear();
    assert!(waiters[2].poll(&mut third).is_pending(), "too late for that set");
    assert_eq!(waiters.each_ref().map(Someone::wakes), [1, 1, 0]);
    assert!(waiters[0].poll(&mut first).is_ready());
    assert!(waiters[1].poll(&mut second).is_ready());
    event.set();
    assert!(waiters[2].poll(&mut third).is_ready());
}

#[test]
fn a_oneshot_hands_its_value_over() {
    let (sender, receiver) = oneshot::channel();
    let someone = Someone::default();
    let mut receiver = pin!(receiver);
    assert!(someone.poll(&mut receiver).is_pending());
    sender.send("value").unwrap();
    assert_eq!(someone.wakes(), 1);
    assert_eq!(someone.poll(&mut receiver), Poll::Ready(Ok("value")));
}

#[test]
fn a_dropped_sender_is_told_to_the_receiver() {
    let (sender, receiver) = oneshot::channel::<u8>();
    let someone = Someone::default();
    let mut receiver = pin!(receiver);
    assert!(someone.poll(&mut receiver).is_pending());
    drop(sender);
    assert_eq!(someone.wakes(), 1);
    let Poll::Ready(Err(closed)) = someone.poll(&mut receiver) else { panic!("nothing will come") };
    assert_eq!(closed.to_string(), "the sender was dropped without sending a value");
}

#[test]
fn a_value_that_nobody_will_receive_is_given_back() {
    let (sender, receiver) = oneshot::channel();
    assert!(!sender.is_closed());
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send(42), Err(42));
}

#[test]
fn a_value_sent_and_not_received_is_dropped_with_the_receiver() {
    let (sender, receiver) = oneshot::channel();
    let value = Rc::new(RefCell::new(0));
    sender.send(Rc::clone(&value)).unwrap();
    assert_eq!(Rc::strong_count(&value), 2);
    drop(receiver);
    assert_eq!(Rc::strong_count(&value), 1);
}
