//! Chapter 1, part 4: what is on the stack, and to which lines it belongs.
//!
//! ```text
//!   innermost   the library that walks the stack, and this file     ┐ oneloop's own: left out
//!               Sleep::poll                      src/sleep.rs       ┘
//!               async fn fetch                   app/fetch.rs:41    ┐ the user's: these are kept
//!               async block                      app/main.rs:12     ┘
//!               Cell::poll, State::poll          src/task.rs …        oneloop's own again
//!   ─────────── where the poll began ───────────────────────────────────────────────────────────
//!   outermost   run, main                                             not looked at
//! ```
//!
//! Whose a line is shows in the path of its file. The compiler gives paths as they are on the disk, while places, which
//! come from the compiler too, are relative to the workspace. How much of a path is the workspace's is learned from lines
//! that are known in both forms: one in this file, and the innermost `.await`.
//!
//! Before: `trace/frames.rs`. Next: `trace/event.rs`, what can happen.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::trace::who::{Place, Site};

/// The most frames of one stack that are looked at, the innermost.
const MOST: usize = 512;

/// Notes what is on the stack, down to the frame that lies at `root`.
#[inline(never)]
pub(super) fn note(addresses: &mut Vec<usize>, root: usize) {
    addresses.clear();
    backtrace::trace(|frame| {
        addresses.push(frame.ip().addr());
        // Stacks grow downwards.
        frame.sp().addr() <= root && addresses.len() < MOST
    });
}

/// The lines of some addresses, the innermost first, as places, the outermost first. `site` is the innermost `.await`.
pub(super) fn places(addresses: &[usize], site: Option<Site>) -> Vec<Place> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    let lines: Vec<Line> = addresses.iter().flat_map(|address| known.lines(*address)).collect();
    known.learn(&lines, site);
    let of = |whose: Whose| -> Vec<Place> {
        lines.iter().filter(|line| known.whose(line) == whose).map(|line| known.place(line)).collect()
    };
    let own = of(Whose::User);
    let mut places = if own.is_empty() { of(Whose::Library) } else { own };
    // An async function and what the compiler makes of it are two frames on the same line.
    places.dedup_by_key(|place| (place.file, place.line));
    if let (Some(first), Some(site)) = (places.first_mut(), site.map(Place::from))
        && (first.file, first.line) == (site.file, site.line)
    {
        *first = site;
    }
    places.reverse();
    places
}

/// What was looked up by now.
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// A line of the source, with the path of its file as it is on the disk.
#[derive(Clone, Copy)]
struct Line {
    path: &'static str,
    line: u32,
    column: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    User,
    /// Another crate's, from a registry or a repository.
    Library,
    /// oneloop's, or the standard library's.
    Ours,
}

/// The lines of addresses, and what is known of paths. It grows with the program's code, and not with its running time.
#[derive(Default)]
struct Known {
    /// The innermost first: a function that was put into another one is at the same address.
    lines: HashMap<usize, Box<[Line]>>,
    paths: HashSet<&'static str>,
    /// Folders that places are relative to, each with a slash at its end.
    roots: Vec<&'static str>,
    /// The folder of oneloop's sources, with a slash at its end; empty: not known yet.
    ours: &'static str,
}

impl Known {
    fn lines(&mut self, address: usize) -> Vec<Line> {
        if let Some(lines) = self.lines.get(&address) {
            return lines.to_vec();
        }
        let mut lines = Vec::new();
        backtrace::resolve(std::ptr::without_provenance_mut(address), |symbol| {
            let path = symbol.filename().and_then(|path| path.to_str());
            if let (Some(path), Some(line)) = (path, symbol.lineno().filter(|line| *line > 0)) {
                let path = self.lasting(path);
                lines.push(Line { path, line, column: symbol.colno().unwrap_or(0) });
            }
        });
        self.lines.insert(address, lines.as_slice().into());
        lines
    }

    fn lasting(&mut self, path: &str) -> &'static str {
        if let Some(known) = self.paths.get(path) {
            return known;
        }
        let path: &'static str = Box::leak(path.into());
        self.paths.insert(path);
        path
    }

    /// Learns from lines that are known in both forms what paths begin with.
    fn learn(&mut self, lines: &[Line], site: Option<Site>) {
        const HERE: &str = "trace/frames/stack.rs";
        if self.ours.is_empty()
            && let Some(path) = lines.iter().map(|line| line.path).find(|path| path.ends_with(file!()))
        {
            self.ours = path.strip_suffix(HERE).unwrap_or_default();
            self.add_root(path, file!());
        }
        let site = site.filter(|site| !site.file().starts_with('/'));
        let awaited = site.and_then(|site| {
            let is_it = |line: &&Line| line.line == site.line() && line.path.ends_with(site.file());
            Some((lines.iter().find(is_it)?.path, site.file()))
        });
        if let Some((path, file)) = awaited {
            self.add_root(path, file);
        }
    }

    fn add_root(&mut self, path: &'static str, file: &str) {
        let root = path.strip_suffix(file).unwrap_or_default();
        if root.ends_with('/') && !self.roots.contains(&root) {
            self.roots.push(root);
        }
    }

    fn whose(&self, line: &Line) -> Whose {
        let path = line.path;
        let standard = path.starts_with("/rustc/") || path.contains("/rustlib/src/");
        if standard || (!self.ours.is_empty() && path.starts_with(self.ours)) {
            return Whose::Ours;
        }
        match path.contains("/registry/src/") || path.contains("/git/checkouts/") {
            true => Whose::Library,
            false => Whose::User,
        }
    }

    fn place(&self, line: &Line) -> Place {
        let Line { path, line, column } = *line;
        let file = self.roots.iter().find_map(|root| path.strip_prefix(root)).unwrap_or(path);
        Place { file, line, column }
    }
}
