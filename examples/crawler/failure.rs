//! What went wrong with one page or picture: where, in which phase, and of what kind.

use std::fmt;

use oneloop::http::{self, ErrorKind, StatusCode};
use url::Url;

use crate::thumbnail;

/// One line of the report. A failure ends one page or one picture, never the crawl.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    /// URL, phase and reason, as one line of text.
    pub text: String,
}

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Status(StatusCode),
    Timeout,
    Connection,
    CutBody,
    TooManyBytes,
    BadAnswer,
    Redirects,
    NotAPicture,
    TooManyPixels,
    CutPicture,
    BrokenPicture,
    Panic,
    Disk,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Status(status) => return write!(f, "status {}", status.as_u16()),
            Kind::Timeout => "timeout",
            Kind::Connection => "connection",
            Kind::CutBody => "cut body",
            Kind::TooManyBytes => "too many bytes",
            Kind::BadAnswer => "bad answer",
            Kind::Redirects => "redirects",
            Kind::NotAPicture => "not a picture",
            Kind::TooManyPixels => "too many pixels",
            Kind::CutPicture => "cut picture",
            Kind::BrokenPicture => "broken picture",
            Kind::Panic => "panic",
            Kind::Disk => "disk",
        })
    }
}

impl Failure {
    /// The server answered, but not with what was asked for.
    pub fn status(url: &Url, status: StatusCode) -> Failure {
        Failure {
            kind: Kind::Status(status),
            text: format!("{url}: reading the response head: status {status}"),
        }
    }

    /// The bytes came, and no thumbnail could be made of them.
    pub fn thumbnail(url: &Url, error: &thumbnail::Error) -> Failure {
        let kind = match error {
            thumbnail::Error::NotAPicture => Kind::NotAPicture,
            thumbnail::Error::TooLarge { .. } => Kind::TooManyPixels,
            thumbnail::Error::CutShort => Kind::CutPicture,
            thumbnail::Error::Broken(_) => Kind::BrokenPicture,
        };
        Failure { kind, text: format!("{url}: making the thumbnail: {error}") }
    }

    pub fn disk(url: &Url, error: &std::io::Error) -> Failure {
        Failure { kind: Kind::Disk, text: format!("{url}: writing the file: {error}") }
    }

    /// Code that must not panic did: most often a decoder, on a picture made to break it.
    pub fn panic(url: &Url, error: &oneloop::JoinError) -> Failure {
        Failure { kind: Kind::Panic, text: format!("{url}: making the thumbnail: {error}") }
    }
}

impl From<http::Error> for Failure {
    fn from(error: http::Error) -> Failure {
        let kind = match error.kind() {
            _ if error.is_timeout() => Kind::Timeout,
            ErrorKind::Io(_) | ErrorKind::Closed { .. } => Kind::Connection,
            ErrorKind::ShortBody { .. } => Kind::CutBody,
            ErrorKind::TooLarge { .. } => Kind::TooManyBytes,
            ErrorKind::TooManyRedirects { .. } => Kind::Redirects,
            _ => Kind::BadAnswer,
        };
        Failure { kind, text: error.to_string() }
    }
}
