//! A mutex against its model: a flag, a value and a line.

use std::task::Poll;

use oneloop::sync::{Mutex, MutexGuard};
use proptest::prelude::*;

use crate::{Hall, Line, Stage, config};

#[derive(Clone, Copy, Debug)]
enum MutexOp {
    Lock,
    TryLock,
    Poll(usize),
    Cancel(usize),
    Change,
    Unlock,
}

fn mutex_op() -> impl Strategy<Value = MutexOp> {
    prop_oneof![
        5 => Just(MutexOp::Lock),
        1 => Just(MutexOp::TryLock),
        6 => any::<usize>().prop_map(MutexOp::Poll),
        3 => any::<usize>().prop_map(MutexOp::Cancel),
        2 => Just(MutexOp::Change),
        5 => Just(MutexOp::Unlock),
    ]
}

#[derive(Default)]
struct MutexModel {
    /// Somebody has it, or it is promised to the first in the line.
    locked: bool,
    line: Line,
    value: u32,
}

impl MutexModel {
    /// Whether a newcomer gets it.
    fn lock(&mut self) -> bool {
        let free = !self.locked && self.line.0.is_empty();
        self.locked |= free;
        free
    }

    /// Whether one that waits gets it.
    fn poll(&mut self, id: usize) -> bool {
        if let Some((_, polls, Stage::Waiting)) = self.line.stage(id) {
            *polls += 1;
            return false;
        }
        self.line.leave(id).is_some()
    }
}

proptest! {
    #![proptest_config(config(700))]

    #[test]
    fn a_mutex_does_what_its_model_does(ops in prop::collection::vec(mutex_op(), 1..80)) {
        let mutex = Mutex::new(0);
        let mut hall: Hall<'_, MutexGuard<'_, u32>> = Hall::new();
        let (mut model, mut held) = (MutexModel::default(), None);
        for op in ops {
            match op {
                MutexOp::Lock => {
                    let (id, poll) = hall.start(mutex.lock());
                    let free = model.lock();
                    prop_assert_eq!(poll.is_ready(), free);
                    match poll {
                        Poll::Ready(guard) => held = Some(guard),
                        Poll::Pending => model.line.join(id),
                    }
                }
                MutexOp::TryLock => {
                    let guard = mutex.try_lock();
                    prop_assert_eq!(guard.is_some(), model.lock());
                    held = guard.or(held);
                }
                MutexOp::Poll(random) => {
                    if let Some(at) = hall.pick(random) {
                        let id = hall.waiting[at].id;
                        let poll = hall.poll(at);
                        prop_assert_eq!(poll.is_ready(), model.poll(id));
                        if let Poll::Ready(guard) = poll {
                            prop_assert!(held.is_none(), "two have it");
                            held = Some(guard);
                        }
                    }
                }
                MutexOp::Cancel(random) => {
                    if let Some(at) = hall.pick(random)
                        && model.line.leave(hall.waiting.remove(at).id) == Some(Stage::Granted)
                    {
                        model.locked = false;
                    }
                }
                MutexOp::Change => {
                    if let Some(guard) = &mut held {
                        **guard += 1;
                        model.value += 1;
                    }
                }
                MutexOp::Unlock => {
                    if let Some(guard) = held.take() {
                        prop_assert_eq!(*guard, model.value);
                        drop(guard);
                        model.locked = false;
                    }
                }
            }
            let next = if model.locked { None } else { model.line.advance(Stage::Granted) };
            model.locked |= next.is_some();
            prop_assert_eq!(hall.woken(), Vec::from_iter(next));
            prop_assert_eq!(mutex.is_locked(), model.locked);
        }
    }
}
