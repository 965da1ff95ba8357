//! Chapter 28, part 11: how does a name become addresses, when the only way to ask blocks?
//!
//! Names are resolved by the C library's `getaddrinfo`, as every other program on the machine does it: it knows
//! `/etc/hosts`, search domains, mDNS, whatever the administrator has set up. It also blocks, for 5 seconds and
//! more when a name server is silent, and cannot be interrupted. So it is called on the blocking pool, and what
//! that costs is said here: a lookup whose future is dropped keeps its thread until `getaddrinfo` returns.
//!
//! Two things follow. Slow names must not occupy the whole pool, for pictures are decoded and files written there:
//! at most [`MOST_LOOKUPS`] names are asked for at a time, the others wait in line. And a hundred tasks that
//! fetch from one host ask for one name: those who ask while a question is open share its answer.
//!
//! ```text
//!  lookup("a") ─┐                        ┌─ resolver task ── spawn_blocking(getaddrinfo "a") ─→ both
//!  lookup("a") ─┴→ line: a, b, c, d, e ──┼─ resolver task ── …            "b"
//!  lookup("b") ──→       (no name twice) └─ … at most MOST_LOOKUPS; each takes names until the line is empty
//! ```
//!
//! Nothing is remembered once it was answered: the resolver below does that, and it knows for how long.
//!
//! Before: `net/udp/waits.rs`. Next: `net/tls.rs`, streams that nobody else can read.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use crate::blocking::spawn_blocking;
use crate::current;
use crate::join::spawn_named;
use crate::trace::event::Wait;

/// The longest name, in bytes, without the dot that may end it (RFC 1035 section 2.3.4, as text).
pub const LONGEST_HOST: usize = 253;

/// How many characters of a refused host an error repeats.
const SHOWN: usize = 60;

/// How many names one loop asks for at a time, if its pool has twice as many threads or more; with a smaller
/// pool, half as many as it has threads, and at least one. So slow names leave threads for other jobs.
pub const MOST_LOOKUPS: usize = 4;

/// Finds the addresses of `host`, each with `port`, in the order in which they should be tried (RFC 6724).
///
/// An IP address, an IPv6 one also in the brackets of a URL, is answered at once, without the pool. Old
/// spellings of IPv4 (`127.1`, `0x7f000001`) are refused: the C library takes them for addresses, and whoever
/// filters hosts by name does not.
///
/// asyncio's `loop.getaddrinfo`, which runs on the default executor for the same reason.
///
/// # Errors
///
/// All name the host. `InvalidInput`: empty, longer than [`LONGEST_HOST`], or with a control character.
/// Otherwise what the C library said.
///
/// # Cancellation
///
/// Nothing is lost but the answer. A question that was put goes on on its thread; one that waits in line is
/// taken out when its turn comes.
///
/// # Panics
///
/// When a name is first polled with no loop running on this thread.
///
/// ```
/// let addresses = oneloop::run(oneloop::net::lookup("[::1]", 80))?;
/// assert_eq!(addresses, ["[::1]:80".parse().unwrap()]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn lookup(host: &str, port: u16) -> Lookup {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let stage = match (bare.parse::<IpAddr>(), check(bare)) {
        (Ok(address), _) => Stage::Known(Ok(vec![SocketAddr::new(address, port)])),
        (Err(_), Err(error)) => Stage::Known(Err(error)),
        (Err(_), Ok(())) => Stage::New(bare.into()),
    };
    Lookup { port, stage }
}

/// Refuses what no name server should be asked for.
fn check(host: &str) -> io::Result<()> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let problem = if name.is_empty() {
        "it is empty".to_owned()
    } else if name.len() > LONGEST_HOST {
        format!("it has {} bytes, and {LONGEST_HOST} are allowed", name.len())
    } else if name.chars().any(char::is_control) {
        "it has a control character in it".to_owned()
    } else if ends_in_number(name) {
        "it is neither a name nor an IP address in full".to_owned()
    } else {
        return Ok(());
    };
    let (shown, more) = match host.char_indices().nth(SHOWN) {
        Some((end, _)) => (&host[..end], "…"),
        None => (host, ""),
    };
    Err(io::Error::new(
        ErrorKind::InvalidInput,
        format!("the host {shown:?}{more} cannot be looked up: {problem}"),
    ))
}

/// Whether the last label is a number, which makes the whole an IPv4 address or nothing (as in the URL standard).
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    match last.strip_prefix("0x").or_else(|| last.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The future of [`lookup`].
#[must_use = "futures do nothing unless awaited"]
pub struct Lookup {
    port: u16,
    stage: Stage,
}

/// How far a lookup is.
enum Stage {
    /// Answered without asking.
    Known(io::Result<Vec<SocketAddr>>),
    /// A name, not yet asked for.
    New(Box<str>),
    /// In line, or on a thread.
    Asked(Rc<Question>),
    /// The answer was given.
    Done,
}

impl Future for Lookup {
    type Output = io::Result<Vec<SocketAddr>>;

    /// # Panics
    /// When awaited again after it gave its result.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let question = match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Known(result) => return Poll::Ready(result),
            Stage::New(host) => current::state().fixture::<Desk>().ask(host),
            Stage::Asked(question) => question,
            Stage::Done => panic!("this lookup has given its result already: do not await it a second time"),
        };
        match question.poll(cx) {
            Poll::Ready(Ok(mut addresses)) => {
                addresses.iter_mut().for_each(|address| address.set_port(self.port));
                Poll::Ready(Ok(addresses))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.stage = Stage::Asked(question);
                current::suspended(Wait::Lookup, Location::caller());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lookup = f.debug_struct("Lookup");
        match &self.stage {
            Stage::New(host) => lookup.field("host", host),
            Stage::Asked(question) => lookup.field("host", &question.host),
            Stage::Known(_) | Stage::Done => &mut lookup,
        };
        lookup.finish_non_exhaustive()
    }
}

/// What the C library said, in a form that can be given to several. The port is still 0.
type Answer = Result<Vec<SocketAddr>, (ErrorKind, String)>;

/// One name, and all who want to know it.
struct Question {
    host: Box<str>,
    /// `None` until it is there.
    answer: RefCell<Option<Answer>>,
    /// Who waits: emptied by the answer.
    waiting: RefCell<Vec<Waker>>,
}

impl Question {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<SocketAddr>>> {
        match &*self.answer.borrow() {
            Some(Ok(addresses)) => Poll::Ready(Ok(addresses.clone())),
            Some(Err((kind, problem))) => {
                let text = format!("the host {:?} could not be looked up: {problem}", self.host);
                Poll::Ready(Err(io::Error::new(*kind, text)))
            }
            None => {
                let mut waiting = self.waiting.borrow_mut();
                if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    waiting.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    fn settle(&self, answer: Answer) {
        *self.answer.borrow_mut() = Some(answer);
        let waiting = mem::take(&mut *self.waiting.borrow_mut());
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// All open questions of a loop.
#[derive(Default)]
struct Desk {
    /// Questions not yet on a thread.
    line: RefCell<VecDeque<Rc<Question>>>,
    /// Every question in line or on a thread, by name.
    open: RefCell<HashMap<Box<str>, Weak<Question>>>,
    /// Resolver tasks there are.
    resolvers: Cell<usize>,
}

impl Desk {
    /// The open question for `host`, or a new one in line.
    fn ask(self: &Rc<Desk>, host: Box<str>) -> Rc<Question> {
        if let Some(question) = self.open.borrow().get(&host).and_then(Weak::upgrade) {
            return question;
        }
        let question =
            Question { host: host.clone(), answer: RefCell::default(), waiting: RefCell::default() };
        let question = Rc::new(question);
        self.open.borrow_mut().insert(host, Rc::downgrade(&question));
        self.line.borrow_mut().push_back(Rc::clone(&question));
        let most = current::with(|state| state.pool_threads() / 2).clamp(1, MOST_LOOKUPS);
        if self.resolvers.get() < most {
            drop(spawn_named("resolver", Resolver::new(self).resolve()));
        }
        question
    }

    fn next_in_line(&self) -> Option<Rc<Question>> {
        self.line.borrow_mut().pop_front()
    }
}

/// The task that takes questions off the line, one after the other, and ends when there are none.
struct Resolver {
    desk: Rc<Desk>,
    /// The question on its thread; `None` between two.
    current: Option<Rc<Question>>,
}

impl Resolver {
    fn new(desk: &Rc<Desk>) -> Resolver {
        desk.resolvers.set(desk.resolvers.get() + 1);
        Resolver { desk: Rc::clone(desk), current: None }
    }

    async fn resolve(mut self) {
        loop {
            let Some(question) = self.desk.next_in_line() else { return };
            // Ours is the only reference left: everyone who asked was cancelled.
            if Rc::strong_count(&question) == 1 {
                self.desk.open.borrow_mut().remove(&question.host);
                continue;
            }
            let host = question.host.clone();
            self.current = Some(question);
            let answer = spawn_blocking(move || ask_system(&host)).await;
            self.settle(answer.unwrap_or_else(|error| Err((ErrorKind::Other, error.to_string()))));
        }
    }

    fn settle(&mut self, answer: Answer) {
        if let Some(question) = self.current.take() {
            self.desk.open.borrow_mut().remove(&question.host);
            question.settle(answer);
        }
    }
}

impl Drop for Resolver {
    /// A cancelled resolver leaves nobody waiting for an answer that will not come.
    fn drop(&mut self) {
        let cancelled =
            || Err((ErrorKind::Other, "the task that was to ask for it was cancelled".to_owned()));
        self.settle(cancelled());
        self.desk.resolvers.set(self.desk.resolvers.get() - 1);
        if self.desk.resolvers.get() > 0 {
            return;
        }
        while let Some(question) = self.desk.next_in_line() {
            self.current = Some(question);
            self.settle(cancelled());
        }
    }
}

/// The call that blocks.
fn ask_system(host: &str) -> Answer {
    let told = |error: io::Error| (error.kind(), error.to_string());
    let addresses: Vec<SocketAddr> = (host, 0).to_socket_addrs().map_err(told)?.collect();
    match addresses.is_empty() {
        false => Ok(addresses),
        true => Err((ErrorKind::NotFound, "it has no addresses".to_owned())),
    }
}
