//! Chapter 32, part 4: how does the loop hear that a child has ended?
//!
//! By its pidfd, a descriptor that becomes readable at the end of one process; or, where there is none, by SIGCHLD,
//! which says only that some child has ended, so that everyone who waits asks about theirs. To *ask* is the
//! system call `waitpid`, without waiting.
//!
//! Before: `process/reaper.rs`. Next: `process/child.rs`.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::Location;
use std::process::ExitStatus;
use std::task::{Context, Poll};

use signal_hook::consts::SIGCHLD;

use crate::current;
use crate::net::source::{Descriptor, Source};
use crate::reactor::Interest;
use crate::signal::Listening;
use crate::trace::event::{IoOp, Wait};

/// How the end of a child is heard of.
pub(super) enum Ending {
    /// Its pidfd becomes readable.
    Descriptor(Source<Descriptor>),
    /// A SIGCHLD comes.
    Signal,
}

/// One party's wait for the end of a child.
#[derive(Default)]
pub(super) struct Waiting {
    interest: Interest,
    /// `None` where there is a pidfd, and before the first poll.
    listening: Option<Listening>,
}

/// The descriptor of a process, where there are such.
fn pidfd(id: u32) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    if let Some(id) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        return Ok(rustix::process::pidfd_open(id, rustix::process::PidfdFlags::empty())?);
    }
    Err(io::Error::new(io::ErrorKind::Unsupported, format!("process {id} has no descriptor")))
}

impl Ending {
    /// # Errors
    /// When the operating system gives no more descriptors. One that has no pidfds, or allows none, is no error.
    #[track_caller]
    pub(super) fn of(id: u32) -> io::Result<Ending> {
        match pidfd(id) {
            Ok(descriptor) => Ok(Ending::Descriptor(Source::new(Descriptor(descriptor), "process")?)),
            Err(error) if matches!(error.raw_os_error(), Some(23 | 24)) => Err(error),
            Err(_) => Ending::by_signal(),
        }
    }

    /// Makes the loop's pipe for SIGCHLD, so that those who wait later find it there.
    #[track_caller]
    fn by_signal() -> io::Result<Ending> {
        drop(Listening::begin(SIGCHLD, Location::caller())?);
        Ok(Ending::Signal)
    }

    /// Waits until `ask` knows how it ended.
    #[track_caller]
    pub(super) fn poll(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
        ask: impl Fn() -> io::Result<Option<ExitStatus>>,
    ) -> Poll<io::Result<ExitStatus>> {
        let ask = || ask()?.ok_or_else(|| io::ErrorKind::WouldBlock.into());
        let asked = match self {
            Ending::Descriptor(source) => source.poll(cx, IoOp::Wait, Some(&mut waiting.interest), |_| ask()),
            Ending::Signal => waiting.poll_signal(cx, ask),
        };
        if asked.is_pending() {
            current::suspended(Wait::Exit, Location::caller());
        }
        asked
    }

    /// A wait is given up.
    pub(super) fn forget(&self, waiting: &Waiting) {
        if let Ending::Descriptor(source) = self {
            source.forget(IoOp::Wait, &waiting.interest);
        }
    }
}

impl Waiting {
    /// The signals are listened to first, then the question is put: so no end is missed.
    #[track_caller]
    fn poll_signal(
        &mut self,
        cx: &mut Context<'_>,
        ask: impl Fn() -> io::Result<ExitStatus>,
    ) -> Poll<io::Result<ExitStatus>> {
        let listening = match &mut self.listening {
            Some(listening) => listening,
            none => none.insert(Listening::begin(SIGCHLD, Location::caller())?),
        };
        listening.came();
        match ask() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                listening.wait(cx, Wait::Exit, Location::caller());
                Poll::Pending
            }
            ended => Poll::Ready(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::poll_fn;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;
    use crate::{EventLoop, race, sleep, spawn, yield_now};

    /// Waits for a child by the signal, whether or not there are pidfds.
    async fn ended(child: std::process::Child) -> i32 {
        let (child, ending, mut waiting) =
            (RefCell::new(child), Ending::by_signal().unwrap(), Waiting::default());
        let status = poll_fn(|cx| ending.poll(cx, &mut waiting, || child.borrow_mut().try_wait())).await;
        status.unwrap().code().unwrap()
    }

    fn shell(line: &str) -> std::process::Child {
        Command::new("sh").args(["-c", line]).stdin(Stdio::piped()).spawn().unwrap()
    }

    #[test]
    fn without_a_pidfd_the_signal_tells_of_the_end() {
        EventLoop::builder().virtual_time().build().unwrap().run_until_complete(async {
            let waits: Vec<_> = (0..20).map(|code| spawn(ended(shell(&format!("exit {code}"))))).collect();
            for (code, wait) in waits.into_iter().enumerate() {
                assert_eq!(wait.await.unwrap(), code as i32);
            }
        });
    }

    #[test]
    fn without_a_pidfd_a_wait_keeps_virtual_time_from_jumping_until_it_is_given_up() {
        EventLoop::builder().virtual_time().build().unwrap().run_until_complete(async {
            let mut child = shell("read x; exit 4");
            let stdin = child.stdin.take();
            let given_up = spawn(ended(shell("read x")));
            yield_now().await;
            given_up.cancel();
            assert!(given_up.await.unwrap_err().is_cancelled());
            sleep(Duration::from_secs(3600)).await; // or this test takes an hour
            drop(stdin);
            let late = sleep(Duration::from_secs(3600));
            assert_eq!(
                race(ended(child), async {
                    late.await;
                    0
                })
                .await
                .into_inner(),
                4
            );
        });
    }
}
