//! asyncio's own stories, on a loop in virtual time: the same programs, the same orders.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use oneloop::sync::{Event, Queue, Semaphore, oneshot};
use oneloop::{EventLoop, call_later, call_soon, gather, sleep, spawn, time, yield_now};

fn virtually<F: Future>(future: F) -> F::Output {
    EventLoop::builder().virtual_time().build().unwrap().run_until_complete(future)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn three_tasks_take_turns_with_one_permit() {
    virtually(async {
        let (semaphore, log) = (Semaphore::new(1), Rc::new(RefCell::new(Vec::new())));
        gather([1, 2, 3].map(|task| {
            let (semaphore, log) = (semaphore.clone(), Rc::clone(&log));
            async move {
                for round in [1, 2] {
                    let permit = semaphore.acquire().await;
                    log.borrow_mut().push((task, round));
                    sleep(ms(10)).await;
                    drop(permit);
                }
            }
        }))
        .await;
        // Nobody gets a second turn before all had their first.
        assert_eq!(*log.borrow(), [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)]);
    });
}

#[test]
fn a_task_that_releases_and_acquires_again_goes_to_the_end_of_the_line() {
    virtually(async {
        let (semaphore, log) = (Semaphore::new(1), Rc::new(RefCell::new(Vec::new())));
        let task = |first: u8, again: Option<u8>| {
            let (semaphore, log) = (semaphore.clone(), Rc::clone(&log));
            async move {
                semaphore.acquire().await.forget();
                log.borrow_mut().push(first);
                let Some(again) = again else { return semaphore.release() };
                semaphore.release();
                semaphore.acquire().await.forget();
                log.borrow_mut().push(again);
            }
        };
        let first = spawn({
            let (semaphore, log) = (semaphore.clone(), Rc::clone(&log));
            async move {
                semaphore.acquire().await.forget();
                log.borrow_mut().push(1);
            }
        });
        let tasks = [first, spawn(task(2, Some(4))), spawn(task(3, None))];
        yield_now().await;
        semaphore.release();
        semaphore.release();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*log.borrow(), [1, 2, 3, 4]);
    });
}

#[test]
fn consumers_are_cancelled_when_the_queue_is_joined() {
    virtually(async {
        let (queue, done) = (Queue::new(3), Rc::new(RefCell::new(Vec::new())));
        let consumers: Vec<_> = (0..4)
            .map(|_| {
                let (queue, done) = (queue.clone(), Rc::clone(&done));
                spawn(async move {
                    while let Ok(item) = queue.get().await {
                        sleep(ms(10)).await;
                        done.borrow_mut().push(item);
                        queue.task_done();
                    }
                })
            })
            .collect();
        let begin = time();
        for item in 0..20 {
            queue.put(item).await.unwrap();
        }
        queue.join().await;
        assert_eq!(time() - begin, ms(50), "20 items of 10 ms, 4 at a time");
        for consumer in &consumers {
            assert!(consumer.cancel(), "it waits for more");
        }
        for consumer in consumers {
            assert!(consumer.await.unwrap_err().is_cancelled());
        }
        assert!(done.borrow().iter().copied().eq(0..20));
        // What the consumers left behind does not stand in anybody's way.
        queue.put(20).await.unwrap();
        assert_eq!(queue.get().await, Ok(20));
    });
}

#[test]
fn a_cancelled_put_leaves_the_others_in_order() {
    virtually(async {
        let queue = Queue::new(1);
        let put = |item: char| {
            let queue = queue.clone();
            spawn(async move { queue.put(item).await.unwrap() })
        };
        let (first, second, third) = (put('a'), put('b'), put('x'));
        yield_now().await;
        assert!(first.is_finished() && !second.is_finished());
        third.cancel();
        yield_now().await;
        assert!(third.is_finished());
        assert_eq!(queue.try_get(), Ok('a'));
        yield_now().await;
        assert_eq!(queue.try_get(), Ok('b'));
        second.await.unwrap();
        assert!(queue.is_empty());
    });
}

#[test]
fn a_getter_cancelled_in_the_turn_of_its_grant_leaves_the_item_to_the_next() {
    virtually(async {
        let queue = Queue::new(0);
        let get = || {
            let queue = queue.clone();
            spawn(async move { queue.get().await })
        };
        let (first, second) = (get(), get());
        yield_now().await;
        queue.try_put("item").unwrap();
        first.cancel();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(second.await.unwrap(), Ok("item"));
    });
}

#[test]
fn puts_of_many_producers_arrive_in_the_order_in_which_they_waited() {
    virtually(async {
        let queue = Queue::new(2);
        for item in 0..10 {
            let queue = queue.clone();
            drop(spawn(async move { queue.put(item).await.unwrap() }));
        }
        let mut items = Vec::new();
        for _ in 0..10 {
            items.push(queue.get().await.unwrap());
        }
        assert!(items.into_iter().eq(0..10));
    });
}

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
