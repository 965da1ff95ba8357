//! Chapter 12, part 8: callbacks, and the timers that tasks and callbacks wait for.
//!
//! Before: `state/tasks.rs`. Next: `current.rs`, how a future finds its loop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Context;
use std::time::Duration;

use super::{State, timer_id, until};
use crate::callback::Function;
use crate::reactor::Target;
use crate::ready::Entry;
use crate::task::{drop_quietly, report_panic};
use crate::timer::clock::WaitedOutside;
use crate::timer::wheel::{TimerKey, is_a_deadline};
use crate::trace::event::{Actor, CallbackId, EventKind, Site};

/// So many tasks are fetched from memory at once: with some 200 bytes each, they stay in the second cache until they
/// are polled.
const FETCH: usize = 1_024;

/// Fewer come by themselves as quickly.
const FETCH_MIN: usize = 8;

/// A callback's number, as the observers know it.
pub(crate) fn callback_id(entry: Entry) -> CallbackId {
    CallbackId(u64::from(entry.serial()))
}

impl State {
    /// Queues a function for the next turn. A loop that is closing drops it uncalled.
    pub(crate) fn call_soon(&self, function: Function, site: Site) -> Entry {
        let entry = self.callbacks.borrow_mut().insert(function);
        self.tell_callback(entry, None, site);
        match self.is_closing() {
            true => _ = self.cancel_callback(entry),
            false => self.ready.push(entry),
        }
        entry
    }

    /// Queues a function for the first turn at or after `at`.
    pub(crate) fn call_at(&self, at: u64, function: Function, site: Site) -> Entry {
        let entry = self.callbacks.borrow_mut().insert(function);
        self.tell_callback(entry, Some(at), site);
        let timer = self.arm(at, Target::Entry(entry));
        // A loop that was held up since its last look does not know that this is due.
        if at <= self.clock.now() {
            self.pace.look_next();
        }
        self.callbacks.borrow_mut().set_timer(entry, Some(timer));
        if self.is_closing() {
            self.cancel_callback(entry);
        }
        entry
    }

    fn tell_callback(&self, entry: Entry, at: Option<u64>, site: Site) {
        if self.seam.watched() {
            let (callback, at) = (callback_id(entry), at.map(Duration::from_nanos));
            let kind = || EventKind::CallbackNew { callback, at, by: self.seam.actor(), site: site.into() };
            self.seam.note_callback(callback, self.seam.tell(self.moment(), kind));
        }
    }

    /// Step 5, for a callback: calls it. A panic in it is reported, and the loop goes on.
    pub(crate) fn run_callback(&self, entry: Entry) {
        assert!(entry.is_callback(), "a task's slot is there before its entry is run");
        let callback = self.callbacks.borrow_mut().remove(entry);
        let Some((function, _)) = callback else { return };
        self.nobody_is_polled();
        let id = callback_id(entry);
        let watch = self.seam.watched().then(|| {
            let began = self.moment();
            let cause = self.seam.take_callback(id);
            let kind = || EventKind::CallbackBegin { callback: id };
            self.seam.enter(Actor::Callback(id), self.seam.tell_because(cause, began, kind));
            began
        });
        let result = catch_unwind(AssertUnwindSafe(function));
        if let Some(began) = watch {
            let took = self.moment().saturating_sub(began);
            self.tell(|| EventKind::CallbackEnd { callback: id, took, panicked: result.is_err() });
            self.seam.leave();
        }
        if let Err(payload) = result {
            report_panic(format_args!("{id}"), payload);
        }
    }

    /// Takes a callback out; it leaves the wheel at once. `false` if it was called or cancelled before.
    pub(crate) fn cancel_callback(&self, entry: Entry) -> bool {
        let callback = self.callbacks.borrow_mut().remove(entry);
        let Some((function, timer)) = callback else { return false };
        if let Some(timer) = timer {
            self.disarm(timer);
        }
        if self.seam.watched() {
            self.seam.take_callback(callback_id(entry));
            self.tell(|| EventKind::CallbackCancel { callback: callback_id(entry), by: self.seam.actor() });
        }
        drop(function);
        true
    }

    /// Arms a timer for `target` at nanosecond `at`.
    #[inline(always)]
    pub(crate) fn arm(&self, at: u64, target: Target) -> TimerKey {
        let key = self.timers.borrow_mut().insert(at, target);
        self.pace.armed(at);
        if self.seam.watched() {
            self.tell_armed(key, at);
        }
        key
    }

    #[cold]
    fn tell_armed(&self, key: TimerKey, at: u64) {
        let (timer, at) = (timer_id(key), Duration::from_nanos(at));
        let place = self.timers.borrow().place(key);
        let callback = self.timers.borrow_mut().get_mut(key).and_then(|target| called(target));
        let made = callback.and_then(|callback| self.seam.callback_cause(callback));
        let kind = || EventKind::TimerArm { timer, callback, by: self.seam.actor(), at, place };
        let seq = self.seam.tell_because(made.or(self.seam.cause()), self.moment(), kind);
        self.seam.note_deadline(key.index() as usize, timer, seq, at);
    }

    /// Makes an armed timer wake whoever polls now; whether the timer still was armed.
    #[inline]
    pub(crate) fn retarget(&self, key: TimerKey, cx: &Context<'_>) -> bool {
        let target = self.target(cx);
        // The old target is dropped after the borrow: it may be somebody's last waker.
        let old = self.timers.borrow_mut().get_mut(key).map(|armed| std::mem::replace(armed, target));
        old.is_some()
    }

    /// Takes a timer out; nothing happens if it has fired.
    #[inline]
    pub(crate) fn disarm(&self, key: TimerKey) {
        let disarmed = self.timers.borrow_mut().cancel(key);
        if disarmed.is_some() && self.seam.watched() {
            self.tell_disarmed(key);
        }
    }

    #[cold]
    fn tell_disarmed(&self, key: TimerKey) {
        self.seam.take_deadline(key.index() as usize, timer_id(key));
        self.tell(|| EventKind::TimerCancel { timer: timer_id(key), by: self.seam.actor() });
    }

    /// Timers were looked at, at `now`, and those due have fired.
    pub(crate) fn note_look(&self, now: u64) {
        self.pace.looked(self.ready.ran(), now, self.timers.borrow_mut().next());
        // The turn that follows may be the last.
        if self.stopping.get() {
            self.pace.look_next();
        }
    }

    /// Until when a loop with nothing to do waits for its timers; exact in virtual time. The end of time never
    /// comes.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let timers = &mut *self.timers.borrow_mut();
        let next = if self.clock.is_virtual() { timers.earliest() } else { timers.next() };
        next.filter(|&at| at < u64::MAX)
    }

    /// The timer that is next where virtual time passes as real time does: its deadline, and how long it is still to be waited
    /// for. That is by what was waited since each was armed, and not by the deadlines, since the clock stands still meanwhile.
    /// The wheel has no order for that: all timers are gone through.
    pub(crate) fn next_by_waiting(&self, waited: &WaitedOutside) -> Option<(u64, Duration)> {
        let (now, timers) = (self.clock.now(), self.timers.borrow());
        let armed = timers.waiting().filter(|(at, ..)| *at < u64::MAX);
        let left = armed.map(|(at, armed, _)| (until(now, at).saturating_sub(waited.since(armed)), at));
        left.min().map(|(left, at)| (at, left))
    }

    /// The arming number of the latest timer.
    pub(crate) fn latest_timer(&self) -> u32 {
        self.timers.borrow().latest()
    }

    /// The deadline at which a wait for timers is to end to the nanosecond: in real time, and where no crowd of them
    /// is woken at the end of a tick.
    pub(crate) fn exact_deadline(&self) -> Option<u64> {
        self.next_deadline().filter(|&at| !self.clock.is_virtual() && is_a_deadline(at))
    }

    /// Timers armed.
    pub(crate) fn timers(&self) -> usize {
        self.timers.borrow().len()
    }

    /// The time up to which every timer has fired.
    #[inline]
    pub(crate) fn fired_until(&self) -> u64 {
        self.fired_until.get()
    }

    /// Step 4: fires the timers due at `now`, in the order of their deadlines. `fired` is empty.
    pub(crate) fn fire(&self, now: u64, fired: &mut Vec<(TimerKey, Target)>) {
        self.timers.borrow_mut().advance(now, fired);
        self.fired_until.set(self.fired_until.get().max(now));
        let mut fired = fired.drain(..);
        while !fired.as_slice().is_empty() {
            self.fetch_tasks(&fired.as_slice()[..fired.len().min(FETCH)]);
            fired.by_ref().take(FETCH).for_each(|(key, target)| self.fire_one(key, target));
        }
    }

    /// Many tasks that have slept for long lie far away in memory. Asked for one after the other, each is waited for;
    /// asked for side by side, they arrive together.
    fn fetch_tasks(&self, fired: &[(TimerKey, Target)]) {
        if fired.len() < FETCH_MIN {
            return;
        }
        self.tasks.touch(fired.iter().filter_map(|(_, target)| match target {
            Target::Entry(entry) => Some(*entry),
            Target::Waker(_) => None,
        }));
    }

    #[inline]
    fn fire_one(&self, key: TimerKey, target: Target) {
        if let Target::Entry(entry) = target
            && entry.is_callback()
        {
            self.callbacks.borrow_mut().set_timer(entry, None);
        }
        if self.seam.watched() {
            self.fire_watched(key, target);
        } else {
            self.make_ready(target);
        }
    }

    #[cold]
    fn fire_watched(&self, key: TimerKey, target: Target) {
        let (id, time) = (timer_id(key), self.still_moment());
        let (armed, at) = self.seam.take_deadline(key.index() as usize, id).unzip();
        let late = at.map_or(Duration::ZERO, |at| time.saturating_sub(at));
        let callback = called(&target);
        let kind = || EventKind::TimerFire { timer: id, callback, late };
        let seq = self.seam.tell_because(armed, time, kind);
        if let Some(callback) = callback {
            self.seam.note_callback(callback, seq);
        }
        self.seam.enter(Actor::Timer(id), seq);
        self.seam.still(time);
        self.make_ready(target);
        self.seam.leave();
    }

    /// Drops every callback and timer, for a loop that closes.
    pub(crate) fn drop_callbacks(&self) {
        let functions = self.callbacks.borrow_mut().drain();
        for function in functions {
            drop_quietly(Some(function), "callback of a closed loop");
        }
        let targets = self.timers.borrow_mut().drain();
        for target in targets {
            drop_quietly(Some(target), "waker of a closed loop's timer");
        }
        self.ready.clear();
    }
}

/// The callback that a timer is for; `None`: it wakes a task.
fn called(target: &Target) -> Option<CallbackId> {
    match target {
        Target::Entry(entry) if entry.is_callback() => Some(callback_id(*entry)),
        _ => None,
    }
}
