//! How each runtime is started: in one thread, with the row's body as a task of its own, because tokio and
//! smol both treat the future given to `block_on` differently from a task.

use std::future::Future;

use async_executor::LocalExecutor;
use futures::executor::{LocalPool, LocalSpawner};
use futures::future::RemoteHandle;
use futures::task::LocalSpawnExt as _;
use oneloop::EventLoop;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::LocalSet;

use crate::python;
use crate::row::Peer;

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

/// `LocalPool` of the crate futures.
pub fn on_local_pool<F>(body: impl FnOnce(LocalSpawner) -> F) -> F::Output
where
    F: Future + 'static,
{
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    let body = spawner.spawn_local_with_handle(body(spawner.clone())).expect("the pool lives");
    pool.run_until(body)
}

/// What spawns on it.
pub fn spawner<F>(pool: LocalSpawner) -> impl Fn(F) -> RemoteHandle<F::Output>
where
    F: Future + 'static,
{
    move |task| pool.spawn_local_with_handle(task).expect("the pool lives")
}

/// compio.
#[cfg(feature = "compio")]
pub fn on_compio<F: Future + 'static>(body: F) -> F::Output {
    let runtime = compio::runtime::Runtime::new().expect("compio starts");
    runtime.block_on(async { compio::runtime::spawn(body).await.expect("the body does not panic") })
}

/// monoio, with a blocking pool of one thread.
#[cfg(feature = "monoio")]
pub fn on_monoio<F>(body: F) -> F::Output
where
    F: Future + 'static,
    F::Output: 'static,
{
    let mut runtime = monoio_builder().build().expect("monoio starts");
    runtime.block_on(async { monoio::spawn(body).await })
}

#[cfg(feature = "monoio")]
fn monoio_builder() -> monoio::RuntimeBuilder<monoio::time::TimeDriver<monoio::FusionDriver>> {
    let pool = monoio::blocking::DefaultThreadPool::new(1);
    monoio::RuntimeBuilder::<monoio::FusionDriver>::new().attach_thread_pool(Box::new(pool)).enable_timer()
}

/// Whether a peer can be measured here.
///
/// # Errors
/// Why it cannot.
pub fn check(peer: Peer) -> Result<(), String> {
    match peer {
        #[cfg(feature = "compio")]
        Peer::Compio => compio::runtime::Runtime::new().map(drop).map_err(|error| error.to_string()),
        #[cfg(not(feature = "compio"))]
        Peer::Compio => Err("it was left out when this was built".into()),
        #[cfg(feature = "monoio")]
        Peer::Monoio => monoio_builder().build().map(drop).map_err(|error| error.to_string()),
        #[cfg(not(feature = "monoio"))]
        Peer::Monoio => Err("it was left out when this was built".into()),
        Peer::Asyncio => python::imports("asyncio"),
        Peer::Uvloop => python::imports("uvloop"),
        _ => Ok(()),
    }
}

/// The variable by which the driver limits smol's blocking pool; it is read once, when the pool starts.
pub const SMOL_POOL: (&str, &str) = ("BLOCKING_MAX_THREADS", "1");

/// Checks that smol's blocking pool will have one thread.
pub fn check_smol_pool() {
    let (name, value) = SMOL_POOL;
    let given = std::env::var(name);
    assert_eq!(given.as_deref(), Ok(value), "smol's pool has one thread only with {name}={value}");
}
