//! What a task says that it waits for, and at which line.

use oneloop::sync::{Barrier, Condition, Event, LifoQueue, Mutex, PriorityQueue, Queue, Semaphore, oneshot};
use oneloop::trace::{Actor, Event as TraceEvent, EventKind, Observer, TaskId, Wait};
use oneloop::{EventLoop, spawn};

use crate::{Notes, let_all_run};

/// Notes what tasks other than the main one are suspended for, and at which line of this file.
struct Listener(Notes<(Wait, u32)>);

impl Observer for Listener {
    fn event(&self, event: &TraceEvent) {
        if let EventKind::PollEnd { task, suspended: Some((wait, Some(site))), .. } = event.kind
            && task.0 > 0
        {
            assert_eq!(site.file, file!());
            self.0.add((wait, site.line));
        }
    }
}

/// Spawns a task that awaits this, and notes that it waits for such a thing at the line of the call.
macro_rules! expect {
    ($expected:ident, $wait:ident, $future:expr) => {
        $expected.add((Wait::$wait, line!()));
        drop(spawn(async move {
            let _given = $future.await;
        }));
    };
}

#[test]
fn every_wait_says_what_for_and_at_which_line_of_the_program() {
    let (noted, expected) = (Notes::default(), Notes::default());
    let watched = EventLoop::builder().virtual_time().observer(Listener(noted.clone())).build().unwrap();
    watched.run_until_complete(async {
        let (full, empty) = (Queue::new(1), Queue::<u8>::new(1));
        full.try_put(1).unwrap();
        let (put, join) = (full.clone(), full.clone());
        expect!(expected, Put, put.put(2));
        expect!(expected, Get, empty.get());
        expect!(expected, QueueJoin, join.join());
        let (stack, lowest) = (LifoQueue::<u8>::new(1), PriorityQueue::<u8>::new(1));
        expect!(expected, Get, stack.get());
        expect!(expected, Get, lowest.get());
        let (semaphore, event, barrier) = (Semaphore::new(0), Event::new(), Barrier::new(2));
        expect!(expected, Acquire, semaphore.acquire());
        expect!(expected, Event, event.wait());
        expect!(expected, Barrier, barrier.wait());
        let (mutex, condition) = (Mutex::new(1), Condition::new());
        let (held, waited) = (mutex.clone(), condition.clone());
        expect!(expected, Condition, waited.wait(held.try_lock().unwrap()));
        let (held, waited) = (mutex.clone(), condition.clone());
        expect!(expected, Condition, waited.wait_for(held.try_lock().unwrap(), |value| *value > 1));
        let (_sender, receiver) = oneshot::channel::<u8>();
        expect!(expected, Receive, receiver);
        let_all_run().await;
        assert_eq!(noted.take(), expected.take());

        // Notified, the two wait for the mutex at the same lines.
        let _held = mutex.lock().await;
        let other = mutex.clone();
        expect!(expected, Lock, other.lock());
        let_all_run().await;
        assert_eq!(noted.take(), expected.take());
        condition.notify_all();
        let_all_run().await;
        assert!(noted.take().iter().map(|noted| noted.0).eq([Wait::Lock; 2]));
    });
}

/// Notes what is told of lines: of which, what, and who did it.
struct Lines(Notes<(u64, &'static str, Actor)>);

impl Observer for Lines {
    fn event(&self, event: &TraceEvent) {
        let (line, what, by) = match &event.kind {
            EventKind::LineWait { line, ticket: 0, wait: Wait::Receive, by, .. } => (line, "wait", by),
            EventKind::LineGrant { line, ticket: 0, by } => (line, "grant", by),
            EventKind::LineLeave { line, ticket: 0, served: true, by } => (line, "served", by),
            EventKind::LineLeave { line, ticket: 0, served: false, by } => (line, "left", by),
            EventKind::LineWait { .. } | EventKind::LineGrant { .. } | EventKind::LineLeave { .. } => {
                panic!("there is no such line: {:?}", event.kind)
            }
            _ => return,
        };
        self.0.add((line.0, what, by.clone()));
    }
}

#[test]
fn a_oneshot_is_told_of_as_a_line_in_which_its_receiver_stands() {
    let noted = Notes::default();
    let watched = EventLoop::builder().virtual_time().observer(Lines(noted.clone())).build().unwrap();
    let task = |number| Actor::Task(TaskId(number));
    watched.run_until_complete(async {
        let (sender, receiver) = oneshot::channel();
        let waiter = spawn(receiver);
        let_all_run().await;
        sender.send(1).unwrap();
        assert_eq!(waiter.await.unwrap(), Ok(1));
        assert_eq!(noted.take(), [(0, "wait", task(1)), (0, "grant", task(0)), (0, "served", task(1))]);

        let (sender, receiver) = oneshot::channel::<u8>();
        let waiter = spawn(receiver);
        let_all_run().await;
        drop(sender);
        waiter.await.unwrap().unwrap_err();
        assert_eq!(noted.take(), [(1, "wait", task(2)), (1, "grant", task(0)), (1, "served", task(2))]);

        let (sender, receiver) = oneshot::channel();
        let waiter = spawn(receiver);
        let_all_run().await;
        waiter.cancel();
        waiter.await.unwrap_err();
        sender.send(3).unwrap_err();
        assert_eq!(noted.take(), [(2, "wait", task(3)), (2, "left", task(3))]);

        // Who does not have to wait stands in no line.
        let (sender, receiver) = oneshot::channel();
        sender.send(4).unwrap();
        assert_eq!(receiver.await, Ok(4));
        let (_sender, mut receiver) = oneshot::channel::<u8>();
        assert_eq!(receiver.try_recv(), Ok(None));
        drop(receiver);
        assert_eq!(noted.take(), []);
    });
}
