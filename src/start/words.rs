//! Chapter 36, part 2: the words of `ONELOOP`.
//!
//! Before: `start.rs`.

use std::io;
use std::rc::Rc;

use super::{Builder, LAST, MOST_LAST};
use crate::trace::narrate::Print;
use crate::trace::record::Level;

/// The environment variable that chooses how loops show themselves.
const VARIABLE: &str = "ONELOOP";

/// The words it knows.
const WORDS: [&str; 10] = [
    "print",
    "virtual",
    "debug",
    "record=FILE",
    "level=LEVEL",
    "flight=FILE",
    "last=N",
    "output=SOCKET",
    "step=SOCKET",
    "attach",
];

impl Builder {
    /// Does what the environment asks for.
    pub(super) fn apply_environment(&mut self) -> io::Result<()> {
        match std::env::var_os(VARIABLE) {
            Some(words) => self.apply(&words.to_string_lossy()),
            None => Ok(()),
        }
    }

    pub(super) fn apply(&mut self, words: &str) -> io::Result<()> {
        for word in words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.split_once('=').unwrap_or((word, "")) {
                ("print", "") => {
                    self.print = true;
                    self.observers.push(Rc::new(Print::default()));
                }
                ("virtual", "") => self.virtual_time = true,
                ("debug", "") => self.debug = true,
                ("attach", "") => self.attach = true,
                ("record", file) if !file.is_empty() => self.record = Some(file.into()),
                ("flight", file) if !file.is_empty() => self.flight = Some(file.into()),
                ("last", events) => self.last = number(events).ok_or_else(|| no_number(events))?,
                ("level", level) => self.level = Some(Level::called(level).ok_or_else(|| no_level(level))?),
                ("output", socket) if !socket.is_empty() => self.output = Some(socket.into()),
                ("step", socket) if !socket.is_empty() => self.stepper = Some(socket.into()),
                _ => return Err(unknown(word)),
            }
        }
        Ok(())
    }
}

fn unknown(word: &str) -> io::Error {
    let known = WORDS.join(", ");
    let text = format!("{VARIABLE} has the unknown word {word:?}; it knows: {known}");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn no_level(level: &str) -> io::Error {
    let levels = Level::ALL.map(Level::word).join(", ");
    let text = format!("{VARIABLE} asks for the unknown level {level:?}; there are: {levels}");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// A number of events that can be kept.
fn number(word: &str) -> Option<usize> {
    word.parse().ok().filter(|number| (1..=MOST_LAST).contains(number))
}

fn no_number(word: &str) -> io::Error {
    let text = format!(
        "{VARIABLE} has last={word:?}, which is no number from 1 to {MOST_LAST}; without it {LAST} are kept"
    );
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_loop::EventLoop;

    #[test]
    fn an_unknown_word_is_an_error_that_lists_the_known_ones() {
        let error = EventLoop::builder().apply("virtual,prnt").unwrap_err().to_string();
        assert!(error.contains("\"prnt\""), "{error}");
        assert!(WORDS.iter().all(|word| error.contains(word)), "{error}");
        for word in ["record", "record=", "print=yes", "=", "level"] {
            let error = EventLoop::builder().apply(word).unwrap_err().to_string();
            assert!(error.contains(&format!("{:?}", word.trim_end_matches("level"))), "{word}: {error}");
        }
    }

    #[test]
    fn every_known_word_is_taken() {
        let words = WORDS.iter().map(|word| word.replace("LEVEL", "leaf").replace("=N", "=7"));
        words.for_each(|word| EventLoop::builder().apply(&word).expect(&word));
        EventLoop::builder().apply(" print , virtual ,").expect("spaces and empty words do no harm");
    }

    #[test]
    fn a_number_of_events_that_cannot_be_kept_is_an_error_with_the_limits() {
        for word in ["last=0", "last=many", "last=", "last=1000001"] {
            let error = EventLoop::builder().apply(word).unwrap_err().to_string();
            assert!(error.contains("from 1 to 1000000"), "{word}: {error}");
        }
    }
}
