//! In words.
use std::cell::Cell;
use super::event::Event;
use super::observer::Observer;
/// p
#[derive(Debug, Default)]
pub struct Print(Cell<u8>);
impl Observer for Print { fn event(&self, event: &Event) { let _ = event; } }
/// l
#[derive(Debug, Default)]
pub struct Log(Cell<u8>);
impl Observer for Log { fn event(&self, event: &Event) { let _ = event; } }
