//! Chapter 36: making a loop, and starting a program.
//!
//! Here the environment is read. `ONELOOP` chooses, for the loops of the main thread, how they show
//! themselves, with no change to the program:
//!
//! | word | what it does |
//! |---|---|
//! | `print` | each event as an English sentence, on standard error |
//! | `virtual` | virtual time: sleeps take none |
//! | `record=FILE` | each event as a line of JSON in that file, for `oneloop play FILE` and others |
//! | `level=LEVEL` | how much is recorded or kept: `loop`, `task` (usual), `leaf` or `frame`, each with all of those before |
//! | `flight=FILE` | keeps the last events in memory, and writes them to that file when something has gone wrong, or at SIGUSR1 |
//! | `last=N` | how many `flight` keeps: 10,000 (usual), at most a million |
//! | `output=SOCKET` | records what the program writes too, as whoever listens there tells of it: `oneloop record` |
//! | `step=SOCKET` | each event to the stepper that listens at that Unix-domain socket, which says when to go on |
//! | `attach` | lets `oneloop tree PID` and `oneloop why PID` ask how the tasks stand |
//! | `debug` | warnings: what holds the loop up, what failed unheard, a loop that can never go on |
//!
//! Words are separated by commas, so a FILE has none in its name. A second loop of the same process is recorded in
//! `FILE.2`, and so on; a process that the program starts, and that has the same `ONELOOP`, in `FILE.PID`, `FILE.PID.2`,
//! and so on. The same sentences go to the `log` crate, under the target `oneloop` at level `trace`, if a logger was
//! installed for it before the loop was made.
//!
//! Before: `trace/page/lesson.rs`. Next: `start/words.rs`.

mod words;

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::current;
use crate::event_loop::EventLoop;
use crate::pool::default_threads;
use crate::state::Settings;
use crate::timer::clock::Frozen;
use crate::trace::event::Event;
use crate::trace::frames;
use crate::trace::live::attach::Attach;
use crate::trace::live::step::Step;
use crate::trace::narrate::{Log, Warn};
use crate::trace::observer::Observer;
use crate::trace::record::{About, Level, Output, Recorder, Target};
use crate::trace::watchdog::{Listeners, Pulse, Watchdog};

/// What debug mode takes for slow, unless set otherwise; asyncio's value.
const SLOW: Duration = Duration::from_millis(100);

/// How long a poll may go on before it is told of while it still goes on, unless set otherwise.
const LONG: Duration = Duration::from_secs(1);

/// How many events a flight recorder keeps, unless set otherwise, and at most: each takes some 200 bytes.
const LAST: usize = 10_000;
const MOST_LAST: usize = 1_000_000;

/// Makes a loop, runs `future` on it to its end, and closes the loop: what is still going on then is dropped.
///
/// asyncio's `run`; elsewhere in Rust called `block_on`.
///
/// # Panics
/// If a loop is running on this thread, or if none can be made (see [`Builder::build`]). And with the future's own
/// panic.
///
/// ```
/// let answer = oneloop::run(async { 6 * 7 });
/// assert_eq!(answer, 42);
/// ```
#[track_caller]
pub fn run<F: Future>(future: F) -> F::Output {
    // Before a second loop asks for the recording or the stepper of the first.
    current::check_free();
    match EventLoop::new() {
        Ok(event_loop) => event_loop.run_until_complete(future),
        Err(error) => panic!("no event loop could be made: {error}"),
    }
}

impl EventLoop {
    /// A loop with the usual settings, as the environment variable `ONELOOP` changes them.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new() -> io::Result<EventLoop> {
        EventLoop::builder().build()
    }

    /// Settings for a loop.
    pub fn builder() -> Builder {
        let (debug, slow, long, print) = (false, SLOW, LONG, false);
        let (pool_threads, observers) = (default_threads(), Vec::new());
        Builder {
            virtual_time: false,
            debug,
            slow,
            long,
            print,
            pool_threads,
            observers,
            record: None,
            flight: None,
            last: LAST,
            level: None,
            output: None,
            stepper: None,
            attach: false,
        }
    }
}

/// Settings for a loop: [`EventLoop::builder`].
#[must_use = "call build to make the loop"]
pub struct Builder {
    virtual_time: bool,
    debug: bool,
    /// What debug mode takes for slow.
    slow: Duration,
    /// What the watchdog takes for long.
    long: Duration,
    /// Whether somebody reads the events on standard error.
    print: bool,
    pool_threads: usize,
    /// In the order in which they are told.
    observers: Vec<Rc<dyn Observer>>,
    /// The file to record in; `None`: nothing is recorded.
    record: Option<PathBuf>,
    /// The file for what a flight recorder keeps; `None`: there is none.
    flight: Option<PathBuf>,
    /// How many events it keeps.
    last: usize,
    /// How much is told; `None`: `task` of a recording, `leaf` to a stepper.
    level: Option<Level>,
    /// The socket of whoever tells what the program writes; `None`: nobody does.
    output: Option<PathBuf>,
    /// The socket of whoever steps the program; `None`: nobody does.
    stepper: Option<PathBuf>,
    /// Whether others may ask how the tasks stand.
    attach: bool,
}

impl Builder {
    /// Virtual time: it stands still while the program runs, and when nothing else can happen it jumps to the
    /// next deadline. While a task waits for a socket or a job of the pool is running, something else can
    /// happen, and time passes as real time does.
    pub fn virtual_time(mut self) -> Builder {
        self.virtual_time = true;
        self
    }

    /// Debug mode: the loop warns, on standard error and through the `log` crate, of
    ///
    /// * a poll or a callback that held it up for 100 ms ([`slow`](Self::slow)) or longer: which, from which line to
    ///   which;
    /// * a task that failed and whose result nobody will ever take;
    /// * itself, when it can never go on: every task that waits, with its line. Once per standstill; the loop then
    ///   waits on.
    ///
    /// A loop *can never go on* if the ready queue is empty, no timer is armed, nobody waits for a socket or a signal, no
    /// job is with a pool, and outside of the loop there is neither a [`Remote`](crate::Remote) nor a task's waker: then
    /// nothing is left that could wake anybody. It is said only if it is certain. A `Remote` or a waker that is kept
    /// somewhere and never used looks as if it might be.
    ///
    /// In virtual time a loop that can never go on ends its run with a panic and the same report, in debug mode or
    /// not. In real time the cost of debug mode is that of an observer.
    ///
    /// asyncio's debug mode, which says nothing of the third. What else that checks, the compiler does here: a future
    /// that is never awaited, and a loop used from another thread.
    pub fn debug(mut self, debug: bool) -> Builder {
        self.debug = debug;
        self
    }

    /// How long a poll or a callback may hold up the loop before debug mode calls it slow; usually 100 ms. Real time,
    /// in a loop with virtual time too. asyncio's `loop.slow_callback_duration`.
    pub fn slow(mut self, slow: Duration) -> Builder {
        self.slow = slow;
        self
    }

    /// How long a poll or a callback may go on before it is told of while it still goes on; usually 1 s, of real time.
    ///
    /// It may never end, and then the loop itself can tell of nothing any more: a thread, the *watchdog*, does. It says
    /// so on standard error and through the `log` crate (in debug mode, with `ONELOOP=print`, and while the program is
    /// stepped), in the recording, and to whoever attaches. A loop that nobody watches in one of these ways has no
    /// watchdog.
    pub fn watchdog(mut self, long: Duration) -> Builder {
        self.long = long;
        self
    }

    /// The most threads of the blocking pool, at least 1. Usually min(32, cores + 4), as Python's.
    pub fn pool_threads(mut self, threads: usize) -> Builder {
        self.pool_threads = threads.max(1);
        self
    }

    /// Adds an observer, which is told everything and may decide otherwise.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Builder {
        self.observers.push(Rc::new(observer));
        self
    }

    /// Records the loop in a file, which is made anew: each event as a line of JSON, from the first to the closing of the
    /// loop. As `ONELOOP=record=FILE`, for a loop of any thread.
    pub fn record(mut self, file: impl Into<PathBuf>) -> Builder {
        self.record = Some(file.into());
        self
    }

    /// Keeps the last events in memory, 10,000 of them, and writes them to a file when something has gone wrong: a panic that
    /// nobody took or that ended the run, a loop that can never go on, a poll that does not end; and whenever the process is
    /// sent SIGUSR1. As `ONELOOP=flight=FILE`, for a loop of any thread. A file that is there stays as it is: the next name of
    /// `FILE`, `FILE.2`, `FILE.3` … is taken. Ten are written at most that no signal asks for.
    pub fn flight(mut self, file: impl Into<PathBuf>) -> Builder {
        self.flight = Some(file.into());
        self
    }

    /// How many events [`flight`](Self::flight) keeps: at least 1, at most a million, of some 200 bytes each.
    pub fn flight_last(mut self, events: usize) -> Builder {
        self.last = events.clamp(1, MOST_LAST);
        self
    }

    /// How much is recorded or kept; usually [`Level::Task`].
    pub fn record_level(mut self, level: Level) -> Builder {
        self.level = Some(level);
        self
    }

    /// Connects to a stepper that listens at this Unix-domain socket, tells it each event, and waits there until it is told
    /// to go on. As `ONELOOP=step=SOCKET`, for a loop of any thread.
    pub fn step(mut self, socket: impl Into<PathBuf>) -> Builder {
        self.stepper = Some(socket.into());
        self
    }

    /// Lets others ask how the tasks stand, as `oneloop tree PID` and `oneloop why PID` do. As `ONELOOP=attach`, for a loop of
    /// any thread; a process can have one such loop at a time.
    pub fn attach(mut self) -> Builder {
        self.attach = true;
        self
    }

    /// Installs what records, in a file and in memory.
    fn recorded(mut self, about: &About, listeners: &mut Listeners) -> io::Result<Builder> {
        if let Some(path) = &self.record {
            let exact = about.virtual_time || about.level >= Level::Leaf;
            let target = Target::take(path)?;
            // Whoever listens does so to the program that it has started, not to what that may start.
            let output = self.output.take().filter(|_| target.is_own);
            let output = output.map(|socket| Output::connect(&socket, exact)).transpose()?.flatten();
            let pieces = output.as_ref().map(Output::pieces).unwrap_or_default();
            let recorder = Recorder::create(target, about, pieces)?;
            // First told, so that what it learns is there when the event is recorded.
            self.observers.extend(output.map(|output| Rc::new(output) as Rc<dyn Observer>));
            listeners.recordings.push(recorder.beside());
            self = self.observer(recorder);
        }
        if let Some(path) = &self.flight {
            let recorder = Recorder::flight(path, about, self.last)?;
            listeners.recordings.push(recorder.beside());
            self = self.observer(recorder);
        }
        Ok(self)
    }

    /// Makes the loop.
    ///
    /// # Errors
    /// If the operating system has no descriptors left, `ONELOOP` has an unknown word, a file to record in cannot be made
    /// or its folder is not there, no stepper can be reached, or another loop of the process is attached to.
    pub fn build(mut self) -> io::Result<EventLoop> {
        if std::thread::current().name() == Some("main") {
            self.apply_environment()?;
        }
        let chains = self.level == Some(Level::Frame);
        if chains && !frames::AVAILABLE {
            return Err(no_stacks());
        }
        if log::log_enabled!(target: "oneloop", log::Level::Trace) {
            self = self.observer(Log::default());
        }
        if self.debug {
            let warn = Warn::new(self.slow);
            self = self.observer(warn);
        }
        let Builder { level, virtual_time, pool_threads, .. } = self;
        let aloud = self.debug || self.print || self.stepper.is_some();
        let mut listeners = Listeners { aloud, attach: self.attach, recordings: Vec::new() };
        let about = About { level: level.unwrap_or_default(), virtual_time, pool_threads };
        self = self.recorded(&about, &mut listeners)?;
        let (frozen, mut pulse) = (Frozen::default(), Arc::<Pulse>::default());
        if listeners.any() {
            let watchdog = Watchdog::start(self.long, listeners)?;
            pulse = watchdog.pulse();
            self = self.observer(watchdog);
        }
        if let Some(path) = &self.stepper {
            let level = level.unwrap_or(Level::Leaf);
            let about = About { level, virtual_time, pool_threads };
            let step = Step::connect(path, &about, frozen.clone(), Arc::clone(&pulse))?;
            self = self.observer(step);
        }
        if self.attach && chains && self.observers.is_empty() {
            // Chains are taken only while somebody watches.
            self = self.observer(Silent);
        }
        let Builder { observers, attach, .. } = self;
        // A flight recorder wants to know when the loop can never go on.
        let debug = self.debug || self.flight.is_some();
        let settings = Settings { virtual_time, debug, pool_threads, observers, chains, frozen };
        let event_loop = EventLoop::with_settings(settings)?;
        if attach {
            event_loop.add_fixture(|remote| Attach::listen(remote, pulse))?;
        }
        Ok(event_loop)
    }
}

/// Wants to know nothing.
struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}

/// The level `frame` is never quietly the same as `leaf`.
fn no_stacks() -> io::Error {
    let text = "the level `frame` takes the feature `stacks`, without which this program was built: build it with \
                `cargo build --features stacks`, or with `features = [\"stacks\"]` beside `oneloop` in its Cargo.toml";
    io::Error::new(io::ErrorKind::Unsupported, text)
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("Builder");
        fields
            .field("virtual_time", &self.virtual_time)
            .field("debug", &self.debug)
            .field("pool_threads", &self.pool_threads)
            .field("record", &self.record)
            .field("flight", &self.flight);
        fields.field("observers", &self.observers.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_a_word_and_a_setting() {
        let mut builder = EventLoop::builder();
        builder.apply("debug").expect("it is known");
        assert!(builder.debug && builder.slow == Duration::from_millis(100));
    }

    #[test]
    fn the_level_frame_is_refused_where_there_are_no_stacks() {
        let built = EventLoop::builder().record_level(Level::Frame).build();
        assert_eq!(built.is_ok(), frames::AVAILABLE);
        assert!(built.err().is_none_or(|error| error.to_string().contains("--features stacks")));
    }
}
