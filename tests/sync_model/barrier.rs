//! A barrier against its model: a list for each part that a task may play at it.

use std::collections::HashMap;
use std::task::Poll;

use oneloop::sync::Barrier;
use proptest::prelude::*;

use crate::{Hall, Woken, config};

#[derive(Clone, Copy, Debug)]
enum BarrierOp {
    Wait,
    Poll(usize),
    Cancel(usize),
    Reset,
    Abort,
}

fn barrier_op() -> impl Strategy<Value = BarrierOp> {
    prop_oneof![
        8 => Just(BarrierOp::Wait),
        10 => any::<usize>().prop_map(BarrierOp::Poll),
        3 => any::<usize>().prop_map(BarrierOp::Cancel),
        1 => Just(BarrierOp::Reset),
        1 => Just(BarrierOp::Abort),
    ]
}

/// The number, or `None` for who is refused.
type Answer = Option<usize>;

#[derive(Default)]
struct BarrierModel {
    parties: usize,
    /// Who waits for this round to be complete.
    here: Vec<usize>,
    /// Who waits for the next round, while the last one leaves.
    outside: Vec<usize>,
    /// Who was released and has not left.
    leaving: Vec<usize>,
    /// Who was refused and does not know.
    refused: Vec<usize>,
    /// Those who leave are refused too: there was a reset or an abort.
    spoiled: bool,
    broken: bool,
    /// The numbers given out in this round.
    numbers: usize,
    /// The last poll of each.
    polls: HashMap<usize, u32>,
    woken: Vec<Woken>,
}

impl BarrierModel {
    fn wake(&mut self, ids: &[usize]) {
        self.woken.extend(ids.iter().map(|id| (*id, self.polls[id])));
    }

    fn release(&mut self) {
        self.leaving = std::mem::take(&mut self.here);
        self.numbers = 0;
        self.spoiled = false;
        self.wake(&self.leaving.clone());
    }

    /// When all have left, those outside come in.
    fn settle(&mut self) {
        while self.leaving.is_empty() && !self.outside.is_empty() {
            let count = self.outside.len().min(self.parties - self.here.len());
            self.here.extend(self.outside.drain(..count));
            if self.here.len() < self.parties {
                break;
            }
            self.release();
        }
    }

    fn start(&mut self, id: usize) -> Poll<Answer> {
        self.polls.insert(id, 1);
        if self.broken {
            return Poll::Ready(None);
        }
        if !self.leaving.is_empty() {
            self.outside.push(id);
        } else if self.here.len() + 1 < self.parties {
            self.here.push(id);
        } else {
            self.release();
            return Poll::Ready(Some(self.parties - 1));
        }
        Poll::Pending
    }

    fn poll(&mut self, id: usize) -> Poll<Answer> {
        *self.polls.get_mut(&id).unwrap() += 1;
        if remove(&mut self.refused, id) {
            return Poll::Ready(None);
        }
        if !remove(&mut self.leaving, id) {
            return Poll::Pending;
        }
        let answer = (!self.spoiled).then_some(self.numbers);
        self.numbers += 1;
        self.settle();
        Poll::Ready(answer)
    }

    fn cancel(&mut self, id: usize) {
        for list in [&mut self.here, &mut self.outside, &mut self.leaving, &mut self.refused] {
            remove(list, id);
        }
        self.settle();
    }

    fn refuse(&mut self, ids: Vec<usize>) {
        self.wake(&ids);
        self.refused.extend(ids);
    }

    fn reset(&mut self) {
        self.spoiled = true;
        self.broken = false;
        let here = std::mem::take(&mut self.here);
        self.refuse(here);
    }

    fn abort(&mut self) {
        self.reset();
        self.broken = true;
        let outside = std::mem::take(&mut self.outside);
        self.refuse(outside);
    }
}

fn remove(list: &mut Vec<usize>, id: usize) -> bool {
    let before = list.len();
    list.retain(|other| *other != id);
    list.len() < before
}

proptest! {
    #![proptest_config(config(1_200))]

    #[test]
    fn a_barrier_does_what_its_model_does(
        parties in 1usize..5,
        ops in prop::collection::vec(barrier_op(), 1..80),
    ) {
        let barrier = Barrier::new(parties);
        let mut hall: Hall<'_, Answer> = Hall::new();
        let mut model = BarrierModel { parties, ..BarrierModel::default() };
        for op in ops {
            match op {
                BarrierOp::Wait => {
                    let (id, poll) = hall.start(async { barrier.wait().await.ok() });
                    prop_assert_eq!(poll, model.start(id));
                }
                BarrierOp::Poll(random) => {
                    if let Some(at) = hall.pick(random) {
                        let id = hall.waiting[at].id;
                        prop_assert_eq!(hall.poll(at), model.poll(id));
                    }
                }
                BarrierOp::Cancel(random) => {
                    if let Some(at) = hall.pick(random) {
                        model.cancel(hall.waiting.remove(at).id);
                    }
                }
                BarrierOp::Reset => {
                    barrier.reset();
                    model.reset();
                }
                BarrierOp::Abort => {
                    barrier.abort();
                    model.abort();
                }
            }
            prop_assert_eq!(hall.woken(), std::mem::take(&mut model.woken));
            prop_assert_eq!(barrier.waiting(), model.here.len() + model.outside.len());
            prop_assert_eq!(barrier.is_broken(), model.broken);
        }
    }
}
