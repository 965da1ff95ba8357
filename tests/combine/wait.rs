//! Some of several tasks, and the rest kept: `wait`.

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;

use oneloop::{
    Either, JoinHandle, ReturnWhen, Waited, all_tasks, race, sleep, spawn, time, wait, wait_for, yield_now,
};

use crate::{Counted, Log, ms, virtually};

/// A task that ends after `delay` and returns it.
fn after(delay: u64) -> JoinHandle<u64> {
    spawn(async move {
        sleep(ms(delay)).await;
        delay
    })
}

/// What the done tasks returned, in their order.
fn values(waited: &mut Waited<u64>) -> Vec<u64> {
    waited.done.iter_mut().map(|task| task.result().unwrap().unwrap()).collect()
}

#[test]
fn a_wait_for_all_takes_as_long_as_the_slowest_and_has_them_in_the_order_of_their_ends() {
    virtually(async {
        let begin = time();
        let mut waited = wait([30, 10, 20].map(after)).await;
        assert_eq!(values(&mut waited), [10, 20, 30]);
        assert!(waited.pending.is_empty());
        assert_eq!(time() - begin, ms(30));
    });
}

#[test]
fn a_wait_for_the_first_gives_the_others_back_and_they_go_on() {
    virtually(async {
        let begin = time();
        let mut waited = wait([30, 10, 20].map(after)).return_when(ReturnWhen::FirstCompleted).await;
        assert_eq!(values(&mut waited), [10]);
        assert_eq!(time() - begin, ms(10));
        let mut rest = wait(waited.pending).await;
        assert_eq!(values(&mut rest), [20, 30]);
    });
}

#[test]
fn whatever_ended_in_the_same_turn_is_done_too() {
    virtually(async {
        let mut waited = wait([10, 20, 10].map(after)).return_when(ReturnWhen::FirstCompleted).await;
        assert_eq!(values(&mut waited), [10, 10]);
        assert_eq!(waited.pending.len(), 1);
    });
}

#[test]
fn tasks_that_ended_before_the_wait_come_first_and_are_not_waited_for() {
    virtually(async {
        let tasks = [5, 1, 2].map(after);
        sleep(ms(3)).await;
        let begin = time();
        let mut waited = wait(tasks).return_when(ReturnWhen::FirstCompleted).await;
        assert_eq!(time(), begin);
        assert_eq!(values(&mut waited), [1, 2]);
        let mut waited = wait(waited.pending).await;
        assert_eq!(values(&mut waited), [5]);
    });
}

#[test]
fn a_wait_that_times_out_cancels_nothing() {
    virtually(async {
        let begin = time();
        let mut waited = wait([30, 10].map(after)).timeout(ms(20)).await;
        assert_eq!(values(&mut waited), [10]);
        assert_eq!(time() - begin, ms(20));
        assert_eq!(waited.pending.pop().unwrap().await.unwrap(), 30);
    });
}

#[test]
fn of_tasks_that_end_at_the_very_limit_those_are_done_whose_timer_was_armed_before() {
    virtually(async {
        let before = after(20);
        yield_now().await;
        let waited = wait([before, after(20)]).timeout(ms(20)).await;
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
    });
}

#[test]
fn a_limit_of_zero_lets_ready_tasks_have_their_turn_and_an_enormous_one_never_ends() {
    virtually(async {
        let tasks = [spawn(async {}), spawn(sleep(ms(1)))];
        let waited = wait(tasks).timeout(ms(0)).await;
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
        let waited = wait(waited.pending).timeout(std::time::Duration::MAX).await;
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 0));
    });
}

#[test]
fn a_wait_for_nothing_returns_at_once() {
    virtually(async {
        for return_when in [ReturnWhen::FirstCompleted, ReturnWhen::FirstException, ReturnWhen::AllCompleted]
        {
            let waited = wait(Vec::<JoinHandle<()>>::new()).return_when(return_when).await;
            assert!(waited.done.is_empty() && waited.pending.is_empty());
        }
    });
}

#[test]
fn a_wait_for_the_first_exception_passes_over_values_and_cancelled_tasks_and_ends_at_a_panic() {
    virtually(async {
        let panics = || {
            spawn(async {
                sleep(ms(20)).await;
                panic!("boom")
            })
        };
        let begin = time();
        let cancelled = after(99);
        cancelled.cancel();
        let waited =
            wait([after(30), panics(), after(10), cancelled]).return_when(ReturnWhen::FirstException).await;
        assert_eq!(time() - begin, ms(20));
        assert_eq!((waited.done.len(), waited.pending.len()), (3, 1));
        let waited = wait([after(1), after(2)]).return_when(ReturnWhen::FirstException).await;
        assert_eq!(waited.done.len(), 2, "without an exception it waits for all");
    });
}

#[test]
fn an_err_is_a_value_to_first_exception_and_a_failure_to_first_error() {
    virtually(async {
        let tasks = || {
            [(30, true), (10, true), (20, false)].map(|(delay, good)| {
                spawn(async move {
                    sleep(ms(delay)).await;
                    if good { Ok(delay) } else { Err(delay) }
                })
            })
        };
        let begin = time();
        let waited = wait(tasks()).first_error().await;
        assert_eq!((time() - begin, waited.done.len()), (ms(20), 2));
        let waited = wait(tasks()).return_when(ReturnWhen::FirstException).await;
        assert_eq!(waited.done.len(), 3);
    });
}

#[test]
fn a_wait_that_is_dropped_leaves_the_tasks_to_themselves() {
    virtually(async {
        let log = Log::default();
        let noted = Rc::clone(&log);
        let task = spawn(async move {
            sleep(ms(5)).await;
            noted.borrow_mut().push("went on");
        });
        assert!(wait_for(wait([task]), ms(1)).await.is_err());
        sleep(ms(9)).await;
        assert_eq!(*log.borrow(), ["went on"]);
    });
}

#[test]
fn cancelling_a_task_that_waits_cancels_none_of_what_it_waits_for() {
    virtually(async {
        let parent = spawn(async { wait([5, 6].map(after)).await.done.len() });
        sleep(ms(1)).await;
        parent.cancel();
        assert!(parent.await.unwrap_err().is_cancelled());
        assert_eq!(all_tasks().len(), 3);
        sleep(ms(9)).await;
        assert_eq!(all_tasks().len(), 1);
    });
}

#[test]
fn a_wait_for_n_tasks_is_polled_a_few_times_or_once_for_each_end() {
    const N: u64 = 1_000;
    let polls_of = |return_when: ReturnWhen| {
        virtually(async move {
            let polls = Rc::new(Cell::new(0));
            let tasks = (0..N).map(|n| after(n * 7_919 % N + 1));
            let wait = wait(tasks.collect::<Vec<_>>()).return_when(return_when);
            Counted(wait, Rc::clone(&polls)).await;
            polls.get()
        })
    };
    assert_eq!(polls_of(ReturnWhen::AllCompleted), 2);
    assert_eq!(polls_of(ReturnWhen::FirstCompleted), 2);
    assert!(polls_of(ReturnWhen::FirstException) <= N as usize + 1);
}

#[test]
fn a_wait_keeps_the_waker_of_whoever_polled_it_last() {
    virtually(async {
        let mut wait = Box::pin(wait([after(5)]));
        assert!(matches!(race(wait.as_mut(), yield_now()).await, Either::Right(())));
        let other = spawn(async move { wait.await.done.len() });
        assert_eq!(other.await.unwrap(), 1);
    });
}

#[test]
fn a_wait_polled_after_its_end_panics_with_a_sentence() {
    let polled_twice = || {
        virtually(async {
            let mut wait = pin!(wait([spawn(yield_now())]));
            wait.as_mut().await;
            wait.await
        })
    };
    let panic = catch_unwind(AssertUnwindSafe(polled_twice)).unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("await it once"));
}

#[test]
fn a_wait_debugs_its_tasks() {
    virtually(async {
        let wait = wait([spawn(pending::<()>())]);
        let text = format!("{wait:?}");
        assert!(text.contains("AllCompleted") && text.contains("ready, not started"), "{text}");
    });
}
