//! Chapter 32, part 3: who asks how a child ended when nobody waits for it any more?
//!
//! A `Child` may be dropped before its process has ended, perhaps together with its loop. If nobody asked, the
//! zombie would stay for as long as this process lives. So such a child is handed to a thread, which sleeps until a
//! SIGCHLD says that some child has ended, asks about all it has, and ends with the last of them. There is one
//! thread for the whole process, and none while there are no such children.
//!
//! ```text
//!   drop(child) ── ended already: asked, done
//!               └─ still running ──▶ ORPHANS ──▶ thread: SIGCHLD → ask about each ─ none left → end
//! ```
//!
//! Before: `process/pipes.rs`. Next: `process/ending.rs`.

use std::io;
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::SIGCHLD;
use signal_hook::iterator::Signals;

/// The children nobody waits for, of all loops.
static ORPHANS: Mutex<Orphans> = Mutex::new(Orphans { children: Vec::new(), has_thread: false });

struct Orphans {
    children: Vec<Child>,
    /// Whether the reaper is there. It ends under the lock, so this is always true or about to be.
    has_thread: bool,
}

impl Orphans {
    fn lock() -> MutexGuard<'static, Orphans> {
        ORPHANS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks about each, and keeps those that go on. One that cannot be asked about is nobody's child any more.
    fn ask(&mut self) {
        self.children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }

    /// Sees to it that a thread is there for those that go on. One that is there has heard of every end so far.
    fn see_to_thread(&mut self) {
        if self.has_thread || self.children.is_empty() {
            return;
        }
        if let Err(error) = self.start_thread() {
            let count = self.children.len();
            log::warn!(
                target: "oneloop",
                "no thread to wait for dropped children ({error}): {count} will be asked about when another is started"
            );
        }
    }

    /// Has a thread wait for the next end. The signals come first, then the question: so none is missed.
    fn start_thread(&mut self) -> io::Result<()> {
        let signals = Signals::new([SIGCHLD])?;
        self.ask();
        if !self.children.is_empty() {
            thread::Builder::new().name("oneloop-reaper".into()).spawn(move || reap(signals))?;
            self.has_thread = true;
        }
        Ok(())
    }
}

/// The thread's life.
fn reap(mut signals: Signals) {
    for _ in signals.forever() {
        let mut orphans = Orphans::lock();
        orphans.ask();
        if orphans.children.is_empty() {
            orphans.has_thread = false;
            return;
        }
    }
}

/// Takes over a child that was still running a moment ago.
pub(super) fn adopt(child: Child) {
    let mut orphans = Orphans::lock();
    orphans.children.push(child);
    // It may have ended since, and the thread have looked before it was here.
    orphans.ask();
    orphans.see_to_thread();
}

/// Tries again to have a thread, if there was none to be had.
pub(super) fn look_again() {
    Orphans::lock().see_to_thread();
}
