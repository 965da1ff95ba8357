//! Chapter 35, part 35: a running program says how its tasks stand.
//!
//! A thread of its own waits at a socket; when somebody asks, it sends the question to the loop, as any thread
//! may (`remote.rs`). The loop answers in its next turn, between two polls. A program that nobody asks pays for one
//! thread that sleeps.
//!
//! ```text
//!   oneloop tree 4711 ── tasks ──▶ thread ── call ──▶ loop: State::standings
//!                     ◀── one line of JSON a task ───────┘
//! ```
//!
//! The socket is `PID.sock` in a folder that only its owner may enter: `oneloop` in `$XDG_RUNTIME_DIR`, or else
//! `oneloop-UID` in the folder for temporary files. It is removed when the loop is closed.
//!
//! A loop that does not come round, since one poll holds it up, cannot answer; the thread then says that, and which poll it
//! is, as the watchdog has seen it.
//!
//! Before: `trace/live/step.rs`. Next: `trace/read.rs`.

use std::fs::{DirBuilder, Permissions, remove_file, set_permissions, symlink_metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crate::current;
use crate::sent::{RemoteQueue, Sent};
use crate::state::{Standing, State};
use crate::trace::event::Place;
use crate::trace::record::json;
use crate::trace::watchdog::Pulse;
use crate::wake::this_thread;

/// The question there is, with the end of its line.
const QUESTION: &[u8] = b"tasks\n";

/// How long whoever connects may take to ask, and to read.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it is waited where nobody can be let in.
const RETRY: Duration = Duration::from_millis(10);

/// How long the loop may take to come round.
const TURN: Duration = Duration::from_secs(2);

/// The most tasks that are told of one by one.
const MAX_TASKS: usize = 100_000;

/// The most characters of a name.
const MAX_NAME: usize = 200;

/// A socket at which a loop can be asked. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Attach {
    path: PathBuf,
    over: Arc<AtomicBool>,
}

impl Attach {
    /// Opens the socket of this process, to answer for the loop that owns `remote`.
    ///
    /// # Errors
    /// If the folder belongs to somebody else or is open to others, and what the operating system says.
    pub(crate) fn listen(remote: &Arc<RemoteQueue>, pulse: Arc<Pulse>) -> io::Result<Attach> {
        let path = folder()?.join(format!("{}.sock", std::process::id()));
        if UnixStream::connect(&path).is_ok() {
            let text = format!("another loop of this program answers at {} already", path.display());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
        // Left by a process that had the same number and was killed.
        let _ = remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        let attach = Attach { path, over: Arc::default() };
        set_permissions(&attach.path, Permissions::from_mode(0o600))?;
        let (remote, over) = (Arc::downgrade(remote), Arc::clone(&attach.over));
        let serve = move || serve(&listener, &remote, &pulse, &over);
        thread::Builder::new().name("oneloop-attach".into()).spawn(serve)?;
        Ok(attach)
    }
}

impl Drop for Attach {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // The thread waits in `accept`; this is what it waits for.
        let _ = UnixStream::connect(&self.path);
        let _ = remove_file(&self.path);
    }
}

/// The folder of the sockets, made if need be. Whoever may write into it could put up a socket of their own.
fn folder() -> io::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let folder = match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        Some(runtime) => Path::new(&runtime).join("oneloop"),
        None => std::env::temp_dir().join(format!("oneloop-{user}")),
    };
    let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(told(error)),
        _ => {}
    }
    let found = symlink_metadata(&folder).map_err(told)?;
    if !found.is_dir() || found.uid() != user || found.mode() & 0o077 != 0 {
        let text = format!("{} is not a folder that belongs to this user alone", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok(folder)
}

/// Answers one after the other, until it is over.
fn serve(listener: &UnixListener, remote: &Weak<RemoteQueue>, pulse: &Pulse, over: &AtomicBool) {
    loop {
        let connection = listener.accept();
        if over.load(Ordering::Relaxed) {
            return;
        }
        // What fails at once, such as descriptors that ran out, would fail again and again, and nothing tells when it
        // would not.
        if connection.is_err() {
            thread::sleep(RETRY);
        }
        let answered = connection.and_then(|(mut peer, _)| answer(&mut peer, remote, pulse));
        if let Err(error) = answered {
            log::debug!(target: "oneloop", "somebody attached, and was not answered: {error}");
        }
    }
}

fn answer(peer: &mut UnixStream, remote: &Weak<RemoteQueue>, pulse: &Pulse) -> io::Result<()> {
    peer.set_read_timeout(Some(PATIENCE))?;
    peer.set_write_timeout(Some(PATIENCE))?;
    let mut asked = [0; QUESTION.len()];
    peer.read_exact(&mut asked)?;
    if asked != QUESTION {
        return peer.write_all(b"{\"k\":\"error\",\"text\":\"the question there is: tasks\"}\n");
    }
    match ask(remote) {
        Some(lines) => peer.write_all(&lines),
        None => {
            let why = pulse.held_up_by().unwrap_or_else(|| pulse.why_silent().into());
            let mut line = Vec::from(b"{\"k\":\"error\",\"text\":");
            json::string(&mut line, &format!("the loop did not come round for 2 s: {why}"));
            line.extend_from_slice(b"}\n");
            peer.write_all(&line)
        }
    }
}

/// What the loop says; `None`: nothing in time.
fn ask(remote: &Weak<RemoteQueue>) -> Option<Vec<u8>> {
    let (tell, told) = sync_channel(1);
    let question = Box::new(move || drop(tell.try_send(current::with(|state| lines(state)))));
    let remote = remote.upgrade()?;
    let by = remote.is_watched().then(this_thread);
    remote.push(Sent::Call(question, Location::caller(), by)).ok()?;
    drop(remote);
    told.recv_timeout(TURN).ok()
}

/// How all tasks stand, a line each.
fn lines(state: &State) -> Vec<u8> {
    let standings = state.standings();
    let mut lines = Vec::new();
    let _ = writeln!(
        lines,
        r#"{{"k":"tasks","v":1,"t":{},"tasks":{},"jobs":{}}}"#,
        state.moment().as_nanos(),
        standings.len(),
        state.jobs(),
    );
    standings.iter().take(MAX_TASKS).for_each(|standing| line(&mut lines, standing));
    lines
}

fn line(out: &mut Vec<u8>, standing: &Standing) {
    let Standing { task, name, info, .. } = standing;
    let state = match (info.running, info.queued) {
        (true, _) => "running",
        (_, true) => "ready",
        _ => "suspended",
    };
    let name: String = name.chars().take(MAX_NAME).collect();
    let _ = write!(out, r#"{{"k":"task","task":{},"name":"#, task.0);
    json::string(out, &name);
    let _ = write!(out, r#","state":"{state}","cancelled":{}"#, info.cancelled);
    if !info.running && info.suspended_at.is_some() {
        let _ = write!(out, r#","wait":"{}""#, info.wait);
    }
    for (key, site) in [("at", info.suspended_at), ("spawned", Some(info.spawned_at))] {
        if let Some(site) = site {
            let _ = write!(out, r#","{key}":"#);
            place(out, site.into());
        }
    }
    if let Some(frames) = &standing.frames {
        out.extend_from_slice(br#","frames":["#);
        for (index, frame) in frames.places().iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"" } else { b"," });
            place(out, *frame);
        }
        out.push(b']');
    }
    let timers = standing.timers.iter().map(|(timer, left)| format!("[{},{}]", timer.0, left.as_nanos()));
    list(out, "timers", timers);
    list(out, "sources", standing.sources.iter().map(|(source, wait)| format!(r#"[{},"{wait}"]"#, source.0)));
    list(out, "awaits", standing.awaits.iter().map(|task| task.0.to_string()));
    let _ = writeln!(out, r#","outside":{}}}"#, standing.held_outside);
}

fn place(out: &mut Vec<u8>, place: Place) {
    out.push(b'[');
    json::string(out, place.file);
    let _ = write!(out, ",{},{}]", place.line, place.column);
}

fn list(out: &mut Vec<u8>, key: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if !items.is_empty() {
        let _ = write!(out, r#","{key}":[{}]"#, items.join(","));
    }
}
