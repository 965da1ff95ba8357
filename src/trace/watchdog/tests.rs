//! When it speaks, and when it does not.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A pulse, fed with these kinds as events; each `None` is a look, after any time.
fn told(kinds: impl IntoIterator<Item = Option<E>>) -> (Arc<Pulse>, usize) {
    let pulse = Arc::new(Pulse::default());
    let dog = Watchdog { pulse: Arc::clone(&pulse), names: true, thread: None };
    let (mut seq, mut told) = (0, 0);
    for kind in kinds {
        match kind {
            Some(kind) => {
                dog.event(&Event { seq, time: SECOND, cause: None, thread: None, kind });
                seq += 1;
            }
            None => pulse.look(Duration::ZERO, |_| told += 1),
        }
    }
    (pulse, told)
}

fn begin(task: u64, poll: u32) -> Option<E> {
    Some(E::PollBegin { task: TaskId(task), poll, waited: Duration::ZERO })
}

fn end(task: u64, poll: u32) -> Option<E> {
    let task = TaskId(task);
    Some(E::PollEnd { task, poll, took: Duration::ZERO, suspended: None, wakers: 0 })
}

#[test]
fn one_poll_that_is_seen_twice_is_told_of_and_then_no_more_for_long() {
    let (pulse, times) = told([begin(1, 1), None, None]);
    assert_eq!(times, 1);
    assert_eq!(pulse.whose(), Actor::Task(TaskId(1)));
    let callback = CallbackId(4);
    assert_eq!(told([Some(E::CallbackBegin { callback }), None, None]).1, 1);
}

#[test]
fn polls_that_end_are_not_told_of_however_long_all_of_them_take() {
    let polls = (1..50).flat_map(|poll| [begin(1, poll), None, end(1, poll)]);
    assert_eq!(told(polls).1, 0);
    let polls =
        (1..50).flat_map(|poll| [None, begin(1, poll), end(1, poll), begin(2, poll), None, end(2, poll)]);
    assert_eq!(told(polls).1, 0);
    assert!(told([begin(1, 1), None, end(1, 1), None, None]).0.held_up_by().is_none());
}

#[test]
fn a_poll_in_which_an_observer_holds_up_the_loop_is_not_to_blame() {
    let (pulse, _) = told([begin(1, 1), None]);
    let look = || {
        let mut told = false;
        pulse.look(Duration::ZERO, |_| told = true);
        told
    };
    pulse.hold(|| assert!(!look() && !look()));
    assert!(!look(), "it counts anew from then on");
    assert!(look());
}

#[test]
fn it_is_said_who_it_is_and_from_where_on() {
    let site = Place { file: "src/main.rs", line: 40, column: 5 };
    let task = TaskId(3);
    let spawn = |name: &str| {
        let by = Actor::Loop;
        Some(E::Spawn { task, name: name.into(), by, site, future: "f", size: 1 })
    };
    let (pulse, _) = told([spawn("re\u{1b}size"), begin(3, 1), None]);
    let text = pulse.held_up_by().expect("it goes on");
    assert!(!text.contains('\u{1b}') && text.contains("from its beginning, and holds the loop up"), "{text}");
    assert!(text.ends_with("; spawned at src/main.rs:40"), "{text}");
}
