//! Chapter 35, part 20: numbers for what a program has few of: lines of its source, types, sorts of sources.
//!
//! The loop's thread compares where names lie in memory, not what they say. So one line may get two numbers, if two
//! parts of a program were compiled apart; that does no harm.
//!
//! Before: `trace/record/compact.rs`. Next: `trace/record/compact/pack.rs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::trace::event::{ById, Place, Wait};

/// What has a number.
#[derive(Clone, Copy, Debug)]
pub(in crate::trace::record) enum Spot {
    /// A place, where a task is suspended for something, or something else happened.
    Place(Wait, Option<Place>),
    /// The name of a type.
    Word(&'static str),
}

/// All spots, by their numbers.
pub(in crate::trace::record) type Numbered = Mutex<Vec<Spot>>;

/// Gives numbers. The loop's thread has it.
#[derive(Debug)]
pub(in crate::trace::record) struct Spots {
    /// The numbers of all, by what is compared.
    known: ById<Key, u32>,
    /// Those asked for last: a program suspends at few lines again and again.
    recent: Box<[(Key, u32); RECENT]>,
    numbered: Arc<Numbered>,
}

/// Address and length of the name; line, column and wait.
type Key = (usize, u64);

const RECENT: usize = 64;

/// No name lies there.
const NOBODY: Key = (0, u64::MAX);

impl Spots {
    pub(in crate::trace::record) fn new(numbered: Arc<Numbered>) -> Spots {
        Spots { known: HashMap::default(), recent: Box::new([(NOBODY, 0); RECENT]), numbered }
    }

    /// The number of a place.
    #[inline]
    pub(super) fn place(&mut self, place: Place) -> u64 {
        self.waiting(Wait::Custom, Some(place))
    }

    /// The number of a place at which a task is suspended.
    #[inline]
    pub(super) fn waiting(&mut self, wait: Wait, place: Option<Place>) -> u64 {
        let at = place.map_or(0, |place| u64::from(place.line) << 32 | u64::from(place.column) << 8);
        let key = (address(place.map_or("", |place| place.file)), at | wait as u64);
        self.number(key, Spot::Place(wait, place))
    }

    /// The number of a name.
    #[inline]
    pub(super) fn word(&mut self, word: &'static str) -> u64 {
        self.number((address(word), u64::MAX), Spot::Word(word))
    }

    #[inline]
    fn number(&mut self, key: Key, spot: Spot) -> u64 {
        let recent = &self.recent[(key.0 >> 4 ^ key.0 ^ (key.1 >> 32 ^ key.1) as usize) % RECENT];
        match recent.0 == key {
            true => u64::from(recent.1),
            false => self.look_up(key, spot),
        }
    }

    #[cold]
    #[inline(never)]
    fn look_up(&mut self, key: Key, spot: Spot) -> u64 {
        let numbered = &self.numbered;
        let number = *self.known.entry(key).or_insert_with(|| {
            let mut numbered = numbered.lock().unwrap_or_else(PoisonError::into_inner);
            numbered.push(spot);
            u32::try_from(numbered.len() - 1).unwrap_or_default()
        });
        self.recent[(key.0 >> 4 ^ key.0 ^ (key.1 >> 32 ^ key.1) as usize) % RECENT] = (key, number);
        u64::from(number)
    }
}

/// Where a name lies, and how long it is.
#[inline]
fn address(name: &str) -> usize {
    name.as_ptr().addr() ^ name.len().rotate_right(16)
}
