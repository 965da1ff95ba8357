//! The selected task: its states, what it waits for, and its story around the moment that is looked at.

use oneloop::trace::TaskId;
use oneloop::trace::narrate::{capital, span};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::{cut, shifted, wrap};
use super::machine::{self, Standing};
use crate::screen::look::{DIM, PLAIN, STRONG};
use crate::screen::model::{Model, Pane};
use crate::screen::scene::Scene;
use crate::session::places::find;
use crate::session::things;

pub fn title(scene: &Scene, model: &Model) -> String {
    match model.task(scene) {
        Some(task) => {
            let follows = if model.selected.is_none() { "" } else { ", selected" };
            format!("{}{follows}", capital(&things::task_name(task, scene.world())))
        }
        None => "Task".into(),
    }
}

pub fn draw(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let Some(task) = model.task(scene) else {
        return cut(picture, area, 0, Span::styled("  No task is known yet.", DIM).into());
    };
    let (_, rows) = machine::SIZE;
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    machine::draw(&standing(scene, task), scene.edge(task), inner, picture);
    let mut rest = below(inner, rows);
    for (depth, line) in scene.chain(task).iter().enumerate() {
        if rest.height == 0 {
            return;
        }
        let indent = 2 * u16::try_from(depth).unwrap_or(0).min(4);
        let sign = if depth == 0 { "" } else { "└ " };
        let place = Rect { x: rest.x + indent, width: rest.width.saturating_sub(indent), ..rest };
        let place = Rect { height: place.height.min(2), ..place };
        let used = wrap(picture, place, &format!("{sign}{line}"), PLAIN);
        rest = below(rest, used);
    }
    if rest.height > 1 {
        story(scene, model, task, rest, picture);
    }
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

fn standing<'a>(scene: &Scene<'a>, task: TaskId) -> Standing<'a> {
    match (scene.task(task), scene.now(), scene.index.story(task).first()) {
        (Some(task), ..) => Standing::Alive(task),
        (None, Some(now), Some(first)) if *first <= now.seq => Standing::After,
        _ => Standing::Before,
    }
}

/// What happened to it: as much as there is room for around now.
fn story(scene: &Scene, model: &Model, task: TaskId, area: Rect, picture: &mut Buffer) {
    let story = scene.index.story(task);
    let Some(now) = scene.now() else { return };
    let passed = story.partition_point(|seq| *seq <= now.seq);
    let rows = usize::from(area.height);
    // Where there is more to come, two rows for it.
    let behind = (story.len() - passed).min(2).min(rows / 3);
    let least = rows.min(story.len());
    let end = shifted((passed + behind).max(least), model.moved(Pane::Task), least, story.len());
    let start = end.saturating_sub(rows);
    for (row, seq) in (0..area.height).zip(&story[start..end]) {
        let Some(event) = find(scene.history, *seq) else { continue };
        let (sign, style) = match seq.cmp(&now.seq) {
            std::cmp::Ordering::Less => (" ", PLAIN),
            std::cmp::Ordering::Equal => ("▶", STRONG),
            std::cmp::Ordering::Greater => (" ", DIM),
        };
        let time = match area.width {
            50.. => format!("{seq:>5} {:>8}  ", span(event.time)),
            _ => format!("{seq:>4} "),
        };
        let sentence = scene.sentence(event);
        let line = vec![Span::styled(sign, style), Span::styled(time, DIM), Span::styled(sentence, style)];
        cut(picture, area, row, Line::from(line));
    }
}
