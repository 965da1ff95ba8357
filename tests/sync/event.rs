//! Events on a loop.

use oneloop::sync::Event;
use oneloop::{JoinHandle, spawn, wait_for};

use crate::{Notes, let_all_run, ms, virtually};

fn waiter(event: &Event, notes: &Notes<u32>, number: u32) -> JoinHandle<()> {
    let (event, notes) = (event.clone(), notes.clone());
    spawn(async move {
        event.wait().await;
        notes.add(number);
    })
}

#[test]
fn a_task_made_before_the_set_but_not_yet_run_goes_before_those_that_the_set_releases() {
    virtually(async {
        let (event, notes) = (Event::new(), Notes::default());
        let _early = [waiter(&event, &notes, 1), waiter(&event, &notes, 2)];
        let_all_run().await;
        assert!(notes.take().is_empty());
        let _late = waiter(&event, &notes, 3);
        event.set();
        let_all_run().await;
        // It was in the ready queue already, and finds the event set.
        assert_eq!(notes.take(), [3, 1, 2]);
    });
}

#[test]
fn a_wait_for_an_event_that_is_set_returns_at_once() {
    virtually(async {
        let event = Event::new();
        event.set();
        event.set();
        assert!(wait_for(event.wait(), ms(0)).await.is_ok());
        event.clear();
        event.clear();
        assert!(!event.is_set());
        assert!(wait_for(event.wait(), ms(10)).await.is_err());
    });
}

#[test]
fn a_cancelled_wait_leaves_no_trace() {
    virtually(async {
        let (event, notes) = (Event::new(), Notes::default());
        let (first, _second) = (waiter(&event, &notes, 1), waiter(&event, &notes, 2));
        let_all_run().await;
        first.cancel();
        assert!(first.await.unwrap_err().is_cancelled());
        event.set();
        let_all_run().await;
        assert_eq!(notes.take(), [2]);
    });
}

#[test]
fn set_clear_set_set_releases_a_waiter_once() {
    virtually(async {
        let (event, notes) = (Event::new(), Notes::default());
        let task = waiter(&event, &notes, 1);
        let_all_run().await;
        event.set();
        event.clear();
        assert!(!event.is_set());
        event.set();
        event.set();
        task.await.unwrap();
        assert_eq!(notes.take(), [1]);
    });
}
