//! Results as they come: `as_completed`.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use futures_lite::{Stream, StreamExt};
use oneloop::{
    AsCompleted, JoinError, JoinHandle, all_tasks, as_completed, race, sleep, spawn, time, wait_for,
    yield_now,
};

use crate::{Counted, Guard, Log, ms, virtually};

fn after(delay: u64) -> JoinHandle<u64> {
    spawn(async move {
        sleep(ms(delay)).await;
        delay
    })
}

#[test]
fn results_come_in_the_order_of_the_ends_each_at_its_time() {
    virtually(async {
        let begin = time();
        let mut completed = as_completed([30, 10, 20].map(after));
        while let Some(delay) = completed.next().await {
            assert_eq!(time() - begin, ms(delay.unwrap()));
        }
        assert_eq!(time() - begin, ms(30));
        assert!(completed.next().await.is_none(), "again and again");
    });
}

#[test]
fn tasks_that_end_in_one_turn_or_before_they_are_asked_for_keep_their_order() {
    virtually(async {
        let mut completed = as_completed([5, 9, 5, 1].map(after));
        sleep(ms(20)).await;
        let mut order = Vec::new();
        while let Some(delay) = completed.next().await {
            order.push(delay.unwrap());
        }
        assert_eq!(order, [1, 5, 5, 9]);
    });
}

#[test]
fn nothing_to_wait_for_is_the_end_at_once() {
    virtually(async {
        assert!(as_completed(Vec::<JoinHandle<()>>::new()).next().await.is_none());
    });
}

#[test]
fn a_task_that_fails_has_an_error_in_its_place_and_the_others_still_come() {
    virtually(async {
        let panics = spawn(async {
            sleep(ms(2)).await;
            panic!("boom")
        });
        let cancelled = after(9);
        cancelled.cancel();
        let mut completed = as_completed([after(5), panics, cancelled]);
        assert!(matches!(completed.next().await, Some(Err(JoinError::Cancelled))));
        assert_eq!(completed.next().await.unwrap().unwrap_err().to_string(), "panicked: boom");
        assert_eq!(completed.next().await.unwrap().unwrap(), 5);
    });
}

#[test]
fn when_the_time_is_up_there_is_one_error_and_the_rest_can_be_had_and_goes_on() {
    virtually(async {
        let begin = time();
        let mut completed = as_completed([30, 10, 20, 40].map(after)).timeout(ms(25));
        let mut order = Vec::new();
        let error = loop {
            match completed.next().await.unwrap() {
                Ok(delay) => order.push(delay.unwrap()),
                Err(error) => break error,
            }
        };
        assert_eq!((order, error.limit()), (vec![10, 20], ms(25)));
        assert_eq!(time() - begin, ms(25));
        assert!(completed.next().await.is_none());
        let rest = completed.into_rest();
        assert_eq!(rest.len(), 2);
        for (task, delay) in rest.into_iter().zip([30, 40]) {
            assert_eq!(task.await.unwrap(), delay);
        }
    });
}

#[test]
fn a_result_that_is_there_when_the_time_is_up_comes_before_the_error() {
    virtually(async {
        let mut completed = as_completed([5, 50].map(after)).timeout(ms(10));
        sleep(ms(20)).await;
        assert_eq!(completed.next().await.unwrap().unwrap().unwrap(), 5);
        assert!(completed.next().await.unwrap().is_err());
    });
    virtually(async {
        let tasks = [after(10)];
        yield_now().await; // so that its timer is the first of two that are due together
        let mut completed = as_completed(tasks).timeout(ms(10));
        assert!(completed.next().await.unwrap().is_ok(), "at the very limit");
        assert!(completed.next().await.is_none(), "all were in time, so there is no error");
    });
}

#[test]
fn the_limit_is_for_all_results_together() {
    virtually(async {
        let mut completed = as_completed([8, 16, 24].map(after)).timeout(ms(10));
        assert!(completed.next().await.unwrap().is_ok());
        assert!(completed.next().await.unwrap().is_err());
    });
}

#[test]
fn a_next_that_is_dropped_half_way_loses_nothing() {
    virtually(async {
        let mut completed = as_completed([after(10), after(20)]);
        assert!(wait_for(completed.next(), ms(5)).await.is_err());
        let first = spawn(async move { (completed.next().await.unwrap().unwrap(), completed) });
        let (first, mut completed) = first.await.unwrap();
        assert_eq!((first, completed.next().await.unwrap().unwrap()), (10, 20));
    });
}

#[test]
fn dropping_it_leaves_the_tasks_to_themselves() {
    virtually(async {
        let mut completed = as_completed([1, 20, 30].map(after));
        assert_eq!(completed.next().await.unwrap().unwrap(), 1);
        drop(completed);
        assert_eq!(all_tasks().len(), 3);
        sleep(ms(40)).await;
        assert_eq!(all_tasks().len(), 1);
    });
}

#[test]
fn the_rest_can_be_cancelled() {
    virtually(async {
        let log = Log::default();
        let slow = Guard(Rc::clone(&log), "dropped");
        let slow = spawn(async move {
            let _slow = slow;
            pending::<u64>().await
        });
        let mut completed = as_completed([slow, after(1)]);
        completed.next().await.unwrap().unwrap();
        completed.into_rest().iter().for_each(|task| _ = task.cancel());
        yield_now().await;
        assert_eq!(*log.borrow(), ["dropped"]);
    });
}

#[test]
fn it_is_a_stream_and_knows_how_much_is_left() {
    virtually(async {
        let mut completed: AsCompleted<u64> = as_completed([3, 1, 2].map(after));
        assert_eq!(completed.size_hint(), (3, Some(3)));
        completed.next().await.unwrap().unwrap();
        assert_eq!(completed.size_hint(), (2, Some(2)));
        let rest: Vec<u64> = completed.map(Result::unwrap).collect().await;
        assert_eq!(rest, [2, 3]);
    });
}

#[test]
fn each_result_costs_one_poll_or_two() {
    const N: u64 = 1_000;
    for delay in [|n: u64| n + 1, |n: u64| N - n, |_| 5] {
        virtually(async {
            let polls = Rc::new(Cell::new(0));
            let all = async {
                let mut completed = as_completed((0..N).map(|n| after(delay(n))).collect::<Vec<_>>());
                while let Some(result) = completed.next().await {
                    result.unwrap();
                }
            };
            Counted(Box::pin(all), Rc::clone(&polls)).await;
            assert!(polls.get() <= N as usize + 1, "{}", polls.get());
        });
    }
}

#[test]
fn a_loser_in_a_race_of_streams_loses_no_result() {
    virtually(async {
        let (mut one, mut other) = (as_completed([after(5)]), as_completed([after(5)]));
        race(one.next(), other.next()).await.into_inner().unwrap().unwrap();
        assert_eq!(other.next().await.unwrap().unwrap(), 5, "both were ready, and the second was not asked");
    });
}
