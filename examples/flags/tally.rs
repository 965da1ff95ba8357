//! What came of the requests.

use std::collections::BTreeMap;
use std::fmt;

use oneloop::http::{Error, StatusCode};

/// What a server said to one request.
pub enum Outcome {
    Flag,
    NotFound,
    Other(StatusCode),
}

#[derive(Default)]
pub struct Tally {
    flags: usize,
    not_found: usize,
    errors: usize,
    /// The first error, in words; `None` if there was none.
    first_error: Option<String>,
    /// How often each other status came.
    others: BTreeMap<StatusCode, usize>,
}

impl Tally {
    pub fn add(&mut self, outcome: Result<Outcome, Error>) {
        match outcome {
            Ok(Outcome::Flag) => self.flags += 1,
            Ok(Outcome::NotFound) => self.not_found += 1,
            Ok(Outcome::Other(status)) => *self.others.entry(status).or_default() += 1,
            Err(error) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| error.to_string());
            }
        }
    }

    pub fn merge(&mut self, other: Tally) {
        self.flags += other.flags;
        self.not_found += other.not_found;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        for (status, times) in other.others {
            *self.others.entry(status).or_default() += times;
        }
    }

    pub fn is_clean(&self) -> bool {
        self.errors == 0 && self.others.is_empty()
    }

    /// Says what else came than flags and 404.
    pub fn report(&self) {
        for (status, times) in &self.others {
            println!("{times} × {status}");
        }
        if let Some(error) = &self.first_error {
            println!("{} errors, the first: {error}", self.errors);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} flags {:>4} not found {:>4} errors", self.flags, self.not_found, self.errors)?;
        match self.others.values().sum::<usize>() {
            0 => Ok(()),
            others => write!(f, " {others:>4} others"),
        }
    }
}
