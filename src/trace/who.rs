//! Chapter 1, part 2: of whom is told: tasks, timers and sources by their numbers, and the lines of a program.
//!
//! An event names everything it is about by a small number, which nothing else in the loop's life has. It can be
//! kept, compared and written down long after the thing itself is gone.
//!
//! Before: `trace/mod.rs`. Next: `trace/frames.rs`.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A place in the source: file, line and column of a call or of an `.await`.
pub type Site = &'static Location<'static>;

/// A [`Site`] as events carry it: it can also be made, so that the events read from a recording are the very events
/// that were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as the compiler was given it: relative to the workspace for a program's own.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl From<Site> for Place {
    fn from(site: Site) -> Place {
        Place { file: site.file(), line: site.line(), column: site.column() }
    }
}

impl fmt::Display for Place {
    /// `src/main.rs:7:12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $word:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Small whole numbers, given out in order by one loop and never used twice in its life (the
        /// counter has 32 bits for tasks and callbacks; a loop that makes more starts again at 0).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.0)
            }
        }
    )*};
}

ids! {
    /// Which task. Task 0 is the main future of the loop's first run.
    TaskId, "task";
    /// Which callback.
    CallbackId, "callback";
    /// Which timer.
    TimerId, "timer";
    /// Which registered source of I/O events: a socket, a listener, a signal pipe.
    SourceId, "source";
    /// Which job of the blocking pool.
    JobId, "job";
    /// Which line of tasks that wait for one object: for a lock, for the permits of a semaphore, for the items of a
    /// queue, for room in it. Numbered when somebody first waits in it, or takes a permit, while the loop is watched.
    LineId, "line";
}

/// Who did it: the party at work when an event happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The program outside of any task or callback, or the loop itself.
    Loop,
    /// Code inside this task's poll.
    Task(TaskId),
    /// Code inside this callback.
    Callback(CallbackId),
    /// A timer that fired.
    Timer(TimerId),
    /// A source that became ready.
    Source(SourceId),
    /// A job of the blocking pool, on its thread.
    Job(JobId),
    /// Another thread, by name.
    Thread(Arc<str>),
    /// Whoever watches the loop, through `Observer::decide`.
    Observer,
}
