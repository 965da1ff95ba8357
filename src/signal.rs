//! Chapter 30: how does Ctrl-C reach a program that waits for something else?
//!
//! The operating system interrupts a thread, anywhere, and calls a *handler*, which may do next to nothing: no
//! locks, no memory, no wakers. The way out is old (the self-pipe trick, D. J. Bernstein): the handler
//! writes one byte to a pipe, and the loop watches the other end like any socket. The crate signal-hook has
//! the handler and the pipe; here the pipe is a source of the reactor, one per loop and signal, shared by all who
//! wait:
//!
//! ```text
//!  Ctrl-C → handler: note the signal, one byte into the pipe          (any thread, any moment)
//!  step 3 wake: the pipe is readable → every task that waits for SIGINT joins the queue
//!  step 5 run:  the first of them empties the pipe and counts: SIGINT 3 → 4
//!               each compares: it began to listen at 3, so it is ready
//! ```
//!
//! The count is what lets everyone have the same signal: nobody takes it away from the others, and nobody
//! gets one that came before they listened.
//!
//! A task that waits for a signal does not keep virtual time from jumping: it waits for a person, not for a
//! machine that will answer soon. The exception is SIGCHLD, which the system sends when a child process ends.
//!
//! Before: `watch.rs`. Next: `signal/post.rs`, the pipes.

mod post;

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use signal_hook::consts::{
    FORBIDDEN, SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
    SIGWINCH,
};

pub(crate) use self::post::Listening;
use crate::trace::event::Wait;

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
pub fn ctrl_c() -> NextSignal {
    NextSignal { signals: signal(SignalKind::INTERRUPT) }
}

/// Waits for the next SIGTERM that comes after this call: the polite request to end, which `kill`, service managers
/// and containers send. From the first call on it **no longer ends the program**; otherwise as [`ctrl_c`].
///
/// A server ends at either:
///
/// ```no_run
/// # async fn serve() {}
/// # oneloop::run(async {
/// use oneloop::signal::{ctrl_c, terminate};
/// oneloop::race(serve(), oneloop::race(ctrl_c(), terminate())).await;
/// # });
/// ```
///
/// # Panics
///
/// If no loop is running on this thread.
#[track_caller]
pub fn terminate() -> NextSignal {
    NextSignal { signals: signal(SignalKind::TERMINATE) }
}

/// Listens for every signal of one kind that comes after this call, until the [`Signals`] are dropped.
///
/// From the first call on the signal **no longer does what it does by itself** (which for most is to end the
/// program), also when nobody listens any more, and for the rest of the process's life.
///
/// asyncio's `loop.add_signal_handler`, with a loop of one's own in place of the callback:
///
/// ```
/// use oneloop::signal::{SignalKind, signal};
///
/// oneloop::run(async {
///     let mut reloads = signal(SignalKind::HANGUP)?;
///     oneloop::spawn(async move {
///         loop {
///             reloads.recv().await; // read the configuration again
///         }
///     });
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// `InvalidInput` for a signal that cannot be handled, such as SIGKILL. Otherwise when the operating system gives
/// no descriptors for the pipe, or does not take the handler.
///
/// # Panics
///
/// If no loop is running on this thread.
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signals> {
    let SignalKind(number) = kind;
    if !(1..=HIGHEST).contains(&number) || FORBIDDEN.contains(&number) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{kind} cannot be listened for")));
    }
    let listening = Listening::begin(number, Location::caller())
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen for {kind}: {error}")))?;
    Ok(Signals { kind, listening })
}

/// The highest number a signal has on any system; most stop at 31 or 64.
const HIGHEST: i32 = 126;

/// Which signal, by its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignalKind(i32);

/// The kinds with a name of their own here; the number is the operating system's.
const NAMES: [(i32, &str); 12] = [
    (SIGALRM, "SIGALRM"),
    (SIGCHLD, "SIGCHLD"),
    (SIGCONT, "SIGCONT"),
    (SIGHUP, "SIGHUP"),
    (SIGINT, "SIGINT"),
    (SIGPIPE, "SIGPIPE"),
    (SIGQUIT, "SIGQUIT"),
    (SIGTERM, "SIGTERM"),
    (SIGUSR1, "SIGUSR1"),
    (SIGUSR2, "SIGUSR2"),
    (SIGWINCH, "SIGWINCH"),
    (9, "SIGKILL"),
];

impl SignalKind {
    /// SIGINT: Ctrl-C.
    pub const INTERRUPT: SignalKind = SignalKind(SIGINT);
    /// SIGTERM: a polite request to end.
    pub const TERMINATE: SignalKind = SignalKind(SIGTERM);
    /// SIGHUP: the terminal is gone; by convention, "read your configuration again".
    pub const HANGUP: SignalKind = SignalKind(SIGHUP);
    /// SIGQUIT: Ctrl-\.
    pub const QUIT: SignalKind = SignalKind(SIGQUIT);
    /// SIGUSR1: whatever the program makes of it.
    pub const USER_1: SignalKind = SignalKind(SIGUSR1);
    /// SIGUSR2: whatever the program makes of it.
    pub const USER_2: SignalKind = SignalKind(SIGUSR2);
    /// SIGCHLD: a child process has ended. A task that waits for it keeps virtual time from jumping.
    pub const CHILD: SignalKind = SignalKind(SIGCHLD);
    /// SIGWINCH: the terminal has another size.
    pub const WINDOW_CHANGE: SignalKind = SignalKind(SIGWINCH);

    /// The signal with the operating system's number `number`; whether there is one is seen when it is used.
    pub const fn from_raw(number: i32) -> SignalKind {
        SignalKind(number)
    }

    /// The operating system's number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

impl fmt::Display for SignalKind {
    /// `SIGTERM`, or `signal 64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for SignalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The signals of one kind that come from now on: the result of [`signal`].
pub struct Signals {
    kind: SignalKind,
    listening: Listening,
}

impl Signals {
    /// Waits until one has come since the last `recv`, or since the listening began. Several that came
    /// meanwhile are one.
    ///
    /// # Cancellation
    /// Nothing is lost: a signal that comes later is there for the next `recv`.
    pub fn recv(&mut self) -> Recv<'_> {
        Recv(self)
    }

    #[track_caller]
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.listening.came() {
            true => Poll::Ready(()),
            false => {
                self.listening.wait(cx, Wait::Signal, Location::caller());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<signals {}>", self.kind)
    }
}

/// The future of [`Signals::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'a>(&'a mut Signals);

impl Future for Recv<'_> {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_recv(cx)
    }
}

impl Drop for Recv<'_> {
    fn drop(&mut self) {
        self.0.listening.give_up();
    }
}

/// The future of [`ctrl_c`] and [`terminate`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct NextSignal {
    /// What it listens to, or why it cannot.
    signals: io::Result<Signals>,
}

impl Future for NextSignal {
    type Output = io::Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.signals {
            Ok(signals) => signals.poll_recv(cx).map(Ok),
            Err(error) => Poll::Ready(Err(io::Error::new(error.kind(), error.to_string()))),
        }
    }
}
