//! Chapter 10: threads that may block.
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
//! A job cannot be interrupted: when nobody waits any more, a job that has started runs to its end and its
//! result is dropped.
//!
//! A thread that finds no more jobs first gives way, once, if that has been worth it (`sent/patience.rs`). Until it has
//! looked at the queue again it counts as idle, but need not be notified.
//!
//! A loop has one such set of threads, and a program may make more (`blocking.rs`), for several loops if it
//! likes: so each job says whom to tell of it, and not the pool.
//!
//! Left out on purpose: priorities, and work stealing. Jobs block on disks and names; they do not compute
//! in parallel for long.
//!
//! Before: `delivery.rs`. Next: `pace.rs`, when a turn may hurry.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::delivery::{Delivery, delivery};
use crate::sent::Patience;
use crate::task::{JoinError, Panic, drop_quietly, report_panic};
use crate::trace::event::{EventKind, JobId};

thread_local! {
    /// The job this thread is working at; `None` if there is none, or nobody watches.
    static JOB_HERE: Cell<Option<JobId>> = const { Cell::new(None) };
    /// The pool whose thread this is, by the address of what its threads share; 0: none.
    static POOL_HERE: Cell<usize> = const { Cell::new(0) };
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

/// Told of what happens to a job, and to a thread made for it, on that thread.
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
    /// When it was queued, and who is told of it; `None`: nobody wants to know.
    told: Option<(Instant, Reporter)>,
}

impl Job {
    /// Drops it uncalled, which delivers `Cancelled`.
    fn refuse(self) {
        drop_quietly(Some(self.run), "job of a closed pool");
        if let Some((_, reporter)) = self.told {
            reporter(Report::JobEnded);
        }
    }
}

/// The pool as its threads see it.
struct Shared {
    queue: Mutex<Queue>,
    /// Notified when a job was added that an idle thread would not see otherwise, and when the pool was closed.
    work: Condvar,
    /// Notified when the last thread ended.
    ended: Condvar,
    /// What its threads are called, before their number.
    name: String,
}

/// What the mutex guards.
#[derive(Default)]
struct Queue {
    /// Jobs that have not started, first in, first out.
    jobs: VecDeque<Job>,
    /// Threads alive: those working and those idle.
    threads: usize,
    /// Threads without a job, less those that one was put in the queue for.
    idle: usize,
    /// Jobs put in the queue for a thread without one that has not noticed yet.
    notified: usize,
    /// Threads without a job that are not blocked, and will look at the queue before they are.
    looking: usize,
    /// Threads ever made, for their names.
    made: usize,
    /// Whether the pool takes no more jobs.
    closed: bool,
}

/// A set of threads for calls that block. A clone is another handle of the same.
#[derive(Clone)]
pub(crate) struct Threads {
    shared: Arc<Shared>,
    /// The most threads at a time; at least 1.
    cap: usize,
}

impl Threads {
    /// A pool of at most `cap` threads, called `name` and a number; none is made yet.
    pub(crate) fn new(cap: usize, name: String) -> Threads {
        let shared = Shared { queue: Mutex::default(), work: Condvar::new(), ended: Condvar::new(), name };
        Threads { shared: Arc::new(shared), cap: cap.max(1) }
    }

    /// The most threads it has at a time.
    pub(crate) fn cap(&self) -> usize {
        self.cap
    }

    /// Queues `call`; `reporter` is told of it. A closed pool refuses it: the delivery says `Cancelled`.
    ///
    /// If no thread can be made and none is there, the job is called on this thread: late and blocking, but
    /// not lost.
    pub(crate) fn spawn<F, T>(&self, id: JobId, reporter: Option<Reporter>, call: F) -> Delivery<T>
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
        self.queue(Job { id, run, told: reporter.map(|reporter| (Instant::now(), reporter)) });
        delivery
    }

    fn queue(&self, job: Job) {
        let mut queue = self.shared.lock();
        if queue.closed {
            drop(queue);
            return job.refuse();
        }
        let reporter = job.told.as_ref().map(|(_, reporter)| Arc::clone(reporter));
        queue.jobs.push_back(job);
        if queue.idle > 0 {
            queue.idle -= 1;
            queue.notified += 1;
            // Each thread that is looking will notice one.
            let all_looking = queue.notified <= queue.looking;
            drop(queue);
            if !all_looking {
                self.shared.work.notify_one();
            }
            return;
        }
        if queue.threads < self.cap {
            queue.threads += 1;
            queue.made += 1;
            let name = format!("{}-{}", self.shared.name, queue.made);
            drop(queue);
            self.start_thread(name, reporter);
        }
    }

    /// Makes a thread; `reporter` is told of its beginning and its end.
    fn start_thread(&self, name: String, reporter: Option<Reporter>) {
        let shared = Arc::clone(&self.shared);
        let life = move || shared.work_until_idle(reporter);
        let started = thread::Builder::new().name(name).spawn(life);
        let Err(error) = started else { return };
        let mut queue = self.shared.lock();
        queue.threads -= 1;
        let threads = queue.threads;
        let jobs = if threads == 0 { std::mem::take(&mut queue.jobs) } else { VecDeque::new() };
        drop(queue);
        log::warn!(target: "oneloop", "no thread for the blocking pool ({error}); it has {threads}");
        jobs.into_iter().for_each(|job| self.shared.call(job));
    }

    /// Refuses the jobs that have not started, and all to come. Idempotent.
    pub(crate) fn refuse(&self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        let refused = std::mem::take(&mut queue.jobs);
        drop(queue);
        self.shared.work.notify_all();
        refused.into_iter().for_each(Job::refuse);
    }

    /// Whether no thread of it is alive.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.lock().threads == 0
    }

    /// Blocks this thread until all threads of the pool have ended, once it refuses. On one of them, which would
    /// wait for itself, it returns at once.
    pub(crate) fn wait(&self) {
        if POOL_HERE.get() == self.shared.address() {
            return;
        }
        let mut queue = self.shared.lock();
        while queue.threads > 0 {
            queue = self.shared.ended.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.shared.lock();
        let mut fields = f.debug_struct("Threads");
        fields.field("cap", &self.cap).field("threads", &queue.threads).field("queued", &queue.jobs.len());
        fields.finish_non_exhaustive()
    }
}

impl Shared {
    /// Jobs run without the lock, and panics in them are caught, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells this pool from others.
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// A thread's life.
    fn work_until_idle(&self, reporter: Option<Reporter>) {
        POOL_HERE.set(self.address());
        let tell = |kind| {
            if let Some(reporter) = &reporter {
                reporter(Report::Told(kind));
            }
        };
        let name: Arc<str> = thread::current().name().unwrap_or("unnamed").into();
        tell(EventKind::ThreadStart { thread: Arc::clone(&name) });
        let patience = Patience::default();
        while let Some(job) = self.next_job(&patience) {
            self.call(job);
        }
        tell(EventKind::ThreadExit { thread: name });
    }

    /// The next job; `None` when the pool was closed, or there was none for a while. The thread is then no longer
    /// counted: a job queued from that moment on must not be left to it.
    fn next_job(&self, patience: &Patience) -> Option<Job> {
        let mut queue = self.lock();
        let mut patience = Some(patience);
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                break;
            }
            queue.idle += 1;
            let timed_out;
            (queue, timed_out) = match patience.take().filter(|patience| patience.is_worth_it()) {
                Some(patience) => (self.give_way(queue, patience), false),
                None => self.block(queue),
            };
            // A wait may end for no reason, or at the moment another thread is notified; which thread notices
            // does not matter, as long as each notice is counted once.
            match queue.notified.checked_sub(1) {
                Some(left) => queue.notified = left,
                None => queue.idle -= 1,
            }
            if timed_out && queue.jobs.is_empty() {
                break;
            }
        }
        queue.threads -= 1;
        if queue.threads == 0 {
            self.ended.notify_all();
        }
        None
    }

    /// Lets other threads of this core go first, and looks again.
    fn give_way<'a>(
        &'a self,
        mut queue: MutexGuard<'a, Queue>,
        patience: &Patience,
    ) -> MutexGuard<'a, Queue> {
        queue.looking += 1;
        drop(queue);
        let mut queue = patience.give_way(|| {
            let queue = self.lock();
            let has_come = !queue.jobs.is_empty();
            (queue, has_come)
        });
        queue.looking -= 1;
        queue
    }

    /// Blocks until a job was added, the pool was closed, or time is up; whether it is.
    fn block<'a>(&self, queue: MutexGuard<'a, Queue>) -> (MutexGuard<'a, Queue>, bool) {
        let (queue, waited) = self.work.wait_timeout(queue, IDLE).unwrap_or_else(PoisonError::into_inner);
        (queue, waited.timed_out())
    }

    fn call(&self, job: Job) {
        let Job { id, run, told } = job;
        let Some((queued, reporter)) = told else { return deliver(id, || run(&|_| ())) };
        let began = Instant::now();
        reporter(Report::Told(EventKind::JobStart { job: id, waited: began - queued }));
        let before = JOB_HERE.replace(Some(id));
        deliver(id, || {
            run(&|panicked| {
                let end = EventKind::JobEnd { job: id, took: began.elapsed(), panicked };
                reporter(Report::Told(end));
            })
        });
        JOB_HERE.set(before);
        reporter(Report::JobEnded);
    }
}

/// Calls a job. Its own panic is its result; one caught here is a waker's, or that of a result nobody takes.
fn deliver(id: JobId, run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        report_panic(format_args!("delivering the result of {id}"), payload);
    }
}
