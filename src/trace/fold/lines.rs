//! Chapter 35, part 10: who waits in line for an object, and who holds it.
//!
//! Before: `trace/fold/things.rs`. Next: `trace/fold/history.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::World;
use crate::trace::event::{Actor, Event, EventKind as E, Place, Wait};

/// The most holders that are kept of one line: each release looks through them.
pub(crate) const MOST_HOLDERS: usize = 4_096;

/// An object that tasks wait for, and those who do: a lock, the permits of a semaphore, the items of a queue, the room in it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Line {
    /// What is waited for; `None`: nobody has waited, since it is known.
    pub what: Option<Wait>,
    /// Who has taken permits and not given them back, in that order, the first 4,096; of a mutex, who has locked it.
    pub holders: Vec<Actor>,
    /// Who waits, by ticket.
    pub waiters: BTreeMap<usize, Waiter>,
}

/// One who waits.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Waiter {
    /// For what.
    pub wait: Wait,
    /// Who it is.
    pub by: Actor,
    /// At which line of the program.
    pub site: Place,
    /// The event since which it waits.
    pub seq: u64,
    /// When that was.
    pub since: Duration,
    /// The event in which it was granted what it waits for; `None`: it was not yet.
    pub granted: Option<u64>,
}

impl Line {
    /// Who waits, the one who has waited longest first.
    pub fn in_order(&self) -> Vec<&Waiter> {
        let mut waiters: Vec<&Waiter> = self.waiters.values().collect();
        waiters.sort_by_key(|waiter| waiter.seq);
        waiters
    }

    fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.waiters.is_empty()
    }
}

impl Waiter {
    pub(crate) fn new(wait: Wait, by: Actor, site: Place, seq: u64, since: Duration) -> Waiter {
        Waiter { wait, by, site, seq, since, granted: None }
    }
}

impl World {
    pub(super) fn of_lines(&mut self, event: &Event) {
        let line = match &event.kind {
            E::LineWait { line, ticket, wait, by, site } => {
                let known = self.lines.entry(*line).or_default();
                known.what = Some(*wait);
                // A future may be polled again and again while it waits.
                match known
                    .waiters
                    .get_mut(ticket)
                    .filter(|waiter| waiter.by == *by && waiter.granted.is_none())
                {
                    Some(waiter) => waiter.site = *site,
                    None => {
                        let waiter = Waiter::new(*wait, by.clone(), *site, event.seq, self.time);
                        let before = known.waiters.insert(*ticket, waiter);
                        self.in_line += usize::from(before.is_none());
                    }
                }
                return;
            }
            E::LineGrant { line, ticket, .. } => {
                let waiter = self.lines.get_mut(line).and_then(|known| known.waiters.get_mut(ticket));
                return waiter.map_or((), |waiter| waiter.granted = Some(event.seq));
            }
            E::PermitTake { line, by } => {
                let holders = &mut self.lines.entry(*line).or_default().holders;
                if holders.len() < MOST_HOLDERS {
                    holders.push(by.clone());
                }
                return;
            }
            E::LineLeave { line, ticket, .. } => {
                let left = self.lines.get_mut(line).and_then(|known| known.waiters.remove(ticket));
                self.in_line -= usize::from(left.is_some());
                line
            }
            E::PermitRelease { line, by } => {
                let Some(known) = self.lines.get_mut(line) else { return };
                // Of whoever gives it back, or the oldest: a permit may be handed on.
                let index = known.holders.iter().position(|holder| holder == by).unwrap_or(0);
                if index < known.holders.len() {
                    known.holders.remove(index);
                }
                line
            }
            _ => return,
        };
        if self.lines.get(line).is_some_and(Line::is_empty) {
            self.lines.remove(line);
        }
    }
}
