//! Chapter 34, part 16: one request and the head of its answer; then perhaps another, if the answer is a redirect.
//!
//! **The one silent repeat.** A server may close a kept connection at the very moment a request is written
//! into it. If not one byte of an answer came, a `GET`, `HEAD` or `OPTIONS` is sent once more, on a fresh
//! connection. A `POST` never is: the server may have acted on it before it closed (RFC 9112, section
//! 9.3.1). A request on a fresh connection is not repeated either: there it is the server's answer.
//!
//! Before: `http/response.rs`. Next: `http/request.rs`, putting a request together.

use std::cell::OnceCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Method, StatusCode, Version};
use url::Position;

use super::body::Decoder;
use super::connections::{Connections, Lease};
use super::deadline::Deadline;
use super::dial::{Failure, dial};
use super::error::{Error, ErrorKind, Phase};
use super::redirect::{self, Plan};
use super::response::{Incoming, Response};
use super::settings::Settings;
use super::stream::{Connection, Sent};
use super::wire::{self, HeadReader, RequestParts, ResponseHead};
use crate::net::tls;

/// What all clones of a client, and its requests under way, share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub settings: Settings,
    pub connections: Rc<Connections>,
    /// Made at the first `https` request: it holds some hundred roots.
    tls: OnceCell<Arc<rustls::ClientConfig>>,
}

impl Shared {
    pub fn new(settings: Settings) -> Shared {
        let Settings { max_connections_per_host, max_idle_per_host, idle_time, .. } = settings;
        let connections = Connections::new(max_connections_per_host, max_idle_per_host, idle_time);
        let tls = settings.tls.clone().map_or_else(OnceCell::new, OnceCell::from);
        Shared { settings, connections, tls }
    }
}

/// Sends the request, follows redirects, and returns the last answer as soon as its head is there.
pub(crate) async fn perform(
    shared: Rc<Shared>,
    mut plan: Plan,
    total: Option<Duration>,
) -> Result<Response, Error> {
    let deadline = Deadline::new(total);
    let limit = shared.settings.max_redirects;
    let mut followed = 0;
    loop {
        let failed = |phase, kind| Error::new(redirect::shown(&plan.url), phase, kind);
        let answer = exchange(&shared, &plan, deadline).await;
        let (head, incoming) = answer.map_err(|(phase, kind)| failed(phase, kind))?;
        let target = match limit {
            0 => None,
            _ => redirect::target(head.status, &head.headers, &plan.url)
                .map_err(|kind| failed(Phase::Redirect, kind))?,
        };
        let Some(to) = target else { return Ok(Response::new(head, plan.url, incoming)) };
        if followed == limit {
            return Err(failed(Phase::Redirect, ErrorKind::TooManyRedirects { limit }));
        }
        followed += 1;
        // Also gives the turn back, without which the next request might wait for this one.
        incoming.discard().await;
        plan.follow(head.status, to);
    }
}

/// One request, repeated at most once, and the head of its answer.
async fn exchange(
    shared: &Shared,
    plan: &Plan,
    deadline: Deadline,
) -> Result<(ResponseHead, Incoming), Failure> {
    redirect::check_url(&plan.url).map_err(|kind| (Phase::Request, kind))?;
    let turn = deadline.within(None, shared.connections.turn(&plan.url));
    let turn = turn.await.map_err(|kind| (Phase::Queue, kind))?;
    let repeatable = matches!(plan.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if let Some(mut connection) = turn.idle().await {
        match ask(&mut connection, shared, plan, deadline).await {
            Ok(head) => return answer(turn.lease(connection), head, shared, plan, deadline),
            Err(Failed { gone: true, .. }) if repeatable => {}
            Err(Failed { failure, .. }) => return Err(failure),
        }
    }
    let tls = || Arc::clone(shared.tls.get_or_init(tls::client_config));
    let stream = dial(&plan.url, &shared.settings.timeouts, deadline, tls).await?;
    let mut connection = Connection::new(stream);
    match ask(&mut connection, shared, plan, deadline).await {
        Ok(head) => answer(turn.lease(connection), head, shared, plan, deadline),
        Err(Failed { failure, .. }) => Err(failure),
    }
}

/// The answer whose head has come, ready to have its body read.
fn answer(
    lease: Lease,
    head: ResponseHead,
    shared: &Shared,
    plan: &Plan,
    deadline: Deadline,
) -> Result<(ResponseHead, Incoming), Failure> {
    let failed = |kind| (Phase::Head, kind);
    let framing = wire::response_framing(&plan.method, &head).map_err(failed)?;
    let decoder = Decoder::new(framing, &shared.settings.limits).map_err(|kind| (Phase::Body, kind))?;
    let ours = wire::keeps_alive(Version::HTTP_11, &plan.headers);
    let keep = ours && wire::keeps_alive(head.version, &head.headers);
    Ok((head, Incoming::new(lease, decoder, keep, deadline, shared.settings.timeouts.body)))
}

/// A request that failed on its connection.
struct Failed {
    failure: Failure,
    /// The connection ended before a single byte of an answer came.
    gone: bool,
}

async fn ask(
    connection: &mut Connection,
    shared: &Shared,
    plan: &Plan,
    deadline: Deadline,
) -> Result<ResponseHead, Failed> {
    let sent = send(connection, shared, plan, deadline).await;
    let unsent = match sent {
        Err((phase, kind)) if !is_gone(&kind) => return Err(Failed { failure: (phase, kind), gone: false }),
        Err(failure) => Some(failure),
        Ok(()) => None,
    };
    // A server may answer (413, say) and close while we are still sending: its answer is worth more than
    // our broken pipe. (Kept by mistake, such a connection would be found closed before its next use.)
    let limit = shared.settings.timeouts.head;
    let mut came = false;
    let kind = match deadline.within(limit, read_head(connection, shared, &mut came)).await {
        Ok(Ok(head)) => return Ok(head),
        Ok(Err(kind)) | Err(kind) => kind,
    };
    let gone = !came && is_gone(&kind);
    Err(Failed { failure: unsent.unwrap_or((Phase::Head, kind)), gone })
}

async fn send(
    connection: &mut Connection,
    shared: &Shared,
    plan: &Plan,
    deadline: Deadline,
) -> Result<(), Failure> {
    let url = &plan.url;
    let parts = RequestParts {
        method: &plan.method,
        target: &url[Position::BeforePath..Position::AfterQuery],
        host: &url[Position::BeforeHost..Position::AfterPort],
        headers: &plan.headers,
        defaults: &shared.settings.defaults,
        body: plan.body.as_ref().map(|body| body.len() as u64),
    };
    connection.outgoing.clear();
    wire::write_request(&mut connection.outgoing, &parts).map_err(|kind| (Phase::Request, kind))?;
    let body = connection.join_small(plan.body.as_deref().unwrap_or(&[]));
    let mut sent = Sent::default();
    loop {
        let some = poll_fn(|cx| connection.poll_send(cx, body, &mut sent));
        let some = deadline.within(shared.settings.timeouts.send, some).await;
        match some {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => return Err((Phase::Send, error.into())),
            Err(kind) => return Err((Phase::Send, kind)),
        }
    }
}

/// Reads heads until one is the answer itself and no interim one (1xx). `came` tells whether any byte did.
async fn read_head(
    connection: &mut Connection,
    shared: &Shared,
    came: &mut bool,
) -> Result<ResponseHead, ErrorKind> {
    let limits = &shared.settings.limits;
    for _ in 0..=limits.interim_heads {
        let mut reader = HeadReader::new();
        let (head, length) = loop {
            if !connection.received().is_empty()
                && let Some(found) = reader.response(connection.received(), limits)?
            {
                break found;
            }
            if poll_fn(|cx| connection.poll_receive(cx)).await? == 0 {
                return Err(ErrorKind::Closed { got: connection.received().len() });
            }
            *came = true;
        };
        connection.consume(length);
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(ErrorKind::BadHead { reason: "101 Switching Protocols, which nobody asked for" });
        }
        if !head.status.is_informational() {
            return Ok(head);
        }
    }
    Err(ErrorKind::TooLarge { what: "number of interim responses", limit: limits.interim_heads as u64 })
}

/// Whether this is how a connection looks that the other side has closed.
fn is_gone(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::Closed { .. } => true,
        ErrorKind::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::NotConnected
                | io::ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}
