//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use url::Url;

/// Crawl a photo site: find the pictures on its listing pages, and make a small grey thumbnail of each.
///
/// Without a URL an embedded site of 99 pages and 481 photographs is started on 127.0.0.1 and crawled.
/// What is there already is not fetched again, so an interrupted crawl goes on where it stopped.
///
/// The exit status is 0 if every page and picture went well, 1 if some failed, 2 for a wrong command
/// line, and 130 if Ctrl-C stopped the crawl.
#[derive(Clone, Debug, Parser)]
#[command(name = "crawler", version, max_term_width = 100)]
pub struct Args {
    /// The site to crawl: URL/pageN for the pages asked for, or the URL itself without --pages
    #[arg(value_parser = site_url)]
    pub url: Option<Url>,

    /// How the work is spread over tasks
    #[arg(long, value_enum, default_value_t = Mode::Queue)]
    pub mode: Mode,

    /// Pictures being fetched or processed at a time, and pages fetched at a time [default: 100 for the
    /// embedded site, 10 for a real one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub consumers: Option<u16>,

    /// Folder for the thumbnails and their contact sheet, index.html
    #[arg(long, value_name = "DIR", default_value = "thumbnails")]
    pub out: PathBuf,

    /// Keep the pictures as they came, too, in this folder
    #[arg(long, value_name = "DIR")]
    pub originals: Option<PathBuf>,

    /// Stop looking for pictures after this many
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroUsize>,

    /// The first and the last page to crawl, as in 1..99, or a single one [default for the embedded
    /// site: 1..99]
    #[arg(long, value_name = "FIRST..LAST")]
    pub pages: Option<Pages>,

    /// Width and height of a thumbnail in pixels, up to 4096 each
    #[arg(long, value_name = "WxH", default_value = "120x120", value_parser = size)]
    pub size: (u32, u32),

    /// How long the embedded site waits before each response: 50ms, 0.5s, 0
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = duration, conflicts_with = "url")]
    pub delay: Duration,

    /// How long a request may take in all
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub timeout: Duration,

    /// Refuse a picture with more pixels than this; decoding takes up to 8 bytes for each
    #[arg(long, value_name = "N", default_value_t = 50_000_000)]
    pub max_pixels: u64,

    /// Refuse a page or a picture of more bytes than this
    #[arg(long, value_name = "N", default_value_t = 64 << 20)]
    pub max_bytes: u64,
}

/// How the work is spread over tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// A producer for each page puts pictures into a queue, consumers take them out: pages and pictures
    /// overlap
    Queue,
    /// All pages at once, and when the last is there, all pictures at once
    Gather,
    /// One request after the other
    Sequential,
}

/// Pages to crawl: the first and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    pub first: u32,
    pub last: u32,
}

/// Pages one crawl may ask for.
const MAX_PAGES: u32 = 100_000;

impl std::str::FromStr for Pages {
    type Err = String;

    fn from_str(text: &str) -> Result<Pages, String> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let page = |text: &str| text.parse().map_err(|_| format!("`{text}` is not a page number"));
        let pages = Pages { first: page(first)?, last: page(last)? };
        if pages.first > pages.last {
            return Err(format!("the first page, {first}, comes after the last, {last}"));
        }
        if pages.last - pages.first >= MAX_PAGES {
            return Err(format!("one crawl takes at most {MAX_PAGES} pages"));
        }
        Ok(pages)
    }
}

fn site_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("{error}; write it out, as in https://site.example/photos"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("the scheme is `{other}`; only http and https can be crawled")),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=4096).contains(side));
    let sides = text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    sides.ok_or_else(|| "write width x height, each from 1 to 4096, as in 120x120".into())
}

fn duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let seconds = match &text[number.len()..] {
        "ms" => 0.001,
        "s" => 1.0,
        "" if number == "0" => 1.0,
        _ => return Err("write milliseconds or seconds, as in 50ms or 0.5s".into()),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn pages_are_a_range_or_a_single_one() {
        assert_eq!("1..99".parse(), Ok(Pages { first: 1, last: 99 }));
        assert_eq!("7".parse(), Ok(Pages { first: 7, last: 7 }));
        for wrong in ["", "..", "9..1", "a..b", "1..", "0..4000000000", "-1"] {
            assert!(wrong.parse::<Pages>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_and_times_are_read_with_their_limits() {
        assert_eq!(size("120x90"), Ok((120, 90)));
        assert!(["0x1", "120", "9999x1", "x", "1x2x3"].iter().all(|wrong| size(wrong).is_err()));
        assert_eq!(duration("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(duration("0.5s"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert!(["5", "s", "-1s", "1h", "1e99s", "nans"].iter().all(|wrong| duration(wrong).is_err()));
    }

    #[test]
    fn only_web_addresses_are_crawled() {
        assert!(site_url("https://site.example/photos").is_ok());
        assert!(["file:///etc", "site.example", "", "ftp://h"].iter().all(|wrong| site_url(wrong).is_err()));
    }
}
