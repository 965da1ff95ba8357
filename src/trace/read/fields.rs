//! Chapter 35, part 39: the fields of one line, by name and type.
//!
//! Before: `trace/read/names.rs`. Next: `trace/read/actors.rs`.

use std::time::Duration;

use serde_json::{Map, Value};

/// What is wrong with a line, in words.
pub(super) type Fault = String;

/// A line's fields.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// A field that may be left out or be null.
    pub(super) fn maybe(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn must<T>(&self, name: &str, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| match self.0.contains_key(name) {
            true => format!("its field {name:?} is not what it should be"),
            false => format!("it has no field {name:?}"),
        })
    }

    pub(super) fn value(&self, name: &str) -> Result<&'a Value, Fault> {
        self.must(name, self.0.get(name))
    }

    pub(super) fn number(&self, name: &str) -> Result<u64, Fault> {
        self.must(name, self.0.get(name).and_then(Value::as_u64))
    }

    pub(super) fn size(&self, name: &str) -> Result<usize, Fault> {
        self.number(name).map(clamped)
    }

    /// A number that may be left out.
    pub(super) fn maybe_number(&self, name: &str) -> Result<Option<u64>, Fault> {
        self.maybe(name).map(|_| self.number(name)).transpose()
    }

    /// Nanoseconds.
    pub(super) fn time(&self, name: &str) -> Result<Duration, Fault> {
        self.number(name).map(Duration::from_nanos)
    }

    /// Nanoseconds that may be left out.
    pub(super) fn maybe_time(&self, name: &str) -> Result<Option<Duration>, Fault> {
        Ok(self.maybe_number(name)?.map(Duration::from_nanos))
    }

    /// A flag; left out means no.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Fault> {
        let flag = self.maybe(name).map(|value| self.must(name, value.as_bool()));
        flag.unwrap_or(Ok(false))
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, Fault> {
        self.must(name, self.0.get(name).and_then(Value::as_str))
    }

    /// A text that may be left out; then it is empty.
    pub(super) fn maybe_text(&self, name: &str) -> &'a str {
        self.maybe(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// One of a few words.
    pub(super) fn word<T>(&self, name: &str, known: impl FnOnce(&str) -> Option<T>) -> Result<T, Fault> {
        let word = self.text(name)?;
        self.must(name, known(word))
    }
}

/// A count, as large as this machine can count.
pub(super) fn clamped(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
