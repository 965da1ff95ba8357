//! Pools of one's own: their threads, their end, and what the loop learns of them.

#[path = "support/recorder.rs"]
mod recorder;

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use oneloop::trace::EventKind;
use oneloop::{BlockingPool, EventLoop, JoinError, sleep, spawn, spawn_blocking, time, yield_now};
use recorder::Recorder;

fn virtual_loop() -> EventLoop {
    EventLoop::builder().virtual_time().build().unwrap()
}

/// A job that goes on until the second part is dropped, and one that has started when this returns.
fn held_up(pool: &BlockingPool) -> (oneloop::BlockingHandle<&'static str>, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (start, started) = mpsc::channel();
    let job = pool.spawn(move || {
        start.send(()).unwrap();
        released.recv().unwrap_err();
        "ran to its end"
    });
    started.recv().unwrap();
    (job, release)
}

#[test]
fn a_job_gives_its_result_and_a_panic_reaches_whoever_awaits() {
    virtual_loop().run_until_complete(async {
        let pool = BlockingPool::new(1);
        assert_eq!(pool.spawn(|| 1 + 1).await.unwrap(), 2);
        let error = pool.spawn(|| panic!("no such disk")).await.unwrap_err();
        assert_eq!(error.to_string(), "panicked: no such disk");
        assert_eq!(pool.spawn(|| 3).await.unwrap(), 3, "the pool goes on");
    });
}

#[test]
fn it_has_as_many_threads_as_were_asked_for_with_names_of_their_own() {
    let barrier = Arc::new(Barrier::new(3));
    let name = || thread::current().name().unwrap().to_owned();
    let (names, numbered, own) = oneloop::run(async {
        let pool = BlockingPool::named(3, "flags");
        assert_eq!(pool.threads(), 3);
        // Three jobs meet at the barrier, or none goes on.
        let jobs: Vec<_> = (0..9)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                pool.spawn(move || {
                    barrier.wait();
                    name()
                })
            })
            .collect();
        let mut names = BTreeSet::new();
        for job in jobs {
            names.insert(job.await.unwrap());
        }
        let numbered = BlockingPool::new(1).spawn(name).await.unwrap();
        (names, numbered, spawn_blocking(name).await.unwrap())
    });
    assert!(names.iter().eq(["flags-1", "flags-2", "flags-3"]), "{names:?}");
    assert!(numbered.starts_with("oneloop-pool-") && numbered.ends_with("-1"), "{numbered}");
    assert_eq!(own, "oneloop-blocking-1", "the loop's own pool is another");
}

#[test]
fn one_thread_calls_in_the_order_given_and_leaves_the_loops_pool_free() {
    let (tell, told) = mpsc::channel();
    virtual_loop().run_until_complete(async {
        let pool = BlockingPool::new(1);
        let (first, release) = held_up(&pool);
        let jobs: Vec<_> = (0..100)
            .map(|number| {
                let tell = tell.clone();
                pool.spawn(move || tell.send(number).unwrap())
            })
            .collect();
        spawn_blocking(|| ()).await.unwrap();
        assert!(told.try_recv().is_err(), "its only thread is busy");
        drop(release);
        first.await.unwrap();
        for job in jobs {
            job.await.unwrap();
        }
    });
    assert!(told.try_iter().eq(0..100));
}

#[test]
#[should_panic = "a blocking pool without threads would never call anything: give it at least 1"]
fn a_pool_without_threads_is_refused() {
    let _ = BlockingPool::new(0);
}

#[test]
#[should_panic = "no event loop is running on this thread"]
fn a_job_needs_a_loop_that_hears_of_its_end() {
    drop(BlockingPool::new(1).spawn(|| ()));
}

#[test]
fn shutdown_refuses_what_has_not_started_and_lets_the_rest_end() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let pool = BlockingPool::new(1);
        let (first, release) = held_up(&pool);
        let second = pool.spawn(|| "never");
        pool.shutdown();
        let third = pool.spawn(|| "never");
        assert!(matches!(second.await, Err(JoinError::Cancelled)));
        assert!(matches!(third.await, Err(JoinError::Cancelled)));
        assert!(!first.is_finished());
        drop(release);
        assert_eq!(first.await.unwrap(), "ran to its end");
        // Refused jobs are not waited for by virtual time.
        let start = time();
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(time() - start, Duration::from_secs(3600));
    });
}

#[test]
fn a_pool_lives_as_long_as_somebody_can_await_a_job() {
    oneloop::run(async {
        let (tell, told) = mpsc::channel();
        let pool = BlockingPool::new(1);
        let (first, release) = held_up(&pool);
        let second = pool.spawn(move || tell.send("ran").unwrap());
        drop(pool);
        drop(release);
        second.await.unwrap();
        first.await.unwrap();
        assert_eq!(told.recv(), Ok("ran"));
    });
}

#[test]
fn the_last_handle_refuses_what_has_not_started_and_the_closing_loop_waits_for_the_rest() {
    let (tell, told) = mpsc::channel();
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let pool = BlockingPool::new(1);
        let (start, started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let noted = tell.clone();
        drop(pool.spawn(move || {
            start.send(()).unwrap();
            released.recv().unwrap_err();
            noted.send("first").unwrap();
        }));
        started.recv().unwrap();
        drop(pool.spawn(move || tell.send("second").unwrap()));
        drop(pool);
        // The job waits for what this task holds, so a loop that waited for the pool here would never end.
        drop(spawn(async move {
            let _release = release;
            std::future::pending::<()>().await;
        }));
        yield_now().await;
    });
    assert!(told.try_recv().is_err(), "the loop went on while the job did");
    event_loop.close();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["first"]);
}

#[test]
fn dropped_where_no_loop_runs_it_waits_at_once() {
    let (tell, told) = mpsc::channel();
    let pool = BlockingPool::new(2);
    let (tx, rx) = mpsc::channel::<()>();
    virtual_loop().run_until_complete(async {
        let (start, started) = mpsc::channel();
        drop(pool.spawn(move || {
            start.send(()).unwrap();
            rx.recv().unwrap_err();
            tell.send("ended").unwrap();
        }));
        started.recv().unwrap();
    });
    drop(tx);
    drop(pool);
    assert_eq!(told.try_recv(), Ok("ended"));
}

#[test]
fn a_pool_whose_last_handle_is_dropped_by_its_own_job_does_not_wait_for_itself() {
    let (tell, told) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    virtual_loop().run_until_complete(async {
        let pool = BlockingPool::new(1);
        let inside = pool.clone();
        drop(pool.spawn(move || {
            released.recv().unwrap_err();
            drop(inside);
            tell.send("went on").unwrap();
        }));
    });
    drop(release);
    assert_eq!(told.recv(), Ok("went on"));
}

#[test]
fn loops_on_several_threads_share_a_pool_and_each_hears_of_its_own_jobs() {
    let pool = BlockingPool::new(1);
    let jobs_told = |pool: BlockingPool, jobs: usize| {
        let recorder = Recorder::default();
        let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
        event_loop.run_until_complete(async {
            for _ in 0..jobs {
                pool.spawn(|| ()).await.unwrap();
            }
        });
        let ended = |event: &oneloop::trace::Event| {
            let thread = event.thread.as_deref().unwrap_or_default();
            matches!(event.kind, EventKind::JobEnd { .. }) && thread.starts_with("oneloop-pool-")
        };
        recorder.events().iter().filter(|event| ended(event)).count()
    };
    let other = pool.clone();
    let elsewhere = thread::spawn(move || jobs_told(other, 50));
    assert_eq!(jobs_told(pool, 20), 20);
    assert_eq!(elsewhere.join().unwrap(), 50);
}

#[test]
fn virtual_time_does_not_jump_while_a_job_runs() {
    virtual_loop().run_until_complete(async {
        let start = time();
        let pool = BlockingPool::new(1);
        let timer = spawn(sleep(Duration::from_secs(3600)));
        let (job, release) = held_up(&pool);
        for _ in 0..10 {
            yield_now().await;
        }
        drop(release);
        job.await.unwrap();
        assert!(time() - start < Duration::from_secs(3600));
        timer.await.unwrap();
        assert_eq!(time() - start, Duration::from_secs(3600), "and then it does");
    });
}
