//! The picture: everything that is to be seen, with a place for each thing that stays the same.
//!
//! ```text
//!   80 × 24                              120 × 40
//!   ┌────────────────────────────────┐   ┌──────────────────────────────────────────────┐
//!   │ what just happened, and next   │   │ what just happened, and next                 │
//!   ├─────────────────┬──────────────┤   ├──────────────────────┬───────────────────────┤
//!   │ source          │ tasks, ready,│   │ source               │ tasks                 │
//!   │                 │ timers, I/O, │   │                      ├───────────────────────┤
//!   │                 │ pool, locks, │   │                      │ ready                 │
//!   │                 │ task:        │   ├──────────────────────┼───────────────────────┤
//!   │                 │ one of them  │   │ the selected task    │ timers                │
//!   ├─────────────────┴──────────────┤   │                      ├───────────┬───────────┤
//!   │ output                         │   │                      │ I/O       │ pool      │
//!   └────────────────────────────────┘   │                      ├───────────┼───────────┤
//!     keys                               │                      │ output    │ locks     │
//!                                        └──────────────────────┴───────────┴───────────┘
//! ```

mod canvas;
mod header;
mod source;
mod tasks;
mod wheel;
mod lists;
mod machine;
mod task;
mod output;
mod overlay;
mod footer;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::canvas::{Frame, Title, cut, frame};
use super::look::Look;
use super::model::{Model, PANES, Pane, TABS};
use super::scene::Scene;

/// The smallest screen that something can be seen on.
const LEAST: (u16, u16) = (40, 12);

/// The smallest screen with room for all panes.
const ALL: (u16, u16) = (100, 36);

/// Draws everything; returns where the cursor belongs, if there is one.
pub fn draw(scene: &Scene, model: &Model, look: Look, picture: &mut Buffer) -> Option<(u16, u16)> {
    let area = picture.area;
    if area.width < LEAST.0 || area.height < LEAST.1 {
        cut(picture, area, 0, format!("oneloop needs {} × {} letters.", LEAST.0, LEAST.1).into());
        look.reduce(picture);
        return None;
    }
    let (head, rest) = split_rows(area, header::HEIGHT);
    let (body, foot) = split_rows(rest, rest.height - footer::height(model, area.width));
    header::draw(scene, head, picture);
    match area.width >= ALL.0 && area.height >= ALL.1 {
        true => all(scene, model, body, picture),
        false => some(scene, model, body, picture),
    }
    let cursor = footer::draw(model, foot, picture);
    overlay::draw(scene, model, area, picture);
    look.reduce(picture);
    cursor
}

/// Every pane in a place of its own.
fn all(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let (left, right) = split_columns(area, area.width / 2);
    let (source, task) = split_rows(left, left.height * 11 / 20);
    let unit = right.height / 5;
    let (tasks, rest) = split_rows(right, unit + right.height % 5);
    let (ready, rest) = split_rows(rest, unit);
    let (timers, rest) = split_rows(rest, unit);
    let (waits, last) = split_rows(rest, unit);
    let (io, pool) = split_columns(waits, waits.width / 2);
    let (output, locks) = split_columns(last, last.width / 2);
    let places = [tasks, ready, timers, io, pool, locks, task, source, output];
    for (pane, place) in PANES.into_iter().zip(places) {
        let title = title(scene, model, pane);
        let inner = frame(picture, place, &[Title { text: title, lit: pane == model.pane }], Frame::Alone);
        inside(scene, model, pane, inner, picture);
    }
    canvas::divide(picture, right);
    canvas::divide(picture, pool);
    canvas::divide(picture, locks);
}

/// Source and output, and of the others the one that is chosen.
fn some(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let (upper, output) = split_rows(area, area.height - (area.height / 4).clamp(3, 9));
    let (source, side) = split_columns(upper, upper.width / 2);
    for (pane, place) in [(Pane::Source, source), (Pane::Output, output)] {
        let title = title(scene, model, pane);
        let inner = frame(picture, place, &[Title { text: title, lit: pane == model.pane }], Frame::Alone);
        inside(scene, model, pane, inner, picture);
    }
    let tabs = &PANES[..TABS];
    let chosen = model.tab;
    let titles = tabs.iter().map(|pane| Title { text: pane.title().into(), lit: *pane == chosen });
    let inner = frame(picture, side, &titles.collect::<Vec<_>>(), Frame::Tabs);
    inside(scene, model, chosen, inner, picture);
    canvas::divide(picture, side);
}

/// What a pane is called, with how much there is in it.
fn title(scene: &Scene, model: &Model, pane: Pane) -> String {
    let world = scene.world();
    let count = |number: usize| if number == 0 { String::new() } else { format!(" {number}") };
    match pane {
        Pane::Tasks => tasks::title(scene),
        Pane::Ready => format!("Ready queue{}", count(world.ready.len())),
        Pane::Timers => format!("Timer wheel{}", count(world.timers.len())),
        Pane::Io => format!("I/O{}", count(world.sources.len())),
        Pane::Pool => format!("Blocking pool{}", count(world.jobs.len())),
        Pane::Locks => format!("Locks{}", count(world.lines.len())),
        Pane::Task => task::title(scene, model),
        Pane::Source => source::title(scene),
        Pane::Output => "Output of the program".into(),
    }
}

fn inside(scene: &Scene, model: &Model, pane: Pane, area: Rect, picture: &mut Buffer) {
    match pane {
        Pane::Tasks => tasks::draw(scene, model, area, picture),
        Pane::Ready => lists::ready(scene, model, area, picture),
        Pane::Timers => wheel::draw(scene, model, area, picture),
        Pane::Io => lists::io(scene, model, area, picture),
        Pane::Pool => lists::pool(scene, model, area, picture),
        Pane::Locks => lists::locks(scene, model, area, picture),
        Pane::Task => task::draw(scene, model, area, picture),
        Pane::Source => source::draw(scene, model, area, picture),
        Pane::Output => output::draw(scene, model, area, picture),
    }
}

/// The first so many rows, and the others.
fn split_rows(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let upper = Rect { height: rows, ..area };
    (upper, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

/// The first so many columns, and the others, with one between them for a line.
fn split_columns(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width.saturating_sub(1));
    let left = Rect { width: columns, ..area };
    (left, Rect { x: area.x + columns + 1, width: area.width - columns - 1, ..area })
}
