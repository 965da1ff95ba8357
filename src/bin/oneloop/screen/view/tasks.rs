//! All tasks, each with its state.

use std::ops::Bound;

use oneloop::trace::TaskId;
use oneloop::trace::fold::{Stand, Task};
use oneloop::trace::narrate::{count, plain, span};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::{cut, more};
use crate::screen::look::{BOLD, DIM, PLAIN, STRONG};
use crate::screen::model::Model;
use crate::screen::scene::Scene;

/// Tasks, and how many of them ended.
pub fn title(scene: &Scene) -> String {
    let world = scene.world();
    match world.ended {
        0 => format!("Tasks {}", world.tasks.len()),
        ended => format!("Tasks {}, {ended} ended", world.tasks.len()),
    }
}

/// As many as there is room for, the selected one among them.
pub fn draw(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let tasks = &scene.world().tasks;
    let selected = model.task(scene).unwrap_or(TaskId(0));
    if tasks.is_empty() {
        return cut(picture, area, 0, Span::styled("  No task is alive.", DIM).into());
    }
    let rows = usize::from(area.height);
    let before = tasks.range(..selected).rev().take(rows / 3);
    let mut first = before.last().map_or(selected, |(task, _)| *task);
    if tasks.range(first..).nth(rows.saturating_sub(1)).is_none() {
        // The last ones fill the place.
        first = tasks.keys().nth_back(rows.min(tasks.len()) - 1).copied().unwrap_or(first);
    }
    let digits = tasks.last_key_value().map_or(1, |(task, _)| task.0.to_string().len());
    let wide = area.width >= 50;
    let shown = tasks.range((Bound::Included(first), Bound::Unbounded));
    for (row, (id, task)) in (0..area.height).zip(shown) {
        let line = one(*id, task, *id == selected, digits);
        let facts = Span::styled(if wide { facts(scene, task) } else { String::new() }, DIM);
        let width = u16::try_from(facts.width()).unwrap_or(area.width).min(area.width);
        cut(picture, Rect { width: area.width - width, ..area }, row, line);
        picture.set_span(area.right() - width, area.y + row, &facts, width);
    }
    let rest = tasks.range(first..).skip(rows).take(10_000).count();
    if rest > 0 {
        more(picture, area, rest + 1);
    }
}

fn one(id: TaskId, task: &Task, selected: bool, digits: usize) -> Line<'static> {
    let (sign, style) = match task.stand {
        Stand::Running => ("●", STRONG),
        Stand::Ready => ("◐", PLAIN),
        _ => ("○", PLAIN),
    };
    let numbered = *task.name == *format!("task-{}", id.0);
    let name = if numbered { String::new() } else { format!(" {}", plain(&task.name)) };
    let mut state = match (task.stand, &task.suspended) {
        (Stand::Running, _) => "running".to_owned(),
        (Stand::Ready, _) => "ready".to_owned(),
        (_, Some((wait, at))) => match at {
            Some(at) => format!("{wait} · {}:{}", file_name(at.file), at.line),
            None => wait.to_string(),
        },
        _ => "suspended".to_owned(),
    };
    if task.cancelled {
        state.push_str(", cancelled");
    }
    let head = if selected { BOLD } else { PLAIN };
    vec![
        Span::styled(if selected { "›" } else { " " }, STRONG),
        Span::styled(format!("{sign} "), style),
        Span::styled(format!("{:>digits$}{name}", id.0), head),
        Span::styled(format!("  {state}"), style),
    ]
    .into()
}

/// What else there is room for.
fn facts(scene: &Scene, task: &Task) -> String {
    let since = span(scene.world().time.saturating_sub(task.since));
    format!("  {}, for {since}", count(task.polls as usize, "poll"))
}

/// The last part of a path.
pub fn file_name(path: &str) -> String {
    plain(path.rsplit('/').next().unwrap_or(path))
}
