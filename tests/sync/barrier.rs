//! Barriers on a loop: meeting, leaving, breaking.

use oneloop::sync::{Barrier, BrokenBarrier};
use oneloop::{JoinHandle, gather, sleep, spawn, time, wait_for, yield_now};

use crate::{Notes, let_all_run, ms, virtually};

type Answer = Result<usize, BrokenBarrier>;

fn wait(barrier: &Barrier) -> JoinHandle<Answer> {
    let barrier = barrier.clone();
    spawn(async move { barrier.wait().await })
}

async fn answers(tasks: impl IntoIterator<Item = JoinHandle<Answer>>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[test]
fn the_last_party_releases_all_and_each_has_another_number() {
    virtually(async {
        let barrier = Barrier::new(4);
        let early = [(); 3].map(|()| wait(&barrier));
        let_all_run().await;
        assert_eq!((barrier.parties(), barrier.waiting(), barrier.is_broken()), (4, 3, false));
        assert!(early.iter().all(|task| !task.is_finished()));
        assert_eq!(barrier.wait().await, Ok(3), "the last to come");
        assert_eq!(barrier.waiting(), 0);
        assert_eq!(answers(early).await, [Ok(0), Ok(1), Ok(2)]);
    });
}

#[test]
fn one_party_never_waits() {
    virtually(async {
        let (barrier, begin) = (Barrier::new(1), time());
        for _ in 0..3 {
            assert_eq!(wait_for(barrier.wait(), ms(0)).await.unwrap(), Ok(0));
        }
        assert_eq!((time() - begin, barrier.waiting()), (ms(0), 0));
    });
}

#[test]
fn a_barrier_is_used_round_after_round_and_nobody_gets_ahead() {
    virtually(async {
        let (barrier, notes, begin) = (Barrier::new(3), Notes::default(), time());
        gather([10, 20, 30].map(|pause| {
            let (barrier, notes) = (barrier.clone(), notes.clone());
            async move {
                for round in 1..=3 {
                    sleep(ms(pause)).await;
                    barrier.wait().await.unwrap();
                    notes.add((round, time() - begin));
                }
            }
        }))
        .await;
        let expected = [1, 2, 3].map(|round| [(round, ms(30 * round)); 3]);
        assert_eq!(notes.take(), expected.concat());
    });
}

#[test]
fn a_party_that_comes_again_before_the_others_have_left_waits_for_the_next_round() {
    virtually(async {
        let barrier = Barrier::new(2);
        let first = wait(&barrier);
        let_all_run().await;
        assert_eq!(barrier.wait().await, Ok(1));
        let mut again = std::pin::pin!(barrier.wait());
        assert!(wait_for(again.as_mut(), ms(10)).await.is_err(), "it cannot meet itself");
        assert_eq!(first.await.unwrap(), Ok(0));
        let second = wait(&barrier);
        assert_eq!(again.await, Ok(0));
        assert_eq!(second.await.unwrap(), Ok(1));
    });
}

#[test]
fn a_cancelled_party_is_not_counted_any_more() {
    virtually(async {
        let barrier = Barrier::new(3);
        let tasks = [wait(&barrier), wait(&barrier)];
        let_all_run().await;
        tasks[0].cancel();
        let_all_run().await;
        assert_eq!((barrier.waiting(), barrier.is_broken()), (1, false));
        let others = [wait(&barrier), wait(&barrier)];
        let [cancelled, stayed] = tasks;
        assert!(cancelled.await.unwrap_err().is_cancelled());
        assert_eq!(answers([stayed].into_iter().chain(others)).await, [Ok(0), Ok(1), Ok(2)]);
    });
}

#[test]
fn a_party_cancelled_after_it_was_released_does_not_hold_the_others() {
    virtually(async {
        let barrier = Barrier::new(3);
        let tasks = [wait(&barrier), wait(&barrier)];
        let_all_run().await;
        assert_eq!(barrier.wait().await, Ok(2));
        tasks[0].cancel();
        let [_, second] = tasks;
        assert_eq!(second.await.unwrap(), Ok(0));
        let next = [(); 3].map(|()| wait(&barrier));
        assert_eq!(answers(next).await, [Ok(0), Ok(1), Ok(2)], "the next round is not disturbed");
    });
}

#[test]
fn a_reset_refuses_those_who_wait_and_begins_anew() {
    virtually(async {
        let barrier = Barrier::new(3);
        barrier.reset();
        let tasks = [wait(&barrier), wait(&barrier)];
        let_all_run().await;
        barrier.reset();
        assert_eq!((barrier.waiting(), barrier.is_broken()), (0, false));
        assert!(answers(tasks).await.iter().all(Result::is_err));
        let tasks = [(); 3].map(|()| wait(&barrier));
        assert_eq!(answers(tasks).await, [Ok(0), Ok(1), Ok(2)]);
    });
}

#[test]
fn a_reset_while_a_round_leaves_refuses_the_rest_of_it_and_not_those_who_came_after() {
    virtually(async {
        let barrier = Barrier::new(3);
        let leaving = [wait(&barrier), wait(&barrier)];
        let_all_run().await;
        assert_eq!(barrier.wait().await, Ok(2));
        let next = [(); 2].map(|()| wait(&barrier));
        barrier.reset();
        let refused = answers(leaving).await;
        assert!(refused.iter().all(Result::is_err));
        let_all_run().await;
        assert_eq!(barrier.waiting(), 2);
        assert_eq!(barrier.wait().await, Ok(2));
        assert_eq!(answers(next).await, [Ok(0), Ok(1)]);
    });
}

#[test]
fn an_aborted_barrier_refuses_everybody_until_it_is_reset() {
    virtually(async {
        let barrier = Barrier::new(3);
        let waiting = [wait(&barrier), wait(&barrier)];
        let_all_run().await;
        barrier.abort();
        assert!(barrier.is_broken());
        assert_eq!(barrier.waiting(), 0);
        assert!(answers(waiting).await.iter().all(Result::is_err));
        for _ in 0..4 {
            let error = wait_for(barrier.wait(), ms(0)).await.unwrap().unwrap_err();
            assert_eq!(error.to_string(), "the barrier was aborted, or reset while a task waited at it");
        }
        barrier.reset();
        assert!(!barrier.is_broken());
        let tasks = [(); 3].map(|()| wait(&barrier));
        assert_eq!(answers(tasks).await, [Ok(0), Ok(1), Ok(2)]);
    });
}

#[test]
fn an_abort_while_a_round_leaves_refuses_its_rest_and_those_who_came_after() {
    virtually(async {
        let barrier = Barrier::new(2);
        let leaving = wait(&barrier);
        let_all_run().await;
        assert_eq!(barrier.wait().await, Ok(1));
        let mut next = std::pin::pin!(barrier.wait());
        assert!(wait_for(next.as_mut(), ms(0)).await.is_err(), "it waits");
        barrier.abort();
        assert!(next.await.is_err());
        assert!(leaving.await.unwrap().is_err(), "it was released, and did not run before the abort");
        assert!(barrier.is_broken());
    });
}

#[test]
fn a_reset_after_an_abort_does_not_forgive_those_who_have_not_heard_of_it() {
    virtually(async {
        let barrier = Barrier::new(2);
        let tasks = [wait(&barrier)];
        let_all_run().await;
        assert_eq!(barrier.wait().await, Ok(1));
        barrier.abort();
        barrier.reset();
        let next = wait(&barrier);
        assert!(answers(tasks).await[0].is_err(), "released, and then aborted before it ran");
        yield_now().await;
        assert_eq!(barrier.wait().await, Ok(1));
        assert_eq!(next.await.unwrap(), Ok(0));
    });
}

#[test]
fn a_round_that_was_complete_outside_begins_and_ends_as_soon_as_the_last_one_has_left() {
    virtually(async {
        let barrier = Barrier::new(2);
        let first = wait(&barrier);
        let_all_run().await;
        assert_eq!(barrier.wait().await, Ok(1));
        // `first` has not left; four more come.
        let more = [(); 4].map(|()| wait(&barrier));
        assert_eq!(first.await.unwrap(), Ok(0));
        assert_eq!(answers(more).await, [Ok(0), Ok(1), Ok(0), Ok(1)]);
        assert_eq!(barrier.waiting(), 0);
    });
}

#[test]
#[should_panic(expected = "a barrier needs parties to wait for")]
fn a_barrier_without_parties_is_refused() {
    Barrier::new(0);
}
