//! Chapter 33: work that must not share a process.
//!
//! Threads share memory, and a call that crashes takes the program with it; a call that hangs cannot be stopped at
//! all. A process can be killed. A [`ProcessPool`] keeps *workers*: the same program started again, which calls
//! functions by name, with bytes for arguments and results.
//!
//! ```text
//!   the program                                        a worker: the same program, started again
//!   main: serve(jobs) returns                          main: serve(jobs) never returns
//!   run("factorial", "20").await                                │
//!     │  thread of the pool: takes an idle worker or starts one │
//!     │            ├──── Name "factorial", Input "20" ─────────▶│ factorial(b"20")
//!     │            │◀─── Done "2432902008176640000" ────────────┤
//!     ▼            │◀─── (or the end of the stream: it died)    ✗
//!   the result     └──── time limit over, or nobody waits any more: kill, and the next job has a new worker
//! ```
//!
//! Each job has a thread of a [`BlockingPool`](crate::BlockingPool), which speaks to its worker with plain blocking
//! reads and writes: the pool's queue is the queue of jobs, and the number of its threads that of the workers.
//!
//! Left out on purpose: sending values. What cannot be said in bytes is said by a library that makes bytes of it.
//!
//! Before: `process/communicate.rs`. Next: `process_pool/frame.rs`.

mod frame;
mod error;
mod serve;
mod worker;
mod pool;

pub use error::{ProcessError, ProcessErrorKind};
pub use pool::{ProcessJob, ProcessPool};
