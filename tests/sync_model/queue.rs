//! The three queues against their model: a list in the order of handing out.

use std::cmp::Ordering;
use std::task::Poll;

use oneloop::sync::order::{Fifo, Lifo, LowestFirst, Order};
use oneloop::sync::{OrderedQueue, PutError, QueueError};
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

/// An item, compared by its priority alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    priority: u32,
    number: u32,
}

impl Item {
    /// With one of four priorities, as good as at random.
    fn new(number: u32) -> Self {
        Self { priority: number.wrapping_mul(0x9e37_79b9) >> 30, number }
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.cmp(&other.priority)
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where in the list an item belongs.
type Place = fn(&[Item], Item) -> usize;

/// The answer of any future of a queue.
#[derive(Debug, PartialEq)]
enum Answer {
    Put(Result<(), PutError<Item>>),
    Got(Result<Item, QueueError>),
    Joined,
}

struct QueueModel {
    /// The next one to be handed out is the first.
    items: Vec<Item>,
    place: Place,
    maxsize: usize,
    getters: Line,
    /// The item of each put that waits stands beside its place in the line.
    putters: Line,
    unput: Vec<(usize, Item)>,
    joiners: Line,
    unfinished: usize,
    shut: bool,
    woken: Vec<Woken>,
}

impl QueueModel {
    fn new(maxsize: usize, place: Place) -> Self {
        Self {
            items: Vec::new(),
            place,
            maxsize,
            getters: Line::default(),
            putters: Line::default(),
            unput: Vec::new(),
            joiners: Line::default(),
            unfinished: 0,
            shut: false,
            woken: Vec::new(),
        }
    }

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

    fn accept(&mut self, item: Item) -> Result<(), PutError<Item>> {
        if self.shut {
            return Err(PutError::ShutDown(item));
        }
        self.items.insert((self.place)(&self.items, item), item);
        self.unfinished += 1;
        Ok(())
    }

    fn try_put(&mut self, item: Item) -> Result<(), PutError<Item>> {
        if self.shut || self.room() && self.putters.0.is_empty() {
            return self.accept(item);
        }
        Err(PutError::Full(item))
    }

    fn try_get(&mut self) -> Result<Item, QueueError> {
        let over = self.shut && self.items.is_empty();
        let empty = if over { QueueError::ShutDown } else { QueueError::Empty };
        self.take(self.getters.count(Stage::Granted)).ok_or(empty)
    }

    /// Takes the item at this place of the list, if there is one.
    fn take(&mut self, at: usize) -> Option<Item> {
        (at < self.items.len()).then(|| self.items.remove(at))
    }

    /// The first poll of a put.
    fn put(&mut self, id: usize, item: Item) -> Poll<Answer> {
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
            Answer::Got(self.take(0).ok_or(QueueError::ShutDown))
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
fn step_queue<'a, O: Order<Item = Item>>(
    op: QueueOp,
    next: &mut u32,
    queue: &'a OrderedQueue<O>,
    hall: &mut Hall<'a, Answer>,
    model: &mut QueueModel,
) -> Result<(), TestCaseError> {
    *next += 1;
    let item = Item::new(*next);
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

/// Does all operations to a queue of the order `O` and to a model that places items as `place` says.
fn check<O: Order<Item = Item>>(
    maxsize: usize,
    ops: Vec<QueueOp>,
    place: Place,
) -> Result<(), TestCaseError> {
    let queue = OrderedQueue::<O>::new(maxsize);
    let mut hall = Hall::new();
    let mut model = QueueModel::new(maxsize, place);
    let mut next = 0;
    for op in ops {
        step_queue(op, &mut next, &queue, &mut hall, &mut model)?;
        prop_assert_eq!(hall.woken(), std::mem::take(&mut model.woken));
        prop_assert_eq!(queue.len(), model.items.len());
        prop_assert_eq!(queue.is_full(), maxsize > 0 && model.items.len() >= maxsize);
        prop_assert!(maxsize == 0 || queue.len() <= maxsize);
    }
    Ok(())
}

fn ops() -> impl Strategy<Value = Vec<QueueOp>> {
    prop::collection::vec(queue_op(), 1..80)
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn a_queue_does_what_its_model_does(maxsize in 0usize..5, ops in ops()) {
        check::<Fifo<Item>>(maxsize, ops, |items, _| items.len())?;
    }

    #[test]
    fn a_lifo_queue_does_what_its_model_does(maxsize in 0usize..5, ops in ops()) {
        check::<Lifo<Item>>(maxsize, ops, |_, _| 0)?;
    }

    #[test]
    fn a_priority_queue_does_what_its_model_does(maxsize in 0usize..5, ops in ops()) {
        check::<LowestFirst<Item>>(maxsize, ops, |items, item| {
            items.iter().take_while(|other| other.priority <= item.priority).count()
        })?;
    }
}
