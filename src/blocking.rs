//! Chapter 27: a call that blocks, awaited.
//!
//! The loop's thread must not block, and some calls do nothing else: files, names, most libraries. Such a
//! call goes to the pool (`pool.rs`), and the task that awaits it is suspended like any other:
//!
//! ```text
//!   task: spawn_blocking(call).await ──▶ suspended
//!   pool thread:        call() ──▶ Delivery ──▶ wake ──▶ remote queue ──▶ notify
//!   loop:                                                 step 3: the task is queued ──▶ resumed
//! ```
//!
//! The loop has a pool of its own, for everybody. A program that wants three threads for one thing and no more makes
//! a [`BlockingPool`]:
//!
//! ```text
//!   let disk = BlockingPool::new(1)    one call at a time, in the order they were given
//!   disk.spawn(write)                  starts at once; the loop's own pool is as free as before
//!   drop(disk)                         waits for nothing: what has started is waited for when the loop closes
//! ```
//!
//! Before: `group/scope.rs`. Next: `net/mod.rs`, sockets.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use crate::current;
use crate::delivery::Delivery;
use crate::pool::Threads;
use crate::state::State;
use crate::task::JoinError;
use crate::trace::event::{EventKind, JobId, Wait};

/// Calls `call` on a thread of the loop's blocking pool. It is queued at once, awaited or not.
///
/// asyncio's `run_in_executor(None, …)` and `to_thread`. The number of threads is set by
/// [`Builder::pool_threads`](crate::Builder::pool_threads).
///
/// # Errors
/// The result is [`JoinError::Panicked`] if `call` panicked, and [`JoinError::Cancelled`] if the loop was
/// closed before it started.
///
/// # Cancellation
/// Dropping the handle abandons the job: it runs all the same, started or not, and its result is dropped. (Only a loop
/// that closes drops what has not started.) A thread cannot be stopped from outside.
///
/// # Panics
/// If no loop is running on this thread.
///
/// ```
/// let sum: u64 = oneloop::run(async {
///     oneloop::spawn_blocking(|| (1..=1000).sum()).await.expect("adding does not panic")
/// });
/// assert_eq!(sum, 500_500);
/// ```
///
/// What stays on its thread cannot go there:
///
/// ```compile_fail,E0277
/// oneloop::run(async {
///     let here = std::rc::Rc::new(1);
///     oneloop::spawn_blocking(move || drop(here)).await
/// });
/// ```
#[track_caller]
pub fn spawn_blocking<F, T>(call: F) -> BlockingHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let state = current::state();
    let (job, delivery) = state.spawn_job(None, call, Location::caller());
    BlockingHandle { state, job, delivery, delivered: false, _pool: None }
}

/// Threads of one's own for calls that block; asyncio's `ThreadPoolExecutor`, with [`spawn`](Self::spawn) for
/// `run_in_executor(pool, …)`.
///
/// A clone is another handle of the same pool. It may be made anywhere, and used by several loops on several
/// threads. Its threads are made when they are needed, and end when they have been idle for ten seconds.
///
/// # The end of a pool
///
/// When its last handle is dropped, those of its jobs included, nobody can wait for any of them any more. Jobs that
/// have not started are then refused: they are dropped uncalled. Those that have started run to their end, and are
/// waited for: by the closing loop, if the handle was dropped on a loop's thread while it ran, so that no loop stands
/// still for a pool; otherwise at once. That is `shutdown(wait=True, cancel_futures=True)`, which leaving a `with`
/// block does in Python, except that Python still runs what is queued. [`shutdown`](Self::shutdown) refuses at once
/// what has not started.
///
/// ```
/// use oneloop::BlockingPool;
///
/// let lengths = oneloop::run(async {
///     let pool = BlockingPool::new(3);
///     let jobs = ["one", "three", "twenty"].map(|word| pool.spawn(|| word.len()));
///     let mut lengths = Vec::new();
///     for job in jobs {
///         lengths.push(job.await.expect("measuring does not panic"));
///     }
///     lengths
/// });
/// assert_eq!(lengths, [3, 5, 6]);
/// ```
#[derive(Clone)]
pub struct BlockingPool(Arc<Own>);

/// Ends with the last handle.
struct Own(Threads);

/// Pools made so far, for their names.
static POOLS: AtomicUsize = AtomicUsize::new(0);

impl BlockingPool {
    /// A pool of at most so many threads, called `oneloop-pool-`, the number of the pool and that of the thread.
    ///
    /// # Panics
    /// If `threads` is 0.
    #[track_caller]
    pub fn new(threads: usize) -> BlockingPool {
        let number = POOLS.fetch_add(1, Ordering::Relaxed) + 1;
        BlockingPool::named(threads, &format!("oneloop-pool-{number}"))
    }

    /// As [`new`](Self::new), with threads called `name-1`, `name-2` and so on.
    ///
    /// # Panics
    /// If `threads` is 0, or there is a zero byte in `name`.
    #[track_caller]
    pub fn named(threads: usize, name: &str) -> BlockingPool {
        assert!(threads > 0, "a blocking pool without threads would never call anything: give it at least 1");
        assert!(
            !name.contains('\0'),
            "the name of a thread cannot hold a zero byte: give the pool another name"
        );
        BlockingPool(Arc::new(Own(Threads::new(threads, name.into()))))
    }

    /// Calls `call` on a thread of this pool, after those it was given before; otherwise as [`spawn_blocking`].
    ///
    /// # Errors
    /// The result is [`JoinError::Panicked`] if `call` panicked, and [`JoinError::Cancelled`] if the pool was shut
    /// down before the call had started.
    ///
    /// # Cancellation
    /// Dropping the handle abandons the job: it runs all the same, started or not, and its result is dropped. (Only
    /// [`shutdown`](BlockingPool::shutdown) drops what has not started.)
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub fn spawn<F, T>(&self, call: F) -> BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let state = current::state();
        let (job, delivery) = state.spawn_job(Some(&self.0.0), call, Location::caller());
        BlockingHandle { state, job, delivery, delivered: false, _pool: Some(self.clone()) }
    }

    /// Refuses the jobs that have not started, and all to come: their handles give [`JoinError::Cancelled`]. Those
    /// that have started go on, and this waits for none: await their handles for that. Python's
    /// `shutdown(wait=False, cancel_futures=True)`.
    pub fn shutdown(&self) {
        self.0.0.refuse();
    }

    /// The most threads it has at a time.
    pub fn threads(&self) -> usize {
        self.0.0.cap()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.0.refuse();
        if current::try_with(|state| state.fixture::<Leaving>().add(self.0.clone())).is_none() {
            self.0.wait();
        }
    }
}

/// Pools that ended while the loop ran, and may have jobs going on: waited for when the loop has dropped
/// everything else, since a job may be waiting for what a task holds.
#[derive(Default)]
struct Leaving(RefCell<Vec<Threads>>);

impl Leaving {
    fn add(&self, threads: Threads) {
        let mut pools = self.0.borrow_mut();
        pools.retain(|pool| !pool.is_empty());
        pools.push(threads);
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.take().iter().for_each(Threads::wait);
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlockingPool").field(&self.0.0).finish()
    }
}

/// A pool may be shared by loops on several threads.
const _: () = {
    const fn crosses_threads<T: Send + Sync>() {}
    crosses_threads::<BlockingPool>();
};

/// A job of the blocking pool: await it for the result of the call.
#[must_use = "a job abandoned at once still runs, and nobody learns of its result or its panic"]
pub struct BlockingHandle<T> {
    state: Rc<State>,
    job: JobId,
    delivery: Delivery<T>,
    /// Whether the result was handed over.
    delivered: bool,
    /// Keeps the pool as long as somebody may wait for the job; `None`: the loop's own pool.
    _pool: Option<BlockingPool>,
}

impl<T> BlockingHandle<T> {
    /// Whether the call has returned or panicked.
    pub fn is_finished(&self) -> bool {
        self.delivery.is_finished()
    }
}

impl<T> Future for BlockingHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// When awaited again after it gave its result.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = self.delivery.poll(cx);
        if result.is_pending() {
            self.state.note_suspended(Wait::Job, Location::caller());
        } else {
            self.delivered = true;
            self.state.tell_job_over(EventKind::JobDeliver { job: self.job }, self.job);
        }
        result
    }
}

impl<T> Drop for BlockingHandle<T> {
    fn drop(&mut self) {
        if !self.delivered {
            self.state.tell_job_over(EventKind::JobAbandon { job: self.job }, self.job);
        }
    }
}

impl<T> fmt::Debug for BlockingHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}{}>", self.job, if self.is_finished() { " finished" } else { "" })
    }
}
