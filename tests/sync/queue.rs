//! Queues: who gets what, in which order, and how it ends.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use oneloop::sync::{PutError, Queue, QueueError};

use crate::Someone;

#[test]
fn a_batch_of_puts_wakes_one_waiting_getter_once() {
    let queue = Queue::new(64);
    let getter = Someone::default();
    let mut get = pin!(queue.get());
    assert_eq!(getter.poll(&mut get), Poll::Pending);
    for item in 0..64 {
        queue.try_put(item).unwrap();
    }
    assert_eq!(getter.wakes(), 1);
    assert_eq!(getter.poll(&mut get), Poll::Ready(Ok(0)));
}

#[test]
fn as_many_getters_are_woken_as_items_arrive() {
    let queue = Queue::new(0);
    let getters: [Someone; 3] = Default::default();
    let (mut first, mut second, mut third) = (pin!(queue.get()), pin!(queue.get()), pin!(queue.get()));
    assert!(getters[0].poll(&mut first).is_pending());
    assert!(getters[1].poll(&mut second).is_pending());
    assert!(getters[2].poll(&mut third).is_pending());
    queue.try_put('a').unwrap();
    queue.try_put('b').unwrap();
    assert_eq!(getters.each_ref().map(Someone::wakes), [1, 1, 0]);
    assert_eq!(getters[0].poll(&mut first), Poll::Ready(Ok('a')));
    assert_eq!(getters[1].poll(&mut second), Poll::Ready(Ok('b')));
    assert_eq!(getters[2].poll(&mut third), Poll::Pending);
}

#[test]
fn an_item_reserved_for_a_getter_is_not_taken_by_a_newcomer() {
    let queue = Queue::new(0);
    let getter = Someone::default();
    let mut get = pin!(queue.get());
    assert!(getter.poll(&mut get).is_pending());
    queue.try_put('a').unwrap();
    assert_eq!(queue.len(), 1, "the item is in the queue");
    assert_eq!(queue.try_get(), Err(QueueError::Empty), "but it is promised");
    queue.try_put('b').unwrap();
    assert_eq!(queue.try_get(), Ok('b'), "the newcomer gets the first that is free");
    assert_eq!(getter.poll(&mut get), Poll::Ready(Ok('a')));
}

#[test]
fn a_getter_cancelled_after_it_was_granted_passes_its_item_on() {
    let queue = Queue::new(0);
    let (first, second) = (Someone::default(), Someone::default());
    let mut get = Box::pin(queue.get());
    assert!(first.poll(&mut get.as_mut()).is_pending());
    let mut next = pin!(queue.get());
    assert!(second.poll(&mut next).is_pending());
    queue.try_put('a').unwrap();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(get);
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    assert_eq!(second.poll(&mut next), Poll::Ready(Ok('a')));
}

#[test]
fn items_keep_their_order_when_a_granted_getter_is_cancelled() {
    let queue = Queue::new(0);
    let someone = Someone::default();
    let mut get = Box::pin(queue.get());
    assert!(someone.poll(&mut get.as_mut()).is_pending());
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    drop(get);
    assert_eq!((queue.try_get(), queue.try_get()), (Ok(1), Ok(2)));
}

#[test]
fn a_put_that_waits_goes_before_every_later_put() {
    let queue = Queue::new(1);
    let (waiter, newcomer) = (Someone::default(), Someone::default());
    queue.try_put('a').unwrap();
    let (mut put, mut later) = (pin!(queue.put('b')), pin!(queue.put('d')));
    assert!(waiter.poll(&mut put).is_pending());
    assert_eq!(queue.try_get(), Ok('a'));
    assert_eq!(waiter.wakes(), 1);
    // There is a place, but it is promised.
    assert_eq!(queue.try_put('c'), Err(PutError::Full('c')));
    assert!(newcomer.poll(&mut later).is_pending());
    assert_eq!(waiter.poll(&mut put), Poll::Ready(Ok(())));
    assert_eq!(queue.try_get(), Ok('b'));
    assert_eq!(newcomer.poll(&mut later), Poll::Ready(Ok(())));
    assert_eq!(queue.try_get(), Ok('d'));
}

#[test]
fn a_put_cancelled_after_it_was_granted_put_nothing_and_passes_its_place_on() {
    let queue = Queue::new(1);
    let (first, second) = (Someone::default(), Someone::default());
    queue.try_put('a').unwrap();
    let mut put = Box::pin(queue.put('b'));
    assert!(first.poll(&mut put.as_mut()).is_pending());
    let mut next = pin!(queue.put('c'));
    assert!(second.poll(&mut next).is_pending());
    assert_eq!(queue.try_get(), Ok('a'));
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(put);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(&mut next), Poll::Ready(Ok(())));
    assert_eq!(queue.try_get(), Ok('c'));
    assert_eq!(queue.try_get(), Err(QueueError::Empty));
}

#[test]
fn a_queue_without_a_bound_never_makes_a_put_wait() {
    let queue = Queue::new(0);
    let someone = Someone::default();
    for item in 0..10_000 {
        assert_eq!(someone.poll(&mut pin!(queue.put(item))), Poll::Ready(Ok(())));
    }
    assert_eq!((queue.len(), queue.is_full(), queue.maxsize()), (10_000, false, 0));
}

#[test]
fn shutdown_refuses_puts_and_lets_the_gets_finish() {
    let queue = Queue::new(1);
    let putter = Someone::default();
    queue.try_put('a').unwrap();
    let mut put = pin!(queue.put('b'));
    assert!(putter.poll(&mut put).is_pending());
    queue.shutdown(false);
    assert_eq!(putter.wakes(), 1);
    assert_eq!(putter.poll(&mut put), Poll::Ready(Err(PutError::ShutDown('b'))));
    assert_eq!(queue.try_put('c'), Err(PutError::ShutDown('c')));
    assert_eq!(queue.try_get(), Ok('a'));
    assert_eq!(queue.try_get(), Err(QueueError::ShutDown));
}

#[test]
fn shutdown_tells_all_getters_of_an_empty_queue() {
    let queue = Queue::<u8>::new(1);
    let getters: [Someone; 2] = Default::default();
    let (mut first, mut second) = (pin!(queue.get()), pin!(queue.get()));
    assert!(getters[0].poll(&mut first).is_pending());
    assert!(getters[1].poll(&mut second).is_pending());
    queue.shutdown(false);
    assert_eq!(getters.each_ref().map(Someone::wakes), [1, 1]);
    assert_eq!(getters[0].poll(&mut first), Poll::Ready(Err(QueueError::ShutDown)));
    assert_eq!(getters[1].poll(&mut second), Poll::Ready(Err(QueueError::ShutDown)));
}

#[test]
fn the_last_item_of_a_shut_queue_goes_to_a_waiter_if_the_one_it_was_granted_to_is_cancelled() {
    let queue = Queue::new(0);
    let getters: [Someone; 2] = Default::default();
    let mut first = Box::pin(queue.get());
    assert!(getters[0].poll(&mut first.as_mut()).is_pending());
    queue.try_put('a').unwrap();
    queue.shutdown(false);
    // The only item is promised; but that may change, so this is no time for an error.
    let mut second = pin!(queue.get());
    assert!(getters[1].poll(&mut second).is_pending());
    drop(first);
    assert_eq!(getters[1].poll(&mut second), Poll::Ready(Ok('a')));
}

#[test]
fn an_immediate_shutdown_drops_the_items_and_counts_them_as_done() {
    let queue = Queue::new(0);
    let (getter, joiner) = (Someone::default(), Someone::default());
    let mut get = pin!(queue.get());
    assert!(getter.poll(&mut get).is_pending());
    let item = Rc::new(());
    queue.try_put(Rc::clone(&item)).unwrap();
    queue.try_put(Rc::clone(&item)).unwrap();
    let mut join = pin!(queue.join());
    assert!(joiner.poll(&mut join).is_pending());
    queue.shutdown(true);
    assert_eq!(Rc::strong_count(&item), 1);
    assert_eq!(getter.poll(&mut get), Poll::Ready(Err(QueueError::ShutDown)));
    assert_eq!(joiner.wakes(), 1);
    assert!(joiner.poll(&mut join).is_ready());
}

#[test]
fn an_immediate_shutdown_does_not_count_an_item_at_work_as_done() {
    let queue = Queue::new(0);
    let joiner = Someone::default();
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    queue.try_get().unwrap();
    queue.shutdown(true);
    let mut join = pin!(queue.join());
    assert!(joiner.poll(&mut join).is_pending());
    queue.task_done();
    assert!(joiner.poll(&mut join).is_ready());
}

#[test]
fn join_returns_when_every_item_is_done_even_if_more_is_put_before_it_runs() {
    let queue = Queue::new(0);
    let joiner = Someone::default();
    assert!(joiner.poll(&mut pin!(queue.join())).is_ready(), "nothing was put: nothing to wait for");
    queue.try_put(1).unwrap();
    let mut join = pin!(queue.join());
    assert!(joiner.poll(&mut join).is_pending());
    queue.try_get().unwrap();
    assert_eq!(joiner.wakes(), 0, "got is not done");
    queue.task_done();
    queue.try_put(2).unwrap();
    assert_eq!(joiner.wakes(), 1);
    assert!(joiner.poll(&mut join).is_ready());
}

#[test]
#[should_panic(expected = "`task_done` was called more often than items were put")]
fn task_done_too_often_is_refused_with_a_sentence() {
    let queue = Queue::new(0);
    queue.try_put(1).unwrap();
    queue.task_done();
    queue.task_done();
}

#[test]
fn a_queue_can_be_used_by_what_it_drops() {
    struct Item(Queue<Item>, Rc<Cell<usize>>);
    impl Drop for Item {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
            assert!(self.0.is_empty());
        }
    }
    let queue = Queue::new(0);
    let dropped = Rc::new(Cell::new(0));
    queue.try_put(Item(queue.clone(), Rc::clone(&dropped))).unwrap();
    queue.shutdown(true);
    assert_eq!(dropped.get(), 1);
}

#[test]
fn the_errors_are_sentences_and_give_the_item_back() {
    struct NoDebug;
    let queue = Queue::new(1);
    queue.try_put(NoDebug).unwrap();
    let full = queue.try_put(NoDebug).unwrap_err();
    assert!(full.is_full() && !full.is_shut_down());
    assert_eq!((full.to_string(), format!("{full:?}")), ("the queue is full".into(), "Full(..)".into()));
    let _item: NoDebug = full.into_inner();
    assert_eq!(QueueError::Empty.to_string(), "the queue is empty");
    assert_eq!(QueueError::ShutDown.to_string(), "the queue was shut down and is empty");
}
