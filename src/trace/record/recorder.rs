//! Chapter 35, part 27: the observer that records.
//!
//! What `ONELOOP=record=FILE` installs. It gives each event to the writer's thread, and sees to it that none is missing
//! from the file when the program ends:
//!
//! | the program ends | what the file has |
//! |---|---|
//! | by returning from `main`, by a panic, by `std::process::exit` on the loop's thread | everything |
//! | by `exit` on another thread, `abort`, a signal, a crash | all but the last 0.2 s at most |
//!
//! Before: `trace/record/writer.rs`. Next: `trace/record/samples.rs`.

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};

use super::header::About;
use super::level::Level;
use super::line::Lines;
use super::pieces::Pieces;
use super::queue::{Pen, Queue};
use super::writer::{Members, write};
use crate::trace::event::Event;
use crate::trace::observer::Observer;

/// Records a loop.
pub(crate) struct Recorder {
    level: Level,
    pen: RefCell<Pen>,
    queue: Arc<Queue>,
    members: Members,
    /// `None` once it was joined.
    writer: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Records in a file, which is made anew. A second recording of the same process into a file of the same name goes
    /// into `NAME.2`. `pieces` is what the program writes, as far as that is known.
    ///
    /// # Errors
    /// If the file cannot be made, or there can be no more threads. The error names the file.
    pub(crate) fn create(path: &Path, about: &About, pieces: Arc<Pieces>) -> io::Result<Recorder> {
        let path = unused(path);
        let fault = |error: io::Error| {
            let text = format!("the recording {} cannot be made: {error}", path.display());
            io::Error::new(error.kind(), text)
        };
        let members = Members::new(File::create(&path).map_err(fault)?, path.clone());
        let mut header = Vec::new();
        about.header(0, &mut header);
        let queue = Queue::new();
        let (events, file) = (Arc::clone(&queue), members.clone());
        let writer = thread::Builder::new().name("oneloop-recorder".into());
        let writer = writer.spawn(move || write(&events, &file, &pieces, header)).map_err(fault)?;
        AT_EXIT.with(|at_exit| at_exit.0.borrow_mut().push(Arc::downgrade(&queue)));
        let pen = RefCell::new(Pen::new(Arc::clone(&queue)));
        Ok(Recorder { level: about.level, pen, queue, members, writer: Some(writer) })
    }

    /// For another thread, which has something to tell when the loop's own cannot.
    pub(crate) fn beside(&self) -> Beside {
        Beside { queue: Arc::clone(&self.queue), members: self.members.clone() }
    }
}

/// A way into a recording that does not begin on the loop's thread.
pub(crate) struct Beside {
    queue: Arc<Queue>,
    members: Members,
}

impl Beside {
    /// Appends an event that names no place, after all that the loop has told, and if `still` holds then. The loop may go
    /// on at any moment: what it tells from then on comes behind it.
    pub(crate) fn append(&self, event: &Event, still: impl FnOnce() -> bool) {
        self.queue.ask("beside");
        let mut line = Vec::new();
        Lines::new().event(event, &mut line);
        self.members.append_if(&mut line, still);
    }
}

/// The path, or one with a number after it if this process has used it before.
fn unused(path: &Path) -> PathBuf {
    /// All paths that were asked for.
    static USED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    let before = used.iter().filter(|used| *used == path).count();
    used.push(path.to_owned());
    match before {
        0 => path.to_owned(),
        _ => {
            let mut numbered = path.as_os_str().to_owned();
            numbered.push(format!(".{}", before + 1));
            numbered.into()
        }
    }
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
        self.0.get_mut().iter().filter_map(Weak::upgrade).for_each(|queue| queue.ask("exit"));
    }
}
