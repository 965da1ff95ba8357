//! Chapter 1, part 2: of whom is told: tasks, timers and sources by their numbers, and the lines of a program.
//!
//! An event names everything it is about by a small number, which nothing else in the loop's life has. It can be
//! kept, compared and written down long after the thing itself is gone.
//!
//! Before: `trace/mod.rs`. Next: `trace/frames.rs`.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Deref;
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
    /// `src/main.rs:7:12`; as `{:#}` without the column, `src/main.rs:7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if f.alternate() { Ok(()) } else { write!(f, ":{}", self.column) }
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

/// The name of a task. One that was given none is called after its number, `task-7`; that takes no memory elsewhere.
#[derive(Clone)]
pub struct Name(Letters);

#[derive(Clone)]
enum Letters {
    Given(Arc<str>),
    /// So many of the bytes, of a word and a number.
    Numbered(u8, [u8; NUMBERED]),
}

/// The most bytes of a name after a number: `task-18446744073709551615` has 25, but no loop makes so many tasks.
const NUMBERED: usize = 22;

impl Name {
    /// The name of a task that was given none.
    pub(crate) fn numbered(task: TaskId) -> Name {
        let mut bytes = *b"task-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let digits = task.0.checked_ilog10().unwrap_or(0) as usize + 1;
        let end = 5 + digits;
        let Some(places) = bytes.get_mut(5..end) else {
            return Name::from(format!("task-{}", task.0));
        };
        let mut rest = task.0;
        for place in places.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Name(Letters::Numbered(end as u8, bytes))
    }

    /// Whether it was given, and is not only made of the task's number.
    pub(crate) fn is_given(&self) -> bool {
        matches!(self.0, Letters::Given(_))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Letters::Given(name) => name,
            Letters::Numbered(len, bytes) => {
                std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default()
            }
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl From<Arc<str>> for Name {
    fn from(name: Arc<str>) -> Name {
        Name(Letters::Given(name))
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Name {
        Arc::<str>::from(name).into()
    }
}

impl From<String> for Name {
    fn from(name: String) -> Name {
        Arc::<str>::from(name).into()
    }
}

impl From<&Name> for Arc<str> {
    fn from(name: &Name) -> Arc<str> {
        match &name.0 {
            Letters::Given(name) => Arc::clone(name),
            Letters::Numbered(..) => (**name).into(),
        }
    }
}

/// What is kept of things by their numbers. The numbers come from a loop's own counters and from nobody who means harm,
/// so the quickest hash will do; this is looked at several times in each poll that is watched.
pub(crate) type ById<Id, T> = HashMap<Id, T, BuildHasherDefault<IdHasher>>;

/// Spreads one number over 64 bits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio: numbers in a row come to lie far apart.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_without_a_name_is_called_after_its_number() {
        for number in [0, 9, 10, 4_294_967_295, 99_999_999_999_999_999, u64::MAX] {
            assert_eq!(&*Name::numbered(TaskId(number)), format!("task-{number}"));
        }
        assert!(Name::from("task-7") == Name::numbered(TaskId(7)));
    }
}
