//! Every object of `oneloop::sync` against a model of it.
//!
//! A case is a list of random operations: start a wait, poll one, drop one, put, release, shut down … Each is
//! done to the real object and to a model, which is written as plainly as possible: lines are lists of
//! (waiter, stage), searched from the front. After each operation the answers must be equal, and so must the
//! wakes: who was woken, through which waker, in which order. So a wake too many fails as well as one too few.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use oneloop::sync::{Event, Permit, PutError, Queue, QueueError, Semaphore, oneshot};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases in every run, and no files written.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x0e10_0b5e),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A wake: which waiter, and through the waker of which of its polls.
type Woken = (usize, u32);

type WakeLog = Arc<Mutex<Vec<Woken>>>;

struct LogWaker {
    log: WakeLog,
    me: Woken,
}

impl Wake for LogWaker {
    fn wake(self: Arc<Self>) {
        self.log.lock().unwrap().push(self.me);
    }
}

/// A future being polled by hand, each time through another waker.
struct Waiting<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    id: usize,
    polls: u32,
}

/// The waiting futures of one case, and what woke them.
struct Hall<'a, T> {
    waiting: Vec<Waiting<'a, T>>,
    started: usize,
    log: WakeLog,
}

impl<'a, T> Hall<'a, T> {
    fn new() -> Self {
        Self { waiting: Vec::new(), started: 0, log: WakeLog::default() }
    }

    /// Starts a future, which is polled once; it stays if it is pending.
    fn start(&mut self, future: impl Future<Output = T> + 'a) -> (usize, Poll<T>) {
        let id = self.started;
        self.started += 1;
        self.waiting.push(Waiting { future: Box::pin(future), id, polls: 0 });
        (id, self.poll(self.waiting.len() - 1))
    }

    fn poll(&mut self, at: usize) -> Poll<T> {
        let waiting = &mut self.waiting[at];
        waiting.polls += 1;
        let log = Arc::clone(&self.log);
        let waker = Waker::from(Arc::new(LogWaker { log, me: (waiting.id, waiting.polls) }));
        let poll = waiting.future.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_ready() {
            self.waiting.remove(at);
        }
        poll
    }

    /// The waiting future that a random number stands for.
    fn pick(&self, random: usize) -> Option<usize> {
        (!self.waiting.is_empty()).then(|| random % self.waiting.len())
    }

    /// Who was woken since the last call.
    fn woken(&self) -> Vec<Woken> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Waiting,
    Granted,
    Dismissed,
}

/// A line as plain as can be: (waiter, number of its last poll, stage), in the order of joining.
#[derive(Default)]
struct Line(Vec<(usize, u32, Stage)>);

impl Line {
    fn count(&self, stage: Stage) -> usize {
        self.0.iter().filter(|waiter| waiter.2 == stage).count()
    }

    fn stage(&mut self, id: usize) -> Option<&mut (usize, u32, Stage)> {
        self.0.iter_mut().find(|waiter| waiter.0 == id)
    }

    fn join(&mut self, id: usize) {
        self.0.push((id, 1, Stage::Waiting));
    }

    fn leave(&mut self, id: usize) -> Option<Stage> {
        let at = self.0.iter().position(|waiter| waiter.0 == id)?;
        Some(self.0.remove(at).2)
    }

    /// Moves the first that waits on to another stage, and says whom to wake.
    fn advance(&mut self, stage: Stage) -> Option<Woken> {
        let waiter = self.0.iter_mut().find(|waiter| waiter.2 == Stage::Waiting)?;
        waiter.2 = stage;
        Some((waiter.0, waiter.1))
    }
}

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

#[derive(Default)]
struct SemaphoreModel {
    permits: usize,
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

proptest! {
    #![proptest_config(config(1_500))]

    #[test]
    fn a_semaphore_does_what_its_model_does(
        permits in 0usize..4,
        ops in prop::collection::vec(semaphore_op(), 1..80),
    ) {
        let semaphore = Semaphore::new(permits);
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
                }
                SemaphoreOp::DropPermit(_) | SemaphoreOp::Forget(_) => {}
                SemaphoreOp::Add(permits) => {
                    semaphore.add_permits(permits);
                    model.permits += permits;
                }
            }
            model.settle();
            prop_assert_eq!(hall.woken(), std::mem::take(&mut model.woken));
            prop_assert_eq!(semaphore.available(), model.permits);
            prop_assert_eq!(semaphore.is_locked(), model.permits == 0 || !model.line.0.is_empty());
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum EventOp {
    Wait,
    Poll(usize),
    Cancel(usize),
    Set,
    Clear,
}

fn event_op() -> impl Strategy<Value = EventOp> {
    prop_oneof![
        5 => Just(EventOp::Wait),
        5 => any::<usize>().prop_map(EventOp::Poll),
        2 => any::<usize>().prop_map(EventOp::Cancel),
        2 => Just(EventOp::Set),
        2 => Just(EventOp::Clear),
    ]
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn an_event_does_what_its_model_does(ops in prop::collection::vec(event_op(), 1..60)) {
        let event = Event::new();
        let mut hall: Hall<'_, ()> = Hall::new();
        let (mut set, mut line) = (false, Line::default());
        for op in ops {
            let mut woken = Vec::new();
            match op {
                EventOp::Wait => {
                    let (id, poll) = hall.start(event.wait());
                    prop_assert_eq!(poll.is_ready(), set);
                    if !set {
                        line.join(id);
                    }
                }
                EventOp::Poll(random) => {
                    if let Some(at) = hall.pick(random) {
                        let (_, polls, stage) = line.stage(hall.waiting[at].id).unwrap();
                        *polls += 1;
                        let released = *stage == Stage::Granted;
                        if released {
                            line.leave(hall.waiting[at].id);
                        }
                        prop_assert_eq!(hall.poll(at).is_ready(), released);
                    }
                }
                EventOp::Cancel(random) => {
                    if let Some(at) = hall.pick(random) {
                        line.leave(hall.waiting.remove(at).id);
                    }
                }
                EventOp::Set => {
                    event.set();
                    set = true;
                    woken.extend(std::iter::from_fn(|| line.advance(Stage::Granted)));
                }
                EventOp::Clear => {
                    event.clear();
                    set = false;
                }
            }
            prop_assert_eq!(hall.woken(), woken);
            prop_assert_eq!(event.is_set(), set);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum OneshotOp {
    Poll,
    TryRecv,
    Send,
    DropSender,
    DropReceiver,
}

fn oneshot_op() -> impl Strategy<Value = OneshotOp> {
    prop_oneof![
        6 => Just(OneshotOp::Poll),
        2 => Just(OneshotOp::TryRecv),
        2 => Just(OneshotOp::Send),
        1 => Just(OneshotOp::DropSender),
        1 => Just(OneshotOp::DropReceiver),
    ]
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn a_oneshot_does_what_its_model_does(ops in prop::collection::vec(oneshot_op(), 1..12)) {
        let log = WakeLog::default();
        let (sender, receiver) = oneshot::channel();
        let (mut sender, mut receiver) = (Some(sender), Some(receiver));
        // The model: the value under way, whether it was received, and the last poll that was pending.
        let (mut sent, mut received, mut asked, mut polls) = (false, false, None, 0);
        for op in ops {
            let mut woken = Vec::new();
            match op {
                OneshotOp::Poll => {
                    // A receiver that has answered is not polled again: it would panic, as documented.
                    if received || receiver.is_none() {
                        continue;
                    }
                    polls += 1;
                    let waker = Waker::from(Arc::new(LogWaker { log: Arc::clone(&log), me: (0, polls) }));
                    let poll = Pin::new(receiver.as_mut().unwrap()).poll(&mut Context::from_waker(&waker));
                    let expected = match (sent, &sender) {
                        (true, _) => Poll::Ready(Ok(7)),
                        (false, None) => Poll::Ready(Err("closed")),
                        (false, Some(_)) => Poll::Pending,
                    };
                    prop_assert_eq!(poll.map_err(|_| "closed"), expected);
                    received = expected.is_ready();
                    asked = expected.is_pending().then_some((0, polls)).or(asked);
                }
                OneshotOp::TryRecv => {
                    let Some(receiver) = &mut receiver else { continue };
                    let expected = match (received, sent, &sender) {
                        (false, true, _) => Ok(Some(7)),
                        (false, false, Some(_)) => Ok(None),
                        _ => Err("closed"),
                    };
                    prop_assert_eq!(receiver.try_recv().map_err(|_| "closed"), expected);
                    received |= expected == Ok(Some(7));
                }
                OneshotOp::Send => {
                    let Some(sender) = sender.take() else { continue };
                    let expected = if receiver.is_some() { Ok(()) } else { Err(7) };
                    prop_assert_eq!(sender.is_closed(), receiver.is_none());
                    prop_assert_eq!(sender.send(7), expected);
                    sent = receiver.is_some();
                    woken.extend(asked.take());
                }
                OneshotOp::DropSender => {
                    if sender.take().is_some() {
                        woken.extend(asked.take());
                    }
                }
                OneshotOp::DropReceiver => {
                    receiver = None;
                    asked = None;
                }
            }
            prop_assert_eq!(std::mem::take(&mut *log.lock().unwrap()), woken);
        }
    }
}
