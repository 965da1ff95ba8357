//! A limit that moves: the scope `timeout`.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use oneloop::{JoinHandle, Limit, call_later, sleep, spawn, time, timeout, timeout_at, wait_for, yield_now};

use crate::{Guard, Log, ms, virtually};

#[test]
fn a_body_that_returns_in_time_gives_its_value_and_the_limit_is_not_expired() {
    virtually(async {
        let begin = time();
        let kept = RefCell::new(None);
        let value = timeout(ms(10), async |limit| {
            assert_eq!(limit.when(), Some(begin + ms(10)));
            kept.replace(Some(limit));
            sleep(ms(5)).await;
            7
        })
        .await;
        assert_eq!((value, time() - begin), (Ok(7), ms(5)));
        let limit = kept.take().unwrap();
        assert!(!limit.expired());
        assert!(!limit.reschedule(begin + ms(99)), "it is over");
        assert_eq!(limit.when(), Some(begin + ms(10)));
    });
}

#[test]
fn a_body_that_is_too_late_is_dropped_at_its_await_before_the_error_is_returned() {
    virtually(async {
        let (begin, log, kept) = (time(), Log::default(), RefCell::new(None));
        let result = timeout(ms(10), async |limit| {
            let _guard = Guard(Rc::clone(&log), "dropped");
            kept.replace(Some(limit));
            pending::<()>().await
        });
        let mut result = Box::pin(result);
        let error = result.as_mut().await.unwrap_err();
        assert_eq!(*log.borrow(), ["dropped"], "though the scope itself still lives");
        assert_eq!(error.to_string(), "not finished within 10ms");
        assert_eq!(time() - begin, ms(10));
        assert!(kept.take().unwrap().expired());
    });
}

#[test]
fn a_limit_can_be_moved_later_and_earlier_and_away_by_the_body() {
    virtually(async {
        let begin = time();
        let later = timeout(ms(10), async |limit| {
            assert!(limit.reschedule(begin + ms(50)));
            sleep(ms(40)).await;
        });
        assert_eq!(later.await, Ok(()));

        let begin = time();
        let earlier = timeout(ms(10), async |limit| {
            limit.reschedule(begin + ms(5));
            sleep(ms(8)).await;
        });
        assert_eq!(earlier.await.unwrap_err().limit(), ms(5));
        assert_eq!(time() - begin, ms(5));

        let away = timeout(ms(10), async |limit| {
            limit.reschedule(None);
            sleep(ms(1_000)).await;
            limit.when()
        });
        assert_eq!(away.await, Ok(None));
    });
}

#[test]
fn a_limit_can_be_set_where_there_was_none_and_moved_into_the_past() {
    virtually(async {
        let begin = time();
        let set = timeout(None, async |limit: Limit| {
            assert_eq!(limit.when(), None);
            sleep(ms(100)).await;
            limit.reschedule(time() + ms(1));
            sleep(ms(100)).await;
        });
        assert!(set.await.is_err());
        assert_eq!(time() - begin, ms(101));
        let past = timeout(None, async |limit| {
            limit.reschedule(begin);
            yield_now().await;
            unreachable!("this await suspends, and the time is over");
        });
        assert!(past.await.is_err());
    });
}

#[test]
fn a_limit_can_be_moved_by_somebody_else_while_the_body_sleeps() {
    virtually(async {
        let begin = time();
        let scope = timeout(ms(10), async |limit| {
            call_later(ms(5), move || assert!(limit.reschedule(begin + ms(7))));
            sleep(ms(20)).await;
        });
        assert!(scope.await.is_err());
        assert_eq!(time() - begin, ms(7));
    });
}

#[test]
fn with_no_time_at_all_the_body_is_polled_once_and_may_return() {
    virtually(async {
        assert_eq!(timeout(ms(0), async |_| 5).await, Ok(5));
        assert!(timeout(ms(0), async |_| yield_now().await).await.is_err());
        assert!(timeout_at(time() - ms(5), async |_| yield_now().await).await.is_err());
        assert_eq!(timeout(Duration::MAX, async |_| sleep(ms(9)).await).await, Ok(()));
    });
}

#[test]
fn a_body_that_is_ready_at_the_very_limit_is_in_time() {
    virtually(async {
        assert_eq!(timeout(ms(10), async |_| sleep(ms(10)).await).await, Ok(()));
    });
}

#[test]
fn of_two_scopes_the_one_whose_time_is_up_ends() {
    virtually(async {
        let inner_first =
            timeout(ms(50), async |_| timeout(ms(10), async |_| pending::<()>().await).await.is_err());
        assert_eq!(inner_first.await, Ok(true));
        let outer_first = timeout(ms(10), async |_| timeout(ms(50), async |_| pending::<()>().await).await);
        assert!(outer_first.await.is_err());
        let together = timeout(ms(10), async |_| timeout(ms(10), async |_| pending::<()>().await).await);
        assert!(
            together.await.unwrap().is_err(),
            "the inner one is asked first, and its error is caught in time"
        );
    });
}

#[test]
fn an_expired_scope_can_be_followed_by_more_work_and_by_another_scope() {
    virtually(async {
        for _ in 0..3 {
            assert!(timeout(ms(5), async |_| pending::<()>().await).await.is_err());
            sleep(ms(5)).await;
        }
    });
}

#[test]
fn running_out_of_time_cancels_the_task_that_is_awaited() {
    virtually(async {
        let log = Log::default();
        let guard = Guard(Rc::clone(&log), "dropped");
        let task: JoinHandle<()> = spawn(async move {
            let _guard = guard;
            pending().await
        });
        assert!(timeout(ms(5), async |_| task.await.is_ok()).await.is_err());
        yield_now().await;
        assert_eq!(*log.borrow(), ["dropped"]);
    });
}

#[test]
fn dropping_the_scope_ends_it_without_being_expired() {
    virtually(async {
        let kept = Cell::new(None);
        let scope = timeout(ms(50), async |limit: Limit| {
            kept.set(Some(limit));
            pending::<()>().await
        });
        assert!(wait_for(scope, ms(5)).await.is_err());
        let limit = kept.take().unwrap();
        assert!(!limit.expired() && !limit.reschedule(None));
    });
}

#[test]
fn a_suspended_body_tells_its_own_line() {
    virtually(async {
        let line = line!() + 2;
        let task = spawn(timeout(ms(50), async |_| {
            sleep(ms(20)).await;
        }));
        yield_now().await;
        let text = format!("{task:?}");
        assert!(text.contains(&format!("timeout.rs:{line}, waiting for a sleep")), "{text}");
    });
}
