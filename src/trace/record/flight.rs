//! Chapter 35, part 27: what were the last events before something went wrong?
//!
//! A service that fails once a week is not recorded for a week. The *flight recorder* keeps its last events in memory, as
//! a ring, and writes them to a file only when there is a reason to look at them. What falls out of the ring is folded
//! into a [`World`], which goes ahead of them as a snapshot; so the file can be gone through like any recording:
//!
//! ```text
//!   loop's thread ──▶ queue ──▶ [ 9,001 │ 9,002 │ … │ 19,000 ]      the last 10,000 events
//!                                  │
//!                                  ▼ falls out
//!                                World after event 9,000
//!
//!   a dump:   header, "lost":9001  ·  snapshot of the World  ·  events 9,001 to 19,000
//! ```
//!
//! | a dump is made when | how that is known |
//! |---|---|
//! | a task failed, by a panic or an error, and nobody took that; a callback panicked, or a panic ended the run | by an event, which is the file's last |
//! | the loop can never go on | the same |
//! | a poll or a call goes on and on | the watchdog tells of it |
//! | somebody sends the process SIGUSR1 | a thread waits for that |
//!
//! No file is ever overwritten, of this run or another: the next free name is taken.
//!
//! Before: `trace/record/writer.rs`. Next: `trace/record/recorder.rs`.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use signal_hook::consts::SIGUSR1;
use signal_hook::iterator::{Handle, Signals};

use super::header::About;
use super::line::Lines;
use super::queue::{Queue, Reader};
use super::writer::{numbered, packed, say};
use crate::trace::event::{Actor, Event, EventKind as E, LoopEnd};
use crate::trace::fold::World;
use crate::trace::narrate::{count, named, plain, span};

/// So many dumps that nobody asked for are made in one run: what goes wrong all the time must not fill the disk.
const MOST_UNASKED: usize = 10;

/// The highest number that a file's name ends with.
const MOST_FILES: usize = 9_999;

/// The last events of a loop.
pub(super) struct Flight {
    about: About,
    started: SystemTime,
    /// The first file's name; those after it have a number behind that.
    path: PathBuf,
    /// How many events are kept.
    last: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    events: VecDeque<Event>,
    /// What the events before them fold to.
    before: World,
    /// How many these were.
    lost: u64,
    /// The number of the next file, unless there is one already.
    next: usize,
    /// So many dumps were made that nobody asked for.
    unasked: usize,
}

impl Flight {
    /// Keeps the `last` events, at least one.
    ///
    /// # Errors
    /// If the folder of `path` is none: it is better to hear of that now than when it is too late.
    pub(super) fn new(path: &Path, about: About, last: usize) -> io::Result<Flight> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if !fs::metadata(folder.unwrap_or(Path::new(".")))?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let (events, before) = (VecDeque::new(), World::new());
        let kept = Mutex::new(Kept { events, before, lost: 0, next: 1, unasked: 0 });
        Ok(Flight { about, started: SystemTime::now(), path: path.to_owned(), last: last.max(1), kept })
    }

    /// Takes up the next event, and makes a dump if it calls for one.
    fn take(&self, event: Event) {
        let why = reason(&event);
        let mut kept = self.lock();
        while kept.events.len() >= self.last {
            kept.forget();
        }
        kept.events.push_back(event);
        if let Some(why) = why {
            self.unasked(&mut kept, &why, None);
        }
    }

    /// Makes a dump that ends with this event, if `still` holds: a poll or a call goes on and on.
    pub(super) fn held_up(&self, event: &Event, still: impl FnOnce() -> bool) {
        let E::HeldUp { by, took } = &event.kind else { return };
        let mut kept = self.lock();
        if still() {
            let (who, took) = (kept.who(by), span(*took));
            let why = format!("{who} has been running for more than {took} and holds the loop up");
            self.unasked(&mut kept, &why, Some(event));
        }
    }

    /// Makes a dump since somebody wants one.
    pub(super) fn asked_for(&self) {
        self.dump(&mut self.lock(), "SIGUSR1 asks for the last events", None, "");
    }

    fn unasked(&self, kept: &mut Kept, why: &str, more: Option<&Event>) {
        kept.unasked += 1;
        let after = match kept.unasked {
            ..MOST_UNASKED => "",
            MOST_UNASKED => ". This was the last one, but for those that SIGUSR1 asks for",
            _ => return,
        };
        self.dump(kept, why, more, after);
    }

    /// Writes a file and says so.
    fn dump(&self, kept: &mut Kept, why: &str, more: Option<&Event>, after: &str) {
        let text = self.text(kept, more);
        match self.write(&mut kept.next, &text) {
            Ok(path) => {
                let number = kept.events.len() + usize::from(more.is_some());
                let (events, path) = (count(number, "event"), path.display());
                say(
                    log::Level::Warn,
                    &format!("{why}: {events} in {path}, for `oneloop play {path}`{after}"),
                );
            }
            Err(error) => {
                let path = self.path.display();
                say(
                    log::Level::Error,
                    &format!("{why}; but the flight recorder cannot write {path}: {error}{after}"),
                );
            }
        }
    }

    /// A whole recording of what is known.
    fn text(&self, kept: &Kept, more: Option<&Event>) -> Vec<u8> {
        let (mut lines, mut text) = (Lines::new(), Vec::new());
        self.about.header_of_some(self.started, kept.lost, &mut text);
        if kept.lost > 0 {
            lines.world(&kept.before, &mut text);
        }
        kept.events.iter().chain(more).for_each(|event| lines.event(event, &mut text));
        text
    }

    /// Writes the next file that is not there yet, or none.
    fn write(&self, next: &mut usize, text: &[u8]) -> io::Result<PathBuf> {
        let packed = packed(text)?;
        for number in *next..=MOST_FILES {
            let path = numbered(&self.path, number);
            let mut file = match File::create_new(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            *next = number + 1;
            return match file.write_all(&packed) {
                Ok(()) => Ok(path),
                Err(error) => {
                    // Half a file packed in one piece is of no use to anybody.
                    let _ = fs::remove_file(&path);
                    Err(error)
                }
            };
        }
        Err(io::Error::other(format!("there are {MOST_FILES} files of that name; move them away")))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // No code of anybody else's but a logger's runs under this lock; what a panic left is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Lets the oldest event go.
    fn forget(&mut self) {
        if let Some(event) = self.events.pop_front() {
            self.before.apply(&event);
            self.lost += 1;
        }
    }

    /// Whoever did it, by name if it has one.
    fn who(&self, by: &Actor) -> String {
        match by {
            Actor::Task(task) => {
                let spawned = self.events.iter().find_map(|event| match &event.kind {
                    E::Spawn { task: new, name, .. } if new == task => Some(&**name),
                    _ => None,
                });
                let name = spawned.or_else(|| self.before.tasks.get(task).map(|known| &*known.name));
                named(*task, name.unwrap_or_default())
            }
            Actor::Callback(callback) => callback.to_string(),
            _ => String::from("somebody"),
        }
    }
}

/// Why this event calls for a dump; `None`: it does not.
fn reason(event: &Event) -> Option<String> {
    match &event.kind {
        E::Unheard { task, name, how, text } => {
            let (who, how, text) = (named(*task, name), plain(how), plain(text));
            Some(format!("nobody took what {who} ended with: it {how}: {text}"))
        }
        E::CallbackEnd { callback, panicked: true, .. } => Some(format!("{callback} panicked")),
        E::LoopEnd { why: LoopEnd::Panicked } => Some("a panic ended the run".into()),
        E::Stuck { .. } => Some("the event loop can never go on".into()),
        _ => None,
    }
}

/// What the writer's thread does, until the queue is closed.
pub(super) fn keep(queue: &Arc<Queue>, flight: &Flight) {
    let mut reader = Reader::new(Arc::clone(queue));
    loop {
        let work = reader.wait();
        while let Some(event) = reader.next() {
            flight.take(event);
        }
        let closed = work.closed;
        queue.done(work);
        if closed {
            return;
        }
    }
}

/// A thread that waits for SIGUSR1. Dropped, it ends.
pub(super) struct Ear {
    signals: Handle,
    /// `None` once it was joined.
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    /// Calls `told` each time the signal has come.
    pub(super) fn listen(mut told: impl FnMut() + Send + 'static) -> io::Result<Ear> {
        let mut signals = Signals::new([SIGUSR1])?;
        let handle = signals.handle();
        let wait = move || signals.forever().for_each(|_| told());
        let thread = thread::Builder::new().name("oneloop-flight".into()).spawn(wait)?;
        Ok(Ear { signals: handle, thread: Some(thread) })
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.signals.close();
        if let Some(thread) = self.thread.take() {
            // A logger may have panicked on it, which nobody needs to hear twice.
            let _ = thread.join();
        }
    }
}
