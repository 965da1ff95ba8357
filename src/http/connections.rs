//! Chapter 34, part 14: connections kept for the next request, and a fair line for those who want one.
//!
//! Connections are kept per *origin*: scheme, host and port, which is the URL's text up to its path, so
//! that finding one costs no allocation. Each origin has a number of turns (a [`Semaphore`], first come,
//! first served). A turn is held from before the connection is made until the response is read:
//!
//! ```text
//!             turn                    idle?                             body read to its end
//!   request ──────► take the newest ───────► exchange ── response ──────────────► back to idle
//!                     │ none, or it died       │                                       │ older than 4 s
//!                     └───── dial ─────────────┘  dropped half way: closed             └─ closed
//! ```
//!
//! Turn and connection live in one [`Lease`]. Whatever becomes of a request (an error, a timeout, its task
//! cancelled while it connects, its response dropped unread), the lease is dropped and the turn goes to the
//! next in line. Places lost to cancelled requests are what httpx's `PoolTimeout` reports are about.
//!
//! Before: `http/dial.rs`. Next: `http/response.rs`, an answer and its body.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use url::{Position, Url};

use super::stream::Connection;
use crate::calls::{call_later, time};
use crate::current;
use crate::state::State;
use crate::sync::{Permit, Semaphore};

/// All kept connections of a client.
#[derive(Debug)]
pub(crate) struct Connections {
    /// By the URL's text before its path, such as `http://localhost:8080`.
    origins: RefCell<HashMap<String, Rc<Origin>>>,
    /// Turns per origin.
    most: usize,
    /// Idle connections per origin.
    most_idle: usize,
    idle_time: Duration,
    /// Whether a sweep is due; at most one is.
    sweep_due: Cell<bool>,
    /// The loop that the kept sockets belong to; dangling before the first request.
    home: RefCell<Weak<State>>,
}

/// What is known of one scheme, host and port.
#[derive(Debug)]
pub(crate) struct Origin {
    turns: Semaphore,
    /// The newest at the back; it is taken first, so that the others can grow old.
    idle: RefCell<VecDeque<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// The right to a connection; held as long as one is in use, and given back by dropping it.
#[derive(Debug)]
pub(crate) struct Turn {
    connections: Rc<Connections>,
    origin: Rc<Origin>,
    /// Given back by its own drop.
    _permit: Permit,
}

/// A connection in use.
#[derive(Debug)]
pub(crate) struct Lease {
    pub connection: Connection,
    turn: Turn,
}

impl Connections {
    pub fn new(most: usize, most_idle: usize, idle_time: Duration) -> Rc<Connections> {
        Rc::new(Connections {
            origins: RefCell::default(),
            most,
            most_idle,
            idle_time,
            sweep_due: Cell::new(false),
            home: RefCell::default(),
        })
    }

    /// Waits for a turn at the URL's host.
    pub async fn turn(self: &Rc<Self>, url: &Url) -> Turn {
        self.forget_other_loops();
        let origin = self.origin(&url[..Position::BeforePath]);
        let permit = origin.turns.acquire().await;
        Turn { connections: Rc::clone(self), origin, _permit: permit }
    }

    fn origin(self: &Rc<Self>, key: &str) -> Rc<Origin> {
        if let Some(origin) = self.origins.borrow().get(key) {
            return Rc::clone(origin);
        }
        let origin = Rc::new(Origin { turns: Semaphore::new(self.most), idle: RefCell::default() });
        self.origins.borrow_mut().insert(key.to_owned(), Rc::clone(&origin));
        self.plan_sweep();
        origin
    }

    /// A socket belongs to its loop: a client used in one run and then in another starts afresh.
    fn forget_other_loops(&self) {
        let here = Rc::downgrade(&current::state());
        if !self.home.borrow().ptr_eq(&here) {
            self.home.replace(here);
            let kept = self.origins.take();
            drop(kept);
        }
    }

    /// One callback closes what is too old; it comes again while anything is kept.
    fn plan_sweep(self: &Rc<Self>) {
        if !self.sweep_due.replace(true) {
            let sweep = Sweep { connections: Rc::downgrade(self) };
            call_later(self.idle_time, move || sweep.run());
        }
    }

    /// Closes connections that were idle too long, and forgets origins that nobody uses.
    fn sweep(&self) {
        let now = time();
        let mut old = Vec::new();
        self.origins.borrow_mut().retain(|_, origin| {
            let mut idle = origin.idle.borrow_mut();
            while idle.front().is_some_and(|kept| now.saturating_duration_since(kept.since) >= self.idle_time)
            {
                old.extend(idle.pop_front());
            }
            !idle.is_empty() || Rc::strong_count(origin) > 1
        });
        // Closed here, outside of the borrow.
        drop(old);
    }
}

/// The callback of a sweep. Its drop, also when a loop is closed before it ran, allows the next.
struct Sweep {
    /// Weak, so that a client dropped meanwhile is gone.
    connections: Weak<Connections>,
}

impl Sweep {
    fn run(self) {
        let Some(connections) = self.connections.upgrade() else { return };
        drop(self);
        connections.sweep();
        if !connections.origins.borrow().is_empty() {
            connections.plan_sweep();
        }
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        if let Some(connections) = self.connections.upgrade() {
            connections.sweep_due.set(false);
        }
    }
}

impl Turn {
    /// The newest idle connection that is still good; those found closed, or with bytes that nobody asked
    /// for, are dropped on the way.
    pub async fn idle(&self) -> Option<Connection> {
        loop {
            let Idle { mut connection, since } = self.origin.idle.borrow_mut().pop_back()?;
            let young = time().saturating_duration_since(since) < self.connections.idle_time;
            if young && poll_fn(|cx| Poll::Ready(connection.is_quiet(cx))).await {
                return Some(connection);
            }
        }
    }

    /// Puts the connection to use.
    pub fn lease(self, connection: Connection) -> Lease {
        Lease { connection, turn: self }
    }
}

impl Lease {
    /// Keeps the connection for the next request. Only for one whose last response was read to its end.
    pub fn give_back(self) {
        let Lease { mut connection, turn } = self;
        let connections = &turn.connections;
        if !connection.received().is_empty() || connections.most_idle == 0 {
            // Bytes beyond the response: nobody knows what they are an answer to.
            return;
        }
        connection.rest();
        let mut idle = turn.origin.idle.borrow_mut();
        let oldest = if idle.len() >= connections.most_idle { idle.pop_front() } else { None };
        idle.push_back(Idle { connection, since: time() });
        drop(idle);
        drop(oldest);
    }
}
