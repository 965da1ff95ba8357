//! Chapter 34, part 17: how a request is put together, and sent.
//!
//! Before: `http/exchange.rs`. Next: `http/client.rs`, the client.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::error::{Error, ErrorKind, Phase};
use super::exchange::{Shared, perform};
use super::redirect::{Plan, shown};
use super::response::Response;
use super::wire::{append, check_framing_lines};
use crate::current::suspended;
use crate::trace::event::Wait;

/// The longest part of a refused URL that an error shows, in bytes.
const SHOWN_URL: usize = 200;

/// A request being put together: [`Client::get`](super::Client::get),
/// [`Client::request`](super::Client::request).
///
/// What is wrong with it is told by [`send`](RequestBuilder::send), so that calls can be chained.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    shared: Rc<Shared>,
    /// The first thing found wrong, if any.
    plan: Result<Plan, Error>,
    /// `None`: no limit.
    total: Option<Duration>,
}

impl RequestBuilder {
    pub(crate) fn new(shared: &Rc<Shared>, method: Method, url: &str) -> RequestBuilder {
        let refuse = |reason| Error::new(shortened(url), Phase::Request, ErrorKind::BadUrl { reason });
        let plan = match Url::parse(url) {
            Ok(url) if method == Method::CONNECT => {
                let kind = ErrorKind::BadRequest { reason: "CONNECT is for proxies" };
                Err(Error::new(shown(&url), Phase::Request, kind))
            }
            Ok(url) => Ok(Plan { body: empty_body(&method), method, url, headers: HeaderMap::new() }),
            Err(url::ParseError::RelativeUrlWithoutBase) => Err(refuse("no scheme, such as http://")),
            Err(url::ParseError::InvalidPort) => Err(refuse("the port is not a number up to 65535")),
            Err(_) => Err(refuse("it cannot be parsed")),
        };
        RequestBuilder { shared: Rc::clone(shared), plan, total: shared.settings.timeouts.total }
    }

    /// Adds a header line; lines of the same name stay. `Host`, `User-Agent` and `Accept` replace the
    /// client's own.
    ///
    /// `Content-Length` and `Transfer-Encoding` follow from the body and are refused. With an
    /// `Accept-Encoding` of one's own, the body arrives as the server encoded it.
    pub fn header<N, V>(mut self, name: N, value: V) -> RequestBuilder
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        let Ok(plan) = &mut self.plan else { return self };
        let added = append(&mut plan.headers, name, value).map_err(|reason| ErrorKind::BadRequest { reason });
        if let Err(kind) = added.and_then(|()| check_framing_lines(&plan.headers)) {
            self.plan = Err(Error::new(shown(&plan.url), Phase::Request, kind));
        }
        self
    }

    /// The body to send. On a 307 or 308 redirect it is sent again.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> RequestBuilder {
        if let Ok(plan) = &mut self.plan {
            plan.body = Some(body.into());
        }
        self
    }

    /// How long everything may take, to the last byte of the response's body, instead of the client's
    /// [`Timeouts::total`](super::Timeouts::total).
    pub fn timeout(mut self, total: Duration) -> RequestBuilder {
        self.total = Some(total);
        self
    }

    /// Sends the request and waits for the head of its response.
    ///
    /// # Errors
    ///
    /// In any [`Phase`]; in `Body` only if the promised length is beyond the limit.
    ///
    /// # Cancellation
    ///
    /// Dropped half way, the connection is closed and its place is free for others. The server may have
    /// acted on the request.
    pub fn send(self) -> SendRequest {
        let RequestBuilder { shared, plan, total } = self;
        SendRequest { inner: Box::pin(async move { perform(shared, plan?, total).await }) }
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RequestBuilder");
        match &self.plan {
            Ok(plan) => debug.field("method", &plan.method).field("url", &plan.url.as_str()),
            Err(error) => debug.field("error", error),
        };
        debug.finish_non_exhaustive()
    }
}

/// RFC 9110, section 8.6: where a body is expected, its absence is said.
fn empty_body(method: &Method) -> Option<Vec<u8>> {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH).then(Vec::new)
}

/// The start of a text that is no URL; what stands before an `@` may be a password.
fn shortened(url: &str) -> String {
    let url = match url.rsplit_once('@') {
        Some((_, after)) => format!("…@{after}"),
        None => url.to_owned(),
    };
    let end = (0..=SHOWN_URL.min(url.len())).rev().find(|end| url.is_char_boundary(*end));
    url[..end.unwrap_or(0)].escape_debug().collect()
}

/// The future of [`RequestBuilder::send`].
#[must_use = "futures do nothing unless awaited"]
pub struct SendRequest {
    inner: Pin<Box<dyn Future<Output = Result<Response, Error>>>>,
}

impl Future for SendRequest {
    type Output = Result<Response, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = self.inner.as_mut().poll(cx);
        if poll.is_pending() {
            suspended(Wait::Response, Location::caller());
        }
        poll
    }
}

impl fmt::Debug for SendRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendRequest").finish_non_exhaustive()
    }
}
