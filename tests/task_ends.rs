//! Tasks seen from outside: who there is, how they stand, and who hears of their end.

mod support;

#[path = "support/logged.rs"]
mod logged;
#[path = "support/recorder.rs"]
mod recorder;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use oneloop::trace::{EventKind, Outcome, Wait};
use oneloop::{
    EventLoop, JoinError, Task, TaskState, all_tasks, call_later, call_soon, current_task, shield, sleep,
    spawn, spawn_named, wait_for, yield_now,
};
use recorder::Recorder;
use support::{Log, virtual_loop};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A done callback that notes a line and how the task ended.
fn noting(log: &Log, line: &'static str) -> impl FnOnce(Outcome) + 'static {
    let log = log.clone();
    move |outcome| log.note(format!("{line}: {outcome:?}"))
}

fn names(tasks: &[Task]) -> Vec<String> {
    tasks.iter().map(Task::name).collect()
}

#[test]
fn inside_a_task_the_current_task_is_that_task_and_inside_a_callback_there_is_none() {
    virtual_loop().run_until_complete(async {
        assert_eq!(current_task().unwrap().name(), "main");
        let task = spawn_named("cook", async { current_task().unwrap() });
        let reference = task.task();
        let inside = task.await.unwrap();
        assert_eq!(inside, reference);
        assert_eq!((inside.name(), inside.id()), ("cook".to_owned(), reference.id()));
        let none = Rc::new(Cell::new(false));
        let seen = Rc::clone(&none);
        call_soon(move || seen.set(current_task().is_none()));
        yield_now().await;
        assert!(none.get());
        assert_eq!(current_task().unwrap().name(), "main", "each poll has its own");
    });
    assert!(current_task().is_none());
}

#[test]
fn a_guard_of_a_cancelled_task_runs_as_that_task() {
    struct Who(Rc<RefCell<Option<Task>>>);
    impl Drop for Who {
        fn drop(&mut self) {
            self.0.replace(current_task());
        }
    }
    virtual_loop().run_until_complete(async {
        let who = Rc::default();
        let guard = Who(Rc::clone(&who));
        let task = spawn(async move {
            let _guard = guard;
            pending::<()>().await
        });
        yield_now().await;
        task.cancel();
        yield_now().await;
        assert_eq!(who.take(), Some(task.task()));
    });
}

#[test]
fn all_tasks_are_those_that_have_not_ended_in_the_order_in_which_they_were_made() {
    virtual_loop().run_until_complete(async {
        let short = spawn_named("short", sleep(ms(1)));
        let long = spawn_named("long", sleep(ms(9)));
        assert_eq!(names(&all_tasks()), ["main", "short", "long"]);
        sleep(ms(2)).await;
        // The new one has the slot of the old one only once that was joined; the order is that of making.
        short.await.unwrap();
        let late = spawn_named("late", sleep(ms(1)));
        assert_eq!(names(&all_tasks()), ["main", "long", "late"]);
        long.await.unwrap();
        late.await.unwrap();
        assert_eq!(all_tasks(), [current_task().unwrap()]);
    });
}

#[test]
fn all_tasks_can_be_asked_for_and_cancelled_from_a_callback() {
    virtual_loop().run_until_complete(async {
        let tasks: Vec<_> = (0..3).map(|_| spawn(pending::<()>())).collect();
        let seen = Rc::new(Cell::new((0, 0)));
        let count = Rc::clone(&seen);
        call_later(ms(5), move || {
            let all = all_tasks();
            let cancelled = all.iter().filter(|task| task.cancel()).count();
            count.set((all.len(), cancelled));
        });
        for task in tasks {
            assert!(task.await.unwrap_err().is_cancelled());
        }
        assert_eq!(seen.get(), (4, 3), "the main task is among them, and cannot be cancelled");
    });
}

#[test]
fn a_task_tells_its_state_from_the_first_turn_to_the_last() {
    virtual_loop().run_until_complete(async {
        let line = line!() + 2;
        let handle = spawn(async {
            sleep(ms(5)).await;
            current_task().unwrap().state()
        });
        let task = handle.task();
        assert_eq!(task.state(), TaskState::Ready);
        yield_now().await;
        let TaskState::Suspended { wait: Wait::Sleep, site: Some(site) } = task.state() else {
            panic!("{:?}", task.state());
        };
        assert_eq!(site.line(), line);
        assert_eq!(format!("{task:?}"), format!("{handle:?}"));
        assert_eq!(handle.await.unwrap(), TaskState::Running);
        assert_eq!(task.state(), TaskState::Finished);
        assert!(task.is_finished() && !task.cancel());
        assert_eq!(format!("{task:?}"), format!("<{} finished>", task.name()));
    });
}

#[test]
fn a_reference_to_a_task_does_not_mean_the_next_task_in_its_slot_and_may_outlive_the_loop() {
    let event_loop = virtual_loop();
    let (old, new) = event_loop.run_until_complete(async {
        let first = spawn_named("first", async {});
        let old = first.task();
        first.await.unwrap();
        let second = spawn_named("second", pending::<()>());
        let new = second.task();
        drop(second);
        assert!(!old.cancel() && !new.is_finished());
        (old, new)
    });
    drop(event_loop);
    assert!(old.is_finished() && new.is_finished() && !new.cancel());
    assert_eq!(names(&[old, new]), ["first", "second"]);
}

#[test]
fn a_task_may_cancel_itself_by_its_reference_and_ends_at_its_next_await() {
    virtual_loop().run_until_complete(async {
        let task = spawn(async {
            let own = current_task().unwrap();
            assert!(own.cancel());
            assert!(!own.cancel(), "once is enough");
            yield_now().await;
        });
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_main_task_is_not_cancelled_by_its_reference() {
    let said = virtual_loop().run_until_complete(async {
        assert!(!current_task().unwrap().cancel());
        yield_now().await;
        "its own"
    });
    assert_eq!(said, "its own");
}

#[test]
fn a_result_is_there_after_the_end_and_not_before_and_can_be_had_once() {
    virtual_loop().run_until_complete(async {
        let mut task = spawn(async { 5 });
        assert!(task.result().is_none());
        yield_now().await;
        assert_eq!(task.result().unwrap().unwrap(), 5);
        assert!(task.is_finished() && !task.cancel());
        let again = spawn(async move { task.result() });
        assert!(again.await.unwrap_err().to_string().contains("given its task's result already"));

        let mut task = spawn(async { panic!("out of flour") });
        let mut cancelled = spawn(async {});
        cancelled.cancel();
        yield_now().await;
        assert_eq!(task.result().unwrap().unwrap_err().to_string(), "panicked: out of flour");
        assert!(matches!(cancelled.result(), Some(Err(JoinError::Cancelled))));
    });
}

#[test]
fn done_callbacks_are_called_in_order_by_the_loop_and_before_whoever_awaits_goes_on() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let noted = log.clone();
        let task = spawn(async move {
            yield_now().await;
            noted.note("task ends");
        });
        for line in ["first", "second", "third"] {
            task.add_done_callback(noting(&log, line));
        }
        let noted = log.clone();
        task.add_done_callback(move |_| {
            assert!(current_task().is_none(), "no task is at work");
            noted.note("fourth");
        });
        task.await.unwrap();
        log.note("awaited");
    });
    let expected = ["task ends", "first: Done", "second: Done", "third: Done", "fourth", "awaited"];
    assert_eq!(log.lines(), expected);
}

#[test]
fn a_done_callback_added_to_a_finished_task_is_called_soon_and_not_at_once() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let mut task = spawn(async { panic!("out of flour") });
        yield_now().await;
        task.add_done_callback(noting(&log, "not joined"));
        log.note("added");
        yield_now().await;
        assert!(task.result().unwrap().unwrap_err().is_panic());
        let ticket = task.add_done_callback(noting(&log, "joined"));
        assert!(!task.remove_done_callback(ticket), "it is on its way");
        yield_now().await;
    });
    assert_eq!(log.lines(), ["added", "not joined: Panicked", "joined: Panicked"]);
}

#[test]
fn a_removed_done_callback_is_not_called() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let task = spawn(yield_now());
        let [_, second, third] =
            ["first", "second", "third"].map(|line| task.add_done_callback(noting(&log, line)));
        assert!(task.remove_done_callback(second));
        assert!(!task.remove_done_callback(second), "it is gone");
        let other = spawn(yield_now());
        assert!(!other.remove_done_callback(third), "it is not this task's");
        task.await.unwrap();
        other.await.unwrap();
    });
    assert_eq!(log.lines(), ["first: Done", "third: Done"]);
}

#[test]
fn done_callbacks_hear_of_a_cancel_and_of_a_detached_task_and_one_that_panics_stops_no_other() {
    logged::keep();
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let task = spawn(pending::<()>());
        task.add_done_callback(|_| panic!("a callback went wrong"));
        task.add_done_callback(noting(&log, "cancelled"));
        let detached = spawn(sleep(ms(1)));
        detached.add_done_callback(noting(&log, "detached"));
        drop(detached);
        yield_now().await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        sleep(ms(2)).await;
    });
    assert_eq!(log.lines(), ["cancelled: Cancelled", "detached: Done"]);
    assert!(logged::lines()[0].contains("a callback went wrong"));
}

#[test]
fn a_done_callback_may_spawn_and_add_more_callbacks() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let task = spawn(async {});
        let noted = log.clone();
        task.add_done_callback(move |_| {
            let next = spawn_named("next", async {});
            next.add_done_callback(noting(&noted, "next"));
        });
        for _ in 0..4 {
            yield_now().await;
        }
    });
    assert_eq!(log.lines(), ["next: Done"]);
}

#[test]
fn in_a_loop_that_is_closed_done_callbacks_are_dropped_uncalled() {
    let log = Log::default();
    let event_loop = virtual_loop();
    let task = event_loop.spawn(pending::<()>());
    event_loop.run_until_complete(yield_now());
    let owned = Rc::new(());
    let held = Rc::clone(&owned);
    task.add_done_callback(move |_| drop(held));
    task.add_done_callback(noting(&log, "never"));
    event_loop.close();
    task.add_done_callback(noting(&log, "never either"));
    assert!(log.lines().is_empty());
    assert_eq!(Rc::strong_count(&owned), 1);
}

#[test]
fn a_panic_that_nobody_takes_is_told_once_to_the_log_and_to_the_observer() {
    logged::keep();
    let recorder = Recorder::default();
    let event_loop = EventLoop::builder().virtual_time().observer(recorder.clone()).build().unwrap();
    event_loop.run_until_complete(async {
        drop(spawn_named("cook", async { panic!("out of flour") })); // ends after its handle
        let waiter = spawn_named("waiter", async { panic!("out of plates") });
        yield_now().await;
        drop(waiter); // ended before its handle
        let taken = spawn(async { panic!("taken") });
        assert!(taken.await.is_err());
        let cancelled = spawn(pending::<()>());
        cancelled.cancel();
        drop(cancelled);
        yield_now().await;
    });
    drop(event_loop);
    let unheard = recorder.events().into_iter().filter_map(|event| match event.kind {
        EventKind::Unheard { name, how, text, .. } => Some(format!("{name} {how}: {text}")),
        _ => None,
    });
    let unheard: Vec<_> = unheard.collect();
    assert_eq!(unheard, ["cook panicked: out of flour", "waiter panicked: out of plates"]);
    let lines = logged::lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("cook") && lines[1].contains("waiter"), "{lines:?}");
}

#[test]
fn a_shielded_task_goes_on_when_whoever_awaits_it_is_cancelled() {
    let log = Log::default();
    virtual_loop().run_until_complete(async {
        let noted = log.clone();
        let inner = spawn(async move {
            sleep(ms(5)).await;
            noted.note("inner went on");
        });
        let outer = spawn(async move { shield(inner).await });
        sleep(ms(1)).await;
        outer.cancel();
        assert!(outer.await.unwrap_err().is_cancelled());
        log.note("outer cancelled");
        sleep(ms(10)).await;
    });
    assert_eq!(log.lines(), ["outer cancelled", "inner went on"]);
}

#[test]
fn the_panic_of_a_task_whose_shield_was_dropped_is_reported() {
    logged::keep();
    virtual_loop().run_until_complete(async {
        let inner = spawn_named("saver", async {
            sleep(ms(5)).await;
            panic!("disk full")
        });
        assert!(wait_for(shield::<()>(inner), ms(1)).await.is_err());
        assert!(logged::lines().is_empty());
        sleep(ms(9)).await;
    });
    let lines = logged::lines();
    assert!(lines.len() == 1 && lines[0].contains("saver") && lines[0].contains("disk full"), "{lines:?}");
}

#[test]
fn a_shield_gives_the_result_and_does_not_keep_a_task_from_being_cancelled_itself() {
    virtual_loop().run_until_complete(async {
        assert_eq!(shield(spawn(async { 5 })).await.unwrap(), 5);
        let mut late = shield(spawn(async {
            sleep(ms(5)).await;
            6
        }));
        assert!(wait_for(&mut late, ms(1)).await.is_err());
        assert_eq!(late.await.unwrap(), 6, "it can be awaited again");
        let inner = shield(spawn(pending::<()>()));
        assert!(inner.handle().cancel());
        assert!(inner.await.unwrap_err().is_cancelled());
    });
}

/// Notes how a task stands whenever something is told of its polls and its end.
#[derive(Clone, Default)]
struct Standing {
    task: Rc<RefCell<Option<oneloop::Task>>>,
    states: Rc<RefCell<Vec<TaskState>>>,
}

impl oneloop::trace::Observer for Standing {
    fn event(&self, event: &oneloop::trace::Event) {
        use oneloop::trace::EventKind::{PollBegin, PollEnd, TaskEnd};
        if let PollBegin { task, .. } | PollEnd { task, .. } | TaskEnd { task, .. } = event.kind
            && let Some(noted) = self.task.borrow().as_ref().filter(|noted| noted.id() == task)
        {
            self.states.borrow_mut().push(noted.state());
        }
    }
}

/// Notes how its own task stands when it is dropped.
struct Guard(Standing);

impl Drop for Guard {
    fn drop(&mut self) {
        let task = current_task().unwrap();
        self.0.states.borrow_mut().push(task.state());
    }
}

#[test]
fn a_task_runs_from_the_begin_of_its_polls_until_its_end_was_told_however_it_ends() {
    for how in 0..3 {
        let standing = Standing::default();
        let event_loop = EventLoop::builder().virtual_time().observer(standing.clone()).build().unwrap();
        let other = standing.clone();
        let states = event_loop.run_until_complete(async move {
            let guard = Guard(other.clone());
            let handle = spawn(async move {
                let _guard = guard;
                sleep(ms(5)).await;
                match how {
                    0 => {}
                    1 => panic!("on purpose"),
                    _ => pending().await,
                }
            });
            *other.task.borrow_mut() = Some(handle.task());
            sleep(ms(10)).await;
            handle.cancel();
            assert_eq!(handle.await.is_ok(), how == 0);
            other.task.take();
            other.states.take()
        });
        assert!(states.len() >= 6, "{states:?}");
        assert!(states.iter().all(|state| *state == TaskState::Running), "{how}: {states:?}");
    }
}
