//! Chapter 30, part 2: where do a loop's signals arrive, and how does everyone get the same one?
//!
//! Before: `signal.rs`. Next: `fs.rs`, files.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::mem;
use std::rc::Rc;
use std::task::Context;

use signal_hook::consts::SIGCHLD;
use signal_hook_mio::v1_0::Signals;

use crate::current;
use crate::reactor::{Direction, Interest, Registered};
use crate::state::State;
use crate::trace::event::{Site, Wait};

/// One party that listens for one signal.
pub(crate) struct Listening {
    /// The loop whose pipe it watches.
    state: Rc<State>,
    post: Rc<Post>,
    source: Rc<Registered>,
    /// The number of the signal.
    signal: i32,
    /// How many of them it knows of.
    seen: u64,
    interest: Interest,
}

impl Listening {
    /// Listens for `signal` on the current loop from now on.
    ///
    /// # Panics
    /// If no loop is running on this thread.
    #[track_caller]
    pub(crate) fn begin(signal: i32, site: Site) -> io::Result<Listening> {
        let state = current::state();
        let post = state.fixture::<Post>();
        let source = post.subscribe(&state, signal, site)?;
        let seen = post.count(signal);
        Ok(Listening { state, post, source, signal, seen, interest: Interest::default() })
    }

    /// Whether one came since this was last asked.
    pub(crate) fn came(&mut self) -> bool {
        let now = self.post.count(self.signal);
        mem::replace(&mut self.seen, now) != now
    }

    /// Whoever polls now is woken by the next one. To be asked first: whether it `came`.
    pub(crate) fn wait(&mut self, cx: &Context<'_>, wait: Wait, site: Site) {
        self.state.io_wait(&self.source, Direction::Read, cx, Some(&mut self.interest), Some((wait, site)));
    }

    /// Nobody waits any more.
    pub(crate) fn give_up(&mut self) {
        self.state.io_forget(&self.source, Direction::Read, &self.interest);
        self.interest.over();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// A loop's place for signals, kept from the first wait to the end of the loop: by the number of a signal, what
/// has come of it.
#[derive(Default)]
struct Post(RefCell<HashMap<i32, Inbox>>);

/// What has come of one signal.
struct Inbox {
    pipe: Signals,
    source: Rc<Registered>,
    /// How many since the first wait.
    count: u64,
}

impl Post {
    /// Sees to it that `signal` is noted, and returns the source to wait for.
    fn subscribe(&self, state: &State, signal: i32, site: Site) -> io::Result<Rc<Registered>> {
        if let Some(inbox) = self.0.borrow().get(&signal) {
            return Ok(Rc::clone(&inbox.source));
        }
        let mut pipe = Signals::new([signal])?;
        let source = state.register(&mut pipe, "signals", signal == SIGCHLD, site)?;
        self.0.borrow_mut().insert(signal, Inbox { pipe, source: Rc::clone(&source), count: 0 });
        Ok(source)
    }

    /// How many of `signal` have come by now.
    fn count(&self, signal: i32) -> u64 {
        self.0.borrow_mut().get_mut(&signal).map_or(0, |inbox| {
            inbox.count += inbox.pipe.pending().count() as u64;
            inbox.count
        })
    }
}
