//! Rules of asyncio for tasks that wait for tasks: who is cancelled, in which order things come, and what a loop
//! that stops, starts again or is closed does to them.

mod support;

#[path = "support/recorder.rs"]
mod recorder;

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use oneloop::{
    EventLoop, JoinError, JoinHandle, ReturnWhen, TaskGroup, all_tasks, as_completed, call_at, call_later,
    call_soon, gather, race, shield, sleep, spawn, stop, time, timeout, wait, wait_for, yield_now,
};
use recorder::Recorder;
use support::{Log, virtual_loop};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Notes a line when it is dropped.
struct Guard(Log, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

/// A task that sleeps, and notes its end, one way or the other.
fn sleeper(log: &Log, delay: u64, line: &'static str) -> JoinHandle<()> {
    let guard = Guard(log.clone(), line);
    spawn(async move {
        let _guard = guard;
        sleep(ms(delay)).await;
    })
}

#[test]
fn a_cancel_goes_down_a_chain_of_tasks_that_await_each_other_one_turn_for_each() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let inner = sleeper(&log, 9, "inner");
        let guard = Guard(log.clone(), "middle");
        let middle = spawn(async move {
            let _guard = guard;
            inner.await
        });
        let guard = Guard(log.clone(), "outer");
        let outer = spawn(async move {
            let _guard = guard;
            middle.await
        });
        sleep(ms(1)).await;
        outer.cancel();
        for turn in ["turn 1", "turn 2", "turn 3"] {
            yield_now().await;
            log.note(turn);
        }
        assert!(outer.await.unwrap_err().is_cancelled());
    });
    assert_eq!(log.lines(), ["outer", "turn 1", "middle", "turn 2", "inner", "turn 3"]);
}

#[test]
fn a_cancel_of_the_inner_task_is_an_error_to_the_outer_one_which_goes_on() {
    virtual_loop().run_until_complete(async {
        let inner = spawn(pending::<()>());
        let reference = inner.task();
        let outer = spawn(async move { matches!(inner.await, Err(JoinError::Cancelled)) });
        sleep(ms(1)).await;
        assert!(reference.cancel());
        assert!(outer.await.unwrap());
    });
}

#[test]
fn a_task_whose_timer_is_due_in_the_turn_in_which_it_is_cancelled_is_cancelled() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        // Its timer is armed behind that of the callback, which therefore comes first.
        let cancelled = Rc::new(sleeper(&log, 5, "dropped"));
        let task = cancelled.task();
        call_later(ms(5), move || assert!(task.cancel()));
        sleep(ms(6)).await;
        assert!(Rc::into_inner(cancelled).unwrap().await.unwrap_err().is_cancelled());

        let ended = sleeper(&log, 5, "ended");
        yield_now().await;
        let task = ended.task();
        call_later(ms(5), move || assert!(!task.cancel(), "it has ended before, in the same turn"));
        sleep(ms(6)).await;
        assert!(ended.await.is_ok());
    });
}

#[test]
fn cancelling_a_child_of_a_gather_reaches_the_gather_as_its_error() {
    virtual_loop().run_until_complete(async {
        let parent = spawn(gather([9, 9].map(|delay| sleep(ms(delay)))));
        sleep(ms(1)).await;
        let [_main, _first, second, _parent] = &all_tasks()[..] else { panic!("{:?}", all_tasks()) };
        assert!(second.cancel());
        let results = parent.await.unwrap();
        assert!(matches!(results[..], [Ok(()), Err(JoinError::Cancelled)]));
    });
}

#[test]
fn cancelling_a_gather_whose_children_have_all_ended_in_that_turn_loses_the_results() {
    virtual_loop().run_until_complete(async {
        let parent = spawn(gather([sleep(ms(5))]));
        yield_now().await;
        yield_now().await;
        let task = parent.task();
        call_later(ms(5), move || assert!(task.cancel(), "the child has ended, the gather has not"));
        assert!(parent.await.unwrap_err().is_cancelled());
        assert_eq!(all_tasks().len(), 1);
    });
}

#[test]
fn a_wait_for_that_is_cancelled_when_its_time_is_up_is_cancelled_and_so_is_what_it_awaits() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let inner = sleeper(&log, 50, "inner dropped");
        let outer = spawn(wait_for(inner, ms(5)));
        let task = outer.task();
        call_later(ms(5), move || _ = task.cancel());
        assert!(outer.await.unwrap_err().is_cancelled());
        yield_now().await;
        assert_eq!(log.lines(), ["inner dropped"]);
    });
}

#[test]
fn callbacks_of_no_delay_and_of_the_past_come_after_what_is_queued_and_in_their_order() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        sleep(ms(5)).await;
        let note = |line: &'static str| {
            let log = log.clone();
            move || log.note(line)
        };
        call_later(ms(0), note("later 0"));
        call_at(time() - ms(3), note("long past"));
        call_at(time() - ms(4), note("longer past"));
        call_later(ms(0), note("later 0 again"));
        call_soon(note("soon"));
        yield_now().await;
        yield_now().await;
    });
    // Timers join the queue in step 4, behind what was made ready; by their deadlines, then by their arming.
    assert_eq!(log.lines(), ["soon", "longer past", "long past", "later 0", "later 0 again"]);
}

#[test]
fn an_enormous_delay_is_armed_and_cancelled_like_any_other() {
    virtual_loop().run_until_complete(async {
        let never = call_later(Duration::MAX, || panic!("the end of time"));
        let far = sleeper(&Log::default(), u64::MAX, "");
        assert!(wait_for(sleep(Duration::MAX), ms(5)).await.is_err());
        assert!(never.cancel() && far.cancel());
    });
}

#[test]
fn a_loop_that_was_stopped_goes_on_with_everything_that_waits() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let noted = log.clone();
    let program = event_loop.spawn(async move {
        let tasks = [5, 15].map(|delay| spawn(sleep(ms(delay))));
        let mut waited = wait(tasks).return_when(ReturnWhen::FirstCompleted).await;
        noted.note("first");
        stop();
        let rest = as_completed(waited.pending.drain(..)).timeout(ms(50)).next().await;
        assert!(rest.unwrap().is_ok());
        noted.note("second");
        TaskGroup::scope(async |group| {
            group.spawn(async {
                sleep(ms(5)).await;
                Ok::<_, ()>(())
            });
            stop();
            Ok(())
        })
        .await
        .unwrap();
        noted.note("third");
    });
    program.add_done_callback(|_| stop());
    for line in ["first", "second", "third"] {
        event_loop.run_forever();
        assert_eq!(log.lines(), [line]);
    }
    assert!(program.is_finished());
}

#[test]
fn a_loop_closed_under_waiting_tasks_cancels_them_and_their_handles_say_so() {
    let (event_loop, log) = (virtual_loop(), Log::default());
    let noted = log.clone();
    let mut waiting = event_loop.spawn(async move {
        let inner = sleeper(&noted, 9, "inner dropped");
        let others = [sleeper(&noted, 9, "shielded dropped"), sleeper(&noted, 9, "waited for dropped")];
        let [shielded, other] = others;
        let _guard = Guard(noted, "outer dropped");
        let both = race(shield(shielded), wait([other]));
        timeout(ms(99), async |_| drop(race(inner, both).await)).await
    });
    let reference = waiting.task();
    event_loop.run_until_complete(async { sleep(ms(1)).await });
    assert!(waiting.result().is_none());
    event_loop.close();
    assert!(matches!(waiting.result(), Some(Err(JoinError::Cancelled))));
    assert!(reference.is_finished());
    let mut lines = log.lines();
    lines.sort();
    assert_eq!(lines, ["inner dropped", "outer dropped", "shielded dropped", "waited for dropped"]);
}

/// A program in which everything happens.
async fn program() {
    let group = TaskGroup::scope(async |group| {
        for n in 0..5 {
            let more = group.clone();
            group.spawn(async move {
                sleep(ms(n)).await;
                if n == 3 {
                    more.spawn(async { Err::<(), _>("no flour") });
                }
                sleep(ms(n)).await;
                Ok(())
            });
        }
        Ok(())
    });
    assert!(group.await.is_err());
    let tasks: Vec<_> = (0..20).map(|n| spawn(sleep(ms(n * 7 % 20)))).collect();
    tasks[3].add_done_callback(|_| drop(call_soon(|| ())));
    let waited = wait(tasks).timeout(ms(5)).return_when(ReturnWhen::AllCompleted).await;
    let mut rest = as_completed(waited.pending).timeout(ms(9));
    while let Some(Ok(_)) = rest.next().await {}
    drop(spawn(async { panic!("nobody hears") }));
    let slow = timeout(ms(3), async |limit| {
        limit.reschedule(time() + ms(1));
        shield(spawn(sleep(ms(2)))).await
    });
    assert!(slow.await.is_err());
    gather([ms(3), ms(1)].map(sleep)).await;
}

#[test]
fn the_same_program_run_twice_in_virtual_time_gives_the_same_events() {
    let events = || {
        let recorder = Recorder::default();
        let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
        event_loop.run_until_complete(program());
        drop(event_loop);
        recorder.events().iter().map(|event| format!("{event:?}")).collect::<Vec<_>>()
    };
    let (first, second) = (events(), events());
    assert!(first.len() > 500, "{}", first.len());
    for (one, other) in first.iter().zip(&second) {
        assert_eq!(one, other);
    }
    assert_eq!(first.len(), second.len());
}
