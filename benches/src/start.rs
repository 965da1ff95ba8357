//! How each runtime is started: in one thread, with the row's body as a task of its own, because tokio and
//! smol both treat the future given to `block_on` differently from a task.

use std::future::Future;

use async_executor::LocalExecutor;
use oneloop::EventLoop;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::LocalSet;

/// oneloop.
pub fn on_oneloop<F: Future + 'static>(body: F) -> F::Output {
    let event_loop = EventLoop::builder().pool_threads(1).build().expect("oneloop starts");
    event_loop.run_until_complete(async { oneloop::spawn(body).await.expect("the body does not panic") })
}

/// tokio's current-thread runtime; what it spawns must be `Send`.
pub fn on_tokio<F>(body: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let runtime = tokio_builder().build().expect("tokio starts");
    runtime.block_on(async { tokio::spawn(body).await.expect("the body does not panic") })
}

/// The same with a `LocalSet`.
pub fn on_tokio_set<F: Future + 'static>(body: F) -> F::Output {
    let runtime = tokio_builder().build().expect("tokio starts");
    LocalSet::new()
        .block_on(&runtime, async { tokio::task::spawn_local(body).await.expect("the body does not panic") })
}

/// tokio's `LocalRuntime`.
pub fn on_tokio_local<F: Future + 'static>(body: F) -> F::Output {
    let runtime = tokio_builder().build_local(LocalOptions::default()).expect("tokio starts");
    runtime.block_on(async { tokio::task::spawn_local(body).await.expect("the body does not panic") })
}

fn tokio_builder() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().max_blocking_threads(1);
    builder
}

/// The executor that smol's bodies spawn on. It lives as long as the process, so that tasks may hold it.
pub type Smol = &'static LocalExecutor<'static>;

/// smol: a `LocalExecutor`, and async-io's reactor.
pub fn on_smol<F>(body: impl FnOnce(Smol) -> F) -> F::Output
where
    F: Future + 'static,
{
    let executor: Smol = Box::leak(Box::new(LocalExecutor::new()));
    async_io::block_on(executor.run(executor.spawn(body(executor))))
}

/// The variable by which the driver limits smol's blocking pool; it is read once, when the pool starts.
pub const SMOL_POOL: (&str, &str) = ("BLOCKING_MAX_THREADS", "1");

/// Checks that smol's blocking pool will have one thread.
pub fn check_smol_pool() {
    let (name, value) = SMOL_POOL;
    let given = std::env::var(name);
    assert_eq!(given.as_deref(), Ok(value), "smol's pool has one thread only with {name}={value}");
}
