//! Chapter 11: threads that may block.
//!
//! A blocking call on the loop's thread stops everything: no timer fires, no socket is read. Such calls go
//! to a pool of threads beside the loop. The pool makes a thread when a job finds none idle, up to a cap; a
//! thread that has been idle for ten seconds ends. The default cap is Python's, min(32, cores + 4).
//!
//! ```text
//!   spawn ──▶ queue ──▶ a thread calls the job ──▶ Delivery ──▶ wake the awaiting task, from that thread
//!               │
//!               └── pool closed: jobs not started are refused, jobs that started are waited for
//! ```
//!
//! A job's result travels in a [`Delivery`], one value and the waker of whoever waits for it, behind a
//! mutex. A job cannot be interrupted: when nobody waits any more, a job that has started runs to its end
//! and its result is dropped.
//!
//! Left out on purpose: priorities, and work stealing. Jobs block on disks and names; they do not compute
//! in parallel for long.
//!
//! Before: `reactor.rs`. Next chapter: `state.rs`, all that a loop owns.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::task::{JoinError, Panic, drop_quietly, panic_text};
use crate::trace::event::{EventKind, JobId};

thread_local! {
    /// The job this thread is working at; `None` if there is none, or nobody watches.
    static JOB_HERE: Cell<Option<JobId>> = const { Cell::new(None) };
}

/// The job this thread is working at, if somebody watches its loop.
pub(crate) fn job_here() -> Option<JobId> {
    JOB_HERE.get()
}

/// How long a thread waits for another job before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// The most threads the default cap allows, however many cores there are.
const MOST_THREADS: usize = 32;

/// Threads beyond the number of cores, since they mostly wait.
const SPARE_THREADS: usize = 4;

/// Python's `ThreadPoolExecutor` default: min(32, cores + 4).
pub(crate) fn default_threads() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    MOST_THREADS.min(cores + SPARE_THREADS)
}

/// Told of what happens on the pool's threads, on those threads.
pub(crate) type Reporter = Arc<dyn Fn(Report) + Send + Sync>;

/// What happened on a pool thread.
pub(crate) enum Report {
    /// For the observers.
    Told(EventKind),
    /// A job has ended, and whoever waited for it has been woken.
    JobEnded,
}

/// Calls the function, says whether it panicked, and then delivers the result.
type Run = dyn FnOnce(&dyn Fn(bool)) + Send;

/// Work for a thread. Dropping one that was never called refuses it: its `Deliver` does that.
struct Job {
    id: JobId,
    run: Box<Run>,
    /// When it was queued; `None` if nobody watches.
    queued: Option<Instant>,
}

/// The pool as its threads see it.
struct Shared {
    queue: Mutex<Queue>,
    /// Notified when a job was added or the pool was closed.
    work: Condvar,
    /// Notified when the last thread ended.
    ended: Condvar,
    /// Told of jobs and threads; `None`: nobody wants to know.
    reporter: Option<Reporter>,
}

/// What the mutex guards.
#[derive(Default)]
struct Queue {
    /// Jobs that have not started, first in, first out.
    jobs: VecDeque<Job>,
    /// Threads alive: those working and those idle.
    threads: usize,
    /// Threads waiting for a job, less those that have been notified of one.
    idle: usize,
    /// Threads notified of a job that have not noticed yet.
    notified: usize,
    /// Threads ever made, for their names.
    made: usize,
    /// Whether the pool takes no more jobs.
    closed: bool,
}

/// A set of threads for calls that block.
pub(crate) struct BlockingPool {
    shared: Arc<Shared>,
    /// The most threads at a time; at least 1.
    cap: usize,
}

impl BlockingPool {
    /// A pool of at most `cap` threads; none is made yet.
    pub(crate) fn new(cap: usize, reporter: Option<Reporter>) -> BlockingPool {
        let shared =
            Shared { queue: Mutex::default(), work: Condvar::new(), ended: Condvar::new(), reporter };
        BlockingPool { shared: Arc::new(shared), cap: cap.max(1) }
    }

    /// The most threads it has at a time.
    pub(crate) fn cap(&self) -> usize {
        self.cap
    }

    /// Queues `call`. A closed pool refuses it: the delivery says `Cancelled`.
    ///
    /// If no thread can be made and none is there, the job is called on this thread: late and blocking, but
    /// not lost.
    pub(crate) fn spawn<F, T>(&self, id: JobId, call: F) -> Delivery<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (deliver, delivery) = delivery();
        let run = Box::new(move |called: &dyn Fn(bool)| {
            let result = catch_unwind(AssertUnwindSafe(call));
            called(result.is_err());
            deliver.send(result.map_err(|payload| JoinError::Panicked(Panic::new(payload))));
        });
        let queued = self.shared.reporter.is_some().then(Instant::now);
        self.queue(Job { id, run, queued });
        delivery
    }

    fn queue(&self, job: Job) {
        let mut queue = self.shared.lock();
        if queue.closed {
            drop(queue);
            return drop(job);
        }
        queue.jobs.push_back(job);
        if queue.idle > 0 {
            queue.idle -= 1;
            queue.notified += 1;
            drop(queue);
            return self.shared.work.notify_one();
        }
        if queue.threads < self.cap {
            queue.threads += 1;
            queue.made += 1;
            let name = format!("oneloop-blocking-{}", queue.made);
            drop(queue);
            self.start_thread(name);
        }
    }

    fn start_thread(&self, name: String) {
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new().name(name).spawn(move || shared.work_until_idle());
        let Err(error) = started else { return };
        let mut queue = self.shared.lock();
        queue.threads -= 1;
        let threads = queue.threads;
        let jobs = if threads == 0 { std::mem::take(&mut queue.jobs) } else { VecDeque::new() };
        drop(queue);
        log::warn!(target: "oneloop", "no thread for the blocking pool ({error}); it has {threads}");
        jobs.into_iter().for_each(|job| self.shared.call(job));
    }

    /// Refuses the jobs that have not started, and waits for those that have. Idempotent.
    pub(crate) fn close(&self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        let refused = std::mem::take(&mut queue.jobs);
        drop(queue);
        self.shared.work.notify_all();
        refused.into_iter().for_each(|job| drop_quietly(Some(job), "job of a closed loop"));
        let mut queue = self.shared.lock();
        while queue.threads > 0 {
            queue = self.shared.ended.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.shared.lock();
        let mut fields = f.debug_struct("BlockingPool");
        fields.field("cap", &self.cap).field("threads", &queue.threads).field("queued", &queue.jobs.len());
        fields.finish_non_exhaustive()
    }
}

impl Shared {
    /// Jobs run without the lock, and panics in them are caught, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, kind: EventKind) {
        if let Some(reporter) = &self.reporter {
            reporter(Report::Told(kind));
        }
    }

    /// A thread's life.
    fn work_until_idle(&self) {
        let name: Arc<str> = thread::current().name().unwrap_or("oneloop-blocking").into();
        self.report(EventKind::ThreadStart { thread: Arc::clone(&name) });
        while let Some(job) = self.next_job() {
            self.call(job);
        }
        self.report(EventKind::ThreadExit { thread: name });
    }

    /// The next job; `None` when the pool was closed, or there was none for a while. The thread is then no longer
    /// counted: a job queued from that moment on must not be left to it.
    fn next_job(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                break;
            }
            queue.idle += 1;
            let (guard, waited) = self.work.wait_timeout(queue, IDLE).unwrap_or_else(PoisonError::into_inner);
            queue = guard;
            // A wait may end for no reason, or at the moment another thread is notified; which thread notices
            // does not matter, as long as each notice is counted once.
            match queue.notified.checked_sub(1) {
                Some(left) => queue.notified = left,
                None => queue.idle -= 1,
            }
            if waited.timed_out() && queue.jobs.is_empty() {
                break;
            }
        }
        queue.threads -= 1;
        if queue.threads == 0 {
            self.ended.notify_all();
        }
        None
    }

    fn call(&self, job: Job) {
        let Job { id, run, queued } = job;
        let began = queued.map(|_| Instant::now());
        if let (Some(began), Some(queued)) = (began, queued) {
            self.report(EventKind::JobStart { job: id, waited: began - queued });
        }
        let before = began.and_then(|_| JOB_HERE.replace(Some(id)));
        // The call's own panic is its result. This is a waker's, or that of a result which nobody takes.
        let delivered = catch_unwind(AssertUnwindSafe(|| {
            run(&|panicked| {
                if let Some(began) = began {
                    self.report(EventKind::JobEnd { job: id, took: began.elapsed(), panicked });
                }
            })
        }));
        if let Err(payload) = delivered {
            log::error!(target: "oneloop", "delivering the result of {id} panicked: {}", panic_text(&*payload));
        }
        if let Some(reporter) = &self.reporter {
            JOB_HERE.set(before);
            reporter(Report::JobEnded);
        }
    }
}

/// A value on its way from another thread, and the waker of whoever waits for it.
pub(crate) struct Delivery<T>(Arc<Mutex<Parcel<T>>>, Arc<Condvar>);

/// The sending end. Dropped without sending, it delivers `Cancelled`.
pub(crate) struct Deliver<T>(Option<Delivery<T>>);

enum Parcel<T> {
    /// Not there yet; whom to wake (`None`: nobody waits yet).
    Coming(Option<Waker>),
    /// There.
    Here(Result<T, JoinError>),
    /// Handed over.
    Taken,
}

/// A pair of ends for one value.
pub(crate) fn delivery<T>() -> (Deliver<T>, Delivery<T>) {
    let delivery = Delivery(Arc::new(Mutex::new(Parcel::Coming(None))), Arc::default());
    let other = Delivery(Arc::clone(&delivery.0), Arc::clone(&delivery.1));
    (Deliver(Some(other)), delivery)
}

impl<T> Deliver<T> {
    /// Hands the value over and wakes whoever waits for it.
    pub(crate) fn send(mut self, value: Result<T, JoinError>) {
        self.deliver(value);
    }

    fn deliver(&mut self, value: Result<T, JoinError>) {
        let Some(Delivery(parcel, arrived)) = self.0.take() else { return };
        let before = std::mem::replace(&mut *lock(&parcel), Parcel::Here(value));
        arrived.notify_all();
        if let Parcel::Coming(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Drop for Deliver<T> {
    fn drop(&mut self) {
        self.deliver(Err(JoinError::Cancelled));
    }
}

impl<T> Delivery<T> {
    /// The value, once it is there; until then the latest waker is kept.
    ///
    /// # Panics
    /// When polled again after it handed the value over.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        // Declared first, dropped last: a waker's drop may run the user's code.
        let mut _before = None;
        let mut parcel = lock(&self.0);
        match &mut *parcel {
            Parcel::Coming(Some(waker)) if waker.will_wake(cx.waker()) => {}
            Parcel::Coming(waker) => _before = waker.replace(cx.waker().clone()),
            Parcel::Here(_) => {}
            Parcel::Taken => {
                panic!("this handle has given its result already: do not await it a second time")
            }
        }
        match std::mem::replace(&mut *parcel, Parcel::Taken) {
            Parcel::Here(value) => Poll::Ready(value),
            coming => {
                *parcel = coming;
                Poll::Pending
            }
        }
    }

    /// Blocks this thread until the value is there.
    pub(crate) fn wait(&self) -> Result<T, JoinError> {
        let mut parcel = lock(&self.0);
        loop {
            match std::mem::replace(&mut *parcel, Parcel::Taken) {
                Parcel::Here(value) => return value,
                Parcel::Taken => return Err(JoinError::Cancelled),
                coming => *parcel = coming,
            }
            parcel = self.1.wait(parcel).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the value is there, or was handed over.
    pub(crate) fn is_finished(&self) -> bool {
        !matches!(*lock(&self.0), Parcel::Coming(_))
    }
}

fn lock<T>(parcel: &Mutex<Parcel<T>>) -> MutexGuard<'_, Parcel<T>> {
    parcel.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("finished", &self.is_finished()).finish()
    }
}
