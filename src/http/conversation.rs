//! Chapter 34, part 20: one connection of the server, from its first request to its last.
//!
//! ```text
//!          first byte          empty line             body is whole
//!  ─► idle ─────────► head ───────────────► body ───────────────► handler ─► reply ─┐
//!  ▲   │ closed, 15 s   │ no HTTP: 400        │ too large: 413                       │ keep-alive
//!  │   ▼                │ too large: 431      │ too slow: 408                        │
//!  │  end               └ too slow: 408 ──────┴─────► short text, then close         │
//!  └─────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Requests that a client sends ahead (pipelining) wait in the buffer, or in its own: the next is looked at
//! when the one before is answered. So replies are in order, and a client that does not read them has at
//! most one of them held for it.
//!
//! Before: `http/reply.rs`. Next: `http/server.rs`, the server.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use ::http::header::{EXPECT, HOST};
use ::http::{Method, StatusCode, Version};

use super::body::Decoder;
use super::buffer::Buffer;
use super::date::DateLine;
use super::deadline::{Deadline, Timer};
use super::error::ErrorKind;
use super::limits::{Limits, ServerTimeouts};
use super::reply::{Reply, Request};
use super::stream::{Connection, Sent, Stream};
use super::wire::{self, HeadReader, RequestHead, ResponseFraming};
use crate::current::suspended;
use crate::net::TcpStream;
use crate::sync::Event;
use crate::trace::event::Wait;

/// When the server closes first, so much of what the client still sends is read and forgotten, for so long.
/// Closing at once would reset the connection, and the client might never see the reply (RFC 9112, section 9.6).
const LINGER_BYTES: usize = 256 * 1024;
const LINGER: Duration = Duration::from_secs(1);
/// Memory given to a request's body on the word of `Content-Length` alone.
const BODY_STEP: usize = 64 * 1024;

/// What all connections of a server share.
pub(crate) struct Service<H> {
    pub handler: H,
    pub limits: Limits,
    pub timeouts: ServerTimeouts,
    /// Set when the server is dropped: idle connections end, busy ones after their reply.
    pub closing: Event,
    pub date: RefCell<DateLine>,
    /// Where the program called `serve`.
    pub site: &'static Location<'static>,
}

/// What is needed of a request to send its reply, after the handler took the request.
#[derive(Clone, Copy)]
struct Terms {
    version: Version,
    keep_alive: bool,
    /// A reply to `HEAD` has no body.
    head_only: bool,
}

/// Answers requests until either side has enough.
pub(crate) async fn converse<H, F>(stream: TcpStream, peer: SocketAddr, service: Rc<Service<H>>)
where
    H: Fn(Request) -> F,
    F: Future<Output = Reply>,
{
    let mut connection = Connection::new(Stream::Plain(stream));
    while service.something_came(&mut connection).await {
        match service.receive(&mut connection, peer).await {
            Ok((request, terms)) => {
                let reply = (service.handler)(request).await;
                let keep_alive = terms.keep_alive && !service.closing.is_set();
                let sent = service.send(&mut connection, &reply, Terms { keep_alive, ..terms }).await;
                match sent {
                    Ok(()) if keep_alive => connection.rest(),
                    Ok(()) => return service.linger(&mut connection).await,
                    Err(_) => return,
                }
            }
            Err(kind) => return service.refuse(&mut connection, &kind).await,
        }
    }
}

impl<H> Service<H> {
    /// Waits between two requests; false if there will be no other.
    async fn something_came(&self, connection: &mut Connection) -> bool {
        if !connection.received().is_empty() {
            return true;
        }
        let mut closing = pin!(self.closing.wait());
        let wait = poll_fn(|cx| match connection.poll_receive(cx) {
            Poll::Ready(result) => Poll::Ready(result.is_ok_and(|n| n > 0)),
            Poll::Pending => closing.as_mut().poll(cx).map(|()| false),
        });
        self.noted(Deadline::new(None).within(Some(self.timeouts.idle), wait)).await.unwrap_or(false)
    }

    /// Reads one whole request.
    async fn receive(
        &self,
        connection: &mut Connection,
        peer: SocketAddr,
    ) -> Result<(Request, Terms), ErrorKind> {
        let deadline = Deadline::new(Some(self.timeouts.request));
        let head = deadline.within(Some(self.timeouts.head), read_head(connection, &self.limits));
        let head = self.noted(head).await??;
        check(&head)?;
        let terms = Terms {
            version: head.version,
            keep_alive: wire::keeps_alive(head.version, &head.headers),
            head_only: head.method == Method::HEAD,
        };
        let mut decoder = Decoder::new(wire::request_framing(&head)?, &self.limits)?;
        if !decoder.is_done() && connection.received().is_empty() && expects_continue(&head) {
            connection.outgoing.clear();
            connection.outgoing.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            self.send_all(connection, &[]).await?;
        }
        let mut timer = Timer::new(deadline, Some(self.timeouts.body));
        let mut body = Buffer::default();
        while !decoder.is_done() {
            let some = poll_fn(|cx| match connection.poll_body(cx, &mut decoder, &mut body, BODY_STEP) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => timer.poll(cx).map(Err),
            });
            self.noted(some).await?;
            timer.reset();
        }
        Ok((Request::new(head, body.into_vec(), peer), terms))
    }

    async fn send(&self, connection: &mut Connection, reply: &Reply, terms: Terms) -> Result<(), ErrorKind> {
        if reply.broken {
            let empty = Reply::new(StatusCode::INTERNAL_SERVER_ERROR);
            self.write_head(connection, &empty, terms);
            return self.send_all(connection, &[]).await;
        }
        self.write_head(connection, reply, terms);
        let body = if terms.head_only || bodiless(reply.status) { &[] } else { reply.body.bytes() };
        let rest = connection.join_small(body);
        self.send_all(connection, rest).await
    }

    fn write_head(&self, connection: &mut Connection, reply: &Reply, terms: Terms) {
        let length = (!bodiless(reply.status)).then(|| reply.body.bytes().len() as u64);
        let mut date = self.date.borrow_mut();
        let Terms { keep_alive, version, .. } = terms;
        let framing = ResponseFraming { length, date: date.now(), keep_alive, version };
        connection.outgoing.clear();
        wire::write_response(&mut connection.outgoing, reply.status, &reply.headers, &framing);
    }

    async fn send_all(&self, connection: &mut Connection, body: &[u8]) -> Result<(), ErrorKind> {
        let mut sent = Sent::default();
        let deadline = Deadline::new(None);
        loop {
            let some = poll_fn(|cx| connection.poll_send(cx, body, &mut sent));
            if self.noted(deadline.within(Some(self.timeouts.send), some)).await?? {
                return Ok(());
            }
        }
    }

    /// Says why, if there is somebody to hear it, and closes.
    async fn refuse(&self, connection: &mut Connection, kind: &ErrorKind) {
        let status = match kind {
            ErrorKind::Timeout { .. } | ErrorKind::TotalTimeout { .. } => StatusCode::REQUEST_TIMEOUT,
            ErrorKind::TooLarge { what: "head" | "number of headers" | "trailers", .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            ErrorKind::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::BadHead { .. } | ErrorKind::BadBody { .. } => StatusCode::BAD_REQUEST,
            // Closed or broken: nobody to hear it.
            _ => return,
        };
        let reply = Reply::text(format!("{status}\n{kind}\n")).status(status);
        let terms = Terms { version: Version::HTTP_11, keep_alive: false, head_only: false };
        if self.send(connection, &reply, terms).await.is_ok() {
            self.linger(connection).await;
        }
    }

    /// Closes our side and reads what still comes, for a while.
    async fn linger(&self, connection: &mut Connection) {
        let end = Deadline::new(Some(LINGER)).within(None, drain(connection));
        // Whatever comes of it, the connection is closed next.
        let _ = self.noted(end).await;
    }

    /// Has the server's own waits show the line that called `serve`; a handler's show the handler's.
    async fn noted<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let poll = future.as_mut().poll(cx);
            if poll.is_pending() {
                suspended(Wait::Request, self.site);
            }
            poll
        })
        .await
    }
}

/// RFC 9110, sections 15.3.5 and 15.4.5.
fn bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

async fn read_head(connection: &mut Connection, limits: &Limits) -> Result<RequestHead, ErrorKind> {
    let mut reader = HeadReader::new();
    loop {
        if let Some((head, length)) = reader.request(connection.received(), limits)? {
            connection.consume(length);
            return Ok(head);
        }
        if poll_fn(|cx| connection.poll_receive(cx)).await? == 0 {
            return Err(ErrorKind::Closed { got: connection.received().len() });
        }
    }
}

/// Host and target: RFC 9112, section 3.2. Without a Host, or with two, the next server could see another
/// site in the request than this one.
fn check(head: &RequestHead) -> Result<(), ErrorKind> {
    let bad = |reason| Err(ErrorKind::BadHead { reason });
    let hosts = head.headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version == Version::HTTP_11) {
        return bad("not exactly one Host");
    }
    let target = &*head.target;
    let known = target.starts_with('/')
        || target.starts_with("http://")
        || target.starts_with("https://")
        || (target == "*" && head.method == Method::OPTIONS);
    if known { Ok(()) } else { bad("the target is neither a path nor a URL") }
}

/// RFC 9110, section 10.1.1; an expectation in HTTP/1.0 is ignored.
fn expects_continue(head: &RequestHead) -> bool {
    let expect = head.headers.get(EXPECT).map(|value| value.as_bytes());
    head.version == Version::HTTP_11
        && expect.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

async fn drain(connection: &mut Connection) -> io::Result<()> {
    poll_fn(|cx| connection.poll_close(cx)).await?;
    let mut forgotten = 0;
    while forgotten < LINGER_BYTES {
        match poll_fn(|cx| connection.poll_forget(cx)).await? {
            0 => break,
            n => forgotten += n,
        }
    }
    Ok(())
}
