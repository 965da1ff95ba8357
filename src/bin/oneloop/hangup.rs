//! A terminal that goes away, and a pipe that nobody reads any more: the end of whatever is shown there.
//!
//! A terminal that is closed tells by SIGHUP, but only the processes that it controls; and it can be read from ever
//! after, which gives nothing. Whoever waits for a key then waits in vain, and at once again. So whether it is still
//! there is asked, not inferred: `poll` for nothing in particular comes back only if it is gone.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::process::exit;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How long the others may take to notice it themselves. There is no end of that to wait for: if they do, the process ends, and
/// this thread with it.
const GRACE: Duration = Duration::from_millis(300);

/// What a shell says of a process that SIGHUP has ended.
const HUNG_UP: i32 = 128 + 1;

/// Whether nothing can come from there any more, and nothing go there.
pub fn is_gone(there: impl AsFd) -> bool {
    const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(&there, PollFlags::empty())], Some(&NOW)).is_ok_and(|gone| gone > 0)
}

/// Waits until something can be read there, it is gone, a signal comes, or the time is up; whether it is one of the first two.
pub fn wait(there: impl AsFd, within: Duration) -> bool {
    let within = Timespec::try_from(within).ok();
    poll(&mut [PollFd::new(&there, PollFlags::IN)], within.as_ref()).is_ok_and(|came| came > 0)
}

/// Ends this process when standard output is gone, if it has not ended by itself soon after. `last` is called before.
///
/// # Errors
/// If there is no thread to be had.
pub fn watch(last: impl FnOnce() + Send + 'static) -> Result<(), String> {
    // Of one that is gone it cannot be told any more.
    let code = if io::stdout().is_terminal() { HUNG_UP } else { 0 };
    let wait = move || {
        let out = io::stdout();
        while let Ok(0) | Err(Errno::INTR) = poll(&mut [PollFd::new(&out, PollFlags::empty())], None) {}
        // There is nothing to wait for: see GRACE.
        thread::sleep(GRACE);
        last();
        exit(code);
    };
    let made = thread::Builder::new().name("hang-up".into()).spawn(wait);
    made.map(drop).map_err(|error| format!("the terminal cannot be watched: {error}"))
}
