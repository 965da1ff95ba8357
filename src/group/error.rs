//! Chapter 26, part 2: what does a group return that failed more than once?
//!
//! Between the first failure and the end of the last task others may fail, in the same turn or on being cancelled.
//! None of that is lost: the error holds all failures, in the order in which they happened.
//!
//! Before: `group/mod.rs`. Next: `group/members.rs`.

use std::error::Error;
use std::fmt;

use crate::task::Panic;

/// All failures of a task group, the first one first; there is at least one. asyncio's `ExceptionGroup`.
#[derive(Debug)]
pub struct GroupError<E> {
    failures: Vec<GroupFailure<E>>,
}

/// How one task of a group failed, or the group's body.
#[derive(Debug)]
#[non_exhaustive]
pub enum GroupFailure<E> {
    /// It returned this error.
    Error(E),
    /// It panicked.
    Panicked(Panic),
}

impl<E> GroupError<E> {
    pub(super) fn new(failures: Vec<GroupFailure<E>>) -> GroupError<E> {
        GroupError { failures }
    }

    /// The failures, in the order in which they happened.
    pub fn failures(&self) -> &[GroupFailure<E>] {
        &self.failures
    }

    /// The failures, to keep.
    pub fn into_failures(self) -> Vec<GroupFailure<E>> {
        self.failures
    }

    /// The errors that were returned, in their order, without the panics.
    pub fn into_errors(self) -> impl Iterator<Item = E> {
        self.failures.into_iter().filter_map(|failure| match failure {
            GroupFailure::Error(error) => Some(error),
            GroupFailure::Panicked(_) => None,
        })
    }
}

impl<E: fmt::Display> fmt::Display for GroupFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupFailure::Error(error) => error.fmt(f),
            GroupFailure::Panicked(panic) => write!(f, "panicked: {}", panic.message()),
        }
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    /// `2 failures in a task group: no route to host; panicked: out of flour`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.failures.len();
        write!(f, "{number} failure{} in a task group", if number == 1 { "" } else { "s" })?;
        let mut before = ": ";
        for failure in &self.failures {
            write!(f, "{before}{failure}")?;
            before = "; ";
        }
        Ok(())
    }
}

impl<E: fmt::Debug + fmt::Display> Error for GroupError<E> {}
