//! Chapter 24, part 3: how is the first error heard at once?
//!
//! A gather that gives up at the first error cannot wait for its children in order: the third may fail while
//! the first is still at work. So here each child reports. It runs inside a small wrapper, which puts its value
//! on a board that all share, and wakes the gather only if there is something to tell: an error, or the last
//! value. For n children that is one wake, whatever happens.
//!
//! ```text
//!   child 0 ──▶ value ──▶ board: [ v0 – v2 ]  missing 1
//!   child 2 ──▶ value ──▶
//!   child 1 ──▶ error ──▶ verdict ──▶ wake ──▶ the gather returns the error; 0 and 2 are left alone
//! ```
//!
//! A child that panics, or is cancelled, reports nothing of its own. Its wrapper is dropped then, and puts the
//! child's number on the board; the gather takes the panic from the child's handle and goes on with it.
//!
//! Before: `combine/gather.rs`. Next: `combine/race.rs`, which starts no tasks.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::current;
use crate::join::{JoinHandle, spawn_wrapped};
use crate::kept::Kept;
use crate::task::JoinError;
use crate::trace::event::Wait;

/// Starts a task for each future, and waits for all values, which come in the order of the futures; or
/// for the first error, in the order of time, which is returned at once. The other children then go on by
/// themselves, as asyncio's do.
///
/// asyncio's `gather` with its usual setting.
///
/// # Errors
/// The first error of a child.
///
/// # Cancellation
/// Dropping it before it returned cancels all children that have not ended.
///
/// # Panics
/// If no loop is running on this thread. If a child panics, its panic goes on in the awaiting task. If
/// a child is cancelled by somebody else, which leaves nothing to return. When polled again after it has returned.
///
/// ```
/// let result = oneloop::run(async {
///     oneloop::try_gather(["1", "2", "x"].map(|text| async move { text.parse::<u8>() })).await
/// });
/// assert_eq!(result.unwrap_err().to_string(), "invalid digit found in string");
/// ```
#[track_caller]
pub fn try_gather<I, T, E>(futures: I) -> TryGather<T, E>
where
    I: IntoIterator,
    I::Item: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    let board = Board { values: Vec::new(), missing: 0, verdict: None, waker: None };
    let board = Rc::new(RefCell::new(board));
    let mut children = Vec::new();
    for (index, future) in futures.into_iter().enumerate() {
        {
            let mut board = board.borrow_mut();
            board.values.push(None);
            board.missing += 1;
        }
        let child = Child { future, index, board: Some(Rc::clone(&board)) };
        children.push(spawn_wrapped::<I::Item, _>(current::state(), None, child));
    }
    TryGather { board, children, returned: false }
}

/// Where the children report.
struct Board<T, E> {
    /// The values so far, by child; `None` for a child that has not reported one.
    values: Vec<Option<T>>,
    /// How many of them are `None`.
    missing: usize,
    /// What came first of all that ends the gather early; `None` if nothing has.
    verdict: Option<Verdict<E>>,
    /// Who awaits the gather; `None` before its first poll, and once it was woken.
    waker: Option<Kept>,
}

/// What ends a gather early.
enum Verdict<E> {
    /// A child returned this error.
    Failed(E),
    /// The child of this number ended without returning.
    Lost(usize),
}

impl<T, E> Board<T, E> {
    /// Notes a child's end; returns whom to wake for it. Late errors have nobody to go to.
    fn report(&mut self, index: usize, result: Result<T, Verdict<E>>) -> Option<Kept> {
        match result {
            Ok(value) => {
                self.values[index] = Some(value);
                self.missing -= 1;
            }
            Err(verdict) => {
                self.verdict.get_or_insert(verdict);
            }
        }
        let over = self.missing == 0 || self.verdict.is_some();
        if over { self.waker.take() } else { None }
    }
}

pin_project! {
    /// A child: the user's future, and where its end is reported.
    struct Child<F, T, E> {
        #[pin]
        future: F,
        index: usize,
        // `None` once it has reported.
        board: Option<Rc<RefCell<Board<T, E>>>>,
    }

    impl<F, T, E> PinnedDrop for Child<F, T, E> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            report(this.board, *this.index, Err(Verdict::Lost(*this.index)));
        }
    }
}

impl<F, T, E> Future for Child<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = ();

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.future.poll(cx).map(|result| report(this.board, *this.index, result.map_err(Verdict::Failed)))
    }
}

/// Reports once: later calls do nothing.
fn report<T, E>(board: &mut Option<Rc<RefCell<Board<T, E>>>>, index: usize, result: Result<T, Verdict<E>>) {
    if let Some(board) = board.take() {
        let waker = board.borrow_mut().report(index, result);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The future of [`try_gather`].
#[must_use = "dropping a gather cancels its children: await it"]
pub struct TryGather<T, E> {
    board: Rc<RefCell<Board<T, E>>>,
    /// The children, in order; empty once this has returned. None is awaited before it is lost, so dropping
    /// the handles leaves the tasks to themselves.
    children: Vec<JoinHandle<()>>,
    returned: bool,
}

impl<T, E> Future for TryGather<T, E> {
    type Output = Result<Vec<T>, E>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.returned, "a try_gather was polled again after it had returned: await it once");
        let mut board = self.board.borrow_mut();
        if let Some(Verdict::Lost(index)) = board.verdict {
            drop(board);
            return self.poll_lost(index, cx);
        }
        if let Some(Verdict::Failed(error)) = board.verdict.take() {
            drop(board);
            self.end();
            return Poll::Ready(Err(error));
        }
        if board.missing == 0 {
            let values = std::mem::take(&mut board.values);
            drop(board);
            self.end();
            return Poll::Ready(Ok(values.into_iter().flatten().collect()));
        }
        let replaced = board.waker.replace(Kept::new(cx.waker()));
        drop(board);
        drop(replaced);
        current::suspended(Wait::Gather, Location::caller());
        Poll::Pending
    }
}

impl<T, E> TryGather<T, E> {
    /// It returns, or panics: the children are left to themselves.
    fn end(&mut self) {
        self.returned = true;
        self.children.clear();
    }

    /// A child ended without returning: goes on with its panic.
    #[track_caller]
    fn poll_lost(&mut self, index: usize, cx: &mut Context<'_>) -> Poll<Result<Vec<T>, E>> {
        let Poll::Ready(result) = Pin::new(&mut self.children[index]).poll(cx) else {
            // Its future is dropped, but its task has not quite ended.
            current::suspended(Wait::Gather, Location::caller());
            return Poll::Pending;
        };
        self.end();
        match result {
            Err(JoinError::Panicked(panic)) => resume_unwind(panic.into_payload()),
            _ => panic!(
                "child {index} of a try_gather was cancelled from outside, so its value will never come: use \
                 gather, which returns that as an error"
            ),
        }
    }
}

impl<T, E> Drop for TryGather<T, E> {
    fn drop(&mut self) {
        for child in &self.children {
            child.cancel();
        }
    }
}

impl<T, E> fmt::Debug for TryGather<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.children).finish()
    }
}
