//! Every object of `oneloop::sync` against a model of it.
//!
//! A case is a list of random operations: start a wait, poll one, drop one, put, release, shut down … Each is
//! done to the real object and to a model, which is written as plainly as possible: lines are lists of
//! (waiter, stage), searched from the front. After each operation the answers must be equal, and so must the
//! wakes: who was woken, through which waker, in which order. So a wake too many fails as well as one too few.

mod barrier;
mod condition;
mod event;
mod mutex;
mod oneshot;
mod queue;
mod semaphore;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::ProptestConfig;
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
        self.join_late(id, 1);
    }

    /// Joins at a later poll than the first.
    fn join_late(&mut self, id: usize, polls: u32) {
        self.0.push((id, polls, Stage::Waiting));
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
