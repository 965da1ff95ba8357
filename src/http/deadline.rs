//! Chapter 34, part 11: no phase of a request waits for ever.
//!
//! Two limits hold at any moment: the phase's own, and what is left of the total. The nearer one becomes
//! one timer, armed only when a future is first found pending: a phase that is ready at once (a write
//! into an empty socket) costs no timer at all.
//!
//! Before: `http/settings.rs`. Next: `http/stream.rs`, one connection.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::error::ErrorKind;
use crate::calls::time;
use crate::sleep::{Sleep, sleep_until};

/// When the whole request must have ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// `None`: never.
    total: Option<(Instant, Duration)>,
}

impl Deadline {
    /// `limit` from now on the loop's clock.
    pub fn new(limit: Option<Duration>) -> Deadline {
        Deadline { total: limit.and_then(|limit| Some((time().checked_add(limit)?, limit))) }
    }

    /// Runs `future`, at most as long as `limit` and the total allow. Out of time, it is dropped.
    pub async fn within<T>(
        self,
        limit: Option<Duration>,
        future: impl Future<Output = T>,
    ) -> Result<T, ErrorKind> {
        let mut future = pin!(future);
        let mut timer = Timer::new(self, limit);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => timer.poll(cx).map(Err),
        })
        .await
    }
}

/// The timer of a wait that is polled by hand.
#[derive(Debug)]
pub(crate) struct Timer {
    deadline: Deadline,
    /// The phase's own limit.
    limit: Option<Duration>,
    /// Armed at the first `poll`, disarmed by `reset`.
    armed: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    /// `None`: no limit at all.
    sleep: Option<Sleep>,
    /// Whether it is the total that ends here.
    total: bool,
}

impl Timer {
    pub fn new(deadline: Deadline, limit: Option<Duration>) -> Timer {
        Timer { deadline, limit, armed: None }
    }

    /// Something happened: the phase's limit counts anew.
    pub fn reset(&mut self) {
        self.armed = None;
    }

    /// To be called when what the timer guards is pending. Ready with the error when the time is over.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ErrorKind> {
        let armed = self.armed.get_or_insert_with(|| arm(self.deadline, self.limit));
        let Some(sleep) = &mut armed.sleep else { return Poll::Pending };
        if Pin::new(sleep).poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(match (armed.total, self.deadline.total, self.limit) {
            (false, _, Some(limit)) => ErrorKind::Timeout { limit },
            (_, Some((_, limit)), _) => ErrorKind::TotalTimeout { limit },
            _ => unreachable!("a timer was armed without a limit"),
        })
    }
}

fn arm(deadline: Deadline, limit: Option<Duration>) -> Armed {
    let phase = limit.and_then(|limit| time().checked_add(limit));
    let total = deadline.total.map(|(at, _)| at);
    let (at, total) = match (phase, total) {
        (Some(phase), Some(total)) if total < phase => (Some(total), true),
        (Some(phase), _) => (Some(phase), false),
        (None, total) => (total, true),
    };
    Armed { sleep: at.map(sleep_until), total }
}
