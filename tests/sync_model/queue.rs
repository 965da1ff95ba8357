//! A queue against its model.

use std::collections::VecDeque;
use std::task::Poll;

use oneloop::sync::{PutError, Queue, QueueError};
use proptest::prelude::*;

use crate::{Hall, Line, Stage, Woken, config};

#[derive(Clone, Copy, Debug)]
enum QueueOp {
    Put,
    Get,
    Join,
    TryPut,
    TryGet,
    Poll(usize),
    Cancel(usize),
    TaskDone,
    Shutdown(bool),
}

fn queue_op() -> impl Strategy<Value = QueueOp> {
    prop_oneof![
        6 => Just(QueueOp::Put),
        6 => Just(QueueOp::Get),
        1 => Just(QueueOp::Join),
        3 => Just(QueueOp::TryPut),
        3 => Just(QueueOp::TryGet),
        8 => any::<usize>().prop_map(QueueOp::Poll),
        5 => any::<usize>().prop_map(QueueOp::Cancel),
        3 => Just(QueueOp::TaskDone),
        1 => prop::bool::weighted(0.3).prop_map(QueueOp::Shutdown),
    ]
}

/// The answer of any future of a queue.
#[derive(Debug, PartialEq)]
enum Answer {
    Put(Result<(), PutError<u32>>),
    Got(Result<u32, QueueError>),
    Joined,
}

#[derive(Default)]
struct QueueModel {
    items: VecDeque<u32>,
    maxsize: usize,
    getters: Line,
    /// The item of each put that waits stands beside its place in the line.
    putters: Line,
    unput: Vec<(usize, u32)>,
    joiners: Line,
    unfinished: usize,
    shut: bool,
    woken: Vec<Woken>,
}

impl QueueModel {
    fn room(&self) -> bool {
        self.maxsize == 0 || self.items.len() + self.putters.count(Stage::Granted) < self.maxsize
    }

    fn unreserved(&self) -> bool {
        self.items.len() > self.getters.count(Stage::Granted)
    }

    /// What the documentation promises after each operation.
    fn settle(&mut self) {
        while self.shut && self.putters.count(Stage::Waiting) > 0 {
            self.woken.extend(self.putters.advance(Stage::Dismissed));
        }
        while self.unreserved() && self.getters.count(Stage::Waiting) > 0 {
            self.woken.extend(self.getters.advance(Stage::Granted));
        }
        while self.shut && self.items.is_empty() && self.getters.count(Stage::Waiting) > 0 {
            self.woken.extend(self.getters.advance(Stage::Dismissed));
        }
        while self.room() && self.putters.count(Stage::Waiting) > 0 {
            self.woken.extend(self.putters.advance(Stage::Granted));
        }
        while self.unfinished == 0 && self.joiners.count(Stage::Waiting) > 0 {
            self.woken.extend(self.joiners.advance(Stage::Granted));
        }
    }

    fn accept(&mut self, item: u32) -> Result<(), PutError<u32>> {
        if self.shut {
            return Err(PutError::ShutDown(item));
        }
        self.items.push_back(item);
        self.unfinished += 1;
        Ok(())
    }

    fn try_put(&mut self, item: u32) -> Result<(), PutError<u32>> {
        if self.shut || self.room() && self.putters.0.is_empty() {
            return self.accept(item);
        }
        Err(PutError::Full(item))
    }

    fn try_get(&mut self) -> Result<u32, QueueError> {
        let over = self.shut && self.items.is_empty();
        let empty = if over { QueueError::ShutDown } else { QueueError::Empty };
        self.items.remove(self.getters.count(Stage::Granted)).ok_or(empty)
    }

    /// The first poll of a put.
    fn put(&mut self, id: usize, item: u32) -> Poll<Answer> {
        match self.try_put(item) {
            Err(PutError::Full(item)) => {
                self.putters.join(id);
                self.unput.push((id, item));
                Poll::Pending
            }
            answer => Poll::Ready(Answer::Put(answer)),
        }
    }

    /// The first poll of a get.
    fn get(&mut self, id: usize) -> Poll<Answer> {
        match self.try_get() {
            Err(QueueError::Empty) => {
                self.getters.join(id);
                Poll::Pending
            }
            answer => Poll::Ready(Answer::Got(answer)),
        }
    }

    fn join(&mut self, id: usize) -> Poll<Answer> {
        if self.unfinished == 0 {
            return Poll::Ready(Answer::Joined);
        }
        self.joiners.join(id);
        Poll::Pending
    }

    /// A later poll of any of them.
    fn poll(&mut self, id: usize) -> Poll<Answer> {
        for line in [&mut self.getters, &mut self.putters, &mut self.joiners] {
            if let Some((_, polls, Stage::Waiting)) = line.stage(id) {
                *polls += 1;
                return Poll::Pending;
            }
        }
        Poll::Ready(if self.getters.leave(id).is_some() {
            Answer::Got(self.items.pop_front().ok_or(QueueError::ShutDown))
        } else if self.putters.leave(id).is_some() {
            let at = self.unput.iter().position(|unput| unput.0 == id).unwrap();
            let item = self.unput.remove(at).1;
            Answer::Put(self.accept(item))
        } else {
            self.joiners.leave(id).unwrap();
            Answer::Joined
        })
    }

    fn cancel(&mut self, id: usize) {
        self.getters.leave(id);
        self.putters.leave(id);
        self.joiners.leave(id);
        self.unput.retain(|unput| unput.0 != id);
    }

    fn shutdown(&mut self, immediate: bool) {
        self.shut = true;
        if immediate {
            self.unfinished = self.unfinished.saturating_sub(self.items.len());
            self.items.clear();
        }
    }
}

/// Does one operation to both; `Err` if their answers differ.
fn step_queue<'a>(
    op: QueueOp,
    next: &mut u32,
    queue: &'a Queue<u32>,
    hall: &mut Hall<'a, Answer>,
    model: &mut QueueModel,
) -> Result<(), TestCaseError> {
    *next += 1;
    let item = *next;
    match op {
        QueueOp::Put => {
            let (id, poll) = hall.start(async move { Answer::Put(queue.put(item).await) });
            prop_assert_eq!(poll, model.put(id, item));
        }
        QueueOp::Get => {
            let (id, poll) = hall.start(async move { Answer::Got(queue.get().await) });
            prop_assert_eq!(poll, model.get(id));
        }
        QueueOp::Join => {
            let (id, poll) = hall.start(async move {
                queue.join().await;
                Answer::Joined
            });
            prop_assert_eq!(poll, model.join(id));
        }
        QueueOp::TryPut => prop_assert_eq!(queue.try_put(item), model.try_put(item)),
        QueueOp::TryGet => prop_assert_eq!(queue.try_get(), model.try_get()),
        QueueOp::Poll(random) => {
            if let Some(at) = hall.pick(random) {
                let id = hall.waiting[at].id;
                prop_assert_eq!(hall.poll(at), model.poll(id));
            }
        }
        QueueOp::Cancel(random) => {
            if let Some(at) = hall.pick(random) {
                model.cancel(hall.waiting.remove(at).id);
            }
        }
        QueueOp::TaskDone => {
            if model.unfinished > 0 {
                queue.task_done();
                model.unfinished -= 1;
            }
        }
        QueueOp::Shutdown(immediate) => {
            queue.shutdown(immediate);
            model.shutdown(immediate);
        }
    }
    model.settle();
    Ok(())
}

proptest! {
    #![proptest_config(config(1_500))]

    #[test]
    fn a_queue_does_what_its_model_does(
        maxsize in 0usize..5,
        ops in prop::collection::vec(queue_op(), 1..80),
    ) {
        let queue = Queue::new(maxsize);
        let mut hall = Hall::new();
        let mut model = QueueModel { maxsize, ..QueueModel::default() };
        let mut next = 0;
        for op in ops {
            step_queue(op, &mut next, &queue, &mut hall, &mut model)?;
            prop_assert_eq!(hall.woken(), std::mem::take(&mut model.woken));
            prop_assert_eq!(queue.len(), model.items.len());
            prop_assert_eq!(queue.is_full(), maxsize > 0 && model.items.len() >= maxsize);
            prop_assert!(maxsize == 0 || queue.len() <= maxsize);
        }
    }
}
