//! Chapter 5, part 3: the lines that spawn.
//!
//! A program may have a million tasks, but has few lines that spawn. So a task's slot keeps its line's number, which is
//! half as long as the address of a [`Site`]:
//!
//! ```text
//!   lines    0: main.rs:7     1: server.rs:40
//!   tasks    a: 0             b: 1     c: 1     d: 1 …
//! ```
//!
//! Most often a task is spawned at the line at which the last one was; whether it is one comparison tells.
//!
//! Before: `tasks/slot.rs`. Next: `tasks/seen.rs`, what can be asked of a task.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ptr;

use crate::trace::event::Site;

/// The lines that have spawned tasks of a loop, and their numbers.
#[derive(Default)]
pub(super) struct Sites {
    /// All of them, in the order of their numbers.
    lines: RefCell<Vec<Site>>,
    /// Their numbers by their addresses. (A line may have two: it may be in a function that was compiled twice.)
    numbers: RefCell<BTreeMap<usize, u32>>,
    /// The last one that was asked for; `None`: none was so far.
    last: Cell<Option<(Site, u32)>>,
}

impl Sites {
    /// The number of a line.
    #[inline]
    pub(super) fn number(&self, site: Site) -> u32 {
        match self.last.get() {
            Some((last, number)) if ptr::eq(last, site) => number,
            _ => self.look_up(site),
        }
    }

    #[inline(never)]
    fn look_up(&self, site: Site) -> u32 {
        let mut numbers = self.numbers.borrow_mut();
        // One line takes some bytes of the program: there are no 2^32.
        let next = numbers.len() as u32;
        let number = *numbers.entry(ptr::from_ref(site).addr()).or_insert(next);
        if number == next {
            self.lines.borrow_mut().push(site);
        }
        self.last.set(Some((site, number)));
        number
    }

    /// The line of a number that `number` gave.
    pub(super) fn line(&self, number: u32) -> Site {
        self.lines.borrow()[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    #[test]
    fn each_line_has_one_number_however_often_and_in_whatever_order_it_is_asked_for() {
        let sites = Sites::default();
        let lines = [Location::caller(), Location::caller(), Location::caller()];
        for n in [0, 1, 0, 0, 2, 1, 1, 2, 0] {
            assert_eq!(sites.number(lines[n]), n as u32);
        }
        assert!([0, 1, 2].map(|number| sites.line(number)).iter().eq(&lines));
        assert_eq!(sites.lines.borrow().len(), 3);
    }
}
