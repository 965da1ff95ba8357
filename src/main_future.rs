//! Chapter 20: the main future, which may borrow.
//!
//! A spawned task is boxed and owned by the loop, so its future may not borrow (`'static`). The future given
//! to `run_until_complete` stays where it is, on that call's stack, and may: the call returns only when the
//! future is done with. The loop knows it by its slot in the task table, whose cell stays empty.
//!
//! Before: `remote.rs`. Next: `turn.rs`, what a loop does over and over.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::state::Main;

pin_project! {
    /// A future on the stack, and later its output or what it panicked with.
    pub(crate) struct MainFuture<F: Future> {
        #[pin]
        future: F,
        // What every poll hands to the future; `None` until the loop has given it.
        waker: Option<Waker>,
        // `None` until the future has ended.
        result: Option<Result<F::Output, Box<dyn Any + Send>>>,
    }
}

impl<F: Future> MainFuture<F> {
    pub(crate) fn new(future: F) -> MainFuture<F> {
        MainFuture { future, waker: None, result: None }
    }

    /// From now on polls hand `waker` to the future.
    pub(crate) fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        *self.project().waker = Some(waker);
    }

    /// The output, or what it panicked with; `None`: it has not ended.
    pub(crate) fn take(self: Pin<&mut Self>) -> Option<Result<F::Output, Box<dyn Any + Send>>> {
        self.project().result.take()
    }
}

impl<F: Future> Main for Pin<&mut MainFuture<F>> {
    fn poll(&mut self) -> Poll<()> {
        let this = self.as_mut().project();
        let Some(waker) = this.waker else { return Poll::Pending };
        this.future.poll(&mut Context::from_waker(waker)).map(|output| *this.result = Some(Ok(output)))
    }

    fn panicked(&mut self, payload: Box<dyn Any + Send>) {
        *self.as_mut().project().result = Some(Err(payload));
    }
}
