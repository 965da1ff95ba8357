//! Chapter 33, part 6: jobs given to worker processes, and awaited.
//!
//! Whoever gives up waiting must not leave a worker at work for nobody. So a job and its future share an *order*,
//! through which one knows how far the other is:
//!
//! ```text
//!                begin (a thread has a worker for it)
//!       Queued ─────────────▶ Running ──────────▶ Over       the worker is idle again
//!         │ the future is         │ the future is
//!         │ dropped               │ dropped: the stream is cut
//!         ▼                       ▼
//!      Given up: never sent    Given up: the worker is killed, on the pool's thread
//! ```
//!
//! Before: `process_pool/worker.rs`. Next: `http/mod.rs`, HTTP/1.1.

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::error::{ProcessError, ProcessErrorKind as Kind};
use super::serve::{self, Job};
use super::worker::{Cut, Limits, Worker};
use crate::blocking::{BlockingHandle, BlockingPool};
use crate::current;
use crate::task::JoinError;
use crate::trace::event::Wait;

/// The most bytes of an input or an output, unless set otherwise: 64 MiB.
const MESSAGE_LIMIT: usize = 64 << 20;

/// Worker processes that call functions by name; asyncio's `ProcessPoolExecutor`.
///
/// A worker is this same program started again, with `--oneloop-worker` as its one argument, so `main` has to begin
/// with [`serve`](Self::serve). It has the program's environment without `ONELOOP`, its standard output and error, and
/// a process group of its own, so that Ctrl-C is the program's alone. Its standard input is the pool's: a job must
/// leave it alone, and give its own subprocesses another. At most so many workers as asked for live at a time; they
/// are started when jobs find none idle.
///
/// ```no_run
/// use oneloop::ProcessPool;
///
/// fn factorial(input: &[u8]) -> Vec<u8> {
///     let number: u64 = std::str::from_utf8(input).unwrap().parse().unwrap();
///     (1..=number).product::<u64>().to_string().into_bytes()
/// }
///
/// fn main() {
///     ProcessPool::serve(&[("factorial", factorial)]);
///     oneloop::run(async {
///         let pool = ProcessPool::new(2);
///         let output = pool.run("factorial", b"20").await.expect("the worker answers");
///         assert_eq!(output, b"2432902008176640000");
///     });
/// }
/// ```
///
/// What differs from Python: a function is known by a name, and its argument and result are bytes; nothing is
/// pickled. A worker that dies costs its own job alone, and is replaced; there is no `BrokenProcessPool`.
///
/// # The end of a pool
///
/// When the last handle is dropped, the futures of its jobs included, its workers are killed. However the program ends,
/// workers end with it: they see their socket close.
#[derive(Clone)]
pub struct ProcessPool {
    /// One thread for each worker at work; its queue is that of the jobs.
    threads: BlockingPool,
    idle: Arc<Idle>,
    limits: Limits,
}

/// Workers without a job. `None`: the pool was shut down, and none is kept.
struct Idle(Mutex<Option<Vec<Worker>>>);

impl ProcessPool {
    /// Says which functions workers can call. To be called once, first in `main`: in the program it returns at once,
    /// and in a worker, which is the same program, it calls jobs as they come and never returns.
    ///
    /// What `main` does before, each worker does too.
    ///
    /// # Panics
    /// If it was called before, and if two jobs have the same name. In a process that somebody started as a worker by
    /// hand.
    #[track_caller]
    pub fn serve(jobs: &[(&str, Job)]) {
        serve::serve(jobs);
    }

    /// A pool of at most so many worker processes; none is started yet.
    ///
    /// # Panics
    /// If `workers` is 0; if [`serve`](Self::serve) was not called; and in a worker, whether it has come to `serve` or
    /// not, since workers that start workers would never end.
    #[track_caller]
    pub fn new(workers: usize) -> ProcessPool {
        assert!(
            !serve::is_worker(),
            "a worker process cannot have workers of its own: \
             call ProcessPool::serve first in `main`, whatever the arguments are, and make no pool in a job"
        );
        assert!(
            serve::served().is_some(),
            "ProcessPool::serve was not called: call it first in `main`, with the functions that workers are to call"
        );
        assert!(workers > 0, "a process pool without workers would never call anything: give it at least 1");
        ProcessPool {
            threads: BlockingPool::named(workers, "oneloop-processes"),
            idle: Arc::new(Idle(Mutex::new(Some(Vec::new())))),
            limits: Limits { time: None, message: MESSAGE_LIMIT },
        }
    }

    /// The same pool, whose jobs given through this handle may take so long, from the moment a worker has them. The
    /// worker of one that takes longer is killed. Usually there is no limit.
    ///
    /// The time is real time, in a loop with virtual time too.
    pub fn with_time_limit(mut self, limit: Duration) -> ProcessPool {
        self.limits.time = Some(limit);
        self
    }

    /// The same pool, whose jobs given through this handle may have inputs and outputs of so many bytes. Usually 64 MiB.
    pub fn with_message_limit(mut self, bytes: usize) -> ProcessPool {
        self.limits.message = bytes;
        self
    }

    /// The most workers it has at a time.
    pub fn workers(&self) -> usize {
        self.threads.threads()
    }

    /// Has a worker call the function served under the name `job`, after those it was given before. It is queued at
    /// once, awaited or not. asyncio's `run_in_executor(process_pool, …)`.
    ///
    /// # Errors
    /// [`ProcessError`] names the job and what became of its worker: there is no such job, the worker died, took too
    /// long, panicked, sent rubbish or could not be started, or a message was too large.
    ///
    /// # Cancellation
    /// Dropping the future gives the job up. One that has not started is never sent; the worker of one that has is
    /// killed, in the middle of whatever it does, and replaced.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn run(&self, job: &str, input: impl AsRef<[u8]>) -> ProcessJob {
        let (job, input, limits) = (Arc::from(job), input.as_ref(), self.limits);
        let stage = match refusal(&job, input, limits) {
            Some(kind) => Stage::Refused(Some(kind)),
            None => {
                let order = Arc::new(Order(Mutex::new(Progress::Queued)));
                let (idle, input) = (Arc::clone(&self.idle), input.to_vec());
                let (called, ordered) = (Arc::clone(&job), Arc::clone(&order));
                let work = move || idle.work(&ordered, &called, &input, limits);
                Stage::Given { handle: self.threads.spawn(work), order }
            }
        };
        ProcessJob { job, stage }
    }

    /// Refuses the jobs that have not started, and all to come: they give [`ProcessErrorKind::Cancelled`](Kind). Idle
    /// workers are killed. Jobs that have started go on; await their futures to see them end.
    pub fn shutdown(&self) {
        self.threads.shutdown();
        let idle = self.idle.lock().take();
        drop(idle);
    }
}

/// Why a job is not even queued.
fn refusal(job: &str, input: &[u8], limits: Limits) -> Option<Kind> {
    let served = serve::served().unwrap_or_default();
    if served.iter().all(|name| name != job) {
        return Some(Kind::UnknownJob { served: served.to_vec() });
    }
    let (bytes, limit) = (input.len(), limits.message);
    (bytes > limit).then_some(Kind::InputTooLarge { bytes, limit })
}

impl Idle {
    fn lock(&self) -> MutexGuard<'_, Option<Vec<Worker>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job, on a thread of the pool.
    fn work(&self, order: &Order, job: &str, input: &[u8], limits: Limits) -> Result<Vec<u8>, Kind> {
        if order.is_given_up() {
            return Err(Kind::Cancelled);
        }
        let mut worker = match self.idle() {
            Some(worker) => worker,
            None => Worker::start().map_err(Kind::NotStarted)?,
        };
        let result = match order.begin(worker.cut()) {
            true => worker.call(job, input, limits),
            false => Err(Kind::Cancelled),
        };
        let is_whole = matches!(result, Ok(_) | Err(Kind::UnknownJob { .. } | Kind::Cancelled));
        // A worker whose job was given up in the middle has lost its stream.
        let has_stream = order.end() || matches!(result, Err(Kind::Cancelled));
        if is_whole
            && has_stream
            && let Some(idle) = &mut *self.lock()
        {
            idle.push(worker);
        }
        result
    }

    /// A worker without a job, if there is one alive.
    fn idle(&self) -> Option<Worker> {
        loop {
            let mut worker = self.lock().as_mut()?.pop()?;
            if worker.is_alive() {
                return Some(worker);
            }
        }
    }
}

/// What a job and its future know of each other.
struct Order(Mutex<Progress>);

enum Progress {
    Queued,
    Running(Cut),
    Over,
    GivenUp,
}

impl Order {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_given_up(&self) -> bool {
        matches!(*self.lock(), Progress::GivenUp)
    }

    /// A worker is there for it; whether anybody still wants the result.
    fn begin(&self, cut: Cut) -> bool {
        let mut progress = self.lock();
        let wanted = matches!(*progress, Progress::Queued);
        if wanted {
            *progress = Progress::Running(cut);
        }
        wanted
    }

    /// The worker has answered, or is gone; whether the job was wanted to its end.
    fn end(&self) -> bool {
        let mut progress = self.lock();
        let wanted = matches!(*progress, Progress::Running(_));
        if wanted {
            *progress = Progress::Over;
        }
        wanted
    }

    /// Nobody wants the result any more.
    fn give_up(&self) {
        let before = mem::replace(&mut *self.lock(), Progress::GivenUp);
        if let Progress::Running(cut) = before {
            cut.cut();
        }
    }
}

/// The future of [`ProcessPool::run`].
#[must_use = "a job whose future is dropped is given up, and its worker killed"]
pub struct ProcessJob {
    job: Arc<str>,
    stage: Stage,
}

enum Stage {
    /// It never went to a worker; `None` once that was said.
    Refused(Option<Kind>),
    /// Queued, with a worker, or done.
    Given { handle: BlockingHandle<Result<Vec<u8>, Kind>>, order: Arc<Order> },
}

impl Future for ProcessJob {
    type Output = Result<Vec<u8>, ProcessError>;

    /// # Panics
    /// When awaited again after it gave its result.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.stage {
            Stage::Refused(kind) => match kind.take() {
                Some(kind) => Err(kind),
                None => panic!("this job has given its result already: do not await it a second time"),
            },
            Stage::Given { handle, .. } => {
                let result = Pin::new(handle).poll(cx);
                if result.is_pending() {
                    current::suspended(Wait::Worker, Location::caller());
                }
                match ready!(result) {
                    Ok(result) => result,
                    Err(JoinError::Panicked(panic)) => resume_unwind(panic.into_payload()),
                    Err(JoinError::Cancelled) => Err(Kind::Cancelled),
                }
            }
        };
        Poll::Ready(result.map_err(|kind| ProcessError::new(&self.job, kind)))
    }
}

impl Drop for ProcessJob {
    fn drop(&mut self) {
        if let Stage::Given { order, .. } = &self.stage {
            order.give_up();
        }
    }
}

impl fmt::Debug for ProcessJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("ProcessJob");
        fields.field("job", &self.job);
        if let Stage::Given { handle, .. } = &self.stage {
            fields.field("handle", handle);
        }
        fields.finish()
    }
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = self.idle.lock().as_ref().map_or(0, Vec::len);
        let mut fields = f.debug_struct("ProcessPool");
        fields.field("workers", &self.workers()).field("idle", &idle).field("limits", &self.limits).finish()
    }
}
