//! Mutexes on a loop.

use std::panic::AssertUnwindSafe;

use oneloop::sync::Mutex;
use oneloop::{JoinHandle, gather, sleep, spawn, wait_for, yield_now};

use crate::{Notes, let_all_run, ms, virtually};

/// Locks, notes its number, and keeps the mutex for this many milliseconds.
fn locker(mutex: &Mutex<()>, notes: &Notes<u32>, number: u32, keep: u64) -> JoinHandle<()> {
    let (mutex, notes) = (mutex.clone(), notes.clone());
    spawn(async move {
        let _guard = mutex.lock().await;
        notes.add(number);
        if keep > 0 {
            sleep(ms(keep)).await;
        }
    })
}

#[test]
fn a_mutex_is_handed_on_in_the_order_of_asking() {
    virtually(async {
        let (mutex, notes) = (Mutex::new(()), Notes::default());
        let held = mutex.lock().await;
        let tasks = [1, 2, 3].map(|number| locker(&mutex, &notes, number, 10));
        let_all_run().await;
        assert!(notes.take().is_empty());
        drop(held);
        for expected in [1, 2, 3] {
            sleep(ms(10)).await;
            assert_eq!(notes.take(), [expected]);
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert!(!mutex.is_locked());
    });
}

#[test]
fn a_newcomer_does_not_barge_in_while_the_mutex_is_handed_on() {
    virtually(async {
        let (mutex, notes) = (Mutex::new(()), Notes::default());
        let held = mutex.lock().await;
        let _waiter = locker(&mutex, &notes, 1, 0);
        yield_now().await;
        drop(held);
        assert!(mutex.is_locked(), "it is promised");
        assert!(mutex.try_lock().is_none());
        let _guard = mutex.lock().await;
        assert_eq!(notes.take(), [1]);
    });
}

#[test]
fn what_is_read_before_an_await_is_not_overwritten_by_others() {
    virtually(async {
        let total = Mutex::new(0);
        gather((1..=10).map(|amount| {
            let total = total.clone();
            async move {
                let mut total = total.lock().await;
                let before = *total;
                sleep(ms(amount)).await;
                *total = before + amount;
            }
        }))
        .await;
        assert_eq!(*total.lock().await, 55);
    });
}

#[test]
fn a_waiter_cancelled_while_the_mutex_is_released_leaves_it_to_the_next() {
    virtually(async {
        let (mutex, notes) = (Mutex::new(()), Notes::default());
        for release_first in [true, false] {
            let held = mutex.lock().await;
            let (second, third) = (locker(&mutex, &notes, 2, 0), locker(&mutex, &notes, 3, 0));
            let_all_run().await;
            if release_first {
                drop(held);
                second.cancel();
            } else {
                second.cancel();
                drop(held);
            }
            third.await.unwrap();
            assert!(second.await.unwrap_err().is_cancelled());
            assert_eq!(notes.take(), [3]);
            assert!(!mutex.is_locked());
        }
    });
}

#[test]
fn a_mutex_whose_only_waiter_is_cancelled_in_the_turn_of_its_grant_is_free() {
    virtually(async {
        let (mutex, notes) = (Mutex::new(()), Notes::default());
        let held = mutex.lock().await;
        let waiter = locker(&mutex, &notes, 1, 0);
        let_all_run().await;
        drop(held);
        waiter.cancel();
        let_all_run().await;
        assert!(mutex.try_lock().is_some());
        assert!(notes.take().is_empty());
    });
}

#[test]
fn a_holder_that_is_cancelled_or_panics_unlocks() {
    virtually(async {
        let (mutex, notes) = (Mutex::new(()), Notes::default());
        let holder = locker(&mutex, &notes, 1, 1_000);
        let waiter = locker(&mutex, &notes, 2, 0);
        let_all_run().await;
        holder.cancel();
        waiter.await.unwrap();
        assert_eq!(notes.take(), [1, 2]);

        let value = Mutex::new(1);
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let mut guard = value.try_lock().unwrap();
            *guard = 2;
            std::panic::resume_unwind(Box::new("on purpose"));
        }));
        assert!(result.is_err());
        assert_eq!(*value.try_lock().unwrap(), 2, "not poisoned, and not undone");
    });
}

#[test]
fn a_lock_that_runs_out_of_time_leaves_the_line() {
    virtually(async {
        let mutex = Mutex::new(());
        let held = mutex.lock().await;
        assert!(wait_for(mutex.lock(), ms(10)).await.is_err());
        drop(held);
        assert!(wait_for(mutex.lock(), ms(10)).await.is_ok());
        assert!(!mutex.is_locked());
    });
}

#[test]
fn handles_are_one_mutex_and_show_whether_it_is_locked() {
    let mutex: Mutex<Vec<u8>> = Mutex::default();
    let other = mutex.clone();
    let mut guard = mutex.try_lock().unwrap();
    guard.push(1);
    assert!(other.is_locked() && other.try_lock().is_none());
    assert_eq!(
        (format!("{other:?}"), format!("{guard:?}")),
        ("Mutex { locked: true, .. }".into(), "[1]".into())
    );
    drop(guard);
    assert_eq!(format!("{other:?}"), "Mutex { locked: false, .. }");
    assert_eq!(*other.try_lock().unwrap(), [1]);
}
