//! One thread, one event loop, safe Rust.
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

// Part I: the loop alone.
pub mod trace;
mod task;
mod ready;
mod tasks;
mod timer;
mod callback;
mod reactor;
mod pool;
mod state;
mod current;
mod calls;
mod wake;
mod join;
mod remote;
mod pace;
mod main_future;
mod event_loop;

// Part II: futures that wait.
mod sleep;
mod combine;
pub mod sync;
mod blocking;

// Part III: the world outside.
pub mod net;
pub mod signal;

// Part IV: HTTP/1.1.
#[cfg(feature = "http")]
pub mod http;

// The last room.
mod start;

pub use blocking::{BlockingHandle, spawn_blocking};
pub use calls::{CallHandle, call_at, call_later, call_soon, stop, time};
pub use combine::{Either, Gather, Race, TimedOut, TryGather, WaitFor, gather, race, try_gather, wait_for};
pub use event_loop::EventLoop;
pub use join::{JoinHandle, spawn, spawn_named};
pub use remote::{LoopClosed, Remote, RemoteHandle, remote};
pub use sleep::{Sleep, YieldNow, sleep, sleep_until, yield_now};
pub use start::{Builder, run};
pub use task::JoinError;
