//! Chapter 22: the loop as a program sees it.
//!
//! An `EventLoop` is made, runs once or several times, and is closed. What is left over between two runs stays:
//! suspended tasks, armed timers, functions not called yet.
//!
//! ```text
//!            run_until_complete, run_forever
//!          ┌───────────────┐
//!   new ──▶ Idle         Running ──▶ a turn, and a turn, and a turn …
//!          │ └───────◀───────┘ the main future ended, or stop was called
//!          │
//!          └─ close, or dropped ──▶ Closing ──▶ Closed: every further use is refused
//! ```
//!
//! Before: `turn.rs`. Next: `sleep.rs`, the first future that waits.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{Location, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::calls::CallHandle;
use crate::current;
use crate::join::{JoinHandle, spawn_on};
use crate::main_future::MainFuture;
use crate::ready::Entry;
use crate::remote::Remote;
use crate::sent::RemoteQueue;
use crate::state::{Origin, Phase, Settings, State};
use crate::tasks::MAIN;
use crate::trace::event::{EventKind, LoopEnd};
use crate::turn::Turns;

/// One loop, on one thread: it runs tasks and callbacks, and waits when there is nothing to run.
///
/// asyncio's event loop. The methods take `&self`, so that callbacks may use the loop they run on. Dropping
/// it closes it.
///
/// ```
/// use std::time::Duration;
///
/// let event_loop = oneloop::EventLoop::new()?;
/// event_loop.call_later(Duration::from_millis(5), || println!("later"));
/// event_loop.call_soon(|| println!("soon"));
/// let sum = event_loop.run_until_complete(async {
///     oneloop::sleep(Duration::from_millis(10)).await;
///     1 + 2
/// });
/// assert_eq!(sum, 3);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct EventLoop {
    state: Rc<State>,
    turns: Turns,
}

impl EventLoop {
    pub(crate) fn with_settings(settings: Settings) -> io::Result<EventLoop> {
        let state = State::new(settings)?;
        Ok(EventLoop { turns: Turns::new(Rc::clone(&state)), state })
    }

    /// Runs until `future` has ended, and returns its output. Tasks that have not ended stay suspended, and go
    /// on in the next run.
    ///
    /// The future may borrow from its surroundings, since this call outlives it.
    ///
    /// # Panics
    /// With the future's own panic, if it panics. If this loop or another one is running on this thread, if the
    /// loop is closed, and if it is stopped before the future has ended. In virtual time, if the loop can never go
    /// on (see [`Builder::debug`](crate::Builder::debug)): asyncio would hang.
    #[track_caller]
    pub fn run_until_complete<F: Future>(&self, future: F) -> F::Output {
        let run = self.begin_run();
        let mut future = pin!(MainFuture::new(future));
        let origin = Origin {
            site: Location::caller(),
            future: std::any::type_name::<F>(),
            size: size_of::<F>(),
            name: Some(MAIN),
            joinable: false,
        };
        let take_waker = |waker| {
            future.as_mut().set_waker(waker);
            None
        };
        let entry = self.state.spawn(take_waker, origin);
        run.main.set(Some(entry));
        self.turns.run(Some(&mut future));
        match future.take() {
            Some(Ok(output)) => {
                run.end(LoopEnd::MainDone);
                output
            }
            Some(Err(payload)) => {
                run.end(LoopEnd::Panicked);
                resume_unwind(payload)
            }
            None => {
                self.state.forget_main(entry);
                self.end_if_stuck(&run);
                run.end(LoopEnd::Stopped);
                panic!(
                    "the event loop was stopped before its main future had ended: let the future return, or use run_forever"
                )
            }
        }
    }

    /// Runs until [`stop`](EventLoop::stop) is called. If it was called before, runs one turn that does not
    /// wait.
    ///
    /// # Panics
    /// If this loop or another one is running on this thread, and if the loop is closed. In virtual time, if it can
    /// never go on.
    #[track_caller]
    pub fn run_forever(&self) {
        let run = self.begin_run();
        self.turns.run(None);
        self.end_if_stuck(&run);
        run.end(LoopEnd::Stopped);
    }

    #[track_caller]
    fn end_if_stuck(&self, run: &Run<'_>) {
        if let Some(report) = self.turns.take_stuck() {
            run.end(LoopEnd::Stuck);
            panic!("{report}");
        }
    }

    /// Ends the run after the turn that is going on. Callbacks queued by that turn are kept for the next run.
    pub fn stop(&self) {
        self.state.stop();
    }

    /// Closes the loop: every task is dropped at the `.await` where it is suspended, and every callback
    /// uncalled; then jobs of the blocking pool that had started are waited for, and those that had not are
    /// refused. What drop guards spawn meanwhile is cancelled at once. Closing twice does nothing.
    ///
    /// # Panics
    /// If the loop, or another one on this thread, is running.
    #[track_caller]
    pub fn close(&self) {
        match self.state.phase.get() {
            Phase::Closed => return,
            Phase::Idle => {}
            Phase::Running | Phase::Closing => {
                panic!(
                    "a running event loop cannot be closed: call stop, and close it when its run has ended"
                )
            }
        }
        let current = current::enter(&self.state);
        self.state.close();
        drop(current);
        if !std::thread::panicking() {
            self.state.seam.go_on();
        }
    }

    /// Whether a run is going on.
    pub fn is_running(&self) -> bool {
        self.state.phase.get() == Phase::Running
    }

    /// Whether the loop was closed.
    pub fn is_closed(&self) -> bool {
        self.state.phase.get() == Phase::Closed
    }

    /// The loop's time: monotonic, and virtual if the loop was built so. Use it, not `Instant::now`, to work
    /// out deadlines.
    pub fn time(&self) -> Instant {
        self.state.clock.instant(self.state.clock.now())
    }

    /// Has `function` called in the next turn, after what is queued already.
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn call_soon(&self, function: impl FnOnce() + 'static) -> CallHandle {
        CallHandle::soon(&self.state, Box::new(function), Location::caller())
    }

    /// Has `function` called after `delay`: never earlier, and later if the loop is busy. A delay of zero
    /// means the next turn, after what is queued already.
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn call_later(&self, delay: Duration, function: impl FnOnce() + 'static) -> CallHandle {
        let at = self.state.clock.after(delay);
        CallHandle::at(&self.state, at, Box::new(function), Location::caller())
    }

    /// Has `function` called at `deadline`; one in the past means the next turn.
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn call_at(&self, deadline: Instant, function: impl FnOnce() + 'static) -> CallHandle {
        let at = self.state.clock.at(deadline);
        CallHandle::at(&self.state, at, Box::new(function), Location::caller())
    }

    /// Starts a task on this loop, running or not; see [`spawn`](crate::spawn).
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.state.check_open();
        spawn_on(Rc::clone(&self.state), None, future)
    }

    /// A way to this loop from other threads.
    pub fn remote(&self) -> Remote {
        Remote::new(Arc::clone(&self.state.remote))
    }

    /// Makes something that answers for this loop to other threads, and lives as long as the loop is open.
    pub(crate) fn add_fixture<T: 'static>(
        &self,
        make: impl FnOnce(&Arc<RemoteQueue>) -> io::Result<T>,
    ) -> io::Result<()> {
        let made = make(&self.state.remote)?;
        self.state.fixture::<RefCell<Option<T>>>().replace(Some(made));
        Ok(())
    }

    #[track_caller]
    fn begin_run(&self) -> Run<'_> {
        self.state.check_open();
        assert!(
            self.state.phase.get() == Phase::Idle,
            "this event loop is running already: await the future, or spawn it as a task"
        );
        let current = current::enter(&self.state);
        self.state.phase.set(Phase::Running);
        Run { state: &self.state, main: Cell::new(None), _current: current }
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        // A loop dropped inside another loop's run, or at the very end of its thread, cannot be made current to
        // run its tasks' guards; its tasks are dropped all the same.
        if current::is_free() && self.state.phase.get() == Phase::Idle {
            self.close();
        } else if self.state.phase.get() != Phase::Closed {
            self.state.close();
        }
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("phase", &self.state.phase.get())
            .field("ready", &self.state.ready.to_run())
            .field("tasks", &self.state.tasks.len())
            .field("timers", &self.state.timers())
            .finish_non_exhaustive()
    }
}

/// A run going on; dropped, it is over, whichever way it ended.
struct Run<'a> {
    state: &'a State,
    /// The task of its main future; `None`: it has none.
    main: Cell<Option<Entry>>,
    _current: current::Current,
}

impl Run<'_> {
    fn end(&self, why: LoopEnd) {
        self.state.tell(|| EventKind::LoopEnd { why });
        self.state.seam.go_on();
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Some(main) = self.main.take() {
            self.state.forget_main(main);
        }
        self.state.seam.end_run();
        self.state.stopping.set(false);
        self.state.ready.end_run();
        self.state.phase.set(Phase::Idle);
    }
}
