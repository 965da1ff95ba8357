//! Semaphores on a loop: who gets the permit, and what a cancel does to that.

use std::cell::RefCell;
use std::rc::Rc;

use oneloop::sync::{BoundedSemaphore, Semaphore};
use oneloop::{JoinHandle, gather, sleep, spawn, wait_for, yield_now};

use crate::{Notes, let_all_run, ms, virtually};

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

/// Takes a permit for good and notes it.
fn taker(semaphore: &Semaphore, notes: &Notes<u32>, number: u32) -> JoinHandle<()> {
    let (semaphore, notes) = (semaphore.clone(), notes.clone());
    spawn(async move {
        semaphore.acquire().await.forget();
        notes.add(number);
    })
}

#[test]
fn each_release_lets_one_through_in_the_order_of_asking() {
    virtually(async {
        let (semaphore, notes) = (Semaphore::new(1), Notes::default());
        let _tasks = [1, 2, 3, 4].map(|number| taker(&semaphore, &notes, number));
        let_all_run().await;
        assert_eq!(notes.take(), [1]);
        semaphore.release();
        let_all_run().await;
        assert_eq!(notes.take(), [2]);
        semaphore.add_permits(2);
        let_all_run().await;
        assert_eq!(notes.take(), [3, 4]);
        assert!(semaphore.is_locked());
        semaphore.release();
        assert!(!semaphore.is_locked(), "nobody waits");
    });
}

#[test]
fn one_that_is_cancelled_while_it_waits_takes_no_permit() {
    virtually(async {
        let (semaphore, notes) = (Semaphore::new(0), Notes::default());
        let tasks = [1, 2, 3].map(|number| taker(&semaphore, &notes, number));
        let_all_run().await;
        tasks[0].cancel();
        yield_now().await;
        semaphore.add_permits(2);
        let_all_run().await;
        assert_eq!(notes.take(), [2, 3]);
        assert_eq!(semaphore.available(), 0);
    });
}

#[test]
fn permits_granted_to_tasks_that_are_cancelled_in_the_same_turn_go_to_those_behind() {
    virtually(async {
        let (semaphore, notes) = (Semaphore::new(0), Notes::default());
        let tasks = [1, 2, 3, 4].map(|number| taker(&semaphore, &notes, number));
        let_all_run().await;
        semaphore.add_permits(2);
        tasks[0].cancel();
        tasks[1].cancel();
        let_all_run().await;
        assert_eq!(notes.take(), [3, 4]);
        assert!(semaphore.is_locked());
    });
}

#[test]
fn a_permit_whose_waiter_is_cancelled_comes_back_if_nobody_else_waits() {
    virtually(async {
        let (semaphore, notes) = (Semaphore::new(0), Notes::default());
        let task = taker(&semaphore, &notes, 1);
        let_all_run().await;
        semaphore.release();
        task.cancel();
        let_all_run().await;
        assert_eq!((notes.take(), semaphore.available(), semaphore.is_locked()), (vec![], 1, false));
    });
}

#[test]
fn a_cancelled_holder_gives_its_permit_to_the_next_that_is_not_cancelled() {
    virtually(async {
        let (semaphore, notes) = (Semaphore::new(1), Notes::default());
        let holder = semaphore.clone();
        let holder = spawn(async move {
            let _permit = holder.acquire().await;
            sleep(ms(1_000)).await;
        });
        yield_now().await;
        let (second, _third) = (taker(&semaphore, &notes, 2), taker(&semaphore, &notes, 3));
        let_all_run().await;
        holder.cancel();
        second.cancel();
        let_all_run().await;
        assert_eq!(notes.take(), [3]);
    });
}

#[test]
fn an_acquire_that_runs_out_of_time_leaves_the_line() {
    virtually(async {
        let semaphore = Semaphore::new(1);
        let held = semaphore.try_acquire().unwrap();
        assert!(wait_for(semaphore.acquire(), ms(10)).await.is_err());
        drop(held);
        assert!(wait_for(semaphore.acquire(), ms(10)).await.is_ok());
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
fn a_bounded_semaphore_limits_and_hands_on_as_a_semaphore_does() {
    virtually(async {
        let (semaphore, most, now) = (BoundedSemaphore::new(2), Notes::default(), Rc::new(RefCell::new(0)));
        gather((0..6).map(|_| {
            let (semaphore, most, now) = (semaphore.clone(), most.clone(), Rc::clone(&now));
            async move {
                let _permit = semaphore.acquire().await;
                *now.borrow_mut() += 1;
                most.add(*now.borrow());
                sleep(ms(10)).await;
                *now.borrow_mut() -= 1;
            }
        }))
        .await;
        assert_eq!(most.take().into_iter().max(), Some(2));
        assert_eq!(semaphore.available(), 2);
    });
}

#[test]
fn a_bounded_semaphore_takes_back_what_was_forgotten() {
    let semaphore = BoundedSemaphore::new(2);
    semaphore.try_acquire().unwrap().forget();
    let held = semaphore.try_acquire().unwrap();
    assert!(semaphore.is_locked());
    semaphore.release();
    assert_eq!(semaphore.available(), 1);
    drop(held);
    assert_eq!(semaphore.available(), 2);
}

#[test]
#[should_panic(expected = "a bounded semaphore was released too often")]
fn a_bounded_semaphore_released_too_often_says_so() {
    let semaphore = BoundedSemaphore::new(1);
    semaphore.try_acquire().unwrap().forget();
    semaphore.release();
    semaphore.release();
}

#[test]
#[should_panic(expected = "a bounded semaphore was released too often")]
fn a_permit_that_somebody_holds_cannot_be_released_by_another() {
    let semaphore = BoundedSemaphore::new(2);
    let _held = semaphore.try_acquire().unwrap();
    semaphore.release();
}

#[test]
#[should_panic(expected = "a bounded semaphore without permits lets nobody through")]
fn a_bounded_semaphore_without_permits_is_refused() {
    BoundedSemaphore::new(0);
}
