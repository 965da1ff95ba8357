//! What is counted during a crawl, and the table at its end.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use crate::failure::Kind;

/// The counts of one crawl.
#[derive(Debug, Default)]
pub struct Tally {
    /// Listing pages that were read.
    pub pages: usize,
    /// Different pictures on them.
    pub found: usize,
    /// Thumbnails made now, and thumbnails that were there before.
    pub made: usize,
    pub there: usize,
    /// Addresses left out because another one with the same path was found before.
    pub same_path: usize,
    pub most_in_flight: usize,
    /// Bytes of bodies received, and of files written.
    pub received: u64,
    pub written: u64,
    /// How long requests took, all added up: what one after the other would have to wait.
    pub waiting: Duration,
    /// Processor time of the jobs on the blocking pool.
    pub image_time: Duration,
    errors: BTreeMap<Kind, usize>,
}

impl Tally {
    pub fn fail(&mut self, kind: Kind) {
        *self.errors.entry(kind).or_default() += 1;
    }

    pub fn failed(&self) -> usize {
        self.errors.values().sum()
    }

    /// The line that says what became of the pictures: "all" only if it was all of them.
    pub fn processed(&self) -> String {
        let (done, found) = (self.made + self.there, self.found);
        let mut line = match done == found {
            true if self.made == 0 && found > 0 => {
                return format!("[+] Nothing left to do: all {found} thumbnails are there already.");
            }
            true => format!("[+] Processed all {found} images."),
            false => format!("[+] Processed {done} of {found} images."),
        };
        if self.there > 0 {
            let _ = write!(line, " {} of them were there already.", self.there);
        }
        line
    }

    /// The table, with the time of the whole crawl for comparison.
    pub fn table(&self, took: Duration) -> String {
        let mut table = String::new();
        let mut row = |what: &str, value: &dyn fmt::Display| {
            let _ = writeln!(table, "    {what:<26} {value}");
        };
        let times = self.waiting.as_secs_f64() / took.as_secs_f64().max(0.001);
        row("pages read", &self.pages);
        row(
            "waiting on the network",
            &format_args!(
                "{:.2} s in all, {times:.1} times the crawl's own time",
                self.waiting.as_secs_f64()
            ),
        );
        row("image CPU time", &format_args!("{:.2} s", self.image_time.as_secs_f64()));
        row("most requests in flight", &self.most_in_flight);
        row("received", &megabytes(self.received));
        row("written", &megabytes(self.written));
        if self.same_path > 0 {
            row("left out", &format_args!("{} with the path of another picture", self.same_path));
        }
        row("errors", &self.errors());
        table
    }

    fn errors(&self) -> String {
        if self.errors.is_empty() {
            return "none".into();
        }
        let kinds: Vec<String> = self.errors.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
        format!("{} ({})", self.failed(), kinds.join(", "))
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use oneloop::http::StatusCode;

    use super::*;

    #[test]
    fn the_last_line_says_what_was_done_and_what_was_not() {
        let tally = |found, made, there| Tally { found, made, there, ..Tally::default() }.processed();
        assert_eq!(tally(481, 481, 0), "[+] Processed all 481 images.");
        assert_eq!(tally(481, 470, 0), "[+] Processed 470 of 481 images.");
        assert_eq!(tally(481, 400, 81), "[+] Processed all 481 images. 81 of them were there already.");
        assert_eq!(tally(481, 0, 481), "[+] Nothing left to do: all 481 thumbnails are there already.");
        assert_eq!(tally(0, 0, 0), "[+] Processed all 0 images.");
    }

    #[test]
    fn errors_are_counted_by_kind() {
        let mut tally = Tally::default();
        assert!(tally.table(Duration::from_secs(1)).contains("errors                     none"));
        for kind in [Kind::Timeout, Kind::Status(StatusCode::NOT_FOUND), Kind::Timeout] {
            tally.fail(kind);
        }
        assert!(
            tally
                .table(Duration::from_secs(1))
                .contains("errors                     3 (status 404: 1, timeout: 2)")
        );
    }
}
