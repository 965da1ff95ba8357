//! Chapter 35, part 41: the places of a recording, by the numbers that its `site` lines give them.
//!
//! Before: `trace/read/actors.rs`. Next: `trace/read/kinds.rs`.

use std::collections::HashMap;

use super::MAX_SITES;
use super::fields::{Fault, Fields};
use super::names::lasting;
use crate::trace::event::Place;

/// The places defined so far.
#[derive(Debug, Default)]
pub(super) struct Sites(HashMap<u64, Place>);

/// The place of a number that was never defined.
const NOWHERE: Place = Place { file: "(unknown)", line: 0, column: 0 };

impl Sites {
    /// Takes up a `site` line.
    pub(super) fn define(&mut self, fields: &Fields<'_>) -> Result<(), Fault> {
        let number = |name| fields.number(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        let file = lasting(fields.text("file")?);
        let place = Place { file, line: number("line")?, column: number("col")? };
        if self.0.len() < MAX_SITES {
            self.0.insert(fields.number("id")?, place);
        }
        Ok(())
    }

    /// The place with this number.
    pub(super) fn place(&self, number: u64) -> Place {
        self.0.get(&number).copied().unwrap_or(NOWHERE)
    }
}
