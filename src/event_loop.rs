//! Chapter 19: the turn.
//!
//! An event loop does one thing over and over. What can be waiting for it, and who ends the wait:
//!
//! ```text
//!   a task woken here, call_soon ──▶ ready queue            nothing to wait for
//!   sleep, call_later ─────────────▶ timer wheel            the time runs out
//!   a socket would block ──────────▶ reactor                the operating system reports an edge
//!   spawn_blocking, another thread ▶ remote queue           notify
//!
//!        ┌──────────────────────────── one turn ───────────────────────────┐
//!        │ 1 plan    how long may we wait?  0 if anything is ready          │
//!        │ 2 wait    block in the reactor: I/O, notify, or time runs out    │
//!        │ 3 wake    sources that became ready → their tasks join the queue │
//!        │ 4 fire    timers that are due → wake a task or queue a callback  │
//!        │ 5 run     take the queue as it is now; poll / call each once     │
//!        └──────────────────────────────────────────────────────────────────┘
//!   made ready during step 5 → waits for the next turn, after another look at I/O
//! ```
//!
//! The order is that of asyncio's `_run_once`. Step 5 runs what is in the queue when it starts and no more:
//! that is what keeps tasks that wake each other, or themselves, from shutting out everything else.
//!
//! The main future of `run_until_complete` is polled as one more task. When it has ended, a mark is put at
//! the end of the queue, and the run ends after the turn in which the mark comes up. So whatever was made
//! ready before the main future ended still has its turn, as in asyncio.
//!
//! Before: `main_future.rs`. Next part: `sleep.rs`, the first future that waits.

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
use crate::pace::Pace;
use crate::reactor::Target;
use crate::ready::{Batch, Entry, Sent};
use crate::remote::Remote;
use crate::state::{Main, Origin, Phase, Settings, State, until};
use crate::timer::wheel::TimerKey;
use crate::trace::event::{EventKind, LoopEnd, WaitReason};
use crate::trace::observer::{Choice, Decision};

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
    pace: Pace,
    /// Turns begun.
    turns: Cell<u64>,
    /// Lists that one turn fills and empties, kept for their memory.
    scratch: RefCell<Scratch>,
}

#[derive(Default)]
struct Scratch {
    targets: Vec<Target>,
    fired: Vec<(TimerKey, Target)>,
    sent: Vec<Sent>,
}

/// What step 1 decided.
enum Plan {
    /// Leave out steps 2 to 4.
    Skip,
    /// Wait, at most so long (`None`: without limit).
    Wait(Option<Duration>, WaitReason),
    /// Virtual time: look at I/O without waiting, then move the clock to this deadline.
    Jump(u64),
}

impl EventLoop {
    pub(crate) fn with_settings(settings: Settings) -> io::Result<EventLoop> {
        let state = State::new(settings)?;
        Ok(EventLoop { state, pace: Pace::new(), turns: Cell::new(0), scratch: RefCell::default() })
    }

    /// Runs until `future` has ended, and returns its output. Tasks that have not ended stay suspended, and go
    /// on in the next run.
    ///
    /// The future may borrow from its surroundings, since this call outlives it.
    ///
    /// # Panics
    /// With the future's own panic, if it panics. If this loop or another one is running on this thread, if the
    /// loop is closed, and if it is stopped before the future has ended.
    #[track_caller]
    pub fn run_until_complete<F: Future>(&self, future: F) -> F::Output {
        let run = self.begin_run();
        let mut future = pin!(MainFuture::new(future));
        let origin = Origin {
            site: Location::caller(),
            future: std::any::type_name::<F>(),
            size: size_of::<F>(),
            name: Some(Arc::from("main")),
            joinable: false,
        };
        let take_waker = |waker| {
            future.as_mut().set_waker(waker);
            None
        };
        let entry = self.state.spawn(take_waker, origin);
        self.turns(Some(&mut future));
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
                run.end(LoopEnd::Stopped);
                panic!("the event loop was stopped before its main future had ended: let the future return, or use run_forever")
            }
        }
    }

    /// Runs until [`stop`](EventLoop::stop) is called. If it was called before, runs one turn that does not
    /// wait.
    ///
    /// # Panics
    /// If this loop or another one is running on this thread, and if the loop is closed.
    #[track_caller]
    pub fn run_forever(&self) {
        let run = self.begin_run();
        self.turns(None);
        run.end(LoopEnd::Stopped);
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
                panic!("a running event loop cannot be closed: call stop, and close it when its run has ended")
            }
        }
        let current = current::enter(&self.state);
        self.state.phase.set(Phase::Closing);
        self.state.drop_tasks();
        self.state.drop_callbacks();
        self.state.close_remote();
        self.state.close_pool();
        self.state.phase.set(Phase::Closed);
        drop(current);
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

    #[track_caller]
    fn begin_run(&self) -> Run<'_> {
        self.state.check_open();
        assert!(
            self.state.phase.get() == Phase::Idle,
            "this event loop is running already: await the future, or spawn it as a task"
        );
        let current = current::enter(&self.state);
        self.state.phase.set(Phase::Running);
        Run { state: &self.state, _current: current }
    }

    /// Turns until something stops the loop.
    fn turns(&self, mut main: Option<&mut dyn Main>) {
        loop {
            self.turn(&mut main);
            if self.state.stopping.replace(false) {
                return;
            }
        }
    }

    fn turn(&self, main: &mut Option<&mut dyn Main>) {
        let watched = self.state.seam.watched();
        if watched {
            self.begin_watched_turn();
        }
        // 1 plan
        let plan = self.plan();
        if !matches!(plan, Plan::Skip) {
            let scratch = &mut *self.scratch.borrow_mut();
            // 2 wait
            let now = self.wait(plan);
            // 3 wake
            self.state.wake_ready(&mut scratch.targets);
            self.state.fetch_sent(&mut scratch.sent);
            // 4 fire
            self.state.fire(now, &mut scratch.fired);
        } else if self.state.remote.is_pending() {
            self.state.fetch_sent(&mut self.scratch.borrow_mut().sent);
        }
        // 5 run
        let entries = self.run(main);
        self.pace.ran(entries);
        if watched {
            self.end_watched_turn();
        }
    }

    /// Step 1: how long may step 2 wait?
    #[inline]
    fn plan(&self) -> Plan {
        let state = &*self.state;
        let next = state.next_timer();
        if state.ready.len() > 0 || state.stopping.get() {
            return match self.pace.may_skip(next, || state.clock.now()) && !state.stopping.get() {
                true => Plan::Skip,
                false => Plan::Wait(Some(Duration::ZERO), WaitReason::ReadyWork),
            };
        }
        let Some(at) = next else { return Plan::Wait(None, WaitReason::Forever) };
        // Virtual time stands still as long as a socket or a job may still have something to say; then it
        // passes as real time does.
        if state.clock.is_virtual() && state.jobs() == 0 && !state.waits_for_io() {
            return Plan::Jump(at);
        }
        Plan::Wait(Some(until(state.clock.now(), at)), WaitReason::NextTimer)
    }

    /// Step 2: waits as planned; returns the time it is then.
    fn wait(&self, plan: Plan) -> u64 {
        let state = &*self.state;
        let (timeout, why) = match plan {
            Plan::Wait(timeout, why) => (timeout, why),
            Plan::Skip | Plan::Jump(_) => (Some(Duration::ZERO), WaitReason::NextTimer),
        };
        let timeout = self.decide_wait(timeout);
        state.tell(|| match plan {
            // To the program this is a wait like any other.
            Plan::Jump(at) => EventKind::WaitBegin { timeout: Some(until(state.clock.now(), at)), why },
            _ => EventKind::WaitBegin { timeout, why },
        });
        let began = Instant::now();
        state.block(timeout);
        match plan {
            // Another thread may have sent something meanwhile, which comes first.
            Plan::Jump(at) if !state.remote.is_pending() => self.jump(at),
            Plan::Wait(Some(limit), _) if state.clock.is_virtual() && began.elapsed() >= limit => {
                self.jump(state.clock.now() + crate::timer::clock::nanos(limit));
            }
            _ => {}
        }
        let now = state.clock.now();
        self.pace.looked(now);
        now
    }

    fn jump(&self, to: u64) {
        let from = self.state.moment();
        self.state.clock.jump(to);
        if self.state.moment() > from {
            self.state.tell(|| EventKind::ClockJump { from, to: Duration::from_nanos(to) });
        }
    }

    /// An observer may have the clock moved instead of the wait.
    fn decide_wait(&self, timeout: Option<Duration>) -> Option<Duration> {
        if !self.state.seam.watched() || timeout == Some(Duration::ZERO) {
            return timeout;
        }
        let Decision::Advance(by) = self.state.seam.decide(&Choice::Time(timeout)) else { return timeout };
        let from = self.state.moment();
        self.state.clock.advance(by);
        self.state.tell(|| EventKind::ClockJump { from, to: from + by });
        Some(Duration::ZERO)
    }

    /// Step 5: each entry that is in the queue now, once. Returns how many there were.
    #[inline]
    fn run(&self, main: &mut Option<&mut dyn Main>) -> usize {
        let mut batch = self.state.ready.take();
        let entries = batch.len();
        loop {
            if self.state.seam.watched() {
                self.decide_next(&mut batch);
            }
            let Some(entry) = batch.next() else { return entries };
            if !entry.is_callback() {
                self.state.run_task(entry, main);
            } else if entry == Entry::MAIN_DONE {
                self.state.stopping.set(true);
            } else {
                self.state.run_callback(entry);
            }
        }
    }

    /// An observer may choose among the entries left in this turn.
    #[cold]
    fn decide_next(&self, batch: &mut Batch<'_>) {
        if batch.rest().len() > 1 {
            let ready: Vec<_> = batch.rest().iter().copied().map(State::ready_of).collect();
            if let Decision::Run(index) = self.state.seam.decide(&Choice::Next(&ready)) {
                batch.bring_forward(index);
            }
        }
    }

    #[cold]
    fn begin_watched_turn(&self) {
        let state = &*self.state;
        let turn = self.turns.get();
        self.turns.set(turn + 1);
        state.tell(|| EventKind::TurnBegin {
            turn,
            ready: state.ready.to_run(),
            timers: state.timers(),
            sources: state.sources(),
            jobs: state.jobs(),
        });
        if let Decision::Cancel(task) = state.seam.decide(&Choice::Turn(turn)) {
            let entry = state.tasks.borrow().find(task);
            if let Some(entry) = entry {
                let before = state.seam.enter(crate::trace::event::Actor::Observer, None);
                state.cancel(entry);
                state.seam.leave(before);
            }
        }
    }

    #[cold]
    fn end_watched_turn(&self) {
        let turn = self.turns.get() - 1;
        self.state.tell(|| EventKind::TurnEnd { turn, ready: self.state.ready.to_run() });
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        // A loop dropped inside another loop's run, or while its own unwinds, cannot be made current to
        // run its tasks' guards; its tasks are dropped all the same.
        if current::try_with(|_| ()).is_none() && self.state.phase.get() == Phase::Idle {
            self.close();
        } else if self.state.phase.get() != Phase::Closed {
            self.state.phase.set(Phase::Closing);
            self.state.drop_tasks();
            self.state.drop_callbacks();
            self.state.close_remote();
            self.state.close_pool();
            self.state.phase.set(Phase::Closed);
        }
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("phase", &self.state.phase.get())
            .field("ready", &self.state.ready.len())
            .field("tasks", &self.state.tasks.borrow().len())
            .field("timers", &self.state.timers())
            .finish_non_exhaustive()
    }
}

/// A run going on; dropped, it is over, whichever way it ended.
struct Run<'a> {
    state: &'a State,
    _current: current::Current,
}

impl Run<'_> {
    fn end(&self, why: LoopEnd) {
        self.state.tell(|| EventKind::LoopEnd { why });
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.state.stopping.set(false);
        self.state.phase.set(Phase::Idle);
    }
}
