//! The three orders of a queue.

use std::cmp::{Ordering, Reverse};
use std::pin::pin;
use std::task::Poll;

use oneloop::sync::order::Order;
use oneloop::sync::{LifoQueue, OrderedQueue, PriorityQueue, PutError, Queue, QueueError};

use crate::Someone;

/// Puts these, and gets as many.
fn through<O: Order>(queue: &OrderedQueue<O>, items: impl IntoIterator<Item = O::Item>) -> Vec<O::Item> {
    items.into_iter().for_each(|item| assert!(queue.try_put(item).is_ok(), "there is room"));
    std::iter::from_fn(|| queue.try_get().ok()).collect()
}

#[test]
fn the_oldest_the_youngest_or_the_lowest_comes_first() {
    assert_eq!(through(&Queue::new(0), [1, 3, 2]), [1, 3, 2]);
    assert_eq!(through(&LifoQueue::new(0), [1, 3, 2]), [2, 3, 1]);
    assert_eq!(through(&PriorityQueue::new(0), [1, 3, 2]), [1, 2, 3]);
    assert_eq!(through(&PriorityQueue::new(0), [1, 3, 2].map(Reverse)), [3, 2, 1].map(Reverse));
}

/// A job, compared by its priority alone.
#[derive(Debug, PartialEq, Eq)]
struct Job(u8, &'static str);

impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[test]
fn of_equal_priorities_the_oldest_comes_first() {
    let jobs = [Job(2, "a"), Job(1, "b"), Job(2, "c"), Job(1, "d"), Job(2, "e"), Job(1, "f")];
    let names = through(&PriorityQueue::new(0), jobs).into_iter().map(|job| job.1);
    assert_eq!(names.collect::<String>(), "bdface");
}

#[test]
fn every_order_is_bounded_by_maxsize() {
    fn check<O: Order<Item = u8>>(queue: &OrderedQueue<O>) {
        queue.try_put(1).unwrap();
        queue.try_put(2).unwrap();
        assert!(queue.is_full());
        assert_eq!((queue.try_put(3), queue.maxsize()), (Err(PutError::Full(3)), 2));
        let putter = Someone::default();
        let mut put = pin!(queue.put(3));
        assert!(putter.poll(&mut put).is_pending());
        queue.try_get().unwrap();
        assert_eq!(putter.poll(&mut put), Poll::Ready(Ok(())));
        assert_eq!(queue.len(), 2);
    }
    check(&Queue::new(2));
    check(&LifoQueue::new(2));
    check(&PriorityQueue::new(2));
}

#[test]
fn a_getter_that_was_granted_an_item_gets_the_first_when_it_runs_and_a_newcomer_the_one_after() {
    let queue = PriorityQueue::new(0);
    let getter = Someone::default();
    let mut get = pin!(queue.get());
    assert!(getter.poll(&mut get).is_pending());
    [5, 1, 3].into_iter().for_each(|item| queue.try_put(item).unwrap());
    assert_eq!(queue.try_get(), Ok(3));
    assert_eq!(getter.poll(&mut get), Poll::Ready(Ok(1)));
    assert_eq!(queue.try_get(), Ok(5));

    let queue = LifoQueue::new(0);
    let mut get = pin!(queue.get());
    assert!(getter.poll(&mut get).is_pending());
    [5, 1, 3].into_iter().for_each(|item| queue.try_put(item).unwrap());
    assert_eq!(queue.try_get(), Ok(1));
    assert_eq!(getter.poll(&mut get), Poll::Ready(Ok(3)));
    assert_eq!(queue.try_get(), Ok(5));
}

#[test]
fn items_that_were_refused_come_back_whatever_the_order() {
    let queue = PriorityQueue::new(0);
    queue.try_put(2).unwrap();
    queue.shutdown(true);
    assert_eq!(queue.try_put(1), Err(PutError::ShutDown(1)));
    assert_eq!(queue.try_get(), Err(QueueError::ShutDown));
}

#[test]
fn each_is_shown_by_its_name() {
    let start = |debug: String| debug.split(' ').next().unwrap().to_owned();
    assert_eq!(start(format!("{:?}", Queue::<u8>::new(1))), "Queue");
    assert_eq!(start(format!("{:?}", LifoQueue::<u8>::new(1))), "LifoQueue");
    let queue = PriorityQueue::<u8>::new(1);
    assert_eq!(
        format!("{queue:?}"),
        "PriorityQueue { len: 0, maxsize: 1, unfinished: 0, shut_down: false, .. }"
    );
}

/// An item that looks at its queue when it is compared.
struct Nosy(PriorityQueue<Nosy>);

impl Ord for Nosy {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len())
    }
}

impl PartialOrd for Nosy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Nosy {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Nosy {}

#[test]
#[should_panic(expected = "an item's `Ord` must not use the queue that compares it")]
fn an_item_that_uses_its_queue_when_it_is_compared_is_told_so() {
    let queue = PriorityQueue::new(0);
    for _ in 0..2 {
        assert!(queue.try_put(Nosy(queue.clone())).is_ok());
    }
}
