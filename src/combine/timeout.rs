//! Chapter 24, part 10: what if the limit changes on the way?
//!
//! `wait_for` has a limit that stands. Some work earns more time as it goes on: every line that comes in may wait
//! a second for the next. So the body of a `timeout` is given the limit, and can move it:
//!
//! ```text
//!   timeout(1 s, async |limit| { … })
//!     0 s     timer at 1 s
//!     0.8 s   limit.reschedule(1.8 s)     timer at 1.8 s
//!     1.8 s   the body is dropped at the await where it is suspended; Err(TimedOut)
//! ```
//!
//! The close cases are decided as in `wait_for`: the body is asked before the timer.
//!
//! Before: `combine/as_completed.rs`. Next: `sync/mod.rs`, tasks that wait for each other.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use super::wait_for::TimedOut;
use crate::calls::time;
use crate::current;
use crate::kept::Kept;
use crate::sleep::{Sleep, sleep_until};
use crate::trace::event::Wait;

/// Runs `body` for at most `limit` from this call on (`None`: without limit, until it sets one). The body is given
/// the [`Limit`], which it can ask and move.
///
/// asyncio's `timeout`. Where the limit stands from the beginning, [`wait_for`](crate::wait_for) is shorter.
///
/// # Errors
/// [`TimedOut`] if the time is over before the body has returned.
///
/// # Cancellation
/// Dropping it drops the body at the `.await` where it is suspended, and so does running out of time.
///
/// # Panics
/// If no loop is running on this thread. When polled again after it has returned.
///
/// ```
/// use oneloop::{sleep, timeout};
/// use std::time::Duration;
///
/// let result = oneloop::run(timeout_example());
/// assert_eq!(result.unwrap(), "three lines");
///
/// async fn timeout_example() -> Result<&'static str, oneloop::TimedOut> {
///     let pause = Duration::from_millis(20);
///     timeout(pause, async |limit| {
///         for _line in 0..3 {
///             sleep(Duration::from_millis(10)).await;
///             limit.reschedule(oneloop::time() + pause); // each line earns the time for the next
///         }
///         "three lines"
///     })
///     .await
/// }
/// ```
#[track_caller]
pub fn timeout<B, F>(limit: impl Into<Option<Duration>>, body: B) -> Timeout<F>
where
    B: FnOnce(Limit) -> F,
    F: Future,
{
    let now = time();
    // The end of a time too long for the clock never comes.
    start(now, limit.into().and_then(|limit| now.checked_add(limit)), body)
}

/// As [`timeout`], until a time of the loop's clock ([`time`]). asyncio's `timeout_at`.
///
/// # Errors
/// [`TimedOut`] if the time comes before the body has returned.
///
/// # Cancellation
/// As with [`timeout`].
///
/// # Panics
/// If no loop is running on this thread. When polled again after it has returned.
#[track_caller]
pub fn timeout_at<B, F>(deadline: impl Into<Option<Instant>>, body: B) -> Timeout<F>
where
    B: FnOnce(Limit) -> F,
    F: Future,
{
    start(time(), deadline.into(), body)
}

fn start<B, F>(since: Instant, deadline: Option<Instant>, body: B) -> Timeout<F>
where
    B: FnOnce(Limit) -> F,
{
    let limit = Limit(Rc::new(Shared {
        deadline: Cell::new(deadline),
        stage: Cell::new(Stage::Waiting),
        waker: RefCell::default(),
    }));
    let body = body(limit.clone());
    Timeout { body: Some(body), limit, sleep: None, since }
}

/// The limit of a [`timeout`]. Clones mean the same limit.
#[derive(Clone)]
pub struct Limit(Rc<Shared>);

struct Shared {
    /// `None`: without limit.
    deadline: Cell<Option<Instant>>,
    stage: Cell<Stage>,
    /// Whoever awaits the timeout; `None`: nobody does, or it was woken.
    waker: RefCell<Option<Kept>>,
}

/// How far a timeout has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The body is not being polled.
    Waiting,
    Polling,
    /// The time was over.
    Expired,
    /// The body has returned, or was dropped for another reason.
    Over,
}

impl Limit {
    /// When the time is over; `None`: never.
    pub fn when(&self) -> Option<Instant> {
        self.0.deadline.get()
    }

    /// Whether it was over before the body had returned.
    pub fn expired(&self) -> bool {
        self.0.stage.get() == Stage::Expired
    }

    /// Moves the limit, either way; `None`: there is none any more. One in the past ends the body at its next
    /// `.await` that suspends. Returns `false`, and changes nothing, if the body has returned or the time is over.
    ///
    /// asyncio's `Timeout.reschedule`, which raises an error instead of the `false`.
    pub fn reschedule(&self, deadline: impl Into<Option<Instant>>) -> bool {
        let stage = self.0.stage.get();
        let open = matches!(stage, Stage::Waiting | Stage::Polling);
        if open {
            self.0.deadline.set(deadline.into());
        }
        if stage == Stage::Waiting {
            // Somebody else than the body moved it: the timer is armed anew by whoever awaits it.
            let waker = self.0.waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        open
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit").field("when", &self.when()).field("stage", &self.0.stage.get()).finish()
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Timeout<F> {
        // `None` once this has returned.
        #[pin]
        body: Option<F>,
        limit: Limit,
        // The timer for the limit as it was when it was armed, and that limit; `None`: no timer.
        sleep: Option<(Instant, Sleep)>,
        since: Instant,
    }

    impl<F> PinnedDrop for Timeout<F> {
        fn drop(this: Pin<&mut Self>) {
            let stage = &this.limit.0.stage;
            if stage.get() != Stage::Expired {
                stage.set(Stage::Over);
            }
        }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimedOut>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(body) = this.body.as_mut().as_pin_mut() else {
            panic!("a timeout was polled again after it had returned: await it once");
        };
        let shared = &*this.limit.0;
        shared.stage.set(Stage::Polling);
        let output = body.poll(cx);
        let (stage, result) = match output {
            Poll::Ready(output) => (Stage::Over, Ok(output)),
            Poll::Pending => {
                // The body's own note has the line inside it; the timer's is not to hide that.
                let (wait, site) = current::noted().unwrap_or((Wait::Timeout, Location::caller()));
                let Some(deadline) = expired(shared, this.sleep, cx) else {
                    shared.stage.set(Stage::Waiting);
                    let replaced = shared.waker.replace(Some(Kept::new(cx.waker())));
                    drop(replaced);
                    current::suspended(wait, site);
                    return Poll::Pending;
                };
                (Stage::Expired, Err(TimedOut::after(deadline.saturating_duration_since(*this.since))))
            }
        };
        shared.stage.set(stage);
        *this.sleep = None;
        this.body.set(None);
        Poll::Ready(result)
    }
}

/// The limit, if the time is over; if not, there is a timer for it.
fn expired(shared: &Shared, sleep: &mut Option<(Instant, Sleep)>, cx: &mut Context<'_>) -> Option<Instant> {
    let deadline = shared.deadline.get();
    if sleep.as_ref().map(|(armed, _)| *armed) != deadline {
        *sleep = deadline.map(|deadline| (deadline, sleep_until(deadline)));
    }
    let (deadline, sleep) = sleep.as_mut()?;
    Pin::new(sleep).poll(cx).is_ready().then_some(*deadline)
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("limit", &self.limit).finish_non_exhaustive()
    }
}
