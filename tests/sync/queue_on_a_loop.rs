//! Queues on a loop: producers, consumers, and what a cancel does to them.

use std::cell::RefCell;
use std::rc::Rc;

use oneloop::sync::{Event, LifoQueue, PriorityQueue, Queue, QueueError};
use oneloop::{call_later, gather, sleep, spawn, time, wait_for, yield_now};

use crate::{Notes, let_all_run, ms, virtually};

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
fn two_workers_sum_up_a_hundred_items_before_join_returns() {
    virtually(async {
        let (queue, sum) = (Queue::new(0), Rc::new(RefCell::new(0)));
        (0..100).for_each(|item| queue.try_put(item).unwrap());
        let workers = [(); 2].map(|()| {
            let (queue, sum) = (queue.clone(), Rc::clone(&sum));
            spawn(async move {
                while let Ok(item) = queue.get().await {
                    *sum.borrow_mut() += item;
                    queue.task_done();
                }
            })
        });
        queue.join().await;
        assert_eq!(*sum.borrow(), 4950);
        queue.shutdown(false);
        for worker in workers {
            worker.await.unwrap();
        }
    });
}

#[test]
fn join_waits_for_the_item_that_a_cancelled_consumer_never_finished() {
    virtually(async {
        let queue = Queue::new(0);
        let same = queue.clone();
        let consumer = spawn(async move {
            same.get().await.unwrap();
            sleep(ms(1_000)).await;
            same.task_done();
        });
        queue.try_put("item").unwrap();
        sleep(ms(10)).await;
        consumer.cancel();
        assert!(wait_for(queue.join(), ms(100)).await.is_err(), "the item was got, and is not done");
        queue.task_done();
        assert!(wait_for(queue.join(), ms(100)).await.is_ok());
    });
}

#[test]
fn join_waits_on_for_an_item_whose_getter_was_cancelled_before_it_ran() {
    virtually(async {
        let queue = Queue::new(0);
        let same = queue.clone();
        let getter = spawn(async move { same.get().await });
        yield_now().await;
        queue.try_put("item").unwrap();
        getter.cancel();
        let same = queue.clone();
        let join = spawn(async move { same.join().await });
        let_all_run().await;
        assert!(!join.is_finished(), "the item is still there");
        assert_eq!(queue.try_get(), Ok("item"));
        queue.task_done();
        join.await.unwrap();
    });
}

#[test]
fn a_getter_gets_what_is_put_while_it_waits_and_at_that_time() {
    virtually(async {
        let (queue, begin) = (Queue::new(0), time());
        let same = queue.clone();
        call_later(ms(10), move || same.try_put(1).unwrap());
        assert_eq!(queue.get().await, Ok(1));
        assert_eq!(time() - begin, ms(10));
    });
}

#[test]
fn a_get_that_runs_out_of_time_leaves_the_item_that_comes_later() {
    virtually(async {
        let queue = Queue::new(0);
        let same = queue.clone();
        call_later(ms(20), move || same.try_put(1).unwrap());
        for _ in 0..3 {
            assert!(wait_for(queue.get(), ms(5)).await.is_err());
        }
        assert_eq!(wait_for(queue.get(), ms(10)).await.unwrap(), Ok(1));
    });
}

#[test]
fn a_put_that_runs_out_of_time_has_put_nothing() {
    virtually(async {
        let queue = Queue::new(1);
        queue.put(1).await.unwrap();
        for item in 2..5 {
            assert!(wait_for(queue.put(item), ms(5)).await.is_err());
        }
        assert_eq!((queue.try_get(), queue.try_get()), (Ok(1), Err(QueueError::Empty)));
    });
}

#[test]
fn a_putter_goes_on_as_soon_as_there_is_room_and_stops_when_there_is_none() {
    virtually(async {
        let (queue, notes) = (Queue::new(2), Notes::default());
        let (same, put) = (queue.clone(), notes.clone());
        let putter = spawn(async move {
            for item in 0..4 {
                same.put(item).await.unwrap();
                put.add(item);
            }
        });
        let_all_run().await;
        assert_eq!(notes.take(), [0, 1]);
        assert_eq!(queue.try_get(), Ok(0));
        let_all_run().await;
        assert_eq!(notes.take(), [2]);
        assert_eq!((queue.get().await, queue.get().await, queue.get().await), (Ok(1), Ok(2), Ok(3)));
        putter.await.unwrap();
    });
}

#[test]
fn many_getters_and_putters_at_a_small_queue_all_come_to_their_end() {
    virtually(async {
        let queue = Queue::new(2);
        let putters = (0..50).map(|item| {
            let queue = queue.clone();
            spawn(async move { queue.put(item).await.unwrap() })
        });
        let putters: Vec<_> = putters.collect();
        let getters = gather((0..50).map(|_| {
            let queue = queue.clone();
            async move { queue.get().await.unwrap() }
        }));
        let got: Vec<i32> = getters.await.into_iter().map(Result::unwrap).collect();
        assert!(got.into_iter().eq(0..50), "getter and item have the same number");
        for putter in putters {
            putter.await.unwrap();
        }
        assert!(queue.is_empty());
    });
}

#[test]
fn a_waiting_put_whose_task_is_cancelled_in_the_turn_of_its_grant_passes_its_place_on() {
    virtually(async {
        let queue = Queue::new(1);
        queue.try_put('a').unwrap();
        let put = |item| {
            let queue = queue.clone();
            spawn(async move { queue.put(item).await.unwrap() })
        };
        let (first, second) = (put('b'), put('c'));
        let_all_run().await;
        assert_eq!(queue.try_get(), Ok('a'));
        first.cancel();
        second.await.unwrap();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!((queue.try_get(), queue.try_get()), (Ok('c'), Err(QueueError::Empty)));
    });
}

#[test]
fn a_shutdown_ends_consumers_after_the_last_item_in_each_order() {
    virtually(async {
        let (queue, lifo, priority) = (Queue::new(0), LifoQueue::new(0), PriorityQueue::new(0));
        for item in [2, 3, 1] {
            queue.try_put(item).unwrap();
            lifo.try_put(item).unwrap();
            priority.try_put(item).unwrap();
        }
        queue.shutdown(false);
        lifo.shutdown(false);
        priority.shutdown(false);
        let mut got = [const { Vec::new() }; 3];
        while let Ok(item) = queue.get().await {
            got[0].push(item);
        }
        while let Ok(item) = lifo.get().await {
            got[1].push(item);
        }
        while let Ok(item) = priority.get().await {
            got[2].push(item);
        }
        assert_eq!(got, [[2, 3, 1], [1, 3, 2], [1, 2, 3]]);
    });
}

#[test]
fn an_immediate_shutdown_ends_producers_consumers_and_joiners_at_once() {
    virtually(async {
        let (full, empty, started) = (Queue::new(1), Queue::<u8>::new(1), Event::new());
        full.try_put(1).unwrap();
        let (same, go) = (full.clone(), started.clone());
        let put = spawn(async move {
            go.set();
            same.put(2).await
        });
        let (same_full, same_empty) = (full.clone(), empty.clone());
        let join = spawn(async move { same_full.join().await });
        let get = spawn(async move { same_empty.get().await });
        started.wait().await;
        let_all_run().await;
        full.shutdown(true);
        empty.shutdown(true);
        assert!(put.await.unwrap().unwrap_err().is_shut_down());
        assert_eq!(get.await.unwrap(), Err(QueueError::ShutDown));
        join.await.unwrap();
    });
}

#[test]
fn a_shutdown_can_be_made_an_immediate_one_but_not_taken_back() {
    let queue = Queue::new(0);
    queue.try_put(1).unwrap();
    queue.shutdown(false);
    queue.shutdown(false);
    assert_eq!(queue.len(), 1);
    queue.shutdown(true);
    assert!(queue.is_empty());
    queue.shutdown(false);
    assert!(queue.try_put(2).unwrap_err().is_shut_down());
    assert_eq!(queue.try_get(), Err(QueueError::ShutDown));
}
