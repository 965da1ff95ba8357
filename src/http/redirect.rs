//! Chapter 34, part 9: where a redirect leads, and what may go with it.
//!
//! | status | method of the next request | body |
//! |---|---|---|
//! | 301, 302 | `POST` becomes `GET`, others stay | dropped when `POST` becomes `GET` |
//! | 303 | `GET`, but `HEAD` stays | dropped |
//! | 307, 308 | stays | sent again |
//!
//! (RFC 9110, section 15.4.) To another *origin*, that is when scheme, host or port differ, no credentials
//! go along: a `Location` is written by a stranger, and this leak has been found in nearly every client
//! (CVE-2018-18074 in requests, CVE-2022-27774 in curl, GHSA-4qqq in Scrapy, …).
//!
//! Before: `http/date.rs`. Next: `http/settings.rs`, a client's settings.

use ::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE, HOST,
    LOCATION, PROXY_AUTHORIZATION,
};
use ::http::{HeaderMap, HeaderName, Method, StatusCode};
use url::Url;

use super::error::ErrorKind;

/// What is to be requested; a redirect changes it in place.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    /// `None` is no body at all, which a `GET` has.
    pub body: Option<Vec<u8>>,
}

/// Headers that say who asks, or were meant for the one host.
const FOR_ONE_ORIGIN: [HeaderName; 4] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST];
/// Headers that describe a body.
const OF_A_BODY: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION];

/// Checks that `url` can be requested: http or https, and no user name or password in it.
///
/// RFC 9110, section 4.2.4, asks to treat `http://user:password@host/` from a stranger as an error, as its
/// use is to make one host look like another. It is one from anybody here: a caller who has a password
/// sets an `Authorization` header.
pub(crate) fn check_url(url: &Url) -> Result<(), ErrorKind> {
    let bad = |reason| Err(ErrorKind::BadUrl { reason });
    if !matches!(url.scheme(), "http" | "https") {
        return bad("the scheme is not http or https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return bad("a user name or password in the URL; set an Authorization header instead");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return bad("no host");
    }
    Ok(())
}

/// The URL for errors: without what is secret or never sent.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    // These two fail for URLs that cannot have them, and then there is nothing to hide.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Where this response says to go, or `None` if it is no redirect (or names no place).
pub(crate) fn target(status: StatusCode, headers: &HeaderMap, from: &Url) -> Result<Option<Url>, ErrorKind> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let mut locations = headers.get_all(LOCATION).iter();
    let Some(location) = locations.next() else { return Ok(None) };
    let bad = |reason| ErrorKind::BadUrl { reason };
    if locations.any(|other| other != location) {
        return Err(bad("several different Locations"));
    }
    let text = std::str::from_utf8(location.as_bytes()).map_err(|_| bad("the Location is not UTF-8"))?;
    let mut to = from.join(text).map_err(|_| bad("the Location is no URL"))?;
    check_url(&to)?;
    if to.fragment().is_none() {
        // RFC 9110, section 10.2.2: a Location without a fragment inherits it.
        to.set_fragment(from.fragment());
    }
    Ok(Some(to))
}

impl Plan {
    /// Turns the plan into the next request.
    pub fn follow(&mut self, status: StatusCode, to: Url) {
        let becomes_get = match status.as_u16() {
            303 => true,
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            if self.method != Method::HEAD {
                self.method = Method::GET;
            }
            self.body = None;
            remove(&mut self.headers, &OF_A_BODY);
        }
        // `Url::origin` is scheme, host and port, the default port filled in.
        if self.url.origin() != to.origin() {
            remove(&mut self.headers, &FOR_ONE_ORIGIN);
        }
        self.url = to;
    }
}

/// `HeaderMap::remove` drops every line of the name, not only the first.
fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}
