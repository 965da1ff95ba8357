//! Chapter 25, part 2: how the objects of this room say no.
//!
//! An item that could not be put is given back inside the error, so a refused put loses nothing.
//!
//! Before: `sync/mod.rs`. Next: `sync/waiters.rs`.

use std::error::Error;
use std::fmt;

/// A barrier was aborted, or was reset while this task waited at it; asyncio's `BrokenBarrierError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenBarrier;

/// Why an item was not put; it holds the item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PutError<T> {
    /// There is no room now (`try_put` only); asyncio's `QueueFull`.
    Full(T),
    /// The queue was shut down; asyncio's `QueueShutDown`.
    ShutDown(T),
}

/// Why no item was got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueError {
    /// There is no item now (`try_get` only); asyncio's `QueueEmpty`.
    Empty,
    /// The queue was shut down and nothing is left in it; asyncio's `QueueShutDown`.
    ShutDown,
}

impl<T> PutError<T> {
    /// The item that was not put.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::ShutDown(item) => item,
        }
    }

    /// Whether there was no room.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the queue was shut down.
    pub fn is_shut_down(&self) -> bool {
        matches!(self, Self::ShutDown(_))
    }
}

/// By hand, so that an item without `Debug` can be put with `unwrap` too.
impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::ShutDown(_) => "ShutDown(..)",
        })
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full",
            Self::ShutDown(_) => "the queue was shut down",
        })
    }
}

impl<T> Error for PutError<T> {}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty",
            Self::ShutDown => "the queue was shut down and is empty",
        })
    }
}

impl Error for QueueError {}

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was aborted, or reset while a task waited at it")
    }
}

impl Error for BrokenBarrier {}
