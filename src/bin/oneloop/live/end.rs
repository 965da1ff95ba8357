//! The end of a program that is stepped or recorded, and of the folder of its socket.

use std::fs::{DirBuilder, remove_dir_all};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

/// The folder of the socket, which only its owner may enter. Dropped, it is gone.
pub struct Folder(pub PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = remove_dir_all(&self.0);
    }
}

impl Folder {
    /// Makes it, where sockets are to be or else where temporary files are.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new() -> io::Result<Folder> {
        let base = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| Path::new(folder).is_dir());
        let base = base.map_or_else(std::env::temp_dir, PathBuf::from);
        for number in 0..100 {
            let folder = base.join(format!("oneloop-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(Folder(folder)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// Where the socket is.
    pub fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }
}

/// How long a program may take to end, when this process is about to be ended itself.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// What can be waited for until a process has ended; `None`: the system has no such thing, and whoever waits has to look now
/// and then.
pub fn ending(child: &Child) -> Option<OwnedFd> {
    #[cfg(target_os = "linux")]
    return rustix::process::pidfd_open(Pid::from_child(child), rustix::process::PidfdFlags::empty()).ok();
    #[cfg(not(target_os = "linux"))]
    return None;
}

/// What is needed to end a program from another thread, when this process is about to be ended itself.
pub struct ToEnd {
    pub pid: u32,
    /// Its end; `None`: it cannot be waited for.
    pub ending: Option<OwnedFd>,
    pub folder: PathBuf,
    /// Whether it has ended by itself.
    pub ended: Arc<AtomicBool>,
}

impl ToEnd {
    /// Ends the program: with a request, and soon after by force.
    pub fn end(&self) {
        // Whoever does not wait for it any more lets it end by itself as well.
        if !self.ended.load(Ordering::Relaxed) {
            signal(self.pid, Signal::TERM);
            let mut ending: Vec<_> = self.ending.iter().map(|end| PollFd::new(end, PollFlags::IN)).collect();
            let _ = poll(&mut ending, Some(&PATIENCE));
            if !self.ended.load(Ordering::Relaxed) {
                signal(self.pid, Signal::KILL);
            }
        }
        let _ = remove_dir_all(&self.folder);
    }
}

/// Sends a signal to a process.
pub fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let _ = pid.map(|pid| kill_process(pid, signal));
}
