//! Chapter 35, part 17: which events are recorded.
//!
//! | level | what is recorded |
//! |---|---|
//! | `loop` | turns, waits, callbacks, threads, and the begin and the end of each task |
//! | `task` | and every wake and poll, timers, sources, jobs: all that an observer is told, but for what follows |
//! | `leaf` | and which future waits in which line for which object, is granted what it waits for, or is given up |
//! | `frame` | and the async functions that a task is in when it begins to wait (with the feature `stacks`) |
//!
//! Before: `trace/record/snapshot.rs`. Next: `trace/record/header.rs`.

use crate::trace::event::EventKind;

/// How much is recorded; each level has all of those before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// What the loop does.
    Loop,
    /// What each task does.
    #[default]
    Task,
    /// What each future at the end of a chain of awaits does.
    Leaf,
    /// The chains too.
    Frame,
}

impl Level {
    pub(crate) const ALL: [Level; 4] = [Level::Loop, Level::Task, Level::Leaf, Level::Frame];

    /// Its name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Level::Loop => "loop",
            Level::Task => "task",
            Level::Leaf => "leaf",
            Level::Frame => "frame",
        }
    }

    /// The level of this name.
    pub(crate) fn called(word: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.word() == word)
    }

    /// Whether such an event is recorded.
    #[inline]
    pub(crate) fn records(self, kind: &EventKind) -> bool {
        self >= Level::of(kind)
    }

    /// The lowest level at which such an event is recorded.
    #[inline]
    fn of(kind: &EventKind) -> Level {
        use EventKind as E;
        match kind {
            E::TurnBegin { .. } | E::TurnEnd { .. } | E::WaitBegin { .. } | E::WaitEnd { .. } => Level::Loop,
            E::Notify { .. } | E::ClockJump { .. } | E::Stop { .. } => Level::Loop,
            E::Stuck { .. } | E::HeldUp { .. } | E::LoopEnd { .. } | E::Unheard { .. } => Level::Loop,
            E::CallbackNew { .. } | E::CallbackBegin { .. } => Level::Loop,
            E::CallbackEnd { .. } | E::CallbackCancel { .. } => Level::Loop,
            E::Spawn { .. } | E::TaskEnd { .. } => Level::Loop,
            E::ThreadStart { .. } | E::ThreadExit { .. } => Level::Loop,
            E::LineWait { .. } | E::LineGrant { .. } | E::LineLeave { .. } => Level::Leaf,
            E::PermitTake { .. } | E::PermitRelease { .. } => Level::Leaf,
            E::LeafWait { .. } | E::IoForget { .. } => Level::Leaf,
            E::Chain { .. } => Level::Frame,
            _ => Level::Task,
        }
    }
}
