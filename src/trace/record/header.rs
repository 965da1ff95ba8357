//! Chapter 35, part 18: the first line of a recording: of what, when, and how it was made.
//!
//! ```text
//!   {"k":"oneloop","v":1,"program":"target/debug/examples/hello","args":[],"folder":"/home/ann/oneloop","pid":4711,
//!    "started":"2026-03-01T09:30:00.125Z","level":"task","clock":"real","wheel":{…},"pool":{"threads":6},"features":["http"]}
//! ```
//!
//! Before: `trace/record/level.rs`. Next: `trace/record/compact.rs`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::json;
use super::level::Level;
use crate::timer::slots::{LEVELS, SLOTS, TICK};

/// The version of the trace format that is written. Kinds and fields may be added without a new one.
pub(crate) const VERSION: u64 = 1;

/// What the first line says, beside what is known of every program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    /// Which events are recorded.
    pub(crate) level: Level,
    /// Whether the loop's clock is a virtual one.
    pub(crate) virtual_time: bool,
    /// The most threads of the blocking pool.
    pub(crate) pool_threads: usize,
}

impl About {
    /// Appends the line, for a recording from the first event to the last. The loop was made at `started`.
    pub(crate) fn header(&self, started: SystemTime, out: &mut Vec<u8>) {
        self.write(started, None, out);
    }

    /// The same for some of the events: so many were before them, and what comes after them is left out.
    pub(crate) fn header_of_some(&self, started: SystemTime, lost: u64, out: &mut Vec<u8>) {
        self.write(started, Some(lost), out);
    }

    /// `lost`: how many events were before; `None`: these are all.
    fn write(&self, started: SystemTime, lost: Option<u64>, out: &mut Vec<u8>) {
        let mut args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
        let text = |out: &mut Vec<u8>, name: &str, text: &str| {
            key(out, name);
            json::string(out, text);
        };
        out.extend_from_slice(format!("{{\"k\":\"oneloop\",\"v\":{VERSION}").as_bytes());
        text(out, "program", &args.next().unwrap_or_default());
        strings(out, "args", args);
        let folder = std::env::current_dir().map(|folder| folder.to_string_lossy().into_owned());
        text(out, "folder", &folder.unwrap_or_default());
        key(out, "pid");
        json::number(out, u64::from(std::process::id()));
        text(out, "started", &date_and_time(started));
        text(out, "level", self.level.word());
        text(out, "clock", if self.virtual_time { "virtual" } else { "real" });
        let wheel = format!(",\"wheel\":{{\"levels\":{LEVELS},\"slots\":{SLOTS},\"tick_ns\":{TICK}}}");
        out.extend_from_slice(wheel.as_bytes());
        out.extend_from_slice(format!(",\"pool\":{{\"threads\":{}}}", self.pool_threads).as_bytes());
        let features = [
            ("http", cfg!(feature = "http")),
            ("cli", cfg!(feature = "cli")),
            ("stacks", cfg!(feature = "stacks")),
        ];
        let features = features.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned());
        strings(out, "features", features);
        if let Some(lost) = lost.filter(|lost| *lost > 0) {
            key(out, "lost");
            json::number(out, lost);
        }
        if lost.is_some() {
            out.extend_from_slice(b",\"goes_on\":true");
        }
        out.extend_from_slice(b"}\n");
    }
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(format!(",\"{name}\":").as_bytes());
}

fn strings(out: &mut Vec<u8>, name: &str, strings: impl Iterator<Item = String>) {
    key(out, name);
    out.push(b'[');
    for (index, string) in strings.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::string(out, &string);
    }
    out.push(b']');
}

/// `2026-03-01T09:30:00.125Z`: the Gregorian calendar, in UTC.
fn date_and_time(when: SystemTime) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let since = when.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, second) = (since.as_secs() / DAY, since.as_secs() % DAY);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let milli = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Year, month and day, so many days after 1 January 1970. Years are counted from March, so that the day more of a
/// leap year is its last.
fn date(days: u64) -> (u64, u64, u64) {
    /// Days of 400 years, after which the calendar repeats itself.
    const ERA: u64 = 146_097;
    // From 1 March of the year 0.
    let days = days + 719_468;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months of 31 30 31 30 31 days, from March on, and again from August on.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_right_about_leap_years() {
        let at = |seconds| date_and_time(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(at(951_868_800), "2000-03-01T00:00:00.000Z");
        assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59.000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000Z", "2100 has no 29 February");
        assert_eq!(at(1_772_323_200), "2026-03-01T00:00:00.000Z");
    }

    #[test]
    fn the_first_line_says_what_is_recorded() {
        let mut line = Vec::new();
        About { level: Level::Task, virtual_time: true, pool_threads: 3 }
            .header_of_some(UNIX_EPOCH, 12, &mut line);
        let line = String::from_utf8(line).expect("all of it are strings");
        assert!(line.starts_with("{\"k\":\"oneloop\",\"v\":1,\"program\":\""), "{line}");
        assert!(line.contains("\"level\":\"task\",\"clock\":\"virtual\",\"wheel\":{\"levels\":8,"), "{line}");
        assert!(
            line.contains("\"pool\":{\"threads\":3}") && line.ends_with("\"lost\":12,\"goes_on\":true}\n"),
            "{line}"
        );
    }
}
