//! Chapter 34, part 10: what a client may be told, and what it does when told nothing.
//!
//! Before: `http/redirect.rs`. Next: `http/deadline.rs`, no wait without an end.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::{ACCEPT, USER_AGENT};
use ::http::{HeaderMap, HeaderValue};

use super::limits::{Limits, Timeouts};

/// A request is redirected at most 10 times.
pub const MAX_REDIRECTS: usize = 10;
/// A client holds at most 100 connections to one host, as aiohttp does in all.
pub const MAX_CONNECTIONS_PER_HOST: usize = 100;
/// At most 100 connections to one host are kept while nothing is asked on them.
pub const MAX_IDLE_PER_HOST: usize = 100;
/// A connection is kept for 4 s. Most servers close theirs after 5 s or more; a client that keeps them
/// longer writes its next request into a connection that is just being closed, which is what users of
/// every client have complained of for ten years.
pub const IDLE_TIME: Duration = Duration::from_secs(4);

/// All settings of a client.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub limits: Limits,
    pub timeouts: Timeouts,
    /// 0: redirects are not followed.
    pub max_redirects: usize,
    pub max_connections_per_host: usize,
    pub max_idle_per_host: usize,
    pub idle_time: Duration,
    /// Header lines for requests that do not have them.
    pub defaults: HeaderMap,
    /// `None`: the roots that browsers trust, made when first needed.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Default for Settings {
    fn default() -> Settings {
        let mut defaults = HeaderMap::new();
        let agent = concat!("oneloop/", env!("CARGO_PKG_VERSION"));
        defaults.insert(USER_AGENT, HeaderValue::from_static(agent));
        defaults.insert(ACCEPT, HeaderValue::from_static("*/*"));
        Settings {
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            max_redirects: MAX_REDIRECTS,
            max_connections_per_host: MAX_CONNECTIONS_PER_HOST,
            max_idle_per_host: MAX_IDLE_PER_HOST,
            idle_time: IDLE_TIME,
            defaults,
            tls: None,
        }
    }
}
