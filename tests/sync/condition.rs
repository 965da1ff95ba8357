//! Conditions on a loop: who is notified, who gets the mutex, and what a cancel does to that.

use oneloop::sync::{Condition, Mutex};
use oneloop::{JoinHandle, call_later, sleep, spawn, time, wait_for, yield_now};

use crate::{Notes, let_all_run, ms, virtually};

#[derive(Clone, Default)]
struct Scene {
    mutex: Mutex<u32>,
    condition: Condition,
    notes: Notes<u32>,
}

impl Scene {
    /// A task that waits once, notes its number and keeps the mutex for this many milliseconds.
    fn waiter(&self, number: u32, keep: u64) -> JoinHandle<()> {
        let scene = self.clone();
        spawn(async move {
            let guard = scene.mutex.lock().await;
            let _guard = scene.condition.wait(guard).await;
            scene.notes.add(number);
            if keep > 0 {
                sleep(ms(keep)).await;
            }
        })
    }
}

#[test]
fn to_wait_gives_the_mutex_back() {
    virtually(async {
        let scene = Scene::default();
        let _tasks = [1, 2, 3].map(|number| scene.waiter(number, 0));
        let_all_run().await;
        assert!(scene.notes.take().is_empty());
        assert!(!scene.mutex.is_locked());
    });
}

#[test]
fn the_notified_lock_the_mutex_one_after_the_other_in_the_order_in_which_they_waited() {
    virtually(async {
        let scene = Scene::default();
        let _tasks = [1, 2, 3].map(|number| scene.waiter(number, 10));
        let_all_run().await;
        let held = scene.mutex.lock().await;
        scene.condition.notify(1);
        let_all_run().await;
        assert!(scene.notes.take().is_empty(), "notified, and the mutex is not free");
        drop(held);
        let_all_run().await;
        assert_eq!(scene.notes.take(), [1]);
        scene.condition.notify(2);
        let_all_run().await;
        assert!(scene.notes.take().is_empty(), "1 still has the mutex");
        sleep(ms(15)).await;
        assert_eq!(scene.notes.take(), [2]);
        sleep(ms(10)).await;
        assert_eq!(scene.notes.take(), [3]);
    });
}

#[test]
fn notify_reaches_as_many_as_it_says_and_all_if_they_are_fewer() {
    virtually(async {
        let scene = Scene::default();
        let _tasks = [1, 2, 3, 4, 5].map(|number| scene.waiter(number, 0));
        let_all_run().await;
        for (most, expected) in [(0, vec![]), (1, vec![1]), (2, vec![2, 3]), (2048, vec![4, 5])] {
            scene.condition.notify(most);
            let_all_run().await;
            assert_eq!(scene.notes.take(), expected, "notify({most})");
        }
    });
}

#[test]
fn two_notifications_in_one_turn_are_for_two_waiters() {
    virtually(async {
        let scene = Scene::default();
        let _tasks = [1, 2, 3].map(|number| scene.waiter(number, 0));
        let_all_run().await;
        scene.condition.notify(1);
        scene.condition.notify(1);
        let_all_run().await;
        assert_eq!(scene.notes.take(), [1, 2]);
    });
}

#[test]
fn notify_all_reaches_those_who_wait_and_nobody_who_comes_later() {
    virtually(async {
        let scene = Scene::default();
        scene.condition.notify_all();
        let _tasks = [1, 2].map(|number| scene.waiter(number, 0));
        let_all_run().await;
        assert!(scene.notes.take().is_empty(), "a notification is not kept for later");
        scene.condition.notify_all();
        let _late = scene.waiter(3, 0);
        let_all_run().await;
        assert_eq!(scene.notes.take(), [1, 2]);
    });
}

#[test]
fn a_wait_that_is_cancelled_leaves_the_mutex_alone() {
    virtually(async {
        let scene = Scene::default();
        let waiter = scene.waiter(1, 0);
        let_all_run().await;
        // Somebody else has it; the cancelled task need not wait for that.
        let held = scene.mutex.lock().await;
        waiter.cancel();
        let_all_run().await;
        assert!(waiter.await.unwrap_err().is_cancelled());
        assert!(scene.mutex.is_locked());
        drop(held);
        assert!(!scene.mutex.is_locked());
    });
}

#[test]
fn a_waiter_cancelled_after_it_was_notified_passes_the_notification_on() {
    virtually(async {
        let scene = Scene::default();
        let tasks = [1, 2, 3].map(|number| scene.waiter(number, 0));
        let_all_run().await;
        scene.condition.notify(1);
        tasks[0].cancel();
        let_all_run().await;
        assert_eq!(scene.notes.take(), [2]);
        assert!(!tasks[2].is_finished(), "one notification, one waiter");
    });
}

#[test]
fn a_waiter_cancelled_while_it_locks_the_mutex_again_passes_the_notification_on() {
    virtually(async {
        let scene = Scene::default();
        let tasks = [1, 2, 3].map(|number| scene.waiter(number, 0));
        let_all_run().await;
        let held = scene.mutex.lock().await;
        scene.condition.notify(1);
        let_all_run().await;
        // It has run, and waits for the mutex now.
        tasks[0].cancel();
        let_all_run().await;
        assert!(scene.notes.take().is_empty());
        drop(held);
        let_all_run().await;
        assert_eq!(scene.notes.take(), [2]);
        assert!(!tasks[2].is_finished() && !scene.mutex.is_locked());
    });
}

#[test]
fn a_waiter_cancelled_in_the_turn_in_which_it_is_given_the_mutex_passes_both_on() {
    virtually(async {
        let scene = Scene::default();
        let tasks = [1, 2].map(|number| scene.waiter(number, 0));
        let_all_run().await;
        let held = scene.mutex.lock().await;
        scene.condition.notify(1);
        let_all_run().await;
        drop(held);
        tasks[0].cancel();
        let_all_run().await;
        assert_eq!(scene.notes.take(), [2]);
        assert!(!scene.mutex.is_locked());
    });
}

#[test]
fn a_waiter_that_was_not_notified_passes_nothing_on_when_it_is_cancelled() {
    virtually(async {
        let scene = Scene::default();
        let tasks = [1, 2].map(|number| scene.waiter(number, 0));
        let_all_run().await;
        tasks[0].cancel();
        let_all_run().await;
        assert!(scene.notes.take().is_empty());
        scene.condition.notify(1);
        let_all_run().await;
        assert_eq!(scene.notes.take(), [2]);
    });
}

#[test]
fn wait_for_looks_again_after_each_notification() {
    virtually(async {
        let scene = Scene::default();
        let (same, looks) = (scene.clone(), Notes::default());
        let seen = looks.clone();
        let task = spawn(async move {
            let guard = same.mutex.lock().await;
            let guard = same
                .condition
                .wait_for(guard, |value| {
                    seen.add(*value);
                    *value >= 2
                })
                .await;
            *guard
        });
        for _ in 0..3 {
            let_all_run().await;
            *scene.mutex.lock().await += 1;
            scene.condition.notify_all();
        }
        assert_eq!(task.await.unwrap(), 2);
        assert_eq!(looks.take(), [0, 1, 2]);
        assert!(!scene.mutex.is_locked());
    });
}

#[test]
fn wait_for_returns_at_once_if_all_is_well() {
    virtually(async {
        let (scene, begin) = (Scene::default(), time());
        let guard = scene.condition.wait_for(scene.mutex.lock().await, |value| *value == 0).await;
        assert!(scene.mutex.is_locked());
        drop(guard);
        assert_eq!(time(), begin);
    });
}

#[test]
fn wait_for_waits_on_if_somebody_was_faster_with_the_mutex() {
    virtually(async {
        let scene = Scene::default();
        let take = |number| {
            let scene = scene.clone();
            spawn(async move {
                let guard = scene.mutex.lock().await;
                let mut guard = scene.condition.wait_for(guard, |items| *items > 0).await;
                *guard -= 1;
                scene.notes.add(number);
            })
        };
        let _tasks = [take(1), take(2)];
        let_all_run().await;
        *scene.mutex.lock().await += 1;
        scene.condition.notify_all();
        let_all_run().await;
        assert_eq!(scene.notes.take(), [1]);
        *scene.mutex.lock().await += 1;
        scene.condition.notify(1);
        let_all_run().await;
        assert_eq!(scene.notes.take(), [2]);
    });
}

#[test]
fn a_wait_with_a_limit_of_time_leaves_line_and_mutex() {
    virtually(async {
        let scene = Scene::default();
        let guard = scene.mutex.lock().await;
        assert!(wait_for(scene.condition.wait(guard), ms(10)).await.is_err());
        assert!(!scene.mutex.is_locked());
        let waiter = scene.waiter(1, 0);
        yield_now().await;
        scene.condition.notify(1);
        waiter.await.unwrap();
    });
}

#[test]
fn a_wait_that_was_never_polled_holds_the_mutex_until_it_is_dropped() {
    let (mutex, condition) = (Mutex::new(()), Condition::new());
    let wait = condition.wait(mutex.try_lock().unwrap());
    assert!(mutex.is_locked());
    drop(wait);
    assert!(!mutex.is_locked());
}

#[test]
fn one_mutex_may_have_two_conditions() {
    virtually(async {
        let (buffer, filled, emptied) = (Mutex::new(None), Condition::new(), Condition::new());
        let (same, same_filled, same_emptied) = (buffer.clone(), filled.clone(), emptied.clone());
        let consumer = spawn(async move {
            let mut got = Vec::new();
            while got.len() < 3 {
                let mut buffer = same_filled
                    .wait_for(same.lock().await, |buffer: &mut Option<u32>| buffer.is_some())
                    .await;
                got.extend(buffer.take());
                same_emptied.notify(1);
            }
            got
        });
        for item in [1, 2, 3] {
            let mut buffer = emptied.wait_for(buffer.lock().await, |buffer| buffer.is_none()).await;
            *buffer = Some(item);
            filled.notify(1);
        }
        assert_eq!(consumer.await.unwrap(), [1, 2, 3]);
    });
}

#[test]
fn a_callback_can_notify() {
    virtually(async {
        let (scene, begin) = (Scene::default(), time());
        let condition = scene.condition.clone();
        call_later(ms(30), move || condition.notify_all());
        scene.waiter(1, 0).await.unwrap();
        assert_eq!(time() - begin, ms(30));
    });
}
