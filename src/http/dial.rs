//! Chapter 34, part 13: from a URL to a connection: look up, connect, shake hands.
//!
//! The addresses of a host are tried one after the other. The connect limit is for all of them together, and
//! each is given its share of what is left, so that a first address that swallows packets leaves time for
//! the second: of 10 s for two addresses the first may take 5 s.
//!
//! Before: `http/stream.rs`. Next: `http/connections.rs`, kept connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use super::deadline::Deadline;
use super::error::{ErrorKind, Phase};
use super::limits::Timeouts;
use super::stream::Stream;
use crate::calls::time;
use crate::net::{self, TcpStream, tls};

/// What failed, before the URL is added.
pub(crate) type Failure = (Phase, ErrorKind);

/// Opens a connection to the URL's host. `tls` is asked for only when the URL is `https`.
pub(crate) async fn dial(
    url: &Url,
    timeouts: &Timeouts,
    deadline: Deadline,
    tls: impl FnOnce() -> Arc<rustls::ClientConfig>,
) -> Result<Stream, Failure> {
    let port = url.port_or_known_default().unwrap_or(80);
    let (name, addresses) = match url.host() {
        Some(Host::Domain(name)) => {
            let lookup = deadline.within(timeouts.resolve, net::lookup(name, port));
            let addresses = flatten(lookup.await).map_err(|kind| (Phase::Resolve, kind))?;
            (name.to_owned(), addresses)
        }
        // A literal address needs no lookup, and in a certificate it stands without brackets.
        Some(Host::Ipv4(ip)) => (ip.to_string(), vec![SocketAddr::new(IpAddr::V4(ip), port)]),
        Some(Host::Ipv6(ip)) => (ip.to_string(), vec![SocketAddr::new(IpAddr::V6(ip), port)]),
        None => return Err((Phase::Request, ErrorKind::BadUrl { reason: "no host" })),
    };
    let stream = connect(&addresses, timeouts.connect, deadline);
    let stream = stream.await.map_err(|kind| (Phase::Connect, kind))?;
    // Requests are written in one piece; waiting for more (Nagle) could only delay them.
    stream.set_nodelay(true).map_err(|error| (Phase::Connect, error.into()))?;
    if url.scheme() != "https" {
        return Ok(Stream::Plain(stream));
    }
    let handshake = deadline.within(timeouts.handshake, tls::connect(stream, &name, tls()));
    let stream = flatten(handshake.await).map_err(|kind| (Phase::Handshake, kind))?;
    Ok(Stream::Tls(Box::new(stream)))
}

async fn connect(
    addresses: &[SocketAddr],
    limit: Option<Duration>,
    deadline: Deadline,
) -> Result<TcpStream, ErrorKind> {
    let begun = time();
    let mut last = ErrorKind::Io(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
    for (tried, address) in addresses.iter().enumerate() {
        let left = limit.map(|limit| limit.saturating_sub(time().saturating_duration_since(begun)));
        let share = left.map(|left| left / (addresses.len() - tried) as u32);
        match deadline.within(share, TcpStream::connect(*address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error.into(),
            Err(ErrorKind::Timeout { limit: share }) => {
                last = ErrorKind::Timeout { limit: limit.unwrap_or(share) };
            }
            Err(total) => return Err(total),
        }
    }
    Err(last)
}

fn flatten<T>(result: Result<io::Result<T>, ErrorKind>) -> Result<T, ErrorKind> {
    result?.map_err(ErrorKind::Io)
}
