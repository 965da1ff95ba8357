//! Chapter 35, part 28: the observer that records.
//!
//! What `ONELOOP=record=FILE` installs, and `flight=FILE`. It gives each event to the writer's thread, and sees to it that
//! none is missing from the file when the program ends:
//!
//! | the program ends | what the file has |
//! |---|---|
//! | by returning from `main`, by a panic, by `std::process::exit` on the loop's thread | everything |
//! | by `exit` on another thread, `abort`, a signal, a crash | all but the last 0.2 s at most |
//!
//! Before: `trace/record/flight.rs`. Next: `trace/record/samples.rs`.

use std::cell::RefCell;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use rustix::fs::{FlockOperation, OFlags, fcntl_getfl, fcntl_setfl, flock};
use rustix::io::Errno;

use super::flight::{Ear, Flight, keep};
use super::header::About;
use super::level::Level;
use super::line::Lines;
use super::pieces::Pieces;
use super::queue::{Pen, Queue};
use super::writer::{Members, numbered, write};
use crate::trace::event::Event;
use crate::trace::observer::Observer;

/// Records a loop, in a file or in memory.
pub(crate) struct Recorder {
    level: Level,
    pen: RefCell<Pen>,
    queue: Arc<Queue>,
    sink: Sink,
    /// `None`: nobody can ask for the events by a signal.
    ear: Option<Ear>,
    /// `None` once it was joined.
    writer: Option<JoinHandle<()>>,
}

/// Where the events go. Clones mean the same.
#[derive(Clone)]
enum Sink {
    File(Members),
    Memory(Arc<Flight>),
}

impl Recorder {
    /// Records in a file. `pieces` is what the program writes, as far as that is known.
    ///
    /// # Errors
    /// If there can be no more threads. The error names the file.
    pub(crate) fn create(target: Target, about: &About, pieces: Arc<Pieces>) -> io::Result<Recorder> {
        let Target { file, path, .. } = target;
        let fault = |error| unmade(&path, error);
        let members = Members::new(file, path.clone());
        let mut header = Vec::new();
        about.header(SystemTime::now(), &mut header);
        let sink = Sink::File(members.clone());
        Recorder::start(about, sink, move |queue| write(queue, &members, &pieces, header)).map_err(fault)
    }

    /// Keeps the last so many events in memory: the flight recorder (`flight.rs`).
    ///
    /// # Errors
    /// If there is no such folder, or there can be no more threads, or no more signals. The error names the file.
    pub(crate) fn flight(path: &Path, about: &About, last: usize) -> io::Result<Recorder> {
        let fault = |error: io::Error| {
            let text = format!("the flight recorder cannot write {}: {error}", path.display());
            io::Error::new(error.kind(), text)
        };
        let flight = Arc::new(Flight::new(path, *about, last).map_err(fault)?);
        let (sink, keeper) = (Sink::Memory(Arc::clone(&flight)), Arc::clone(&flight));
        let mut recorder = Recorder::start(about, sink, move |queue| keep(queue, &keeper)).map_err(fault)?;
        let queue = Arc::clone(&recorder.queue);
        let ear = Ear::listen(move || {
            queue.ask();
            flight.asked_for();
        });
        recorder.ear = Some(ear.map_err(fault)?);
        Ok(recorder)
    }

    /// Starts the thread that reads the queue, with what it does.
    fn start(
        about: &About,
        sink: Sink,
        work: impl FnOnce(&Arc<Queue>) + Send + 'static,
    ) -> io::Result<Recorder> {
        let queue = Queue::new();
        let events = Arc::clone(&queue);
        let writer = thread::Builder::new().name("oneloop-recorder".into());
        let writer = writer.spawn(move || work(&events))?;
        AT_EXIT.with(|at_exit| at_exit.0.borrow_mut().push(Arc::downgrade(&queue)));
        let pen = RefCell::new(Pen::new(Arc::clone(&queue)));
        Ok(Recorder { level: about.level, pen, queue, sink, ear: None, writer: Some(writer) })
    }

    /// For another thread, which has something to tell when the loop's own cannot.
    pub(crate) fn beside(&self) -> Beside {
        Beside { queue: Arc::clone(&self.queue), sink: self.sink.clone() }
    }
}

/// A way into a recording that does not begin on the loop's thread.
pub(crate) struct Beside {
    queue: Arc<Queue>,
    sink: Sink,
}

impl Beside {
    /// Appends an event that names no place, after all that the loop has told, and if `still` holds then. The loop may go
    /// on at any moment: what it tells from then on comes behind it.
    pub(crate) fn append(&self, event: &Event, still: impl FnOnce() -> bool) {
        self.queue.ask();
        match &self.sink {
            Sink::File(members) => {
                let mut line = Vec::new();
                Lines::new().event(event, &mut line);
                members.append_if(&mut line, still);
            }
            Sink::Memory(flight) => flight.held_up(event, still),
        }
    }
}

/// A file to record in, made anew.
pub(crate) struct Target {
    file: File,
    path: PathBuf,
    /// Whether it is the file that was asked for, or `NAME.2` and so on for this process's next ones.
    pub(crate) is_own: bool,
}

impl Target {
    /// Takes this file, or, if this process has recorded in it before, `NAME.2` and so on. If another process has, and has
    /// not ended, takes `NAME.PID`, and for its next loops `NAME.PID.2` and so on: whoever is started by a recorded program has
    /// the same `ONELOOP` in its environment, and must not spoil the recording.
    ///
    /// # Errors
    /// If the file cannot be made. The error names it.
    pub(crate) fn take(path: &Path) -> io::Result<Target> {
        /// All files that were asked for, and whether they were this process's own. They stay open, and with that locked,
        /// until the process ends.
        static USED: Mutex<Vec<(PathBuf, bool, Option<File>)>> = Mutex::new(Vec::new());
        let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        let before: Vec<bool> =
            used.iter().filter(|(used, ..)| *used == path).map(|(_, is_own, _)| *is_own).collect();
        let (number, mut own) = (before.len() + 1, None);
        // The next name of a file that is another's is not free, but that other's as well.
        if before.iter().all(|is_own| *is_own) {
            own = Some(Target::open(numbered(path, number))?).filter(|target| target.is_own);
        }
        let target = match own {
            Some(target) => target,
            None => {
                let path = numbered(path, std::process::id() as usize);
                Target { is_own: false, ..Target::open(numbered(&path, number))? }
            }
        };
        used.push((path.to_owned(), target.is_own, target.file.try_clone().ok()));
        Ok(target)
    }

    /// Empties the file, unless another process is recording in it: then it is not our own.
    fn open(path: PathBuf) -> io::Result<Target> {
        let fault = |error| unmade(&path, error);
        let mut how = OpenOptions::new();
        // A pipe that nobody reads would be waited for, and the program with it.
        how.write(true).create(true).truncate(false).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = how.open(&path).map_err(|error| match error.raw_os_error() {
            Some(code) if code == Errno::NXIO.raw_os_error() => {
                fault(io::Error::new(error.kind(), "nobody reads from this pipe"))
            }
            _ => fault(error),
        })?;
        fcntl_getfl(&file)
            .and_then(|how| fcntl_setfl(&file, how - OFlags::NONBLOCK))
            .map_err(|e| fault(e.into()))?;
        // A pipe or a device is nobody's own. Where files cannot be locked nobody can be asked.
        let is_file = file.metadata().map_err(fault)?.is_file();
        let is_own =
            !is_file || flock(&file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK);
        if is_file && is_own {
            file.set_len(0).map_err(fault)?;
        }
        Ok(Target { file, path, is_own })
    }
}

fn unmade(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the recording {} cannot be made: {error}", path.display()))
}

impl Observer for Recorder {
    fn event(&self, event: &Event) {
        if self.level.records(&event.kind) {
            self.pen.borrow_mut().push(event);
        }
    }

    fn decides(&self) -> bool {
        false
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // First whoever asks the writer for something.
        self.ear = None;
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // It has nothing to say but what it has said to the log.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("level", &self.level).finish_non_exhaustive()
    }
}

/// The recordings of a thread, for its end. `std::process::exit` drops nothing but what is local to the thread that
/// calls it, and this is.
struct AtExit(RefCell<Vec<Weak<Queue>>>);

thread_local! {
    static AT_EXIT: AtExit = const { AtExit(RefCell::new(Vec::new())) };
}

impl Drop for AtExit {
    fn drop(&mut self) {
        self.0.get_mut().iter().filter_map(Weak::upgrade).for_each(|queue| queue.ask());
    }
}
