//! The world outside, but for TCP and child processes: Unix sockets, datagrams, files, watched descriptors.
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;
#[path = "../support/recorder.rs"]
mod recorder;

mod descriptors;
mod file;
mod files;
mod udp;
mod unix;

use std::future::Future;
use std::sync::mpsc;

use futures_lite::future::poll_once;
use oneloop::{EventLoop, spawn_blocking};

/// A loop in virtual time whose pool has one thread.
fn loop_of_one_thread() -> EventLoop {
    EventLoop::builder().virtual_time().pool_threads(1).build().unwrap()
}

/// Polls a future once, while the only thread of the pool is taken, so that it cannot be ready; then drops it.
async fn begun_and_given_up(future: impl Future) {
    let (release, released) = mpsc::channel::<()>();
    let taken = spawn_blocking(move || released.recv().is_err());
    assert!(poll_once(future).await.is_none());
    drop(release);
    taken.await.unwrap();
}
