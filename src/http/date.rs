//! Chapter 34, part 8: the `Date` line of a response.
//!
//! RFC 9110, section 6.6.1, asks a server with a clock for one: `Sun, 06 Nov 1994 08:49:37 GMT`, always
//! in English and in GMT. The day's number becomes a date by H. Hinnant's `civil_from_days`: count from
//! 1 March 0000, so that the leap day is the last of its year, in eras of 400 years = 146,097 days.
//!
//! Before: `http/wire.rs`. Next: `http/redirect.rs`, where a redirect leads.

use std::time::{Duration, SystemTime};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `at` as HTTP writes it, for example `Sun, 06 Nov 1994 08:49:37 GMT`. Before 1970 it is 1970.
pub fn http_date(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        DAYS[(days % 7) as usize],
        MONTHS[month as usize - 1],
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// Year, month (1–12) and day (1–31) of a day counted from 1 January 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 1 March 0000 to 1 January 1970
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The date of the current second, written down once a second.
#[derive(Debug, Default)]
pub(crate) struct DateLine {
    /// Seconds since 1970 that `text` is for.
    second: u64,
    /// Empty before the first use.
    text: String,
}

impl DateLine {
    pub fn now(&mut self) -> &str {
        let now = SystemTime::now();
        let second = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        if second != self.second || self.text.is_empty() {
            (self.second, self.text) = (second, http_date(now));
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::http_date;
    use std::time::{Duration, SystemTime};

    #[test]
    fn dates_are_what_the_rfc_and_the_calendar_say() {
        let at = |seconds| http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT", "the example of RFC 9110");
        assert_eq!(at(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT", "2000 was a leap year");
        assert_eq!(at(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 GMT");
        assert_eq!(at(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT", "2100 is none");
    }
}
