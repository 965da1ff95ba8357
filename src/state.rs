//! Chapter 12: all that a loop owns, and the moves it is made of.
//!
//! The loop drives this state and the futures find it (through `current`), so neither has to know the
//! other. Everything is behind `Cell` and `RefCell`: one thread, no locks. The rule that keeps the borrows
//! apart is that no method calls the user's code (a poll, a callback, a drop, a waker, an observer) while
//! it holds one.
//!
//! ```text
//!   State ─┬─ ready      the queue                     ready.rs
//!          ├─ tasks      what can be polled            tasks.rs      state/tasks.rs
//!          ├─ ends       who hears of a task's end                   state/ends.rs
//!          ├─ timers     what waits for a time         timer/        state/timers.rs
//!          ├─ callbacks  what can be called            callback.rs   state/timers.rs
//!          ├─ reactor    what waits for a socket       reactor.rs    state/sources.rs
//!          ├─ pool       what may block                pool.rs       state/sources.rs
//!          ├─ remote     what other threads sent       sent.rs
//!          └─ seam       who watches                   trace/observer.rs
//! ```
//!
//! Before: `pace.rs`. Next: `state/telling.rs`, how its observers are told.

mod telling;
mod ends;
mod sources;
mod standing;
mod stuck;
mod tasks;
mod timers;

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

pub(crate) use ends::Listener;
pub(crate) use standing::Standing;
pub(crate) use tasks::{Main, Origin, task_id};
pub(crate) use timers::callback_id;

use crate::callback::Callbacks;
use crate::pace::Pace;
use crate::pool::{Report, Reporter, Threads};
use crate::reactor::{Reactor, Target};
use crate::ready::{Entry, Ready};
use crate::sent::{Patience, RemoteQueue, Sent};
use crate::task::{drop_quietly, wake_quietly};
use crate::tasks::{Suspended, TaskTable};
use crate::timer::clock::{Clock, Frozen};
use crate::timer::wheel::Wheel;
use crate::trace::event::{Actor, CallbackId, EventKind, TaskId, TimerId};
use crate::trace::observer::{Observer, Ready as Watched, Seam};

/// Ready I/O operations that one poll of a task may do. A socket that always has data would otherwise keep
/// its task going for ever, and all others waiting; asyncio has this limit by reading once a turn.
const IO_BUDGET: u8 = 128;

/// How a loop is to be made.
pub(crate) struct Settings {
    pub(crate) virtual_time: bool,
    /// Whether a loop in real time looks whether it can ever go on.
    pub(crate) debug: bool,
    pub(crate) pool_threads: usize,
    pub(crate) observers: Vec<Rc<dyn Observer>>,
    /// Whether the observers are told of chains of awaits.
    pub(crate) chains: bool,
    /// Where an observer that holds the loop up says how long it did.
    pub(crate) frozen: Frozen,
}

/// Where a loop stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Between runs.
    Idle,
    /// In `run_until_complete` or `run_forever`.
    Running,
    /// Being closed: what is left is dropped, and what is spawned now is cancelled at once.
    Closing,
    Closed,
}

/// The task being polled.
#[derive(Clone, Copy)]
struct Polled {
    entry: Entry,
    /// Where its waker points: a context with this very waker is the task's own. `no_waker` when no task is polled,
    /// and when one is not polled but dropped.
    waker: NonNull<()>,
}

impl Polled {
    /// No task.
    fn nobody() -> Polled {
        Polled { entry: Entry::MAIN_DONE, waker: no_waker() }
    }
}

/// No waker points here.
#[inline]
fn no_waker() -> NonNull<()> {
    static NOWHERE: u8 = 0;
    NonNull::from(&NOWHERE).cast()
}

/// All that one loop owns.
pub(crate) struct State {
    pub(crate) seam: Seam,
    pub(crate) clock: Clock,
    pub(crate) ready: Ready,
    pub(crate) remote: Arc<RemoteQueue>,
    /// Whether the last look at `remote` brought something. Never in virtual time or while watched.
    heard: Cell<bool>,
    /// Whether it is worth the loop's while to give way before it blocks.
    patience: Patience,
    pub(crate) phase: Cell<Phase>,
    /// Whether the run is to end after this turn.
    pub(crate) stopping: Cell<bool>,
    /// Whether the loop, before it waits without limit, looks whether anything could end the wait.
    looks_ahead: bool,
    pub(crate) tasks: TaskTable,
    ends: ends::Ends,
    callbacks: RefCell<Callbacks>,
    timers: RefCell<Wheel<Target>>,
    reactor: RefCell<Reactor>,
    pool: Threads,
    /// Told of jobs by the threads they are on; `None`: nobody watches, in real time.
    reporter: Option<Reporter>,
    /// Jobs whose end the loop has not heard of. Counted only in virtual time and while watched.
    jobs: Cell<usize>,
    /// The next job's number.
    next_job: Cell<u64>,
    /// The task being polled.
    polled: Cell<Polled>,
    /// What the last leaf of this poll that returned `Pending` said.
    suspended: Cell<Suspended>,
    /// The time up to which every timer has fired.
    fired_until: Cell<u64>,
    /// When a busy loop must look at timers and I/O.
    pub(crate) pace: Pace,
    /// Ready I/O operations this poll may still do. None while somebody watches: so an operation asks one question, and not
    /// two.
    budget: Cell<u8>,
    /// The same while somebody watches.
    budget_watched: Cell<u8>,
    /// What the rooms below have once per loop, by type: open name lookups, the pipe for signals.
    fixtures: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
}

impl State {
    /// # Errors
    /// When the operating system gives no more descriptors for the reactor.
    pub(crate) fn new(settings: Settings) -> io::Result<Rc<State>> {
        let (reactor, notifier) = Reactor::new()?;
        let watched = !settings.observers.is_empty();
        let looks_ahead = settings.virtual_time || settings.debug;
        let remote = Arc::new(RemoteQueue::new(notifier, watched));
        let reporter = (watched || settings.virtual_time).then(|| reporter(Arc::clone(&remote), looks_ahead));
        Ok(Rc::new(State {
            seam: Seam::new(settings.observers, settings.chains),
            clock: if settings.virtual_time { Clock::virtual_time() } else { Clock::real(settings.frozen) },
            ready: Ready::default(),
            tasks: TaskTable::new(Arc::clone(&remote)),
            remote,
            heard: Cell::new(false),
            patience: Patience::default(),
            phase: Cell::new(Phase::Idle),
            stopping: Cell::new(false),
            looks_ahead,
            ends: ends::Ends::default(),
            callbacks: RefCell::default(),
            timers: RefCell::default(),
            reactor: RefCell::new(reactor),
            pool: Threads::new(settings.pool_threads, "oneloop-blocking".into()),
            reporter,
            jobs: Cell::new(0),
            next_job: Cell::new(0),
            polled: Cell::new(Polled::nobody()),
            suspended: Cell::new(Suspended::UNKNOWN),
            fired_until: Cell::new(0),
            pace: Pace::new(),
            budget: Cell::new(if watched { 0 } else { IO_BUDGET }),
            budget_watched: Cell::new(IO_BUDGET),
            fixtures: RefCell::default(),
        }))
    }

    /// Refuses a closed loop.
    ///
    /// # Panics
    /// If the loop is closed.
    #[track_caller]
    pub(crate) fn check_open(&self) {
        assert!(
            self.phase.get() != Phase::Closed,
            "this event loop is closed: make a new one with EventLoop::new, or do this before close"
        );
    }

    /// The loop runs on this thread from now on: its ready queue is where wakers look for it.
    pub(crate) fn enter(&self) {
        let owner = if self.seam.watched() { std::ptr::null() } else { Arc::as_ptr(&self.remote).cast() };
        self.ready.enter(owner);
    }

    /// Whether what is started now is cancelled at once.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.phase.get(), Phase::Closing | Phase::Closed)
    }

    /// Whether the poll may do one more ready I/O operation, and nobody watches; counts it.
    #[inline]
    pub(crate) fn spend(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left > 0
    }

    /// Where that was denied: whether somebody watches, and the poll may do one more all the same; counts it.
    pub(crate) fn spend_watched(&self) -> bool {
        let left = self.budget_watched.get();
        self.budget_watched.set(left.saturating_sub(1));
        self.seam.watched() && left > 0
    }

    /// Whom `cx` would wake: the task being polled, if `cx` is its own, or whatever its waker does.
    #[inline]
    pub(crate) fn target(&self, cx: &Context<'_>) -> Target {
        match self.polled_with(cx.waker()) {
            Some(entry) => Target::Entry(entry),
            None => Target::Waker(cx.waker().clone()),
        }
    }

    /// The task being polled, if `waker` is its own.
    #[inline]
    pub(crate) fn polled_with(&self, waker: &Waker) -> Option<Entry> {
        let polled = self.polled.get();
        (polled.waker.as_ptr().cast_const() == waker.data()).then_some(polled.entry)
    }

    /// Makes ready what a timer or a source was kept for.
    #[inline]
    pub(crate) fn make_ready(&self, target: Target) {
        match target {
            Target::Entry(entry) if entry.is_callback() => self.ready.push(entry),
            Target::Entry(entry) => self.wake(entry),
            Target::Waker(waker) => wake_quietly(waker),
        }
    }

    /// The one `T` of this loop, which lives as long as the loop; made at the first call.
    pub(crate) fn fixture<T: Default + 'static>(&self) -> Rc<T> {
        let mut fixtures = self.fixtures.borrow_mut();
        let found = fixtures.entry(TypeId::of::<T>()).or_insert_with(|| Rc::new(T::default()));
        Rc::clone(found).downcast().expect("it is found by its type")
    }

    /// While watched: one object more keeps a task's entry, or one less.
    #[inline]
    pub(crate) fn note_kept(&self, entry: Entry, more: bool) {
        if self.seam.watched() {
            self.seam.note_kept(entry.key(), task_id(entry), more);
        }
    }

    /// Takes what other threads sent: wakes join the queue, calls become callbacks.
    pub(crate) fn fetch_sent(&self, batch: &mut Vec<Sent>) {
        self.remote.fetch(batch);
        self.heard.set(!batch.is_empty() && self.reporter.is_none());
        for sent in batch.drain(..) {
            match sent {
                Sent::Wake(header, by) => {
                    header.fetched();
                    self.as_sender(by, || self.wake(header.entry()));
                }
                Sent::Call(function, site, by) => self.as_sender(by, || {
                    self.call_soon(function, site);
                }),
                Sent::Told(at, thread, kind) => self.tell_of_thread(at, thread, *kind),
                Sent::JobEnded => self.jobs.set(self.jobs.get().saturating_sub(1)),
            }
        }
    }

    /// Does for another thread what it asked for; observers are told that `by` did it.
    fn as_sender(&self, by: Option<Actor>, act: impl FnOnce()) {
        let Some(by) = by else { return act() };
        let cause = match by {
            Actor::Job(job) => self.seam.job_cause(job),
            _ => None,
        };
        self.seam.act_as(by, cause, act);
    }

    /// The run ends after this turn, which so is not followed by one that hurries.
    pub(crate) fn stop_after_turn(&self) {
        self.stopping.set(true);
        self.pace.look_next();
    }

    /// Asks for the end of the run after this turn.
    pub(crate) fn stop(&self) {
        self.stop_after_turn();
        self.tell(|| EventKind::Stop { by: self.seam.actor() });
    }

    /// Drops all that the loop was to do, and refuses more. In this order: a started job may be waiting for
    /// what a task holds, or for an answer to what it sent.
    pub(crate) fn close(&self) {
        self.phase.set(Phase::Closing);
        self.drop_tasks();
        self.drop_callbacks();
        self.close_remote();
        self.close_pool();
        let fixtures = self.fixtures.take();
        drop(fixtures);
        self.phase.set(Phase::Closed);
    }

    /// Refuses what other threads send from now on. What they sent is dropped; the observers still hear of
    /// what they told.
    fn close_remote(&self) {
        for sent in self.remote.close().into_iter().flatten() {
            match sent {
                Sent::Told(at, thread, kind) => self.tell_of_thread(at, thread, *kind),
                Sent::Call(function, ..) => drop_quietly(Some(function), "function sent to a closed loop"),
                Sent::Wake(..) | Sent::JobEnded => {}
            }
        }
    }

    /// An entry as the observers know it.
    pub(crate) fn ready_of(entry: Entry) -> Watched {
        let number = u64::from(entry.serial());
        match entry.is_callback() {
            _ if entry == Entry::MAIN_DONE => Watched::RunEnd,
            true => Watched::Callback(CallbackId(number)),
            false => Watched::Task(TaskId(number)),
        }
    }
}

/// A timer's number, as the observers know it: the order of arming. The wheel counts from 1.
fn timer_id(key: crate::timer::wheel::TimerKey) -> TimerId {
    timer_id_of(key.armed())
}

/// The same for an arming number.
fn timer_id_of(armed: u32) -> TimerId {
    TimerId(u64::from(armed.wrapping_sub(1)))
}

/// Sends what happens on pool threads to the loop.
fn reporter(remote: Arc<RemoteQueue>, looks_ahead: bool) -> Reporter {
    Arc::new(move |report| match report {
        Report::Told(kind) if remote.is_watched() => {
            let name: Arc<str> = std::thread::current().name().unwrap_or("unnamed").into();
            let _ = remote.push_quietly(Sent::Told(Instant::now(), name, Box::new(kind)));
        }
        Report::Told(_) => {}
        // The loop may be waiting for just this before it lets virtual time jump, or knows that it is stuck.
        Report::JobEnded if looks_ahead => {
            let _ = remote.push(Sent::JobEnded);
        }
        Report::JobEnded => {
            let _ = remote.push_quietly(Sent::JobEnded);
        }
    })
}

/// A duration until `at`, as step 2 waits it.
pub(crate) fn until(now: u64, at: u64) -> Duration {
    Duration::from_nanos(at.saturating_sub(now))
}
