//! Chapter 35, part 5: numbers, times and places, as they are said in a sentence.
//!
//! Before: `trace/narrate/warn.rs`. Next: `trace/fold.rs`.

use std::time::Duration;

use crate::trace::event::{Place, TaskId};

const MICROSECOND: u128 = 1_000;
const MILLISECOND: u128 = 1_000 * MICROSECOND;
const SECOND: u128 = 1_000 * MILLISECOND;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;

/// A time in the unit that suits it: `812 ns`, `1.24 µs`, `12.4 ms`, `1.5 s`, `1 h 0 min 55 s`.
///
/// Three digits below a second, milliseconds above.
pub fn span(time: Duration) -> String {
    let nanos = rounded(time.as_nanos());
    match nanos {
        0 => String::from("0 s"),
        1..MICROSECOND => format!("{nanos} ns"),
        MICROSECOND..MILLISECOND => format!("{} µs", decimal(nanos, MICROSECOND)),
        MILLISECOND..SECOND => format!("{} ms", decimal(nanos, MILLISECOND)),
        SECOND..MINUTE => format!("{} s", decimal(nanos, SECOND)),
        MINUTE..HOUR => format!("{} min {} s", nanos / MINUTE, decimal(nanos % MINUTE, SECOND)),
        _ => {
            let minutes = nanos % HOUR / MINUTE;
            format!("{} h {minutes} min {} s", nanos / HOUR, decimal(nanos % MINUTE, SECOND))
        }
    }
}

/// Nanoseconds to three digits, or from a second on to milliseconds. Done before the unit is chosen, so that
/// 999.9 ms become 1 s and not 1000 ms.
fn rounded(nanos: u128) -> u128 {
    let mut step = 1;
    while nanos / step >= 1_000 && step < MILLISECOND {
        step *= 10;
    }
    (nanos + step / 2) / step * step
}

/// `nanos` in a unit, with as many of three decimals as are needed.
fn decimal(nanos: u128, unit: u128) -> String {
    let thousandths = nanos / (unit / 1_000);
    let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
    let text = format!("{whole}.{part:03}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `before` and the time; nothing if no time passed, as in virtual time.
pub(super) fn lasting(before: &str, time: Duration) -> String {
    match time {
        Duration::ZERO => String::new(),
        _ => format!("{before} {}", span(time)),
    }
}

/// `task 2 (fetch)`, or `task 2` if that is all its name says.
pub fn named(task: TaskId, name: &str) -> String {
    match name.strip_prefix("task-") {
        Some(number) if number.parse() == Ok(task.0) => task.to_string(),
        _ => format!("{task} ({})", plain(name)),
    }
}

/// `src/main.rs:7`.
pub fn place(site: Place) -> String {
    format!("{site:#}")
}

/// `1st`, `2nd`, `3rd`, `4th`.
pub(super) fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// `1 timer`, `2 timers`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A name given by the program, fit for one line: without control characters, those that turn the direction of writing,
/// and those of no width by which two names that look the same differ. Those that join letters and signs are kept.
pub fn plain(name: &str) -> String {
    name.chars().map(|letter| if is_hidden(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Whether a letter would do something to the line instead of being seen in it.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The type of a future, as short as it is clear: `hello::main` for `hello::main::{{closure}}`, and no type
/// parameters.
pub(super) fn type_of(future: &str) -> &str {
    let end = future.find(['<', '{']).filter(|end| *end > 0).unwrap_or(future.len());
    future[..end].trim_end_matches("::")
}

/// The text as a sentence.
pub(super) fn sentence(text: &str) -> String {
    capital(text) + "."
}

/// With a capital letter, as a sentence begins.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_the_unit_that_suits_it() {
        for (nanos, said) in [
            (0, "0 s"),
            (812, "812 ns"),
            (1_236, "1.24 µs"),
            (200_000, "200 µs"),
            (999_499, "999 µs"),
            (12_350_000, "12.4 ms"),
            (999_960_000, "1 s"),
            (1_500_000_000, "1.5 s"),
            (59_999_600_000, "1 min 0 s"),
            (3_655_250_000_000, "1 h 0 min 55.25 s"),
        ] {
            assert_eq!(span(Duration::from_nanos(nanos)), said);
        }
        assert_eq!(span(Duration::MAX).split(' ').next(), Some("5124095576030431"), "no time is too long");
    }

    #[test]
    fn ordinals_follow_english() {
        let said: Vec<_> = [1, 2, 3, 4, 11, 12, 13, 21, 112, 122].map(ordinal).into();
        assert_eq!(said.join(" "), "1st 2nd 3rd 4th 11th 12th 13th 21st 112th 122nd");
    }

    #[test]
    fn a_type_is_said_without_closures_and_parameters() {
        assert_eq!(type_of("hello::main::{{closure}}"), "hello::main");
        assert_eq!(type_of("oneloop::sleep::Sleep"), "oneloop::sleep::Sleep");
        assert_eq!(type_of("app::Child<app::fetch::{{closure}}, u8>"), "app::Child");
        assert_eq!(type_of("<dyn app::Future>"), "<dyn app::Future>");
    }

    #[test]
    fn a_name_cannot_break_the_line() {
        assert_eq!(plain("a\nb\u{1b}[2J"), "a\u{fffd}b\u{fffd}[2J");
        for hidden in ['\u{202e}', '\u{61c}', '\u{2028}', '\u{2069}', '\u{200b}', '\u{feff}', '\u{e0041}'] {
            assert_eq!(plain(&format!("a{hidden}b")), "a\u{fffd}b", "{hidden:?}");
        }
        for seen in ["नमस्ते", "می‌خواهم", "👩\u{200d}🔧", "e\u{301}"] {
            assert_eq!(plain(seen), seen);
        }
    }
}
