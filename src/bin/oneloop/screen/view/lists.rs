//! The ready queue, the sources of I/O, the blocking pool and the locks: one line for each thing, as line mode says it.

use oneloop::trace::JobId;
use oneloop::trace::fold::JobStand;
use oneloop::trace::narrate::plain;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::{cut, list};
use crate::screen::look::{BOLD, DIM, PLAIN};
use crate::screen::model::{Model, Pane};
use crate::screen::scene::Scene;
use crate::session::things;

/// The most lines of a list.
const MOST: usize = 500;

fn nothing(picture: &mut Buffer, area: Rect, text: &'static str) {
    cut(picture, area, 0, Span::styled(text, DIM).into());
}

/// The next one first.
pub fn ready(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let world = scene.world();
    if world.ready.is_empty() {
        return nothing(picture, area, "  empty");
    }
    let lines = world.ready.iter().take(MOST).enumerate().map(|(index, entry)| {
        let style = if index == 0 { BOLD } else { PLAIN };
        Line::from(Span::styled(format!(" {}. {}", index + 1, things::ready(entry, world)), style))
    });
    list(picture, area, lines.collect(), model.moved(Pane::Ready));
}

pub fn io(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let world = scene.world();
    if world.sources.is_empty() {
        return nothing(picture, area, "  no source");
    }
    let lines = world.sources.iter().take(MOST).map(|(id, source)| {
        let waits = source.waits.iter().map(|(wait, by)| format!("{} for {wait}", things::who(by, world)));
        let waits = waits.collect::<Vec<_>>().join(", ");
        let closed = if source.closed { " (closed)" } else { "" };
        let head = format!(" {} {}{closed}  ", id.0, source.what);
        let waits = if waits.is_empty() { "nobody waits".into() } else { waits };
        Line::from(vec![Span::styled(head, PLAIN), Span::styled(waits, DIM)])
    });
    list(picture, area, lines.collect(), model.moved(Pane::Io));
}

/// Each thread with its job, and then what waits: for a thread, or to be taken.
pub fn pool(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let world = scene.world();
    if world.threads.is_empty() && world.jobs.is_empty() {
        return nothing(picture, area, "  no thread, no job");
    }
    let who = |job: &JobId| match world.jobs.get(job) {
        Some(known) => format!("{job} of {}", things::who(&known.by, world)),
        None => job.to_string(),
    };
    let threads = world.threads.iter().take(MOST).map(|(name, job)| {
        let at = job.map_or("idle".into(), |job| who(&job));
        let name = plain(name.strip_prefix("oneloop-").unwrap_or(name));
        Line::from(vec![Span::raw(format!(" {name}  ")), Span::styled(at, DIM)])
    });
    let at_work = |job: &JobId| world.threads.values().any(|at| *at == Some(*job));
    let jobs = world.jobs.iter().filter(|(id, _)| !at_work(id)).take(MOST).map(|(id, job)| {
        let how = match &job.stand {
            JobStand::Queued => "queued",
            JobStand::Running(_) => "running",
            _ => "ended, not taken yet",
        };
        let nobody = if job.abandoned { ", nobody waits" } else { "" };
        Line::from(vec![Span::raw(format!(" {}  ", who(id))), Span::styled(format!("{how}{nobody}"), DIM)])
    });
    list(picture, area, threads.chain(jobs).collect(), model.moved(Pane::Pool));
}

/// What is held or waited for: who holds it, and who waits, the next one first.
pub fn locks(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let world = scene.world();
    if world.lines.is_empty() {
        return nothing(picture, area, "  nothing is held");
    }
    let lines = world.lines.iter().take(MOST).map(|(id, line)| {
        let holders = line.holders.iter().take(MOST).map(|by| things::who(by, world)).collect::<Vec<_>>();
        let waiters = line.in_order().into_iter().take(MOST).map(|waiter| {
            let granted = if waiter.granted.is_some() { " (granted)" } else { "" };
            format!("{}{granted}", things::who(&waiter.by, world))
        });
        let parts = [("held by ", holders), ("waited for by ", waiters.collect())];
        let parts = parts.into_iter().filter(|(_, who)| !who.is_empty());
        let facts = parts.map(|(how, who)| how.to_owned() + &who.join(", ")).collect::<Vec<_>>().join("; ");
        let head = format!(" {} {}  ", id.0, things::sort(line));
        Line::from(vec![Span::raw(head), Span::styled(facts, DIM)])
    });
    list(picture, area, lines.collect(), model.moved(Pane::Locks));
}
