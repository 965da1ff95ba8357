//! Chapter 35, part 38: names and texts, cut to a bearable length.
//!
//! Where an event wants a name for ever, it is kept once, until the process ends.
//!
//! Before: `trace/read/lines.rs`. Next: `trace/read/fields.rs`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::{MAX_NAME, MAX_NAMES, MAX_TEXT};
use crate::trace::narrate::plain;

/// What every name is called when there are too many.
const TOO_MANY: &str = "(one name too many)";

/// All names that were ever kept.
static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// A name that lives for ever, fit for one line. Equal names are one.
pub(super) fn lasting(name: &str) -> &'static str {
    let name = plain(cut(name, MAX_NAME));
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    if names.len() >= MAX_NAMES {
        return TOO_MANY;
    }
    let name: &'static str = Box::leak(name.into_boxed_str());
    names.insert(name);
    name
}

/// A name, cut.
pub(super) fn name(name: &str) -> Arc<str> {
    cut_with_mark(name, MAX_NAME).into()
}

/// A text, cut.
pub(super) fn text(text: &str) -> Arc<str> {
    cut_with_mark(text, MAX_TEXT).into()
}

fn cut_with_mark(text: &str, most: usize) -> String {
    let short = cut(text, most);
    if short.len() == text.len() { short.to_owned() } else { format!("{short}…") }
}

/// At most so many bytes, and whole letters.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_two_letters() {
        let long = "ä".repeat(1 << 20);
        assert_eq!(name(&long).len(), MAX_NAME + "…".len());
        assert_eq!(&*name("short"), "short");
        assert!(lasting(&format!("x{long}")).len() <= MAX_NAME);
    }

    #[test]
    fn equal_names_are_kept_once() {
        let (one, other) = (lasting("src/one.rs"), lasting(&String::from("src/one.rs")));
        assert!(std::ptr::eq(one, other));
    }
}
