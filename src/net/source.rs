//! Chapter 28, part 2: try, would-block, register, retry.
//!
//! Every socket operation in oneloop is this one loop. The socket is registered once, when it is made; after
//! that an operation is simply tried, and only if it would block does the task wait for an edge.
//!
//! ```text
//!   poll ──▶ ready? ── no ───────────────────────────────▶ io_wait, Pending
//!              │ yes                                          ▲
//!              ▼                                              │
//!           attempt ── would block: not ready any more ───────┘
//!              │
//!              ├── moved less than asked for: not ready any more, and Ready all the same
//!              └── moved all, or failed: Ready
//! ```
//!
//! One poll of a task may do 128 ready operations. After that it gives way once (`spend`), so that a peer
//! that sends without pause cannot keep the loop to itself.
//!
//! Before: `net/mod.rs`. Next: `net/stream.rs`, reading and writing.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use mio::unix::SourceFd;
use mio::{Registry, Token};

use crate::current;
use crate::reactor::{Direction, Interest, Registered, wait_of};
use crate::state::State;
use crate::trace::event::{IoOp, IoResult, Wait};
use crate::trace::observer::Decision;

/// Something the reactor watches, and its registration. Not to be reached from outside of the crate.
pub struct Source<S: mio::event::Source> {
    io: S,
    /// What the last attempts and edges have told, and who waits for the next.
    registered: Rc<Registered>,
    /// The loop it is registered with.
    state: Rc<State>,
}

impl<S: mio::event::Source> Source<S> {
    /// Registers `io` with the current loop.
    ///
    /// # Errors
    /// When the operating system refuses.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub(crate) fn new(mut io: S, what: &'static str) -> io::Result<Source<S>> {
        let state = current::state();
        let registered = state.register(&mut io, what, true, Location::caller())?;
        Ok(Source { io, registered, state })
    }

    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    /// Tries to move `wanted` bytes until it succeeds, fails, or has to wait. No bytes are moved at once.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn poll_bytes(
        &self,
        cx: &mut Context<'_>,
        op: IoOp,
        wanted: usize,
        interest: Option<&mut Interest>,
        attempt: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if wanted == 0 {
            return Poll::Ready(Ok(0));
        }
        match self.state.spend() {
            true => self.move_bytes(cx, op, wanted, interest, attempt),
            false => self.move_bytes_slowly(cx, op, wanted, interest, attempt),
        }
    }

    /// The same, with nothing left to ask: fewer bytes than wanted say that there are no more for now.
    #[inline(always)]
    #[track_caller]
    fn move_bytes(
        &self,
        cx: &mut Context<'_>,
        op: IoOp,
        wanted: usize,
        interest: Option<&mut Interest>,
        attempt: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let moved = ready!(self.try_or_wait(cx, op, interest, attempt));
        if matches!(moved, Ok(bytes) if 0 < bytes && bytes < wanted) {
            self.registered.readiness().drained(direction(op), true);
        }
        Poll::Ready(moved)
    }

    /// The same where this poll has had its share, or somebody watches. Apart from it, so that both are one question.
    #[cold]
    #[track_caller]
    fn move_bytes_slowly(
        &self,
        cx: &mut Context<'_>,
        op: IoOp,
        wanted: usize,
        interest: Option<&mut Interest>,
        attempt: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.give_way(cx));
        ready!(self.decide(cx, op))?;
        let moved = ready!(self.move_bytes(cx, op, wanted, interest, attempt));
        if let Ok(bytes) = &moved {
            let end = *bytes == 0 && op == IoOp::Read;
            self.tell(op, if end { IoResult::Eof } else { IoResult::Bytes(*bytes) });
        }
        Poll::Ready(moved)
    }

    /// Like `poll_bytes`, for an operation on a whole datagram: few bytes, or none, say nothing about the next one.
    #[track_caller]
    pub(crate) fn poll_datagram<R>(
        &self,
        cx: &mut Context<'_>,
        op: IoOp,
        interest: &mut Interest,
        attempt: impl FnMut(&S) -> io::Result<(usize, R)>,
    ) -> Poll<io::Result<(usize, R)>> {
        let moved = ready!(self.poll(cx, op, Some(interest), attempt));
        if let Ok((bytes, _)) = &moved {
            self.tell(op, IoResult::Bytes(*bytes));
        }
        Poll::Ready(moved)
    }

    /// Tries `attempt` until it succeeds, fails, or has to wait. A future gives its `interest`, and takes it back
    /// with `forget` when it is dropped; a `poll_` function has none.
    #[track_caller]
    pub(crate) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        op: IoOp,
        interest: Option<&mut Interest>,
        attempt: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        ready!(self.spend(cx));
        if self.state.seam.watched() {
            ready!(self.decide(cx, op))?;
        }
        let done = ready!(self.try_or_wait(cx, op, interest, attempt));
        // What moves bytes is told by whoever knows how many.
        if done.is_ok() && matches!(op, IoOp::Accept | IoOp::Connect | IoOp::Wait) {
            self.tell(op, IoResult::Bytes(0));
        }
        Poll::Ready(done)
    }

    /// The loop drawn above.
    #[inline(always)]
    #[track_caller]
    fn try_or_wait<R>(
        &self,
        cx: &mut Context<'_>,
        op: IoOp,
        interest: Option<&mut Interest>,
        mut attempt: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let direction = direction(op);
        while self.registered.readiness().is_ready(direction) {
            match attempt(&self.io) {
                Err(error) if self.would_block(op, &error) => {}
                result => {
                    interest.into_iter().for_each(Interest::over);
                    return Poll::Ready(result);
                }
            }
        }
        self.wait(cx, direction, interest)
    }

    /// Whether an attempt's error is no failure: it would have blocked, which is remembered, or a signal came between, and
    /// it is to be tried again.
    #[cold]
    fn would_block(&self, op: IoOp, error: &io::Error) -> bool {
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                self.registered.readiness().drained(direction(op), false);
                self.tell(op, IoResult::WouldBlock);
                true
            }
            io::ErrorKind::Interrupted => true,
            kind => {
                self.tell(op, IoResult::Error(kind));
                false
            }
        }
    }

    /// Counts a ready operation. `Pending` when this poll has had its share: the task is woken at once and goes on
    /// in its next turn, after all others.
    #[inline]
    #[track_caller]
    pub(crate) fn spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.state.spend() { Poll::Ready(()) } else { self.give_way(cx) }
    }

    /// The same where `State::spend` has said no.
    #[cold]
    #[track_caller]
    fn give_way(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.state.spend_watched() {
            return Poll::Ready(());
        }
        self.state.note_suspended(Wait::Yield, Location::caller());
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Leaves word with the reactor.
    #[track_caller]
    fn wait<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        interest: Option<&mut Interest>,
    ) -> Poll<R> {
        let here = current::try_with(|state| Rc::ptr_eq(state, &self.state)).unwrap_or(false);
        assert!(
            here,
            "this socket belongs to an event loop that is not running on this thread: \
             make it, and use it, inside one and the same loop"
        );
        let noted = Some((wait_of(direction), Location::caller()));
        self.state.io_wait(&self.registered, direction, cx, interest, noted);
        Poll::Pending
    }

    /// A future that may have waited for `op` is dropped.
    #[inline]
    pub(crate) fn forget(&self, op: IoOp, interest: &Interest) {
        self.state.io_forget(&self.registered, direction(op), interest);
    }

    /// An observer may have an operation fail, or tried later, that would be tried now.
    #[cold]
    #[track_caller]
    fn decide(&self, cx: &mut Context<'_>, op: IoOp) -> Poll<io::Result<()>> {
        if !self.registered.readiness().is_ready(direction(op)) {
            return Poll::Ready(Ok(()));
        }
        match self.state.io_decision(self.registered.id(), op) {
            Decision::Fail(kind) => {
                self.tell(op, IoResult::Error(kind));
                Poll::Ready(Err(io::Error::new(kind, "an observer decided that this operation fails")))
            }
            Decision::Delay => {
                self.state.note_suspended(Wait::Yield, Location::caller());
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Ok(())),
        }
    }

    fn tell(&self, op: IoOp, result: IoResult) {
        if self.state.seam.watched() {
            self.state.tell_io(self.registered.id(), op, result);
        }
    }
}

/// A bare descriptor as the reactor knows sockets: a process's, or one that somebody else made.
#[derive(Debug)]
pub(crate) struct Descriptor(pub(crate) OwnedFd);

impl mio::event::Source for Descriptor {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).deregister(registry)
    }
}

fn direction(op: IoOp) -> Direction {
    match op {
        IoOp::Accept | IoOp::Read | IoOp::Wait => Direction::Read,
        IoOp::Connect | IoOp::Write => Direction::Write,
    }
}

impl<S: mio::event::Source> Drop for Source<S> {
    fn drop(&mut self) {
        self.state.deregister(&mut self.io, &self.registered);
    }
}

impl<S: mio::event::Source + fmt::Debug> fmt::Debug for Source<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("id", &self.registered.id()).field("io", &self.io).finish()
    }
}
