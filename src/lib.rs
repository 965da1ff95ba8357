//! One thread, one event loop, safe Rust: asyncio's vocabulary, an HTTP/1.1 client, and a trace of every
//! suspension and wake, for any program and with no change to it.
//!
//! ```
//! use std::time::Duration;
//!
//! async fn hello(name: &str) -> String {
//!     oneloop::sleep(Duration::from_millis(10)).await;
//!     format!("Hello, {name}!")
//! }
//!
//! let greetings = oneloop::run(async {
//!     let world = oneloop::spawn(hello("World"));
//!     (hello("you").await, world.await.expect("it neither panics nor is cancelled"))
//! });
//! assert_eq!(greetings, ("Hello, you!".into(), "Hello, World!".into()));
//! ```
//!
//! # Where to begin
//!
//! * to use it: [`run`], [`spawn`], [`sleep`](fn@sleep), [`gather`], [`sync`], [`net`], [`fs`], [`process`], [`http`];
//! * coming from asyncio: `docs/from-asyncio.md` has both names side by side;
//! * to watch it: `ONELOOP=print`, or an observer of your own ([`trace`]);
//! * to read it: the files in the order in which they are listed in this file, which is also the order in which
//!   they may import one another. Each `mod` line is a chapter, and a folder's files are its parts.
//!
//! # The turn
//!
//! ```text
//!        ┌──────────────────────────── one turn ───────────────────────────┐
//!        │ 1 plan    how long may we wait?  0 if anything is ready          │
//!        │ 2 wait    block in the reactor: I/O, notify, or time runs out    │
//!        │ 3 wake    sources that became ready → their tasks join the queue │
//!        │ 4 fire    timers that are due → wake a task or queue a callback  │
//!        │ 5 run     take the queue as it is now; poll / call each once     │
//!        └──────────────────────────────────────────────────────────────────┘
//!   made ready during step 5 → waits for the next turn, after another look at I/O
//! ```
//!
//! # Features
//!
//! * `http` (default): [`http`] and TLS. Without it the crate is the loop and the world outside (sockets, files, processes,
//!   signals), and builds in seconds;
//! * `cli`: the command `oneloop`, what it reads recordings with (`trace::{read, findings, export, page}`), and gzip for
//!   those that are written;
//! * `stacks`: the chains of async functions that tasks are suspended in, at the level `frame` of a recording.
//!
//! Left out on purpose: more than one thread per loop, macros, and a trait for every idea.

#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

// Part I: the loop alone.
pub mod trace;
mod task;
mod ready;
mod sent;
mod tasks;
mod timer;
mod callback;
mod reactor;
mod delivery;
mod pool;
mod pace;
mod state;
mod current;
mod kept;
mod calls;
mod wake;
mod task_ref;
mod join;
mod remote;
mod main_future;
mod turn;
mod event_loop;

// Part II: futures that wait.
mod sleep;
mod combine;
pub mod sync;
mod group;
mod blocking;

// Part III: the world outside.
pub mod net;
mod watch;
pub mod signal;
pub mod fs;
pub mod process;
mod process_pool;

// Part IV: HTTP/1.1.
#[cfg(feature = "http")]
pub mod http;

// Part V: seeing it. All of `trace` that reads events is the chapter before the last, though it stands in the folder of
// the first.

// The last room.
mod start;

pub use blocking::{BlockingHandle, BlockingPool, spawn_blocking};
pub use calls::{CallHandle, call_at, call_later, call_soon, is_running, stop, time};
pub use combine::{
    AsCompleted, AsCompletedWithin, Either, Gather, Limit, NextCompleted, Race, ReturnWhen, Shield, TimedOut,
    Timeout, TryGather, WaitFor, WaitTasks, Waited, as_completed, gather, race, shield, timeout, timeout_at,
    try_gather, wait, wait_for,
};
pub use event_loop::EventLoop;
pub use group::{GroupError, GroupFailure, GroupHandle, GroupScope, TaskGroup};
pub use join::{DoneCallback, JoinHandle, spawn, spawn_named};
pub use process_pool::{ProcessError, ProcessErrorKind, ProcessJob, ProcessPool};
pub use remote::{LoopClosed, Remote, RemoteHandle, remote};
pub use sleep::{Sleep, YieldNow, sleep, sleep_until, yield_now};
pub use start::{Builder, run};
pub use task::{JoinError, Panic};
pub use task_ref::{Task, TaskState, all_tasks, current_task};
pub use watch::{Watch, add_reader, add_writer};

/// The pages outside of `src/`, compiled and run as tests.
#[cfg(all(doctest, feature = "http"))]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/architecture.md")]
    struct Architecture;
    #[doc = include_str!("../docs/from-asyncio.md")]
    struct FromAsyncio;
    #[doc = include_str!("../docs/glossary.md")]
    struct Glossary;
    #[doc = include_str!("../docs/decisions/README.md")]
    struct Decisions;
    #[doc = include_str!("../examples/README.md")]
    struct Examples;
}
