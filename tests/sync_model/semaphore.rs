//! A semaphore, with and without a bound, against its model.

use std::task::Poll;

use oneloop::sync::{Acquire, BoundedSemaphore, Permit, Semaphore};
use proptest::prelude::*;

use crate::{Hall, Line, Stage, Woken, config};

#[derive(Clone, Copy, Debug)]
enum SemaphoreOp {
    Acquire,
    TryAcquire,
    Poll(usize),
    Cancel(usize),
    DropPermit(usize),
    Forget(usize),
    Add(usize),
}

fn semaphore_op() -> impl Strategy<Value = SemaphoreOp> {
    prop_oneof![
        6 => Just(SemaphoreOp::Acquire),
        3 => Just(SemaphoreOp::TryAcquire),
        6 => any::<usize>().prop_map(SemaphoreOp::Poll),
        4 => any::<usize>().prop_map(SemaphoreOp::Cancel),
        5 => any::<usize>().prop_map(SemaphoreOp::DropPermit),
        1 => any::<usize>().prop_map(SemaphoreOp::Forget),
        2 => (0usize..4).prop_map(SemaphoreOp::Add),
    ]
}

/// Either kind.
enum Subject {
    Plain(Semaphore),
    Bounded(BoundedSemaphore),
}

impl Subject {
    fn acquire(&self) -> Acquire<'_> {
        match self {
            Self::Plain(semaphore) => semaphore.acquire(),
            Self::Bounded(semaphore) => semaphore.acquire(),
        }
    }

    fn try_acquire(&self) -> Option<Permit> {
        match self {
            Self::Plain(semaphore) => semaphore.try_acquire(),
            Self::Bounded(semaphore) => semaphore.try_acquire(),
        }
    }

    /// The permits that nobody holds, and whether a newcomer would wait.
    fn look(&self) -> (usize, bool) {
        match self {
            Self::Plain(semaphore) => (semaphore.available(), semaphore.is_locked()),
            Self::Bounded(semaphore) => (semaphore.available(), semaphore.is_locked()),
        }
    }

    /// Gives back or adds so many permits, as far as that is allowed, and says how many those are.
    fn add(&self, permits: usize, forgotten: usize) -> usize {
        match self {
            Self::Plain(semaphore) => {
                semaphore.add_permits(permits);
                permits
            }
            Self::Bounded(semaphore) => {
                let allowed = permits.min(forgotten);
                (0..allowed).for_each(|_| semaphore.release());
                allowed
            }
        }
    }
}

#[derive(Default)]
struct SemaphoreModel {
    permits: usize,
    forgotten: usize,
    line: Line,
    woken: Vec<Woken>,
}

impl SemaphoreModel {
    fn take(&mut self) -> bool {
        let free = self.permits > 0 && self.line.0.is_empty();
        self.permits -= usize::from(free);
        free
    }

    /// Whether a later poll gets the permit.
    fn poll(&mut self, id: usize) -> bool {
        if let Some((_, polls, Stage::Waiting)) = self.line.stage(id) {
            *polls += 1;
            return false;
        }
        self.line.leave(id).is_some()
    }

    fn settle(&mut self) {
        while self.permits > 0 && self.line.count(Stage::Waiting) > 0 {
            self.permits -= 1;
            self.woken.extend(self.line.advance(Stage::Granted));
        }
    }
}

fn check(semaphore: &Subject, permits: usize, ops: Vec<SemaphoreOp>) -> Result<(), TestCaseError> {
    let mut hall: Hall<'_, Permit> = Hall::new();
    let mut model = SemaphoreModel { permits, ..SemaphoreModel::default() };
    let mut held: Vec<Permit> = Vec::new();
    for op in ops {
        match op {
            SemaphoreOp::Acquire => {
                let (id, poll) = hall.start(semaphore.acquire());
                let free = model.take();
                prop_assert_eq!(poll.is_ready(), free);
                match poll {
                    Poll::Ready(permit) => held.push(permit),
                    Poll::Pending => model.line.join(id),
                }
            }
            SemaphoreOp::TryAcquire => {
                let permit = semaphore.try_acquire();
                prop_assert_eq!(permit.is_some(), model.take());
                held.extend(permit);
            }
            SemaphoreOp::Poll(random) => {
                if let Some(at) = hall.pick(random) {
                    let id = hall.waiting[at].id;
                    let poll = hall.poll(at);
                    prop_assert_eq!(poll.is_ready(), model.poll(id));
                    if let Poll::Ready(permit) = poll {
                        held.push(permit);
                    }
                }
            }
            SemaphoreOp::Cancel(random) => {
                if let Some(at) = hall.pick(random) {
                    let stage = model.line.leave(hall.waiting.remove(at).id);
                    model.permits += usize::from(stage == Some(Stage::Granted));
                }
            }
            SemaphoreOp::DropPermit(random) if !held.is_empty() => {
                drop(held.swap_remove(random % held.len()));
                model.permits += 1;
            }
            SemaphoreOp::Forget(random) if !held.is_empty() => {
                held.swap_remove(random % held.len()).forget();
                model.forgotten += 1;
            }
            SemaphoreOp::DropPermit(_) | SemaphoreOp::Forget(_) => {}
            SemaphoreOp::Add(permits) => {
                let added = semaphore.add(permits, model.forgotten);
                model.permits += added;
                model.forgotten = model.forgotten.saturating_sub(added);
            }
        }
        model.settle();
        prop_assert_eq!(hall.woken(), std::mem::take(&mut model.woken));
        prop_assert_eq!(semaphore.look(), (model.permits, model.permits == 0 || !model.line.0.is_empty()));
        let out = held.len() + model.forgotten + model.line.count(Stage::Granted);
        prop_assert!(matches!(semaphore, Subject::Plain(_)) || model.permits + out == permits);
    }
    Ok(())
}

fn ops() -> impl Strategy<Value = Vec<SemaphoreOp>> {
    prop::collection::vec(semaphore_op(), 1..80)
}

proptest! {
    #![proptest_config(config(700))]

    #[test]
    fn a_semaphore_does_what_its_model_does(permits in 0usize..4, ops in ops()) {
        check(&Subject::Plain(Semaphore::new(permits)), permits, ops)?;
    }

    #[test]
    fn a_bounded_semaphore_does_what_its_model_does(permits in 1usize..4, ops in ops()) {
        check(&Subject::Bounded(BoundedSemaphore::new(permits)), permits, ops)?;
    }
}
