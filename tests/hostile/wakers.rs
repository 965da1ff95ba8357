//! Wakers of the user's own that panic.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use oneloop::net::TcpListener;
use oneloop::sync::{Event, Semaphore};
use oneloop::{JoinHandle, call_later, call_soon, current_task, gather, sleep, spawn, yield_now};

use crate::poll_with_bomb;
use crate::support::{Log, virtual_loop};

#[test]
fn a_timer_whose_waker_panics_costs_no_other_timer() {
    let event_loop = virtual_loop();
    let log = Log::default();
    let run = || {
        event_loop.run_until_complete(async {
            let mut exploding: Vec<_> = (0..3).map(|_| Box::pin(sleep(Duration::from_secs(1)))).collect();
            let tasks: Vec<_> = (0..20)
                .map(|number| {
                    if number % 7 == 3 {
                        assert!(poll_with_bomb(&mut exploding[number / 7]).is_pending());
                    }
                    let log = log.clone();
                    spawn(async move {
                        sleep(Duration::from_secs(1)).await;
                        log.note(number.to_string());
                    })
                })
                .collect();
            yield_now().await;
            let mut more = Box::pin(sleep(Duration::from_secs(1)));
            assert!(poll_with_bomb(&mut more).is_pending());
            gather(tasks).await;
        });
    };
    run();
    assert_eq!(log.lines(), (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_source_whose_waker_panics_costs_no_other_source() {
    let event_loop = oneloop::EventLoop::new().unwrap();
    let text = event_loop.run_until_complete(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Rc::new(listener);
        let mut first = Box::pin({
            let listener = Rc::clone(&listener);
            async move { listener.accept().await.map(drop) }
        });
        assert!(poll_with_bomb(&mut first).is_pending());
        let second = spawn(async move { listener.accept().await.map(drop) });
        yield_now().await;
        let mut client = std::net::TcpStream::connect(address).unwrap();
        client.write_all(b"hello").unwrap();
        oneloop::wait_for(second, Duration::from_secs(5)).await.expect("it is woken").unwrap().unwrap();
        drop(first);
        "accepted"
    });
    assert_eq!(text, "accepted");
}

#[test]
fn of_several_that_are_woken_together_one_waker_that_panics_keeps_no_other_from_being_woken() {
    virtual_loop().run_until_complete(async {
        let event = Event::new();
        let mut exploding = Box::pin({
            let event = event.clone();
            async move {
                event.wait().await;
            }
        });
        assert!(poll_with_bomb(&mut exploding).is_pending());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let event = event.clone();
                spawn(async move {
                    event.wait().await;
                })
            })
            .collect();
        yield_now().await;
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| event.set()));
        for task in waiting {
            task.await.unwrap();
        }

        let semaphore = Semaphore::new(0);
        let mut exploding = Box::pin({
            let semaphore = semaphore.clone();
            async move {
                semaphore.acquire().await.forget();
            }
        });
        assert!(poll_with_bomb(&mut exploding).is_pending());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let semaphore = semaphore.clone();
                spawn(async move {
                    semaphore.acquire().await.forget();
                })
            })
            .collect();
        yield_now().await;
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| semaphore.add_permits(4)));
        for task in waiting {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_loop_closes_whole_where_wakers_panic() {
    let event_loop = virtual_loop();
    let dropped = Rc::new(Cell::new(0));
    struct Guard(Rc<Cell<u32>>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let mut handles: Vec<_> = (0..3)
        .map(|_| {
            let guard = Guard(Rc::clone(&dropped));
            event_loop.spawn(async move {
                let _guard = guard;
                std::future::pending::<()>().await;
            })
        })
        .collect();
    event_loop.run_until_complete(yield_now());
    for handle in &mut handles {
        assert!(poll_with_bomb(handle).is_pending());
    }
    event_loop.close();
    assert!(event_loop.is_closed());
    assert_eq!(dropped.get(), 3);
}

#[test]
fn a_gather_whose_waker_panics_leaves_the_other_listeners_of_its_tasks() {
    let event_loop = virtual_loop();
    let heard = Log::default();
    let noting = heard.clone();
    let task = event_loop.spawn(async { sleep(Duration::from_secs(1)).await });
    let reference = task.task();
    let mut waiting = Box::pin(oneloop::wait([task]));
    assert!(poll_with_bomb(&mut waiting).is_pending());
    let other = event_loop.spawn(async move {
        while !reference.is_finished() {
            sleep(Duration::from_secs(1)).await;
        }
        noting.note("ended");
    });
    let run = || event_loop.run_until_complete(other);
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    assert!(matches!(poll_with_bomb(&mut waiting), Poll::Ready(_)));
    event_loop.run_until_complete(sleep_one());
    assert_eq!(heard.lines(), ["ended"]);
}

async fn sleep_one() {
    sleep(Duration::from_secs(3)).await;
}

/// A waker that does everything there is to do with a loop when it is woken, and when it is dropped.
struct Busybody {
    semaphore: usize,
}

thread_local! {
    /// What busybodies use: a waker may hold nothing that stays on its thread.
    static THINGS: RefCell<Vec<(Semaphore, Option<JoinHandle<()>>)>> = const { RefCell::new(Vec::new()) };
    static WOKEN: Cell<u32> = const { Cell::new(0) };
}

impl Busybody {
    fn meddle(&self) {
        let (semaphore, handle) = THINGS.with_borrow_mut(|things| {
            let (semaphore, handle) = &mut things[self.semaphore];
            (semaphore.clone(), handle.take())
        });
        if handle.as_ref().is_some_and(JoinHandle::cancel) {
            drop(handle);
        }
        semaphore.release();
        if current_task().is_none() && oneloop::all_tasks().is_empty() {
            return;
        }
        drop(spawn(async { yield_now().await }));
        call_soon(yield_now_as_a_callback);
        let mut nap = Box::pin(sleep(Duration::from_millis(1)));
        assert!(poll_with_bomb(&mut nap).is_pending());
        drop(nap);
        call_later(Duration::from_millis(1), || ()).cancel();
    }
}

fn yield_now_as_a_callback() {}

impl Wake for Busybody {
    fn wake(self: Arc<Self>) {
        WOKEN.set(WOKEN.get() + 1);
        self.meddle();
    }
}

impl Drop for Busybody {
    fn drop(&mut self) {
        self.meddle();
    }
}

#[test]
fn a_waker_may_use_the_loop_wherever_it_is_woken_or_dropped() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let mut waiting: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
        let permits = Semaphore::new(0);
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let mut ended = spawn(async { sleep(Duration::from_millis(1)).await });
        waiting.push(Box::pin(sleep(Duration::from_millis(1))));
        waiting.push(Box::pin(async move { listener.accept().await.map(drop).unwrap() }));
        let taken = permits.clone();
        waiting.push(Box::pin(async move { taken.acquire().await.forget() }));
        waiting.push(Box::pin(async move { (&mut ended).await.unwrap() }));
        let several = [spawn(sleep(Duration::from_millis(1))), spawn(sleep(Duration::from_millis(2)))];
        waiting.push(Box::pin(async move { drop(oneloop::wait(several).await) }));
        // Dropped while they wait.
        waiting.push(Box::pin(sleep(Duration::from_secs(1))));
        let taken = permits.clone();
        waiting.push(Box::pin(async move { taken.acquire().await.forget() }));
        for (number, future) in waiting.iter_mut().enumerate() {
            let victim = spawn(std::future::pending());
            THINGS.with_borrow_mut(|things| things.push((Semaphore::new(0), Some(victim))));
            let waker = Waker::from(Arc::new(Busybody { semaphore: number }));
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        waiting.truncate(6);
        waiting.truncate(5);
        permits.release();
        let client = std::net::TcpStream::connect(address).unwrap();
        sleep(Duration::from_millis(5)).await;
        oneloop::wait_for(gather(waiting), Duration::from_secs(5)).await.expect("all have ended");
        drop(client);
        assert_eq!(WOKEN.get(), 5);
        THINGS.with_borrow(|things| {
            assert!(things.iter().all(|(semaphore, victim)| semaphore.available() > 0 && victim.is_none()));
        });
    });
    event_loop.close();
    THINGS.take();
}

/// A waker that panics when it is dropped.
struct Trap;

impl Wake for Trap {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Trap {
    fn drop(&mut self) {
        panic!("a waker went wrong when it was dropped");
    }
}

#[test]
fn a_loop_closes_whole_where_wakers_panic_when_they_are_dropped() {
    let event_loop = virtual_loop();
    let mut naps: Vec<_> = Vec::new();
    event_loop.run_until_complete(async {
        for _ in 0..3 {
            let mut nap = Box::pin(sleep(Duration::from_secs(1)));
            let waker = Waker::from(Arc::new(Trap));
            assert!(nap.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            naps.push(nap);
            drop(catch_unwind(AssertUnwindSafe(|| drop(waker))));
        }
    });
    event_loop.close();
    assert!(event_loop.is_closed());
}
