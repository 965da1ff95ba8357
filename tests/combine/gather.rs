//! All of several futures: `gather` and `try_gather`.

use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;

use oneloop::trace::{self, Choice, Decision, EventKind, Observer, TaskId};
use oneloop::{
    Either, EventLoop, JoinError, gather, race, sleep, spawn, time, try_gather, wait_for, yield_now,
};

use crate::{Counted, Guard, Log, ms, sleeper, virtually};

/// A future whose type is forgotten, so that different ones fit into one list.
type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

#[test]
fn gather_takes_as_long_as_the_slowest_and_keeps_the_order_of_the_futures() {
    virtually(async {
        let begin = time();
        let delays = [30, 10, 20];
        let results = gather(delays.map(|delay| async move {
            sleep(ms(delay)).await;
            delay
        }))
        .await;
        let results: Vec<u64> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(results, delays);
        assert_eq!(time() - begin, ms(30));
    });
}

#[test]
fn gathered_children_start_in_order_and_side_by_side() {
    virtually(async {
        let log = Log::default();
        let children = ["a", "b", "c"].map(|name| {
            let log = Rc::clone(&log);
            async move {
                log.borrow_mut().push(format!("{name}1"));
                yield_now().await;
                log.borrow_mut().push(format!("{name}2"));
            }
        });
        gather(children).await;
        assert_eq!(*log.borrow(), ["a1", "b1", "c1", "a2", "b2", "c2"]);
    });
}

#[test]
fn gathered_children_run_before_the_gather_is_awaited() {
    virtually(async {
        let ran = Rc::new(Cell::new(false));
        let children = gather([{
            let ran = Rc::clone(&ran);
            async move { ran.set(true) }
        }]);
        assert!(!ran.get(), "nothing runs before the next turn");
        yield_now().await;
        assert!(ran.get());
        assert_eq!(children.await.len(), 1);
    });
}

#[test]
fn a_gather_of_nothing_returns_at_once() {
    virtually(async {
        assert!(gather(Vec::<std::future::Ready<u8>>::new()).await.is_empty());
        assert_eq!(try_gather(Vec::<std::future::Ready<Result<u8, u8>>>::new()).await, Ok(vec![]));
    });
}

#[test]
fn a_child_that_panics_does_not_disturb_its_siblings() {
    virtually(async {
        let results = gather([1, 2, 3].map(|n| async move {
            sleep(ms(n)).await;
            assert!(n != 2, "number {n} is bad");
            n
        }))
        .await;
        let texts: Vec<String> = results.iter().map(|result| format!("{result:?}")).collect();
        assert_eq!(texts, ["Ok(1)", r#"Err(Panicked("number 2 is bad"))"#, "Ok(3)"]);
    });
}

#[test]
fn a_gather_of_n_children_is_polled_at_most_n_plus_one_times() {
    const N: u64 = 1_000;
    let polls_if = |delay: fn(u64) -> u64| {
        virtually(async {
            let polls = Rc::new(Cell::new(0));
            let children = gather((0..N).map(|n| sleep(ms(delay(n)))));
            Counted(children, Rc::clone(&polls)).await;
            polls.get()
        })
    };
    assert_eq!(polls_if(|n| n + 1), N as usize + 1, "each child ends while it is awaited");
    assert_eq!(polls_if(|n| N - n), 2, "the first child ends last");
    assert!(polls_if(|n| n * 7_919 % N) <= N as usize + 1);
}

#[test]
fn a_try_gather_of_n_children_is_polled_twice() {
    for delay in [|n: u64| n + 1, |n: u64| 1_000 - n, |n: u64| n * 7_919 % 1_000] {
        virtually(async {
            let polls = Rc::new(Cell::new(0));
            let children = try_gather((0..1_000).map(move |n| async move {
                sleep(ms(delay(n))).await;
                Ok::<_, ()>(n)
            }));
            let values = Counted(children, Rc::clone(&polls)).await.unwrap();
            assert!(values.into_iter().eq(0..1_000));
            assert_eq!(polls.get(), 2);
        });
    }
}

#[test]
fn dropping_a_gather_cancels_all_its_children() {
    virtually(async {
        let log = Log::default();
        let mut children = Box::pin(gather(["a", "b", "c"].map(|name| sleeper(log.clone(), name))));
        // Polled, so that one handle is awaited and two are not.
        assert!(matches!(race(children.as_mut(), sleep(ms(1))).await, Either::Right(())));
        drop(children);
        assert!(log.borrow().is_empty(), "they are dropped at their next turn");
        yield_now().await;
        assert_eq!(*log.borrow(), ["a", "b", "c"]);
    });
}

#[test]
fn dropping_a_try_gather_cancels_all_its_children() {
    virtually(async {
        let log = Log::default();
        let children = try_gather(["a", "b", "c"].map(|name| sleeper(log.clone(), name)));
        assert!(wait_for(children, ms(1)).await.is_err());
        yield_now().await;
        assert_eq!(*log.borrow(), ["a", "b", "c"]);
    });
}

#[test]
fn cancelling_a_task_that_awaits_a_gather_cancels_the_children() {
    virtually(async {
        let log = Log::default();
        let parent = spawn(gather(["a", "b"].map(|name| sleeper(log.clone(), name))));
        sleep(ms(1)).await;
        assert!(parent.cancel());
        assert!(parent.await.unwrap_err().is_cancelled());
        yield_now().await;
        assert_eq!(*log.borrow(), ["a", "b"]);
    });
}

#[test]
fn children_that_ended_before_the_gather_was_dropped_are_left_alone() {
    virtually(async {
        let log = Log::default();
        let done = Rc::clone(&log);
        let quick = async move { done.borrow_mut().push("done") };
        let slow = Rc::clone(&log);
        let slow = async move {
            let _guard = Guard(slow, "dropped");
            pending::<()>().await;
        };
        let children: [Boxed<()>; 2] = [Box::pin(quick), Box::pin(slow)];
        assert!(wait_for(gather(children), ms(1)).await.is_err());
        yield_now().await;
        assert_eq!(*log.borrow(), ["done", "dropped"]);
    });
}

/// Sleeps, writes its name into the log, and fails if it is told to.
async fn worker(log: Log<u64>, delay: u64, fails: bool) -> Result<u64, u64> {
    sleep(ms(delay)).await;
    log.borrow_mut().push(delay);
    if fails { Err(delay) } else { Ok(delay) }
}

#[test]
fn try_gather_returns_the_first_error_at_once_and_the_siblings_go_on() {
    virtually(async {
        let (begin, log) = (time(), Log::default());
        let children = [(30, true), (10, false), (20, true), (40, false)];
        let result = try_gather(children.map(|(delay, fails)| worker(log.clone(), delay, fails))).await;
        assert_eq!(result, Err(20), "first in time, not in order");
        assert_eq!(time() - begin, ms(20));
        sleep(ms(100)).await;
        assert_eq!(*log.borrow(), [10, 20, 30, 40]);
    });
}

#[test]
fn try_gather_returns_the_first_error_in_time_even_if_it_was_awaited_late() {
    virtually(async {
        let log = Log::default();
        let children =
            try_gather([(2, true), (1, true)].map(|(delay, fails)| worker(log.clone(), delay, fails)));
        sleep(ms(5)).await;
        assert_eq!(children.await, Err(1));
    });
}

#[test]
fn a_child_of_try_gather_that_panics_takes_the_awaiting_task_with_it() {
    virtually(async {
        let log = Log::default();
        let sibling = Rc::clone(&log);
        let parent = spawn(async move {
            let bad = async {
                sleep(ms(10)).await;
                panic!("boom")
            };
            let good = async move {
                sleep(ms(20)).await;
                sibling.borrow_mut().push("sibling went on");
                Ok(())
            };
            let children: [Boxed<Result<(), ()>>; 2] = [Box::pin(good), Box::pin(bad)];
            try_gather(children).await
        });
        let begin = time();
        let error = parent.await.unwrap_err();
        assert_eq!(error.to_string(), "panicked: boom");
        assert_eq!(time() - begin, ms(10), "at once");
        sleep(ms(20)).await;
        assert_eq!(*log.borrow(), ["sibling went on"]);
    });
}

/// Cancels a task, by number, as soon as it is suspended.
struct Canceller(TaskId, Cell<bool>);

impl Observer for Canceller {
    fn event(&self, event: &trace::Event) {
        if matches!(event.kind, EventKind::PollEnd { task, suspended: Some(_), .. } if task == self.0) {
            self.1.set(true);
        }
    }

    fn decide(&self, choice: &Choice<'_>) -> Decision {
        match choice {
            Choice::Turn(_) if self.1.take() => Decision::Cancel(self.0),
            _ => Decision::GoOn,
        }
    }
}

/// Runs a main future, task 0, whose second child, task 2, is cancelled from outside.
fn with_task_2_cancelled<F: Future>(future: F) -> F::Output {
    let canceller = Canceller(TaskId(2), Cell::new(false));
    EventLoop::builder().virtual_time().observer(canceller).build().unwrap().run_until_complete(future)
}

#[test]
fn a_child_cancelled_from_outside_has_an_error_in_its_place() {
    let results = with_task_2_cancelled(async { gather([5_000, 5_000].map(|delay| sleep(ms(delay)))).await });
    assert!(matches!(results[..], [Ok(()), Err(JoinError::Cancelled)]));
}

#[test]
fn a_child_of_try_gather_cancelled_from_outside_is_reported_with_a_sentence() {
    let run = || {
        with_task_2_cancelled(async {
            let long = || async {
                sleep(ms(5_000)).await;
                Ok::<(), ()>(())
            };
            try_gather([long(), long()]).await
        })
    };
    let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("child 1 of a try_gather was cancelled from outside"), "{text}");
}

#[test]
fn a_gather_that_has_returned_says_so_when_it_is_polled_again() {
    let panic_of = |poll_twice: Boxed<()>| {
        let panic = catch_unwind(AssertUnwindSafe(|| virtually(poll_twice))).unwrap_err();
        panic.downcast_ref::<&str>().unwrap().to_string()
    };
    let again = panic_of(Box::pin(async {
        let mut all = gather([async {}]);
        assert_eq!((&mut all).await.len(), 1);
        all.await;
    }));
    assert_eq!(again, "a gather was polled again after it had returned: await it once");
    for result in [Ok(1), Err("no")] {
        let again = panic_of(Box::pin(async move {
            let mut all = try_gather([async move { result }]);
            assert_eq!((&mut all).await.is_ok(), result.is_ok());
            let _ = all.await;
        }));
        assert_eq!(again, "a try_gather was polled again after it had returned: await it once");
    }
}
