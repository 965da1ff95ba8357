//! Chapter 34, part 18: the HTTP/1.1 client, as a program sees it.
//!
//! ```no_run
//! # async fn example() -> Result<(), oneloop::http::Error> {
//! let client = oneloop::http::Client::new();
//! let response = client.get("http://example.org/").send().await?;
//! println!("{}: {}", response.status(), response.text().await?);
//! # Ok(())
//! # }
//! # drop(example());
//! ```
//!
//! Before: `http/request.rs`. Next: `http/reply.rs`, a handler's side.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::USER_AGENT;
use ::http::{HeaderValue, Method};

use super::exchange::Shared;
use super::limits::{Limits, Timeouts};
use super::request::RequestBuilder;
use super::settings::Settings;

/// Sends requests, and keeps connections for the next ones. A clone is another handle of the same client.
///
/// Nothing is encoded: no `Accept-Encoding` is sent. Cookies and proxies are not known.
#[derive(Clone)]
pub struct Client {
    shared: Rc<Shared>,
}

impl Client {
    /// A client with the usual settings.
    pub fn new() -> Client {
        Client::builder().build()
    }

    /// Settings for a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder { settings: Settings::default() }
    }

    /// A `GET` request for `url`; its scheme is `http` or `https`, and no user name stands in it.
    pub fn get(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A `HEAD` request: what `GET` would answer, without the body.
    pub fn head(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// A `POST` request.
    pub fn post(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A request with any method except `CONNECT`.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder::new(&self.shared, method, url.as_ref())
    }
}

impl Default for Client {
    fn default() -> Client {
        Client::new()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Settings for a [`Client`].
#[derive(Debug)]
#[must_use = "call build to make the client"]
pub struct ClientBuilder {
    settings: Settings,
}

impl ClientBuilder {
    /// How large things may be that servers send.
    pub fn limits(mut self, limits: Limits) -> ClientBuilder {
        self.settings.limits = limits;
        self
    }

    /// How long each phase may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> ClientBuilder {
        self.settings.timeouts = timeouts;
        self
    }

    /// How often one request may be redirected; 0 does not follow redirects but returns them. Default:
    /// [`MAX_REDIRECTS`](super::MAX_REDIRECTS).
    pub fn max_redirects(mut self, most: usize) -> ClientBuilder {
        self.settings.max_redirects = most;
        self
    }

    /// How many connections to one host (and scheme, and port) may be in use; further requests wait in
    /// line, first come, first served. Default:
    /// [`MAX_CONNECTIONS_PER_HOST`](super::MAX_CONNECTIONS_PER_HOST).
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[track_caller]
    pub fn max_connections_per_host(mut self, most: usize) -> ClientBuilder {
        assert!(most > 0, "a client without connections can send nothing: allow at least one per host");
        self.settings.max_connections_per_host = most;
        self
    }

    /// How many idle connections to one host are kept; 0 uses each connection once. Default:
    /// [`MAX_IDLE_PER_HOST`](super::MAX_IDLE_PER_HOST).
    pub fn max_idle_per_host(mut self, most: usize) -> ClientBuilder {
        self.settings.max_idle_per_host = most;
        self
    }

    /// How long an idle connection is kept. Default: [`IDLE_TIME`](super::IDLE_TIME).
    pub fn idle_time(mut self, time: Duration) -> ClientBuilder {
        self.settings.idle_time = time;
        self
    }

    /// What the client calls itself in `User-Agent`. Default: `oneloop/` and the version.
    pub fn user_agent(mut self, agent: HeaderValue) -> ClientBuilder {
        self.settings.defaults.insert(USER_AGENT, agent);
        self
    }

    /// The TLS configuration for `https`, for example with other roots. Default: the roots that browsers
    /// trust.
    pub fn tls(mut self, config: Arc<rustls::ClientConfig>) -> ClientBuilder {
        self.settings.tls = Some(config);
        self
    }

    /// The client.
    pub fn build(self) -> Client {
        Client { shared: Rc::new(Shared::new(self.settings)) }
    }
}
