//! The ready queue, the sources of I/O and the blocking pool: one line for each thing, as line mode says it.

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
    let sources = world.sources.iter().take(MOST);
    let lines = sources.map(|(id, source)| Line::from(format!(" {}", things::source(*id, source, world))));
    list(picture, area, lines.collect(), model.moved(Pane::Io));
}

pub fn pool(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let world = scene.world();
    if world.threads.is_empty() && world.jobs.is_empty() {
        return nothing(picture, area, "  no thread, no job");
    }
    let threads = world.threads.iter().take(MOST).map(|(name, job)| {
        let at = job.map_or("idle".into(), |job| format!("at {job}"));
        Line::from(format!(" thread {}: {at}", plain(name)))
    });
    let jobs = world.jobs.iter().take(MOST);
    let jobs = jobs.map(|(id, job)| Line::from(format!(" {}", things::job(*id, job, world))));
    list(picture, area, threads.chain(jobs).collect(), model.moved(Pane::Pool));
}
