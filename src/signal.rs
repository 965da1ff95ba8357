//! Chapter 32: how does Ctrl-C reach a program that waits for something else?
//!
//! The operating system interrupts a thread, anywhere, and calls a *handler*, which may do next to nothing: no
//! locks, no memory, no wakers. The way out is old (the self-pipe trick, D. J. Bernstein): the handler
//! writes one byte to a pipe, and the loop watches the other end like any socket. The crate signal-hook has
//! the handler and the pipe; here the pipe is a source of the reactor, one per loop, shared by all who wait:
//!
//! ```text
//!  Ctrl-C → handler: note the signal, one byte into the pipe          (any thread, any moment)
//!  step 3 wake: the pipe is readable → every task that waits for a signal joins the queue
//!  step 5 run:  the first of them empties the pipe and counts: SIGINT 3 → 4
//!               each compares: it began to listen at 3, so it is ready
//! ```
//!
//! The count is what lets everyone have the same signal: nobody takes it away from the others, and nobody
//! gets one that came before they listened. Another signal is another count, with the same pipe.
//!
//! A task that waits for a signal does not keep virtual time from jumping: it waits for a person, not for a
//! machine that will answer soon.
//!
//! Before: `net/`. Next: `process_pool/`, work in other processes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use signal_hook::consts::SIGINT;
use signal_hook_mio::v1_0::Signals;

use crate::current;
use crate::reactor::{Direction, Interest, SourceKey};
use crate::state::State;
use crate::trace::event::{Site, Wait};

/// Waits for the next Ctrl-C (SIGINT) that comes after this call.
///
/// From the first call on, **Ctrl-C no longer ends the program**, also when nobody is waiting, and for the rest of
/// the process's life. A program that stops gracefully at the first and at once at the second waits twice:
///
/// ```no_run
/// # async fn clean_up() {}
/// # async fn work() {}
/// # oneloop::run(async {
/// oneloop::race(work(), oneloop::signal::ctrl_c()).await;
/// oneloop::race(clean_up(), oneloop::signal::ctrl_c()).await; // the second Ctrl-C ends this
/// # });
/// ```
///
/// Everyone who waits, on every loop, gets the signal. Two that come before the loop has looked are one, as the
/// operating system has it. asyncio's counterpart is `loop.add_signal_handler(SIGINT, …)`.
///
/// # Errors
///
/// When the operating system gives no descriptors for the pipe, or does not take the handler.
///
/// # Cancellation
///
/// Nothing is lost for the others; a signal that arrives later is not kept for the next call.
///
/// # Panics
///
/// If no loop is running on this thread.
#[track_caller]
pub fn ctrl_c() -> CtrlC {
    CtrlC { listening: Listening::begin(SIGINT, Location::caller()) }
}

/// The future of [`ctrl_c`].
#[must_use = "futures do nothing unless awaited"]
pub struct CtrlC {
    /// The wait, or why there can be none.
    listening: io::Result<Listening>,
}

impl Future for CtrlC {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let site = Location::caller();
        match &mut self.listening {
            Ok(listening) => listening.poll(cx, site).map(Ok),
            Err(error) => Poll::Ready(Err(io::Error::new(error.kind(), error.to_string()))),
        }
    }
}

impl fmt::Debug for CtrlC {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrlC").finish_non_exhaustive()
    }
}

/// One wait for one signal.
struct Listening {
    /// The loop whose pipe it watches.
    state: Rc<State>,
    post: Rc<Post>,
    source: SourceKey,
    /// The number of the signal.
    signal: i32,
    /// How many there had been when the wait began.
    seen: u64,
    interest: Interest,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.state.io_forget(self.source, Direction::Read, &self.interest);
    }
}

impl Listening {
    #[track_caller]
    fn begin(signal: i32, site: Site) -> io::Result<Listening> {
        let state = current::state();
        let post = state.kept::<Post>();
        let source = post.subscribe(&state, signal, site)?;
        let seen = post.count(signal);
        Ok(Listening { state, post, source, signal, seen, interest: Interest::default() })
    }

    fn poll(&mut self, cx: &mut Context<'_>, site: Site) -> Poll<()> {
        if self.post.count(self.signal) != self.seen {
            return Poll::Ready(());
        }
        self.state.io_wait(self.source, Direction::Read, cx, Some(&mut self.interest));
        self.state.note_suspended(Wait::Signal, site);
        Poll::Pending
    }
}

/// A loop's place for signals, kept from the first wait to the end of the loop.
#[derive(Default)]
struct Post(RefCell<Inbox>);

#[derive(Default)]
struct Inbox {
    /// The pipe; `None` until somebody waits for a signal.
    pipe: Option<(Signals, SourceKey)>,
    /// How many of each signal have come since it was first waited for.
    counts: HashMap<i32, u64>,
}

impl Post {
    /// Sees to it that `signal` is noted, and returns the source to wait for.
    fn subscribe(&self, state: &State, signal: i32, site: Site) -> io::Result<SourceKey> {
        if let Some((signals, source)) = &self.0.borrow().pipe {
            signals.add_signal(signal)?; // does nothing if it was added before
            return Ok(*source);
        }
        let mut signals = Signals::new([signal])?;
        let source = state.register(&mut signals, "signals", false, site)?;
        self.0.borrow_mut().pipe = Some((signals, source));
        Ok(source)
    }

    /// How many of `signal` have come by now.
    fn count(&self, signal: i32) -> u64 {
        let inbox = &mut *self.0.borrow_mut();
        if let Some((signals, _)) = &mut inbox.pipe {
            for came in signals.pending() {
                *inbox.counts.entry(came).or_default() += 1;
            }
        }
        inbox.counts.get(&signal).copied().unwrap_or(0)
    }
}
