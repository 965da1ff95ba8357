//! Chapter 7: a plain function kept for later.
//!
//! Before: `timer/clock.rs`. Next: `reactor.rs`, readiness of sockets.

use slab::Slab;

use crate::ready::Entry;
use crate::timer::wheel::TimerKey;

/// A plain function for the loop to call, once.
pub(crate) type Function = Box<dyn FnOnce()>;

/// A callback that has not been called yet.
struct Slot {
    /// What to call.
    function: Function,
    /// Tells this callback from others that used the same slot.
    serial: u32,
    /// Its timer; `None` for `call_soon`, and once the timer has fired.
    timer: Option<TimerKey>,
}

/// All callbacks of a loop that have not been called yet.
#[derive(Default)]
pub(crate) struct Callbacks {
    slots: Slab<Slot>,
    /// The next callback's serial number.
    serial: u32,
}

impl Callbacks {
    /// Keeps `function`; the entry is what finds it again.
    pub(crate) fn insert(&mut self, function: Function) -> Entry {
        let serial = self.serial;
        self.serial = serial.wrapping_add(1);
        let key = self.slots.insert(Slot { function, serial, timer: None });
        Entry::callback(key, serial)
    }

    /// Remembers that `entry` waits for a timer, or (`None`) no longer does.
    pub(crate) fn set_timer(&mut self, entry: Entry, timer: Option<TimerKey>) {
        if let Some(slot) = self.slots.get_mut(entry.key()).filter(|slot| slot.serial == entry.serial()) {
            slot.timer = timer;
        }
    }

    /// Takes a callback out, to call it or to drop it; `None` if it was called or cancelled before.
    pub(crate) fn remove(&mut self, entry: Entry) -> Option<(Function, Option<TimerKey>)> {
        self.slots.get(entry.key()).filter(|slot| slot.serial == entry.serial())?;
        let slot = self.slots.remove(entry.key());
        Some((slot.function, slot.timer))
    }

    /// Takes all of them out; dropping a function may run the user's code, so the caller does that.
    pub(crate) fn drain(&mut self) -> Vec<Function> {
        self.slots.drain().map(|slot| slot.function).collect()
    }
}
