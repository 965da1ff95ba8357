//! Signals, raised by the process to itself. They reach every loop of the process, so the tests take turns.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_lite::future::{poll_once, zip};
use oneloop::signal::{SignalKind, ctrl_c, signal, terminate};
use oneloop::{EventLoop, sleep, spawn, yield_now};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::low_level::raise;

/// One test at a time; a test that failed is no reason for the others to.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn ctrl_c_resumes_whoever_waits_for_it() {
    let _turn = turn();
    oneloop::run(async {
        let mut waiting = ctrl_c();
        assert!(poll_once(&mut waiting).await.is_none(), "nothing has been raised");
        raise(SIGINT).unwrap();
        waiting.await.unwrap();
    });
}

#[test]
fn one_ctrl_c_reaches_every_waiter() {
    let _turn = turn();
    oneloop::run(async {
        let waiters: Vec<_> = (0..10).map(|_| spawn(async { ctrl_c().await })).collect();
        // They begin to listen in the turn after this one.
        yield_now().await;
        let shown = format!("{:?}", waiters[0]);
        assert!(shown.contains("suspended at tests/signal.rs") && shown.contains("a signal"), "{shown}");
        raise(SIGINT).unwrap();
        for waiter in waiters {
            waiter.await.unwrap().unwrap();
        }
    });
}

#[test]
fn the_second_ctrl_c_is_for_the_next_call() {
    let _turn = turn();
    oneloop::run(async {
        let first = ctrl_c();
        raise(SIGINT).unwrap();
        first.await.unwrap();
        let mut second = ctrl_c();
        assert!(poll_once(&mut second).await.is_none(), "the first one was over before this call");
        raise(SIGINT).unwrap();
        second.await.unwrap();
    });
}

#[test]
fn a_ctrl_c_between_the_call_and_the_await_is_not_lost() {
    let _turn = turn();
    oneloop::run(async {
        let (one, other) = (ctrl_c(), ctrl_c());
        raise(SIGINT).unwrap();
        let (one, other) = zip(one, other).await;
        one.unwrap();
        other.unwrap();
    });
}

#[test]
fn a_ctrl_c_that_nobody_waits_for_is_not_kept() {
    let _turn = turn();
    oneloop::run(async {
        drop(ctrl_c());
        raise(SIGINT).unwrap();
        assert!(poll_once(ctrl_c()).await.is_none());
    });
}

#[test]
fn two_ctrl_c_at_once_are_one() {
    let _turn = turn();
    oneloop::run(async {
        let waiting = ctrl_c();
        raise(SIGINT).unwrap();
        raise(SIGINT).unwrap();
        waiting.await.unwrap();
        assert!(poll_once(ctrl_c()).await.is_none());
    });
}

#[test]
fn another_signal_is_not_taken_for_ctrl_c() {
    let _turn = turn();
    // Some other part of the program handles SIGTERM; ours must not care.
    let handled = std::sync::Arc::default();
    signal_hook::flag::register(SIGTERM, handled).unwrap();
    oneloop::run(async {
        let mut waiting = ctrl_c();
        raise(SIGTERM).unwrap();
        assert!(poll_once(&mut waiting).await.is_none());
    });
}

#[test]
fn a_cancelled_wait_takes_nothing_from_the_others() {
    let _turn = turn();
    oneloop::run(async {
        let quitter = spawn(async { ctrl_c().await });
        let waiter = spawn(async { ctrl_c().await });
        yield_now().await;
        quitter.cancel();
        raise(SIGINT).unwrap();
        waiter.await.unwrap().unwrap();
        assert!(quitter.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn two_loops_on_two_threads_both_get_it() {
    let _turn = turn();
    let (ready, both) = std::sync::mpsc::channel();
    let loops: Vec<_> = (0..2)
        .map(|_| {
            let ready = ready.clone();
            std::thread::spawn(move || {
                oneloop::run(async {
                    let waiting = ctrl_c();
                    ready.send(()).unwrap();
                    waiting.await.unwrap();
                });
            })
        })
        .collect();
    both.recv().unwrap();
    both.recv().unwrap();
    raise(SIGINT).unwrap();
    loops.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn waiting_for_ctrl_c_does_not_hold_up_virtual_time() {
    let _turn = turn();
    let event_loop = EventLoop::builder().virtual_time().build().unwrap();
    let began = Instant::now();
    event_loop.run_until_complete(async {
        let heard = Rc::new(Cell::new(false));
        let waiter = spawn({
            let heard = Rc::clone(&heard);
            async move {
                ctrl_c().await.unwrap();
                heard.set(true);
            }
        });
        // A day, or this test takes one.
        sleep(Duration::from_secs(24 * 60 * 60)).await;
        assert!(!heard.get());
        raise(SIGINT).unwrap();
        waiter.await.unwrap();
    });
    assert!(began.elapsed() < Duration::from_secs(24 * 60 * 60));
}

#[test]
fn terminate_waits_for_sigterm_alone() {
    let _turn = turn();
    oneloop::run(async {
        let (mut asked, mut interrupted) = (terminate(), ctrl_c());
        raise(SIGTERM).unwrap();
        asked.await.unwrap();
        assert!(poll_once(&mut interrupted).await.is_none());
        asked = terminate();
        raise(SIGINT).unwrap();
        interrupted.await.unwrap();
        assert!(poll_once(&mut asked).await.is_none());
    });
}

#[test]
fn a_listener_hears_every_signal_of_its_kind() {
    let _turn = turn();
    oneloop::run(async {
        let (mut one, mut other) = (signal(SignalKind::HANGUP).unwrap(), signal(SignalKind::USER_1).unwrap());
        for _ in 0..3 {
            assert!(poll_once(one.recv()).await.is_none());
            raise(SIGHUP).unwrap();
            one.recv().await;
        }
        assert!(poll_once(other.recv()).await.is_none());
        raise(SIGUSR1).unwrap();
        raise(SIGUSR1).unwrap();
        other.recv().await;
        assert!(poll_once(other.recv()).await.is_none(), "two at once are one");
        assert_eq!(format!("{one:?}"), "<signals SIGHUP>");
    });
}

#[test]
fn a_signal_between_two_waits_or_after_one_that_was_given_up_is_kept() {
    let _turn = turn();
    oneloop::run(async {
        let mut hangups = signal(SignalKind::HANGUP).unwrap();
        raise(SIGHUP).unwrap();
        hangups.recv().await;
        assert!(poll_once(hangups.recv()).await.is_none());
        raise(SIGHUP).unwrap();
        yield_now().await;
        hangups.recv().await;
    });
}

#[test]
fn a_signal_that_cannot_be_listened_for_is_refused() {
    oneloop::run(async {
        for (number, said) in [
            (9, "SIGKILL"),
            (19, "signal 19"),
            (0, "signal 0"),
            (-5, "signal -5"),
            (100, "signal 100"),
            (999, "signal 999"),
        ] {
            let kind = SignalKind::from_raw(number);
            assert_eq!(kind.as_raw(), number);
            let error = signal(kind).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    });
}

#[test]
#[should_panic(expected = "no event loop is running on this thread")]
fn ctrl_c_outside_of_a_loop_says_so() {
    let _turn = turn();
    drop(ctrl_c());
}
