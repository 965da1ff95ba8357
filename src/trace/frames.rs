//! Chapter 1, part 3: through which async functions a task waits.
//!
//! A suspended task stands at one `.await`; but the function that has it was awaited by another one, and so on, up to the
//! future that was spawned. The lines of all of them are its *frames*:
//!
//! ```text
//!   src/main.rs:12  →  src/fetch.rs:41              outermost first
//!   fetch(url).await   sleep(delay).await           the last one is where the task is suspended
//! ```
//!
//! Nobody keeps that list: the futures lie one inside the other, and each knows only what it awaits itself. But whenever
//! the innermost one is polled, all of them are on the stack. So the addresses on the stack are noted when that poll says
//! that it has to wait (a few microseconds); to what lines they belong is looked up when somebody wants to see them, and
//! once for each address.
//!
//! This takes the feature `stacks`, and happens only in a loop that is watched, at the level `frame`.
//!
//! Before: `trace/who.rs`. Next: `trace/frames/stack.rs`, the stack.

#[cfg(feature = "stacks")]
mod stack;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::who::{Place, Site, TaskId};

/// Whether frames can be had: the feature `stacks`.
pub(crate) const AVAILABLE: bool = cfg!(feature = "stacks");

/// Without the feature nothing is noted, and nothing known.
#[cfg(not(feature = "stacks"))]
mod stack {
    use super::{Place, Site};

    pub(super) fn note(_: &mut Vec<usize>, _: usize) {}

    pub(super) fn places(_: &[usize], _: Option<Site>) -> Vec<Place> {
        Vec::new()
    }
}

/// The lines of the async functions that a suspended task is in, the outermost first.
#[derive(Clone)]
pub struct Frames(Arc<Noted>);

/// What was found on a stack.
struct Noted {
    /// Return addresses, the innermost first. Empty if the lines are known from elsewhere.
    addresses: Box<[usize]>,
    /// Where the innermost future is awaited, as it says itself.
    site: Option<Site>,
    /// Empty until somebody wants to see them.
    places: OnceLock<Box<[Place]>>,
}

impl Frames {
    /// Frames that are known, the outermost first: those of a recording.
    pub fn new(places: Vec<Place>) -> Frames {
        let places = OnceLock::from(places.into_boxed_slice());
        Frames(Arc::new(Noted { addresses: Box::default(), site: None, places }))
    }

    /// The lines, the outermost first: those in the program's own source, or, if there are none, those in the libraries
    /// that it uses. Empty if the program was built without line tables.
    ///
    /// The first call for a stack looks them up, which takes some microseconds; the first one in a process also reads the
    /// program's debug information, which takes up to some tenths of a second.
    pub fn places(&self) -> &[Place] {
        self.0.places.get_or_init(|| stack::places(&self.0.addresses, self.0.site).into())
    }
}

impl PartialEq for Frames {
    fn eq(&self, other: &Frames) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.places() == other.places()
    }
}

impl Eq for Frames {}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.places()).finish()
    }
}

impl fmt::Display for Frames {
    /// `src/main.rs:12 → src/fetch.rs:41`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in self.places().iter().enumerate() {
            let arrow = if index == 0 { "" } else { " → " };
            write!(f, "{arrow}{place:#}")?;
        }
        Ok(())
    }
}

/// Takes the frames of the tasks of one loop.
#[derive(Debug, Default)]
pub(crate) struct Stacks {
    /// Where the stack was when the poll that is going on began: what lies beyond is none of the task's.
    root: Cell<usize>,
    /// What was on the stack when a future of this poll said last that it has to wait; empty: none did.
    addresses: RefCell<Vec<usize>>,
    /// And where it is awaited.
    site: Cell<Option<Site>>,
    /// The frames that were told last, of each task that is suspended.
    latest: RefCell<HashMap<TaskId, Frames>>,
}

impl Stacks {
    /// A poll begins; `here` is anything that lies on the stack there.
    #[inline]
    pub(crate) fn begin<T>(&self, here: &T) {
        self.root.set(std::ptr::from_ref(here).addr());
        self.addresses.borrow_mut().clear();
    }

    /// The future that is being polled says that it has to wait.
    pub(crate) fn note(&self, site: Site) {
        self.site.set(Some(site));
        stack::note(&mut self.addresses.borrow_mut(), self.root.get());
    }

    /// The poll has ended with the task suspended: its frames, if they are others than before.
    pub(crate) fn end(&self, task: TaskId) -> Option<Frames> {
        let (addresses, mut latest) = (self.addresses.borrow(), self.latest.borrow_mut());
        if addresses.is_empty() {
            latest.remove(&task);
            return None;
        }
        if latest.get(&task).is_some_and(|before| *before.0.addresses == **addresses) {
            return None;
        }
        let (addresses, site) = (addresses.as_slice().into(), self.site.get());
        let frames = Frames(Arc::new(Noted { addresses, site, places: OnceLock::new() }));
        latest.insert(task, frames.clone());
        Some(frames)
    }

    /// The task has ended.
    pub(crate) fn forget(&self, task: TaskId) {
        self.latest.borrow_mut().remove(&task);
    }

    /// The frames of a suspended task, if they are known.
    pub(crate) fn of(&self, task: TaskId) -> Option<Frames> {
        self.latest.borrow().get(&task).cloned()
    }
}
