//! Chapter 4: what other threads send.
//!
//! There are two ways into the ready queue:
//!
//! ```text
//!   wake on the loop's thread ───────────────▶ Ready ──▶ step 5 runs what was in it at its start
//!                                                ▲
//!   wake on any other thread ──▶ RemoteQueue ────┘ step 3
//!                                 (mutex)
//!                                    └─▶ notify: ends the loop's wait, once for a burst
//! ```
//!
//! Two ways, because they have different costs. The first is a store in a ring: no lock and no
//! atomic read-modify-write. The second takes a mutex and may need a system call to end the loop's wait.
//! A single queue behind a mutex would be shorter, and every wake would pay for the rare one.
//!
//! When is a notify needed? Only when the loop is blocked, or about to block, and nobody has notified it
//! yet. `pending` (there is something to fetch) and `asleep` (the loop may block) decide it; each side
//! writes its own flag and then reads the other's, both in sequentially consistent order, so at
//! least one of the two sees the other:
//!
//! ```text
//!   other thread: push; pending = true; asleep?  yes → notify
//!   the loop:     asleep = true; pending?        yes → do not block
//! ```
//!
//! Before: `ready/ring.rs`. Next: `sent/patience.rs`, giving way before blocking.

mod patience;

use std::fmt;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::ready::{Entry, Owner};
use crate::trace::event::{Actor, EventKind, Site};
use crate::trace::observer::WATCHABLE;

pub(crate) use patience::{Patience, SOON};

/// What a task's waker points to: how to find the task from anywhere.
///
/// It belongs to a slot and is used again for the slot's next task if nobody else holds it by then.
#[derive(Debug)]
pub(crate) struct TaskHeader {
    /// The loop the task lives in.
    remote: Arc<RemoteQueue>,
    /// Slot and serial, as `Entry::to_bits`.
    entry: AtomicU64,
    /// Whether the task is in the ready queue, or has ended. Only the loop's thread touches it, so plain loads
    /// and stores will do.
    queued: AtomicBool,
    /// Whether the header lies in `remote` already: a thread that wakes in a tight loop pushes it once.
    sent: AtomicBool,
}

impl TaskHeader {
    pub(crate) fn new(remote: Arc<RemoteQueue>, entry: Entry) -> TaskHeader {
        let (queued, sent) = (AtomicBool::new(true), AtomicBool::new(false));
        TaskHeader { remote, entry: AtomicU64::new(entry.to_bits()), queued, sent }
    }

    /// From now on this is `entry`'s header, of a task that is queued. Only for a header that nobody else holds.
    /// Returns `true`.
    #[inline]
    pub(crate) fn reuse(&self, entry: Entry) -> bool {
        self.entry.store(entry.to_bits(), Ordering::Relaxed);
        self.queued.store(true, Ordering::Relaxed);
        true
    }

    /// Notes that the task is queued; whether it was not before. To be called on the loop's thread only.
    #[inline]
    pub(crate) fn queue(&self) -> bool {
        let was = self.is_queued();
        self.set_queued();
        !was
    }

    /// Notes that the task is queued. To be called on the loop's thread only.
    #[inline]
    pub(crate) fn set_queued(&self) {
        self.queued.store(true, Ordering::Relaxed);
    }

    /// The task has left the queue. To be called on the loop's thread only.
    #[inline]
    pub(crate) fn unqueue(&self) {
        self.queued.store(false, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_queued(&self) -> bool {
        self.queued.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn entry(&self) -> Entry {
        Entry::from_bits(self.entry.load(Ordering::Relaxed))
    }

    /// The name of the loop that the task lives in, as the ready queue knows it.
    #[inline]
    pub(crate) fn owner(&self) -> Owner {
        Arc::as_ptr(&self.remote).cast()
    }

    /// Whether the task lives in the loop that owns `remote`.
    #[inline]
    pub(crate) fn belongs_to(&self, remote: &Arc<RemoteQueue>) -> bool {
        Arc::ptr_eq(&self.remote, remote)
    }

    /// Claims a wake from another thread; `true`: the caller is the first since the loop has fetched the header, and is
    /// to `send` it. Whoever finds `sent` set knows that it has yet to be fetched, so that wake and this one are served
    /// by the same poll.
    pub(crate) fn claim(&self) -> bool {
        !self.sent.swap(true, Ordering::AcqRel)
    }

    /// The way of a wake from another thread that has the `claim`. `by`: who woke, asked only if somebody watches.
    pub(crate) fn send(self: Arc<Self>, by: impl FnOnce() -> Actor) {
        let (remote, by) = (Arc::clone(&self.remote), self.remote.is_watched().then(by));
        // A closed loop has no tasks left to wake.
        let _ = remote.push(Sent::Wake(self, by));
    }

    /// The loop has fetched the header: from here on a wake is a new one. To be called before the task
    /// is polled, so that what the other thread did before its wake is seen by that poll.
    pub(crate) fn fetched(&self) {
        self.sent.swap(false, Ordering::AcqRel);
    }
}

/// What other threads send to a loop.
pub(crate) enum Sent {
    /// A task was woken; by whom, if somebody watches.
    Wake(Arc<TaskHeader>, Option<Actor>),
    /// A function to call on the loop's thread, and the line that sent it; by whom, if somebody watches.
    Call(Box<dyn FnOnce() + Send>, Site, Option<Actor>),
    /// Something happened on the thread of that name; for the observers.
    Told(Instant, Arc<str>, Box<EventKind>),
    /// A job of the blocking pool has ended and delivered its result.
    JobEnded,
}

/// What other threads have sent and the loop has not fetched yet.
pub(crate) struct RemoteQueue {
    /// In the order of arrival; empty most of the time. `None`: the loop is closed.
    sent: Mutex<Option<Vec<Sent>>>,
    /// Whether `sent` may hold something. Spares the loop the mutex.
    pending: AtomicBool,
    /// Whether the loop is blocked in its reactor, or about to be.
    asleep: AtomicBool,
    /// How many `Remote` handles there are: as long as there is one, anything may still come.
    remotes: AtomicUsize,
    /// Whether somebody watches the loop, so that senders say who they are.
    watched: bool,
    /// Ends the wait of the loop's reactor.
    notifier: mio::Waker,
}

impl RemoteQueue {
    pub(crate) fn new(notifier: mio::Waker, watched: bool) -> RemoteQueue {
        RemoteQueue {
            sent: Mutex::new(Some(Vec::new())),
            pending: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            remotes: AtomicUsize::new(0),
            watched,
            notifier,
        }
    }

    /// Counts a `Remote` handle.
    pub(crate) fn add_remote(&self) {
        self.remotes.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one less. A loop that waits may find, now that it was the last, that it waits for nothing.
    pub(crate) fn remove_remote(&self) {
        if self.remotes.fetch_sub(1, Ordering::SeqCst) == 1 && self.asleep.load(Ordering::SeqCst) {
            self.notify();
        }
    }

    /// Whether another thread may still send something, or has.
    pub(crate) fn may_bring_something(&self) -> bool {
        // Asked last: who gives a handle up has sent before that.
        self.remotes.load(Ordering::SeqCst) > 0 || self.pending.load(Ordering::SeqCst)
    }

    pub(crate) fn is_watched(&self) -> bool {
        WATCHABLE && self.watched
    }

    /// Adds `sent`, and notifies the loop if it may be blocked.
    ///
    /// # Errors
    /// What was to be sent, if the loop is closed.
    pub(crate) fn push(&self, sent: Sent) -> Result<(), Sent> {
        if self.is_watched() {
            return self.push_watched(sent);
        }
        self.push_quietly(sent)?;
        if !self.pending.swap(true, Ordering::SeqCst) && self.asleep.load(Ordering::SeqCst) {
            self.notify();
        }
        Ok(())
    }

    /// As `push`, and tells who ended the loop's wait, before what they sent. To know that beforehand the
    /// flags are changed under the lock, which `fetch` takes after it has unset `pending`.
    #[cold]
    fn push_watched(&self, sent: Sent) -> Result<(), Sent> {
        let mut list = self.lock();
        let Some(sents) = &mut *list else { return Err(sent) };
        let notify = !self.pending.swap(true, Ordering::SeqCst) && self.asleep.load(Ordering::SeqCst);
        if let (true, Sent::Wake(_, Some(by)) | Sent::Call(_, _, Some(by))) = (notify, &sent) {
            let name = std::thread::current().name().unwrap_or("unnamed").into();
            sents.push(Sent::Told(Instant::now(), name, Box::new(EventKind::Notify { by: by.clone() })));
        }
        sents.push(sent);
        drop(list);
        if notify {
            self.notify();
        }
        Ok(())
    }

    /// Adds `sent` without notifying: it will do when the loop comes by. `pending` stays as it is, so that
    /// whoever pushes next still notifies.
    pub(crate) fn push_quietly(&self, sent: Sent) -> Result<(), Sent> {
        match &mut *self.lock() {
            Some(list) => list.push(sent),
            None => return Err(sent),
        }
        Ok(())
    }

    /// Ends the loop's wait, now or the next one.
    pub(crate) fn notify(&self) {
        let woken: io::Result<()> = self.notifier.wake();
        if let Err(error) = woken {
            log::error!(target: "oneloop", "the event loop could not be notified from another thread: {error}");
        }
    }

    /// Whether there is something to fetch; a plain load.
    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed)
    }

    /// The loop is about to block; whether it may. To be undone by `woke_up`.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        !self.pending.load(Ordering::SeqCst)
    }

    /// The loop no longer blocks.
    pub(crate) fn woke_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Swaps what was sent with `batch`, which is empty.
    pub(crate) fn fetch(&self, batch: &mut Vec<Sent>) {
        // Unset before the swap: what is pushed after it sets `pending` again.
        self.pending.swap(false, Ordering::SeqCst);
        if let Some(list) = &mut *self.lock() {
            mem::swap(list, batch);
        }
    }

    /// Refuses all that is sent from now on; what had been sent is returned, to be dropped.
    pub(crate) fn close(&self) -> Option<Vec<Sent>> {
        self.lock().take()
    }

    /// No code of the user's runs under the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Option<Vec<Sent>>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RemoteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteQueue").field("pending", &self.pending).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notify_is_told_before_what_was_sent_and_only_if_the_loop_slept() {
        let poll = mio::Poll::new().unwrap();
        let notifier = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        let queue = RemoteQueue::new(notifier, true);
        let by = || Some(Actor::Thread("worker".into()));
        let send = || queue.push(Sent::Call(Box::new(|| ()), std::panic::Location::caller(), by())).is_ok();
        let mut fetched = Vec::new();

        assert!(queue.fall_asleep() && send() && send());
        queue.fetch(&mut fetched);
        let told = |sent: &Sent| matches!(sent, Sent::Told(_, _, kind) if matches!(**kind, EventKind::Notify { by: Actor::Thread(_) }));
        assert_eq!(fetched.drain(..).map(|sent| told(&sent)).collect::<Vec<_>>(), [true, false, false]);

        queue.woke_up();
        assert!(send());
        queue.fetch(&mut fetched);
        assert_eq!(fetched.iter().map(told).collect::<Vec<_>>(), [false]);
    }
}
