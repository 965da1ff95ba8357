//! Chapter 24, part 4: how does a task go on with whichever comes first?
//!
//! `race` needs no tasks and no list. It polls both futures with the waker it was given itself, so whoever is
//! ready first wakes the one task, which polls both again. That is all that "waiting for two things" means.
//!
//! The loser is dropped at the `.await` where it is suspended. That is Rust's way of cancelling, and it happens
//! before the winner's result is returned.
//!
//! Before: `combine/try_gather.rs`. Next: `combine/shield.rs`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::current;
use crate::trace::event::Wait;

/// Waits for the first of two futures, and drops the other.
///
/// Both are polled in turn, `a` first: if both are ready at the same poll, `a` wins and `b` is not asked.
/// asyncio has no such function; it is `wait(…, return_when=FIRST_COMPLETED)` with the rest cancelled.
///
/// # Cancellation
/// Dropping it drops both. What the loser had begun is lost, unless it says that it loses nothing: a race
/// with a [`Queue::get`](crate::sync::Queue::get) is safe, one with a half-read message is not. A
/// [`JoinHandle`](crate::JoinHandle) that loses cancels its task.
///
/// # Panics
/// When polled again after it has returned.
///
/// ```
/// use oneloop::{Either, race, yield_now};
///
/// let first = oneloop::run(race(yield_now(), async { "at once" }));
/// assert_eq!(first, Either::Right("at once"));
/// ```
pub fn race<A: Future, B: Future>(a: A, b: B) -> Race<A, B> {
    Race { a: Some(a), b: Some(b) }
}

/// Which of two futures came first, with its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Either<A, B> {
    /// The first future's result.
    Left(A),
    /// The second future's result.
    Right(B),
}

impl<T> Either<T, T> {
    /// The result, where it does not matter whose it is.
    pub fn into_inner(self) -> T {
        match self {
            Self::Left(result) | Self::Right(result) => result,
        }
    }
}

pin_project! {
    /// The future of [`race`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Race<A, B> {
        // `None`, both of them, once this has returned.
        #[pin]
        a: Option<A>,
        #[pin]
        b: Option<B>,
    }
}

impl<A: Future, B: Future> Future for Race<A, B> {
    type Output = Either<A::Output, B::Output>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (Some(a), Some(b)) = (this.a.as_mut().as_pin_mut(), this.b.as_mut().as_pin_mut()) else {
            panic!("a race was polled again after it had returned: await it once");
        };
        let first = match a.poll(cx) {
            Poll::Ready(result) => Either::Left(result),
            Poll::Pending => match b.poll(cx) {
                Poll::Ready(result) => Either::Right(result),
                Poll::Pending => {
                    current::suspended(Wait::Race, Location::caller());
                    return Poll::Pending;
                }
            },
        };
        this.a.set(None);
        this.b.set(None);
        Poll::Ready(first)
    }
}

impl<A, B> fmt::Debug for Race<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Race").field("returned", &self.a.is_none()).finish_non_exhaustive()
    }
}
