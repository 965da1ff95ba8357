//! Chapter 28, part 14: what does a user read when TLS refuses a peer?
//!
//! rustls' errors are exact and written for those who know TLS. Whoever sees one at the end of a crawl wants to know
//! which host, and whether the certificate is too old, for another name, or from nobody known.
//!
//! Before: `net/tls/waits.rs`. Next: `watch.rs`, callbacks for descriptors.

use std::fmt;
use std::io;

use rustls::CertificateError::{ExpiredContext, NotValidForNameContext, NotValidYetContext, UnknownIssuer};
use rustls::Error::{InvalidCertificate, InvalidMessage};
use rustls::InvalidMessage::InvalidContentType;

/// The longest description of a failure, in characters. A certificate may list thousands of names, and all
/// of them would stand in the error; control characters, which might be meant for a terminal, are left out.
const LONGEST_PROBLEM: usize = 300;

/// A refused certificate or protocol message, with the host that sent it. The inside of the `io::Error`.
#[derive(Debug)]
struct Failure {
    /// The host as asked for.
    host: Box<str>,
    /// What rustls says, given as the source.
    error: rustls::Error,
}

/// Wraps `error` for the caller of a stream to `host`.
pub(super) fn failure(host: &str, error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Failure { host: host.into(), error })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = problem(&self.error);
        let problem: String =
            problem.chars().filter(|char| !char.is_control()).take(LONGEST_PROBLEM).collect();
        write!(f, "TLS with {} failed: {problem}", self.host)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Says the four things that are wrong with certificates in words; leaves the rest to rustls.
fn problem(error: &rustls::Error) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match error {
        InvalidCertificate(UnknownIssuer) => {
            "unknown issuer: its certificate comes from no authority that we trust".into()
        }
        InvalidCertificate(ExpiredContext { time, not_after }) => {
            let days = time.as_secs().saturating_sub(not_after.as_secs()) / DAY;
            format!("expired: its certificate ended {days} days ago")
        }
        InvalidCertificate(NotValidYetContext { time, not_before }) => {
            let days = not_before.as_secs().saturating_sub(time.as_secs()) / DAY;
            format!(
                "not valid yet: its certificate begins in {days} days (is the clock of this machine right?)"
            )
        }
        InvalidCertificate(NotValidForNameContext { presented, .. }) => {
            format!("wrong name: its certificate is for {}", presented.join(", "))
        }
        InvalidMessage(InvalidContentType) => "it does not speak TLS on this port".into(),
        other => other.to_string(),
    }
}
