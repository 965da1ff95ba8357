//! Chapter 25: tasks that wait for each other: queues, semaphores, a mutex and conditions, events, barriers, and values
//! handed over once.
//!
//! Nothing here needs a loop: an object can be made before the loop is, and works under any executor of one
//! thread. Of a task of a loop it keeps the entry, of anybody else the waker. The objects are handles: a clone is the
//! same object. None of them leaves its thread:
//!
//! ```compile_fail
//! fn give_to_a_thread<T: Send>(_: T) {}
//! give_to_a_thread(oneloop::sync::Queue::<u8>::new(1));
//! ```
//!
//! Before: `combine/timeout.rs`. Next: `sync/error.rs`.

mod error;
mod waiters;
pub mod order;
mod queue_state;
mod queue;
mod semaphore;
mod bounded;
mod mutex;
mod condition;
mod event;
mod barrier;
pub mod oneshot;

pub use barrier::{Barrier, BarrierWait};
pub use bounded::BoundedSemaphore;
pub use condition::{Condition, ConditionWait, ConditionWaitFor};
pub use error::{BrokenBarrier, PutError, QueueError};
pub use event::{Event, EventWait};
pub use mutex::{Lock, Mutex, MutexGuard};
pub use queue::{Get, LifoQueue, OrderedQueue, PriorityQueue, Put, Queue, QueueJoin};
pub use semaphore::{Acquire, Permit, Semaphore};
