//! Which waker is used, and when.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use oneloop::sync::{Barrier, Condition, Event, Mutex, Queue, Semaphore, oneshot};

use crate::Someone;

thread_local! {
    /// What the waker below comes back to.
    static QUEUE: Queue<u8> = Queue::new(1);
    static SEMAPHORE: Semaphore = Semaphore::new(0);
    static EVENT: Event = Event::new();
    static MUTEX: Mutex<u8> = Mutex::new(0);
    static CONDITION: Condition = Condition::new();
    static BARRIER: Barrier = Barrier::new(2);
    static CAME_BACK: Cell<usize> = const { Cell::new(0) };
}

/// A waker that runs code of its own when it wakes, and when its last clone is dropped.
struct Nosy;

impl Nosy {
    fn look(&self) {
        // Each of these borrows; under a borrow they would panic.
        QUEUE.with(Queue::len);
        SEMAPHORE.with(Semaphore::available);
        EVENT.with(Event::set);
        MUTEX.with(Mutex::is_locked);
        CONDITION.with(|condition| condition.notify(0));
        BARRIER.with(Barrier::waiting);
        CAME_BACK.set(CAME_BACK.get() + 1);
    }
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.look();
    }
}

/// Polls once through a nosy waker of which the future keeps the only clone.
fn poll_nosily<F: Future>(future: Pin<&mut F>) {
    let waker = Waker::from(Arc::new(Nosy));
    assert!(future.poll(&mut Context::from_waker(&waker)).is_pending());
}

#[test]
fn no_waker_is_woken_or_dropped_under_a_borrow() {
    let (queue, semaphore, event) =
        (QUEUE.with(Queue::clone), SEMAPHORE.with(Semaphore::clone), EVENT.with(Event::clone));
    for replace in [false, true] {
        let mut get = pin!(queue.get());
        poll_nosily(get.as_mut());
        if replace {
            poll_nosily(get.as_mut());
        }
        queue.try_put(1).unwrap();
        assert!(get.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
    poll_nosily(pin!(queue.get()));
    queue.try_put(1).unwrap();
    poll_nosily(pin!(queue.put(2)));
    let mut put = pin!(queue.put(2));
    poll_nosily(put.as_mut());
    queue.try_get().unwrap();
    let mut join = pin!(queue.join());
    poll_nosily(join.as_mut());
    (0..3).for_each(|_| queue.task_done());
    let mut acquire = pin!(semaphore.acquire());
    poll_nosily(acquire.as_mut());
    poll_nosily(acquire.as_mut());
    semaphore.release();
    event.clear();
    poll_nosily(pin!(event.wait()));
    event.clear();
    let (sender, receiver) = oneshot::channel::<u8>();
    let mut receiver = pin!(receiver);
    poll_nosily(receiver.as_mut());
    poll_nosily(receiver.as_mut());
    sender.send(1).unwrap();
    // Twelve wakers are dropped: six after they were woken, three replaced, three with their future.
    assert_eq!(CAME_BACK.get(), 18);
}

#[test]
fn nor_by_a_mutex_a_condition_or_a_barrier() {
    let (mutex, condition, barrier) =
        (MUTEX.with(Mutex::clone), CONDITION.with(Condition::clone), BARRIER.with(Barrier::clone));
    let held = mutex.try_lock().unwrap();
    let mut next = pin!(mutex.lock());
    poll_nosily(next.as_mut());
    drop(held);
    assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());

    let mut notified = Box::pin(condition.wait(mutex.try_lock().unwrap()));
    poll_nosily(notified.as_mut());
    let mut passed_on = pin!(condition.wait(mutex.try_lock().unwrap()));
    poll_nosily(passed_on.as_mut());
    poll_nosily(passed_on.as_mut());
    condition.notify(1);
    drop(notified);
    poll_nosily(pin!(condition.wait(mutex.try_lock().unwrap())));

    poll_nosily(pin!(barrier.wait()));
    for end in [Barrier::abort, Barrier::reset] {
        barrier.reset();
        let mut wait = pin!(barrier.wait());
        poll_nosily(wait.as_mut());
        end(&barrier);
    }
    let mut first = pin!(barrier.wait());
    poll_nosily(first.as_mut());
    assert!(pin!(barrier.wait()).poll(&mut Context::from_waker(Waker::noop())).is_ready());
    // Nine wakers are dropped: six after they were woken, one replaced, two with their future.
    assert_eq!(CAME_BACK.get(), 15);
}

#[test]
fn a_future_moved_to_another_task_wakes_that_one() {
    let queue = Queue::new(1);
    let (before, after) = (Someone::default(), Someone::default());
    let mut get = pin!(queue.get());
    assert!(before.poll(&mut get).is_pending());
    assert!(after.poll(&mut get).is_pending());
    queue.try_put(1).unwrap();
    assert_eq!((before.wakes(), after.wakes()), (0, 1));
}
