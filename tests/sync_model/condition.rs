//! A condition against its model: the line of those who wait to be notified, and the line at the mutex.

use std::task::Poll;

use oneloop::sync::{Condition, Mutex, MutexGuard};
use proptest::prelude::*;

use crate::{Hall, Line, Stage, Woken, config};

#[derive(Clone, Copy, Debug)]
enum ConditionOp {
    Lock,
    Wait,
    WaitFor,
    Poll(usize),
    Cancel(usize),
    Change,
    Unlock,
    Notify(usize),
    NotifyAll,
}

fn condition_op() -> impl Strategy<Value = ConditionOp> {
    prop_oneof![
        6 => Just(ConditionOp::Lock),
        3 => Just(ConditionOp::Wait),
        2 => Just(ConditionOp::WaitFor),
        10 => any::<usize>().prop_map(ConditionOp::Poll),
        3 => any::<usize>().prop_map(ConditionOp::Cancel),
        2 => Just(ConditionOp::Change),
        3 => Just(ConditionOp::Unlock),
        3 => (0usize..4).prop_map(ConditionOp::Notify),
        1 => Just(ConditionOp::NotifyAll),
    ]
}

/// What `wait_for` waits for.
fn is_even(value: &mut u32) -> bool {
    value.is_multiple_of(2)
}

#[derive(Default)]
struct ConditionModel {
    /// Somebody has the mutex, or it is promised to the first in the line.
    locked: bool,
    value: u32,
    at_mutex: Line,
    in_line: Line,
    /// Those at the mutex because they were notified.
    notified: Vec<usize>,
    /// Those who wait for an even value.
    choosy: Vec<usize>,
    woken: Vec<Woken>,
}

impl ConditionModel {
    /// Hands the mutex on, if it is free and somebody waits.
    fn settle(&mut self) {
        if !self.locked
            && let Some(woken) = self.at_mutex.advance(Stage::Granted)
        {
            self.locked = true;
            self.woken.push(woken);
        }
    }

    fn notify(&mut self, most: usize) {
        for _ in 0..most.min(self.in_line.count(Stage::Waiting)) {
            self.woken.extend(self.in_line.advance(Stage::Granted));
        }
    }

    /// One poll that asks for the mutex: whether it is there.
    fn lock(&mut self, id: usize, polls: u32) -> bool {
        if self.locked || !self.at_mutex.0.is_empty() {
            self.at_mutex.join_late(id, polls);
            return false;
        }
        self.locked = true;
        true
    }

    /// Somebody with the mutex begins to wait, unless the value is what it waits for.
    fn wait(&mut self, id: usize, polls: u32) -> bool {
        if self.choosy.contains(&id) && is_even(&mut self.value) {
            return true;
        }
        self.in_line.join_late(id, polls);
        self.locked = false;
        false
    }

    /// A later poll: whether it gets the mutex and keeps it.
    fn poll(&mut self, id: usize) -> bool {
        let (in_line, at_mutex) = (self.in_line.stage(id).copied(), self.at_mutex.stage(id).copied());
        let polls = 1 + in_line.or(at_mutex).expect("whoever waits is in a line").1;
        for waiter in self.in_line.stage(id).into_iter().chain(self.at_mutex.stage(id)) {
            waiter.1 = polls;
        }
        match (in_line, at_mutex) {
            (Some((_, _, Stage::Granted)), _) => {
                self.in_line.leave(id);
                self.notified.push(id);
                if !self.lock(id, polls) {
                    return false;
                }
            }
            (_, Some((_, _, Stage::Granted))) => {
                self.at_mutex.leave(id);
            }
            _ => return false,
        }
        self.notified.retain(|other| *other != id);
        !self.choosy.contains(&id) || self.wait(id, polls)
    }

    fn cancel(&mut self, id: usize) {
        if self.at_mutex.leave(id) == Some(Stage::Granted) {
            self.locked = false;
            self.settle();
        }
        let was_notified = self.notified.contains(&id) || self.in_line.leave(id) == Some(Stage::Granted);
        if was_notified {
            self.notify(1);
        }
    }
}

/// What a case works on.
struct Case<'a> {
    mutex: &'a Mutex<u32>,
    condition: &'a Condition,
    hall: Hall<'a, MutexGuard<'a, u32>>,
    held: Option<MutexGuard<'a, u32>>,
    model: ConditionModel,
}

impl<'a> Case<'a> {
    /// Compares what a poll gave with what the model says, and keeps the guard.
    fn got(&mut self, poll: Poll<MutexGuard<'a, u32>>, expected: bool) -> Result<(), TestCaseError> {
        prop_assert_eq!(poll.is_ready(), expected);
        if let Poll::Ready(guard) = poll {
            prop_assert!(self.held.is_none(), "two have it");
            self.held = Some(guard);
        }
        Ok(())
    }

    fn wait(&mut self, choosy: bool) -> Result<(), TestCaseError> {
        let Some(guard) = self.held.take() else { return Ok(()) };
        let (id, poll) = if choosy {
            let (id, poll) = self.hall.start(self.condition.wait_for(guard, is_even));
            self.model.choosy.push(id);
            (id, poll)
        } else {
            self.hall.start(self.condition.wait(guard))
        };
        let expected = self.model.wait(id, 1);
        self.got(poll, expected)
    }

    /// Does one operation to both; `Err` if their answers differ.
    fn step(&mut self, op: ConditionOp) -> Result<(), TestCaseError> {
        match op {
            ConditionOp::Lock => {
                let (id, poll) = self.hall.start(self.mutex.lock());
                let expected = self.model.lock(id, 1);
                self.got(poll, expected)?;
            }
            ConditionOp::Wait => self.wait(false)?,
            ConditionOp::WaitFor => self.wait(true)?,
            ConditionOp::Poll(random) => {
                if let Some(at) = self.hall.pick(random) {
                    let expected = self.model.poll(self.hall.waiting[at].id);
                    let poll = self.hall.poll(at);
                    self.got(poll, expected)?;
                }
            }
            ConditionOp::Cancel(random) => {
                if let Some(at) = self.hall.pick(random) {
                    self.model.cancel(self.hall.waiting.remove(at).id);
                }
            }
            ConditionOp::Change => {
                if let Some(guard) = &mut self.held {
                    **guard += 1;
                    self.model.value += 1;
                }
            }
            ConditionOp::Unlock => {
                if self.held.take().is_some() {
                    self.model.locked = false;
                }
            }
            ConditionOp::Notify(most) => {
                self.condition.notify(most);
                self.model.notify(most);
            }
            ConditionOp::NotifyAll => {
                self.condition.notify_all();
                self.model.notify(usize::MAX);
            }
        }
        self.model.settle();
        Ok(())
    }
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn a_condition_does_what_its_model_does(ops in prop::collection::vec(condition_op(), 1..100)) {
        let (mutex, condition) = (Mutex::new(0), Condition::new());
        let mut case = Case {
            mutex: &mutex,
            condition: &condition,
            hall: Hall::new(),
            held: None,
            model: ConditionModel::default(),
        };
        for op in ops {
            case.step(op)?;
            prop_assert_eq!(case.hall.woken(), std::mem::take(&mut case.model.woken));
            prop_assert_eq!(mutex.is_locked(), case.model.locked);
        }
    }
}
