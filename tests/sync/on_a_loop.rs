//! Several objects together, and before and after their loop.

use oneloop::sync::{Event, Queue, oneshot};
use oneloop::{call_later, call_soon, spawn, time, yield_now};

use crate::{ms, virtually};

#[test]
fn a_callback_can_feed_what_a_task_waits_for() {
    virtually(async {
        let (queue, event) = (Queue::new(1), Event::new());
        let (sender, receiver) = oneshot::channel();
        let (putter, setter) = (queue.clone(), event.clone());
        call_soon(move || putter.try_put(1).unwrap());
        call_later(ms(10), move || setter.set());
        call_later(ms(20), move || sender.send(2).unwrap());
        let begin = time();
        assert_eq!(queue.get().await, Ok(1));
        event.wait().await;
        assert_eq!(receiver.await, Ok(2));
        assert_eq!(time() - begin, ms(20));
    });
}

#[test]
fn the_objects_can_be_made_before_the_loop_and_used_after_it() {
    let queue = Queue::new(0);
    queue.try_put(1).unwrap();
    let inside = queue.clone();
    virtually(async move {
        assert_eq!(inside.get().await, Ok(1));
        inside.put(2).await.unwrap();
        // Still waiting when the loop ends: dropped with its task, and out of the line.
        let waiter = inside.clone();
        drop(spawn(async move { (waiter.get().await, waiter.get().await) }));
        yield_now().await;
    });
    queue.try_put(3).unwrap();
    assert_eq!(queue.try_get(), Ok(3));
}
