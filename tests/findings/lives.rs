//! Tasks never begun, cut short, failed unheard, left behind, one at a time.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use oneloop::trace::findings::Level;
use oneloop::{Either, call_later, race, shield, sleep, spawn, spawn_blocking, spawn_named, yield_now};

use crate::{found, names_line, nothing, only};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn dropped_error_is_a_panic_that_nobody_joins() {
    let finding = only(
        found(async || {
            drop(spawn_named("save", async { panic!("disk full") }));
            sleep(SECOND).await;
        }),
        "dropped_error",
        &[],
    );
    assert_eq!(finding.level, Level::Error);
    assert!(finding.text.contains("(save)") && finding.text.contains("disk full"), "{finding}");
    nothing(found(async || {
        let save = spawn_named("save", async { panic!("disk full") });
        let _: Result<(), _> = save.await;
    }));
}

#[test]
fn never_polled_is_a_task_that_the_end_comes_before() {
    let line = line!() + 2;
    let program = async || {
        drop(spawn(async { drop(spawn_named("greet", async {})) }));
    };
    let finding = only(found(program), "never_polled", &[]);
    assert_eq!(finding.level, Level::Warning);
    names_line(&finding, line);
    nothing(found(async || {
        spawn_named("greet", async {}).await.unwrap();
    }));
    nothing(found(async || {
        // Called off before its first turn: that was meant.
        spawn(async {}).cancel();
        yield_now().await;
    }));
}

#[test]
fn left_at_exit_is_a_task_dropped_in_the_middle() {
    let line = line!() + 3;
    let finding = only(
        found(async || {
            let _ticker = spawn_named("ticker", sleep(60 * SECOND));
            sleep(SECOND).await;
        }),
        "left_at_exit",
        &[],
    );
    assert_eq!(finding.level, Level::Hint);
    names_line(&finding, line);
    nothing(found(async || {
        let ticker = spawn_named("ticker", sleep(60 * SECOND));
        sleep(SECOND).await;
        ticker.cancel();
        assert!(ticker.await.is_err());
    }));
}

#[test]
fn cancelled_midway_is_a_task_whose_awaited_handle_is_dropped() {
    let line = line!() + 3;
    let finding = only(
        found(async || {
            let save = spawn_named("save", async { sleep(2 * SECOND).await });
            assert!(matches!(race(save, sleep(SECOND)).await, Either::Right(())));
            yield_now().await;
        }),
        "cancelled_midway",
        &[],
    );
    assert_eq!(finding.level, Level::Hint);
    names_line(&finding, line);
    nothing(found(async || {
        let save = spawn_named("save", async { sleep(2 * SECOND).await });
        assert!(matches!(race(shield(save), sleep(SECOND)).await, Either::Right(())));
        sleep(2 * SECOND).await;
    }));
    nothing(found(async || {
        let save = spawn_named("save", async { sleep(2 * SECOND).await });
        yield_now().await;
        // Asked for in so many words.
        save.cancel();
        assert!(save.await.is_err());
    }));
}

#[test]
fn large_future_is_one_that_carries_an_array() {
    let program = async |boxed: bool| {
        let task = match boxed {
            true => spawn(async {
                let bytes = vec![7; 32 * 1024];
                yield_now().await;
                assert_eq!(bytes.len(), 32 * 1024);
            }),
            false => spawn(async {
                let bytes = [7; 32 * 1024];
                yield_now().await;
                assert_eq!(bytes.len(), 32 * 1024);
            }),
        };
        task.await.unwrap();
    };
    let finding = only(found(async || program(false).await), "large_future", &[]);
    assert_eq!(finding.level, Level::Hint);
    nothing(found(async || program(true).await));
}

#[test]
fn one_at_a_time_is_a_loop_that_awaits_each_task_before_the_next() {
    let line = line!() + 4;
    let finding = only(
        found(async || {
            for _ in 0..5 {
                spawn(sleep(SECOND)).await.unwrap();
            }
        }),
        "one_at_a_time",
        &[],
    );
    assert_eq!((finding.level, finding.times), (Level::Hint, 1));
    names_line(&finding, line);
    nothing(found(async || {
        let tasks: Vec<_> = (0..5).map(|_| spawn(sleep(SECOND))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    }));
    nothing(found(async || {
        // Nothing to be gained: none of them waits.
        for _ in 0..5 {
            spawn(async {}).await.unwrap();
        }
    }));
}

/// A job that runs until it is told to end, and its handle; it has started, and the loop knows.
async fn running_job() -> (oneloop::BlockingHandle<()>, mpsc::Sender<()>) {
    let (started, has_started) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let mut job = spawn_blocking(move || {
        started.send(()).unwrap();
        let _ = ended.recv();
    });
    let poll = poll_fn(|cx| Poll::Ready(Pin::new(&mut job).poll(cx).is_pending())).await;
    assert!(poll);
    has_started.recv().unwrap();
    // The loop hears of the start when it looks, which it does for a timer.
    call_later(Duration::ZERO, || ());
    yield_now().await;
    yield_now().await;
    (job, end)
}

#[test]
fn cancelled_midway_is_a_job_too_that_runs_on_for_nobody() {
    let finding = only(
        found(async || {
            let (job, end) = running_job().await;
            drop(job);
            drop(end);
            sleep(SECOND).await;
        }),
        "cancelled_midway",
        &[],
    );
    assert!(finding.text.contains("runs on to its end"), "{finding}");
    nothing(found(async || {
        let (job, end) = running_job().await;
        drop(end);
        job.await.unwrap();
    }));
}

#[test]
fn keeps_loop_alive_is_a_job_that_outlives_the_main_future() {
    let kept = Rc::new(RefCell::new(None));
    let keep = Rc::clone(&kept);
    let finding = only(
        found(async move || {
            let (job, end) = running_job().await;
            std::mem::forget(job);
            // The job ends when the loop is closed, at the latest.
            drop(spawn(async move {
                let _end = end;
                pending::<()>().await;
            }));
            yield_now().await;
            let _ = keep.replace(Some(()));
        }),
        "keeps_loop_alive",
        &["left_at_exit", "lost_waker"],
    );
    assert!(kept.take().is_some());
    assert_eq!(finding.level, Level::Hint);
    nothing(found(async || {
        let (job, end) = running_job().await;
        drop(end);
        job.await.unwrap();
    }));
}
