//! The ways of a wake: twice, too early, too late, from elsewhere.

mod support;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use oneloop::{EventLoop, sleep, spawn, time, yield_now};
use support::{Log, virtual_loop};

/// A future that never ends, which counts its polls and keeps its waker.
#[derive(Clone, Default)]
struct Sleeper {
    polls: Rc<Cell<usize>>,
    waker: Rc<RefCell<Option<Waker>>>,
}

impl Sleeper {
    fn future(&self) -> impl Future<Output = ()> + 'static {
        let sleeper = self.clone();
        poll_fn(move |cx| {
            sleeper.polls.set(sleeper.polls.get() + 1);
            *sleeper.waker.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    fn waker(&self) -> Waker {
        self.waker.borrow().clone().expect("was polled")
    }
}

/// Lets every task that is ready run, several times over.
async fn settle() {
    for _ in 0..5 {
        yield_now().await;
    }
}

#[test]
fn a_task_woken_twice_is_polled_once() {
    virtual_loop().run_until_complete(async {
        let sleeper = Sleeper::default();
        let _task = spawn(sleeper.future());
        settle().await;
        assert_eq!(sleeper.polls.get(), 1, "nobody woke it");
        sleeper.waker().wake_by_ref();
        sleeper.waker().wake();
        settle().await;
        assert_eq!(sleeper.polls.get(), 2);
    });
}

#[test]
fn a_task_woken_while_it_is_polled_is_polled_once_more() {
    virtual_loop().run_until_complete(async {
        let polls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&polls);
        let _task = spawn(poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            if counted.get() == 1 {
                cx.waker().wake_by_ref();
                cx.waker().wake_by_ref();
            }
            Poll::<()>::Pending
        }));
        settle().await;
        assert_eq!(polls.get(), 2);
    });
}

#[test]
fn a_late_wake_does_not_reach_the_next_task_in_the_same_slot() {
    virtual_loop().run_until_complete(async {
        let (first, second) = (Sleeper::default(), Sleeper::default());
        let task = spawn(first.future());
        settle().await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        let late = first.waker();
        let _task = spawn(second.future());
        settle().await;
        late.wake_by_ref();
        thread::spawn(move || late.wake()).join().unwrap();
        settle().await;
        assert_eq!((first.polls.get(), second.polls.get()), (1, 1));
        second.waker().wake();
        settle().await;
        assert_eq!(second.polls.get(), 2, "its own waker works");
    });
}

#[test]
fn wakers_used_again_for_new_tasks_wake_the_new_ones() {
    virtual_loop().run_until_complete(async {
        for _ in 0..10 {
            // Nobody keeps these wakers, so the loop may use them again.
            let tasks: Vec<_> = (0..100).map(|number| spawn(async move { number })).collect();
            for (number, task) in tasks.into_iter().enumerate() {
                assert_eq!(task.await.unwrap(), number);
            }
            let sleeper = Sleeper::default();
            let task = spawn(sleeper.future());
            settle().await;
            sleeper.waker().wake();
            settle().await;
            assert_eq!(sleeper.polls.get(), 2);
            task.cancel();
            *sleeper.waker.borrow_mut() = None;
            task.await.unwrap_err();
        }
    });
}

#[test]
fn a_half_done_sleep_moved_to_another_task_wakes_that_one() {
    virtual_loop().run_until_complete(async {
        let start = time();
        let (sender, receiver) = oneloop::sync::oneshot::channel();
        let first_polls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&first_polls);
        let mut half_done = Box::pin(sleep(Duration::from_secs(5)));
        let mut sender = Some(sender);
        let _first = spawn(async move {
            poll_fn(|cx| half_done.as_mut().poll(cx)).await;
            panic!("the first task is cancelled below, while the sleep goes on elsewhere");
        });
        let mut moved = Box::pin(sleep(Duration::from_secs(7)));
        let _second = spawn(poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            if moved.as_mut().poll(cx).is_pending() && counted.get() == 1 {
                let other = Box::pin(sleep(Duration::ZERO));
                let half_done = std::mem::replace(&mut moved, other);
                assert!(sender.take().unwrap().send(half_done).is_ok());
            }
            Poll::<()>::Pending
        }));
        _first.cancel();
        let moved: Pin<Box<oneloop::Sleep>> = receiver.await.unwrap();
        moved.await;
        assert_eq!(time() - start, Duration::from_secs(7));
        assert_eq!(first_polls.get(), 1, "the task that gave it away was not woken");
    });
}

#[test]
fn a_wake_between_two_runs_is_kept() {
    let event_loop = virtual_loop();
    let sleeper = Sleeper::default();
    drop(event_loop.spawn(sleeper.future()));
    event_loop.run_until_complete(settle());
    sleeper.waker().wake();
    event_loop.run_until_complete(settle());
    assert_eq!(sleeper.polls.get(), 2);
}

#[test]
fn a_wake_from_another_thread_ends_the_wait() {
    let event_loop = EventLoop::new().unwrap();
    let (sender, receiver) = mpsc::channel::<Waker>();
    let done = Arc::new(AtomicUsize::new(0));
    let set = Arc::clone(&done);
    let thread = thread::spawn(move || {
        for waker in receiver {
            set.fetch_add(1, Ordering::Relaxed);
            waker.wake();
        }
    });
    for round in 1..=1000 {
        sender.send(Waker::noop().clone()).unwrap();
        event_loop.run_until_complete(poll_fn(|cx| {
            // The relaxed counter is seen by the poll that a wake leads to.
            if done.load(Ordering::Relaxed) >= 2 * round {
                return Poll::Ready(());
            }
            sender.send(cx.waker().clone()).unwrap();
            Poll::Pending
        }));
        done.store(2 * round, Ordering::Relaxed);
    }
    drop(sender);
    thread.join().unwrap();
}

/// Four threads, each with a task of its own, hand a number to and fro: a single wake lost stops everything.
fn ping_pong(event_loop: &EventLoop) -> usize {
    const ROUNDS: usize = 2_500;
    let mut threads = Vec::new();
    let polls: usize = event_loop.run_until_complete(async {
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (sender, receiver) = mpsc::channel::<Waker>();
                let (asked, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
                let (ask, answer) = (Arc::clone(&asked), Arc::clone(&answered));
                threads.push(thread::spawn(move || {
                    let waker = receiver.recv().unwrap();
                    for round in 1..=ROUNDS {
                        ask.store(round, Ordering::Relaxed);
                        waker.wake_by_ref();
                        while answer.load(Ordering::Acquire) < round {
                            thread::yield_now();
                        }
                    }
                }));
                let mut polls = 0;
                spawn(poll_fn(move |cx| {
                    if polls == 0 {
                        sender.send(cx.waker().clone()).unwrap();
                    }
                    polls += 1;
                    let seen = asked.load(Ordering::Relaxed);
                    answered.store(seen, Ordering::Release);
                    if seen == ROUNDS { Poll::Ready(polls) } else { Poll::Pending }
                }))
            })
            .collect();
        let mut polls = 0;
        for task in tasks {
            polls += task.await.unwrap();
        }
        polls
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    polls
}

#[test]
fn of_10_000_wakes_from_4_threads_none_is_lost() {
    let polls = ping_pong(&EventLoop::new().unwrap());
    assert!(polls >= 10_000, "each wake has its poll: {polls}");
}

#[test]
fn of_10_000_wakes_none_is_lost_while_the_loop_is_busy() {
    let event_loop = EventLoop::new().unwrap();
    drop(event_loop.spawn(async {
        loop {
            yield_now().await;
        }
    }));
    assert!(ping_pong(&event_loop) >= 10_000);
}

#[test]
fn a_burst_of_wakes_costs_few_polls() {
    virtual_loop().run_until_complete(async {
        let sleeper = Sleeper::default();
        let _task = spawn(sleeper.future());
        settle().await;
        let waker = sleeper.waker();
        thread::spawn(move || (0..10_000).for_each(|_| waker.wake_by_ref())).join().unwrap();
        settle().await;
        assert_eq!(sleeper.polls.get(), 2, "the loop was held up meanwhile, so all were served by one poll");
    });
}

#[test]
fn a_waker_may_outlive_its_loop() {
    let event_loop = virtual_loop();
    let sleeper = Sleeper::default();
    drop(event_loop.spawn(sleeper.future()));
    event_loop.run_until_complete(settle());
    event_loop.close();
    sleeper.waker().wake();
    drop(event_loop);
    let (here, there) = (sleeper.waker(), sleeper.waker());
    here.wake_by_ref();
    thread::spawn(move || {
        there.wake_by_ref();
        drop(there);
    })
    .join()
    .unwrap();
    assert_eq!(sleeper.polls.get(), 1);
    virtual_loop().run_until_complete(async move {
        here.wake();
        settle().await;
    });
    assert_eq!(sleeper.polls.get(), 1, "another loop does not mistake it for one of its own");
}

#[test]
fn a_waker_dropped_on_another_thread_does_no_harm() {
    virtual_loop().run_until_complete(async {
        for _ in 0..100 {
            let sleeper = Sleeper::default();
            let task = spawn(sleeper.future());
            yield_now().await;
            let waker = sleeper.waker.take().unwrap();
            let thread = thread::spawn(move || drop(waker));
            task.cancel();
            assert!(task.await.unwrap_err().is_cancelled());
            assert_eq!(spawn(async { 1 }).await.unwrap(), 1);
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_waker_that_uses_the_loop_when_it_is_dropped_finds_nothing_borrowed() {
    /// Wakes nobody, and spawns a task when it goes.
    struct Last;
    impl Wake for Last {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Last {
        fn drop(&mut self) {
            drop(spawn(async {}));
        }
    }
    let poll = |future: &mut Pin<Box<dyn Future<Output = ()>>>| {
        let waker = Waker::from(Arc::new(Last));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    };
    virtual_loop().run_until_complete(async {
        // Each of these keeps a waker somewhere, and gives it up for the next one.
        let listener = oneloop::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let task = spawn(std::future::pending::<()>());
        let (release, held) = mpsc::channel::<()>();
        let job = oneloop::spawn_blocking(move || held.recv().unwrap_or_default());
        let waits: [Pin<Box<dyn Future<Output = ()>>>; 4] = [
            Box::pin(sleep(Duration::from_secs(1))),
            Box::pin(async { drop(task.await) }),
            Box::pin(async { drop(job.await) }),
            Box::pin(async move { drop(listener.accept().await) }),
        ];
        for mut wait in waits {
            poll(&mut wait);
            poll(&mut wait);
        }
        drop(release);
    });
}

#[test]
fn a_waker_of_its_own_is_used_and_not_the_tasks() {
    struct Note(mpsc::Sender<&'static str>);
    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.0.send("woken").unwrap();
        }
    }
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let (sender, receiver) = mpsc::channel();
        let waker = Waker::from(Arc::new(Note(sender)));
        let mut inner = Box::pin(sleep(Duration::from_secs(1)));
        assert!(inner.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        sleep(Duration::from_secs(2)).await;
        log.note(receiver.try_recv().expect("the sleep woke the waker it was polled with"));
    });
    assert_eq!(log.lines(), ["woken"]);
}

/// More than the ready queue's ring holds.
const CROWD: usize = 3_000;

#[test]
fn a_crowd_that_wakers_wake_in_one_turn_is_polled_once_each_in_the_order_of_the_wakes() {
    virtual_loop().run_until_complete(async {
        let polled = Rc::new(RefCell::new(Vec::new()));
        let wakers = Rc::new(RefCell::new(Vec::new()));
        for number in 0..CROWD {
            let (polled, wakers) = (Rc::clone(&polled), Rc::clone(&wakers));
            drop(spawn(poll_fn(move |cx| {
                polled.borrow_mut().push(number);
                wakers.borrow_mut().push(cx.waker().clone());
                Poll::<()>::Pending
            })));
        }
        settle().await;
        assert_eq!(polled.take().len(), CROWD);
        for (number, waker) in wakers.take().into_iter().enumerate().rev() {
            waker.wake_by_ref();
            match number % 2 {
                0 => waker.wake(),
                _ => waker.wake_by_ref(),
            }
        }
        settle().await;
        assert!(polled.take().into_iter().eq((0..CROWD).rev()));
    });
}

#[test]
fn of_a_thousand_wakers_kept_beyond_the_end_of_their_tasks_none_reaches_a_new_one() {
    virtual_loop().run_until_complete(async {
        let kept = Rc::new(RefCell::new(Vec::new()));
        for round in 0..1_000 {
            let keeper = Rc::clone(&kept);
            let ended = spawn(poll_fn(move |cx| {
                keeper.borrow_mut().push(cx.waker().clone());
                Poll::Ready(round)
            }));
            assert_eq!(ended.await.unwrap(), round);
        }
        let sleeper = Sleeper::default();
        let waiting = spawn(sleeper.future());
        settle().await;
        kept.take().into_iter().for_each(Waker::wake);
        settle().await;
        assert_eq!(sleeper.polls.get(), 1, "no waker of an old task reaches a new one");
        drop(waiting);
    });
}
