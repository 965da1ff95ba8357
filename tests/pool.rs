//! The blocking pool: results, panics, the cap, abandoned jobs, and virtual time while jobs run.

mod support;

#[path = "support/recorder.rs"]
mod recorder;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use oneloop::trace::EventKind;
use oneloop::{
    BlockingHandle, EventLoop, JoinError, call_soon, gather, sleep, spawn, spawn_blocking, time, wait_for,
    yield_now,
};
use recorder::Recorder;
use support::{Log, virtual_loop};

/// A loop whose pool has at most so many threads.
fn loop_of(threads: usize) -> EventLoop {
    EventLoop::builder().pool_threads(threads).build().unwrap()
}

#[test]
fn a_job_gives_its_result_and_a_panic_reaches_whoever_awaits() {
    virtual_loop().run_until_complete(async {
        let here = thread::current().id();
        let (there, sum) = spawn_blocking(|| (thread::current().id(), 1 + 1)).await.unwrap();
        assert!(here != there && sum == 2);
        let error = spawn_blocking(|| panic!("no such disk")).await.unwrap_err();
        assert_eq!(error.to_string(), "panicked: no such disk");
        assert_eq!(spawn_blocking(|| 3).await.unwrap(), 3, "the pool goes on");
    });
}

#[test]
fn a_job_is_started_at_once_awaited_or_not() {
    let (tell, told) = mpsc::channel();
    oneloop::run(async move {
        let job = spawn_blocking(move || tell.send(()).unwrap());
        // The loop's thread is held up, and the job runs all the same.
        told.recv().unwrap();
        job.await.unwrap();
    });
}

#[test]
fn no_more_threads_than_the_cap_work_and_as_many_as_are_needed_do() {
    const CAP: usize = 3;
    let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Three jobs meet at the barrier, or none goes on: so the pool must have three threads.
    let barrier = Arc::new(Barrier::new(CAP));
    let names = loop_of(CAP).run_until_complete(async {
        let jobs: Vec<BlockingHandle<String>> = (0..10 * CAP)
            .map(|_| {
                let (working, most) = (Arc::clone(&working), Arc::clone(&most));
                let barrier = Arc::clone(&barrier);
                spawn_blocking(move || {
                    most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    barrier.wait();
                    working.fetch_sub(1, Ordering::SeqCst);
                    thread::current().name().unwrap().to_owned()
                })
            })
            .collect();
        let mut names = BTreeSet::new();
        for job in jobs {
            names.insert(job.await.unwrap());
        }
        names
    });
    assert_eq!(most.load(Ordering::SeqCst), CAP);
    let expected = ["oneloop-blocking-1", "oneloop-blocking-2", "oneloop-blocking-3"];
    assert!(names.iter().eq(expected), "{names:?}");
}

#[test]
fn a_cap_of_one_runs_jobs_one_by_one_in_the_order_they_were_given() {
    let (tell, told) = mpsc::channel();
    loop_of(1).run_until_complete(async {
        let jobs: Vec<_> = (0..1000)
            .map(|number| {
                let tell = tell.clone();
                spawn_blocking(move || tell.send(number).unwrap())
            })
            .collect();
        for job in jobs {
            job.await.unwrap();
        }
    });
    assert!(told.try_iter().eq(0..1000));
}

#[test]
fn an_idle_thread_takes_the_next_job() {
    loop_of(8).run_until_complete(async {
        for _ in 0..1000 {
            let name = spawn_blocking(|| thread::current().name().map(str::to_owned)).await.unwrap();
            let number: usize = name.unwrap().strip_prefix("oneloop-blocking-").unwrap().parse().unwrap();
            // The thread may still be on its way back to the queue, so that another one is made.
            assert!(number <= 8);
        }
    });
}

/// Each thread blocks, gives way and is woken again some thousand times. One wake or notice lost, and this never ends.
#[test]
fn nothing_is_lost_between_a_loop_and_threads_that_block_and_wake_each_other() {
    const TASKS: u64 = 16;
    const JOBS: u64 = 500;
    for threads in 1..=3 {
        let sums = loop_of(threads).run_until_complete(async {
            let tasks = (0..TASKS).map(|task| async move {
                let mut sum = 0;
                for number in 0..JOBS {
                    sum += spawn_blocking(move || number).await.unwrap();
                    // Now several jobs are in flight, now one, now none.
                    for _ in 0..number * task % 40 {
                        yield_now().await;
                    }
                }
                sum
            });
            gather(tasks).await
        });
        assert!(sums.into_iter().all(|sum| sum.unwrap() == JOBS * (JOBS - 1) / 2));
    }
}

#[test]
fn jobs_that_had_not_started_are_refused_when_the_loop_closes() {
    let event_loop = loop_of(1);
    let (started, is_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (first, second) = event_loop.run_until_complete(async {
        let first = spawn_blocking(move || {
            started.send(()).unwrap();
            released.recv().unwrap_err();
            "ran to its end"
        });
        is_started.recv().unwrap();
        // The first job goes on when the second one has been refused, and is dropped with what it owns.
        let second = spawn_blocking(move || {
            drop(release);
            "never"
        });
        (first, second)
    });
    event_loop.close();
    assert!(first.is_finished() && second.is_finished());
    let other = virtual_loop();
    assert_eq!(other.run_until_complete(first).unwrap(), "ran to its end");
    assert!(matches!(other.run_until_complete(second), Err(JoinError::Cancelled)));
}

#[test]
fn an_abandoned_job_runs_to_its_end() {
    let (tell, told) = mpsc::channel();
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let (release, released) = mpsc::channel::<()>();
        let (started, is_started) = mpsc::channel();
        let task = spawn(async move {
            spawn_blocking(move || {
                started.send(()).unwrap();
                released.recv().unwrap();
                tell.send("ended").unwrap();
            })
            .await
        });
        yield_now().await;
        is_started.recv().unwrap();
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        release.send(()).unwrap();
    });
    event_loop.close();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["ended"]);
}

#[test]
fn a_result_that_panics_when_nobody_takes_it_does_not_cost_the_pool_a_thread() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a result went wrong when it was dropped");
        }
    }
    let event_loop = loop_of(1);
    let (release, released) = mpsc::channel::<()>();
    event_loop.run_until_complete(async {
        drop(spawn_blocking(move || {
            released.recv().unwrap_or_default();
            Bomb
        }));
        drop(release);
        assert_eq!(spawn_blocking(|| 5).await.unwrap(), 5);
    });
    event_loop.close();
}

#[test]
fn virtual_time_does_not_jump_while_a_job_runs() {
    let log = Log::default();
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let start = time();
        let noted = log.clone();
        let timer = spawn(async move {
            sleep(Duration::from_secs(3600)).await;
            noted.note("an hour later");
        });
        let (release, released) = mpsc::channel::<()>();
        let job = spawn_blocking(move || released.recv().unwrap_or_default());
        call_soon(move || drop(release));
        job.await.unwrap();
        log.note("job ended");
        assert!(time() - start < Duration::from_secs(3600));
        timer.await.unwrap();
        assert_eq!(time() - start, Duration::from_secs(3600), "and then it does");
    });
    assert_eq!(log.lines(), ["job ended", "an hour later"]);
}

#[test]
fn what_was_waited_for_one_job_does_not_count_for_a_timer_beside_the_next() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let hour = Duration::from_secs(3600);
        let job_that_waits = || {
            let (release, released) = mpsc::channel::<()>();
            (spawn_blocking(move || released.recv().unwrap_or_default()), release)
        };
        // Real time passes, while there is a timer to wait for.
        let (job, release) = job_that_waits();
        call_soon(move || drop(release));
        wait_for(job, hour).await.unwrap().unwrap();

        let (job, release) = job_that_waits();
        let start = time();
        sleep(Duration::from_nanos(1)).await;
        assert_eq!(time() - start, Duration::from_nanos(1));
        drop(release);
        job.await.unwrap();
    });
}

#[test]
fn virtual_time_jumps_again_after_jobs_that_panicked_or_were_abandoned() {
    let event_loop = virtual_loop();
    event_loop.run_until_complete(async {
        let start = time();
        for _ in 0..10 {
            drop(spawn_blocking(|| ()));
            spawn_blocking(|| panic!("on purpose")).await.unwrap_err();
        }
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(time() - start, Duration::from_secs(3600));
    });
}

#[test]
fn observers_hear_of_jobs_with_their_thread_and_in_their_order() {
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        spawn_blocking(|| ()).await.unwrap();
        spawn_blocking(|| panic!("on purpose")).await.unwrap_err();
    });
    let mut told = Vec::new();
    for event in recorder.events() {
        let word = match event.kind {
            EventKind::ThreadStart { .. } => "thread",
            EventKind::JobStart { .. } => "start",
            EventKind::JobEnd { panicked: false, .. } => "end",
            EventKind::JobEnd { panicked: true, .. } => "panic",
            EventKind::JobNew { .. } | EventKind::JobDeliver { .. } => {
                assert!(event.thread.is_none(), "this happens on the loop's own thread");
                continue;
            }
            _ => continue,
        };
        let thread = event.thread.as_deref().expect("this happens on a pool thread");
        assert!(thread.starts_with("oneloop-blocking-"), "{thread}");
        told.push(word);
    }
    let jobs: Vec<_> = told.iter().filter(|word| **word != "thread").collect();
    assert_eq!(jobs, [&"start", &"end", &"start", &"panic"]);
    assert_eq!(told[0], "thread");
    let order: Vec<_> = recorder
        .events()
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::JobNew { job, .. } => Some(("new", job.0)),
            EventKind::JobEnd { job, .. } => Some(("end", job.0)),
            EventKind::JobDeliver { job } => Some(("deliver", job.0)),
            _ => None,
        })
        .collect();
    let expected = [("new", 0), ("end", 0), ("deliver", 0), ("new", 1), ("end", 1), ("deliver", 1)];
    assert_eq!(order, expected);
}
