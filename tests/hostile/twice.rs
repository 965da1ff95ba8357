//! Loops on one thread, used in turns and out of each other; wakes from elsewhere; what is done twice or in a drop.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use oneloop::sync::{Queue, Semaphore};
use oneloop::{EventLoop, JoinHandle, call_soon, current_task, sleep, spawn, yield_now};

use crate::support::{Log, virtual_loop};

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn an_object_and_a_sleep_may_be_used_by_two_loops_in_turns() {
    let (first, second) = (virtual_loop(), virtual_loop());
    let semaphore = Semaphore::new(0);
    let queue = Queue::new(1);
    let log = Log::default();
    let waiting: Vec<_> = [(&first, "first"), (&second, "second")]
        .map(|(event_loop, name)| {
            let (semaphore, queue, log) = (semaphore.clone(), queue.clone(), log.clone());
            event_loop.spawn(async move {
                semaphore.acquire().await.forget();
                log.note(format!("{name} has a permit"));
                queue.put(name).await.unwrap();
                log.note(format!("{name} has put"));
            })
        })
        .into();
    let mut nap = Box::pin(first.run_until_complete(poll_fn(|_| Poll::Ready(sleep(Duration::from_secs(1))))));
    second.run_until_complete(yield_now());
    first.run_until_complete(yield_now());
    // The sleep of the first loop, polled by the second: it is the first whose time counts.
    let napping = &mut nap;
    second.run_until_complete(async {
        assert!(matches!(oneloop::race(napping, yield_now()).await, oneloop::Either::Right(())))
    });
    first.run_until_complete(sleep_for(2));
    second.run_until_complete(&mut nap);
    assert!(log.lines().is_empty());
    second.run_until_complete(async { semaphore.add_permits(2) });
    for _ in 0..3 {
        first.run_until_complete(yield_now());
        second.run_until_complete(yield_now());
    }
    assert_eq!(log.lines(), ["second has a permit", "second has put", "first has a permit"]);
    assert_eq!(first.run_until_complete(queue.get()).unwrap(), "second");
    first.run_until_complete(yield_now());
    assert_eq!(log.lines(), ["first has put"]);
    drop(waiting);
}

async fn sleep_for(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn a_handle_of_one_loop_may_be_awaited_cancelled_and_dropped_in_another() {
    let (first, second) = (virtual_loop(), virtual_loop());
    let task = first.spawn(async { 7 });
    let never: JoinHandle<()> = first.spawn(pending());
    let (reference, awaited) = (never.task(), second.spawn(task));
    second.run_until_complete(yield_now());
    first.run_until_complete(yield_now());
    assert_eq!(second.run_until_complete(awaited).unwrap().unwrap(), 7);
    second.run_until_complete(async move {
        assert!(never.cancel());
        assert!(!never.cancel());
        drop(never);
    });
    assert!(!reference.is_finished());
    first.run_until_complete(yield_now());
    assert!(reference.is_finished());
}

#[test]
fn a_loop_may_be_closed_while_another_runs_only_by_being_dropped_and_its_wakers_do_nothing_then() {
    let inner = virtual_loop();
    let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
    let keep = Rc::clone(&kept);
    drop(inner.spawn(poll_fn(move |cx| {
        keep.replace(Some(cx.waker().clone()));
        Poll::<()>::Pending
    })));
    inner.run_until_complete(yield_now());
    let outer = virtual_loop();
    let waker = kept.take().unwrap();
    outer.run_until_complete(async move {
        waker.wake_by_ref();
        drop(inner);
        waker.wake_by_ref();
        let elsewhere = waker.clone();
        thread::spawn(move || elsewhere.wake()).join().unwrap();
        waker.wake();
        yield_now().await;
    });
}

#[test]
fn a_task_may_be_cancelled_in_the_drop_of_itself_and_of_others() {
    let event_loop = virtual_loop();
    let handles: Rc<RefCell<Vec<JoinHandle<()>>>> = Rc::default();
    let cancels = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let (same, count) = (Rc::clone(&handles), Rc::clone(&cancels));
        let task = event_loop.spawn(async move {
            let _guard = OnDrop(move || {
                let own = current_task().expect("guards of a task run as that task");
                assert!(!own.cancel(), "it was cancelled before");
                for handle in same.borrow().iter() {
                    count.set(count.get() + u32::from(handle.cancel()));
                }
                drop(spawn(async { yield_now().await }));
            });
            pending::<()>().await;
        });
        handles.borrow_mut().push(task);
    }
    event_loop.run_until_complete(async {
        yield_now().await;
        assert!(handles.borrow()[0].cancel());
        for _ in 0..5 {
            yield_now().await;
        }
    });
    assert_eq!(cancels.get(), 2);
    assert!(handles.borrow().iter().all(JoinHandle::is_finished));
    handles.borrow_mut().clear();
}

#[test]
fn tasks_that_spawn_in_their_drop_while_the_loop_closes_come_to_an_end() {
    fn chain(left: u32, ends: Rc<Cell<u32>>) {
        drop(spawn(async move {
            let _guard = OnDrop(move || {
                ends.set(ends.get() + 1);
                call_soon(|| panic!("a closing loop calls nothing"));
                if left > 0 {
                    chain(left - 1, Rc::clone(&ends));
                }
            });
            pending::<()>().await;
        }));
    }
    let ends = Rc::new(Cell::new(0));
    let event_loop = virtual_loop();
    let same = Rc::clone(&ends);
    event_loop.run_until_complete(async move {
        chain(50, same);
        yield_now().await;
    });
    event_loop.close();
    // One that is spawned by a closing loop was never polled, so it has no guard yet.
    assert_eq!(ends.get(), 1);
}

#[test]
fn a_million_wakes_of_one_task_in_one_turn_are_one_poll_from_this_thread_and_few_from_another() {
    let event_loop = EventLoop::new().unwrap();
    event_loop.run_until_complete(async {
        let polls = Rc::new(Cell::new(0_u32));
        let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
        let (count, keep) = (Rc::clone(&polls), Rc::clone(&kept));
        let task = spawn(poll_fn(move |cx| {
            count.set(count.get() + 1);
            keep.replace(Some(cx.waker().clone()));
            Poll::<()>::Pending
        }));
        yield_now().await;
        let waker = kept.borrow().clone().unwrap();
        for _ in 0..1_000_000 {
            waker.wake_by_ref();
        }
        yield_now().await;
        assert_eq!(polls.get(), 2);
        let elsewhere = waker.clone();
        thread::spawn(move || (0..1_000_000).for_each(|_| elsewhere.wake_by_ref())).join().unwrap();
        yield_now().await;
        yield_now().await;
        assert_eq!(polls.get(), 3, "while this thread stood still, one wake was sent");
        task.cancel();
    });
}

#[test]
fn wakes_of_other_threads_race_with_the_end_of_tasks_and_the_reuse_of_their_slots() {
    let event_loop = EventLoop::new().unwrap();
    event_loop.run_until_complete(async {
        let (send, receive) = std::sync::mpsc::channel::<Waker>();
        let hammer = thread::spawn(move || {
            for waker in receive {
                waker.wake_by_ref();
                waker.wake();
            }
        });
        for round in 0..5_000_u32 {
            let (send, mut polls) = (send.clone(), 0);
            let task = spawn(poll_fn(move |cx| {
                polls += 1;
                send.send(cx.waker().clone()).unwrap();
                match polls {
                    3 => Poll::Ready(round),
                    _ => Poll::Pending,
                }
            }));
            if round % 3 == 0 {
                yield_now().await;
                task.cancel();
                let _ = task.await;
            } else {
                assert_eq!(task.await.unwrap(), round, "no wake was lost");
            }
        }
        drop(send);
        hammer.join().unwrap();
    });
}
