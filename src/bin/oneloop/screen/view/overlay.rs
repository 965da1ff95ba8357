//! Text over the screen: the help, and what commands have to say.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::cut;
use crate::screen::keys::{Binding, GROUPS};
use crate::screen::look::{BOLD, DIM, PLAIN, STRONG};
use crate::screen::model::{Model, Overlay};
use crate::screen::scene::Scene;

pub fn draw(scene: &Scene, model: &Model, screen: Rect, picture: &mut Buffer) {
    let (title, lines) = match &model.overlay {
        None => return,
        Some(Overlay::Help) => ("Keys", help(scene, screen.width.saturating_sub(6))),
        Some(Overlay::Said(lines)) => ("", said(lines, screen.width.saturating_sub(6))),
    };
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let width = u16::try_from(widest).unwrap_or(screen.width).saturating_add(4).max(36).min(screen.width - 2);
    let most = screen.height.saturating_sub(2);
    let height = u16::try_from(lines.len()).unwrap_or(most).saturating_add(2).min(most);
    let (x, y) = (screen.x + (screen.width - width) / 2, screen.y + (screen.height - height) / 2);
    let area = Rect { x, y, width, height };
    border(area, title, picture);
    let inner = Rect { x: x + 2, y: y + 1, width: width - 4, height: height - 2 };
    let rows = usize::from(inner.height);
    let first = model.top.get().min(lines.len().saturating_sub(rows));
    model.top.set(first);
    let rest = lines.len().saturating_sub(first + rows);
    for (row, line) in (0..inner.height).zip(lines.into_iter().skip(first)) {
        cut(picture, inner, row, line);
    }
    let foot = match (first, rest) {
        (0, 0) => " Esc closes ".to_owned(),
        (_, 0) => " ↑ · Esc closes ".to_owned(),
        (_, rest) => format!(" ↓ {rest} more · PgDn · Esc closes "),
    };
    let bottom = Rect { x: x + 2, y: area.bottom() - 1, width: width - 4, height: 1 };
    cut(picture, bottom, 0, Span::styled(foot, DIM).into());
}

/// An empty box.
fn border(area: Rect, title: &str, picture: &mut Buffer) {
    let inside = usize::from(area.width - 2);
    let title = if title.is_empty() { String::new() } else { format!(" {title} ") };
    for y in area.y..area.bottom() {
        let (left, middle, right) = match y {
            y if y == area.y => ("┌", "─", "┐"),
            y if y + 1 == area.bottom() => ("└", "─", "┘"),
            _ => ("│", " ", "│"),
        };
        let row = format!("{left}{}{right}", middle.repeat(inside));
        for x in area.x..area.right() {
            picture[(x, y)].reset();
        }
        picture.set_string(area.x, y, row, DIM);
    }
    picture.set_string(area.x + 2, area.y, title, BOLD);
}

/// All keys, in two columns where there is room.
fn help(scene: &Scene, width: u16) -> Vec<Line<'static>> {
    let groups = GROUPS.iter().filter(|(title, _)| scene.is_program || *title != "What if");
    let group = |title: &'static str, bindings: &'static [Binding]| -> Vec<Line<'static>> {
        let bindings = bindings.iter().map(|binding| -> Line {
            let keys = Span::styled(format!("{:>6}  ", binding.shown), STRONG);
            vec![keys, Span::styled(binding.does, PLAIN)].into()
        });
        std::iter::once(Line::from(Span::styled(format!("  {title}"), BOLD))).chain(bindings).collect()
    };
    let mut columns: [Vec<Line>; 2] = Default::default();
    let groups: Vec<_> = groups.collect();
    for (index, (title, bindings)) in groups.into_iter().enumerate() {
        let column = usize::from(width >= 74 && index % 2 == 1);
        let column = &mut columns[column];
        if !column.is_empty() {
            column.push(Line::default());
        }
        column.extend(group(title, bindings));
    }
    let [left, right] = columns;
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let rows = (0..rows).map(|_| {
        let mut line = left.next().unwrap_or_default();
        if let Some(other) = right.next() {
            let gap = 38_usize.saturating_sub(line.width());
            line.spans.push(" ".repeat(gap).into());
            line.spans.extend(other.spans);
        }
        line
    });
    let mut lines: Vec<Line> = rows.collect();
    let signs = "▶ just ran  ▷ is next  ● runs  ◐ is ready  ○ waits";
    lines.extend([Line::default(), Span::styled(format!("  {signs}"), DIM).into()]);
    lines
}

/// Lines that are longer than the screen go on in the next one.
fn said(lines: &[String], width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width).max(20);
    let mut rows: Vec<Line> = Vec::new();
    for line in lines {
        let indent: String = line.chars().take_while(|next| *next == ' ').take(width / 2).collect();
        let mut row = String::new();
        for word in line.split_inclusive(' ') {
            if row.chars().count() + word.trim_end().chars().count() > width && !row.trim().is_empty() {
                rows.push(std::mem::replace(&mut row, format!("{indent}  ")).into());
            }
            row.push_str(word);
        }
        rows.push(row.into());
    }
    rows
}
