//! Wakers of the user's own that panic.

use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use oneloop::net::TcpListener;
use oneloop::sync::{Event, Semaphore};
use oneloop::{gather, sleep, spawn, yield_now};

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
