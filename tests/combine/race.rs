//! The first of two, and a limit of time: `race` and `wait_for`.

use std::cell::Cell;
use std::future::{pending, ready};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use oneloop::sync::{Event, Queue};
use oneloop::{Either, race, sleep, spawn, time, wait_for, yield_now};

use crate::{Counted, Log, ms, sleeper, virtually};

#[test]
fn the_faster_wins_a_race_and_the_loser_is_dropped_before_the_result_is_returned() {
    virtually(async {
        let log = Log::default();
        let begin = time();
        let mut both = pin!(race(sleeper(Rc::clone(&log), "first lost"), sleep(ms(10))));
        assert_eq!(both.as_mut().await, Either::Right(()));
        assert_eq!(*log.borrow(), ["first lost"], "though the race itself still lives");
        assert_eq!(time() - begin, ms(10));
        let mut both = pin!(race(sleep(ms(10)), sleeper(Rc::clone(&log), "second lost")));
        assert_eq!(both.as_mut().await, Either::Left(()));
        assert_eq!(*log.borrow(), ["first lost", "second lost"]);
    });
}

#[test]
fn the_first_of_two_ready_futures_wins_and_the_second_is_not_asked() {
    virtually(async {
        let asked = Rc::new(Cell::new(0));
        let second = Counted(ready(2), Rc::clone(&asked));
        assert_eq!(race(ready(1), second).await, Either::Left(1));
        assert_eq!(asked.get(), 0);
        // Two sleeps that end together.
        assert_eq!(race(sleep(ms(5)), sleep(ms(5))).await.into_inner(), ());
    });
}

#[test]
fn a_task_that_loses_a_race_is_cancelled() {
    virtually(async {
        let log = Log::default();
        let loser = spawn(sleeper(Rc::clone(&log), "loser"));
        assert!(matches!(race(loser, sleep(ms(1))).await, Either::Right(())));
        yield_now().await;
        assert_eq!(*log.borrow(), ["loser"]);
    });
}

#[test]
fn a_get_that_loses_a_race_loses_no_item() {
    virtually(async {
        let (queue, stop) = (Queue::new(0), Event::new());
        let (putter, stopper) = (queue.clone(), stop.clone());
        oneloop::call_later(ms(1), move || {
            // Both are ready at the same poll; the item is granted to a get that is not asked any more.
            stopper.set();
            putter.try_put(7).unwrap();
        });
        assert!(matches!(race(stop.wait(), queue.get()).await, Either::Left(())));
        assert_eq!(queue.try_get(), Ok(7));
    });
}

#[test]
#[should_panic(expected = "a race was polled again after it had returned")]
fn a_race_polled_after_its_end_panics_with_a_sentence() {
    virtually(async {
        let mut both = pin!(race(ready(1), ready(2)));
        both.as_mut().await;
        both.await;
    });
}

#[test]
fn wait_for_returns_what_came_in_time() {
    virtually(async {
        let begin = time();
        let in_time = async {
            sleep(ms(10)).await;
            "value"
        };
        assert_eq!(wait_for(in_time, ms(20)).await, Ok("value"));
        assert_eq!(time() - begin, ms(10));
    });
}

#[test]
fn wait_for_ends_at_its_limit_and_drops_the_future_before_it_returns() {
    virtually(async {
        let log = Log::default();
        let begin = time();
        let mut late = pin!(wait_for(sleeper(Rc::clone(&log), "too late"), ms(1_500)));
        let error = late.as_mut().await.unwrap_err();
        assert_eq!(*log.borrow(), ["too late"], "though the wait_for itself still lives");
        assert_eq!(time() - begin, ms(1_500));
        assert_eq!((error.limit(), error.to_string()), (ms(1_500), "not finished within 1.5s".into()));
    });
}

#[test]
fn a_future_that_is_ready_at_the_deadline_is_in_time() {
    virtually(async {
        assert_eq!(wait_for(sleep(ms(10)), ms(10)).await, Ok(()));
    });
}

#[test]
fn with_a_limit_of_zero_the_future_is_polled_once() {
    virtually(async {
        let (begin, polls) = (time(), Rc::new(Cell::new(0)));
        assert_eq!(wait_for(Counted(ready(1), Rc::clone(&polls)), Duration::ZERO).await, Ok(1));
        assert_eq!(polls.take(), 1);
        assert!(wait_for(Counted(pending::<()>(), Rc::clone(&polls)), Duration::ZERO).await.is_err());
        assert_eq!(polls.get(), 1);
        assert_eq!(time(), begin);
    });
}

#[test]
fn a_limit_beyond_the_clock_never_ends() {
    virtually(async {
        assert_eq!(wait_for(sleep(ms(10)), Duration::MAX).await, Ok(()));
    });
}

#[test]
fn a_task_that_is_too_late_is_cancelled() {
    virtually(async {
        let log = Log::default();
        let task = spawn(sleeper(Rc::clone(&log), "too late"));
        assert!(wait_for(task, ms(1)).await.is_err());
        yield_now().await;
        assert_eq!(*log.borrow(), ["too late"]);
    });
}

#[test]
fn wait_for_and_an_inner_wait_for_keep_their_own_limits() {
    virtually(async {
        let begin = time();
        let inner = wait_for(pending::<()>(), ms(10));
        assert_eq!(wait_for(inner, ms(20)).await.unwrap().unwrap_err().limit(), ms(10));
        let inner = wait_for(pending::<()>(), ms(40));
        assert_eq!(wait_for(inner, ms(30)).await.unwrap_err().limit(), ms(30));
        assert_eq!(time() - begin, ms(40));
    });
}
