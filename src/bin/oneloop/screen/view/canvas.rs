//! Lines of text, cut where there is no more room, and the frames of panes.

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::screen::look::{BOLD, DIM, STRONG};

/// Writes a line in a row of an area; what does not fit ends with a sign that there is more.
pub fn cut(picture: &mut Buffer, area: Rect, row: u16, line: Line) {
    if row >= area.height || area.width == 0 {
        return;
    }
    let (x, y) = (area.x, area.y + row);
    picture.set_line(x, y, &line, area.width);
    if line.width() > usize::from(area.width) {
        picture.set_string(x + area.width - 1, y, "…", DIM);
    }
}

/// Writes text in as many rows as it takes, but no more than there are; returns how many it took.
pub fn wrap(picture: &mut Buffer, area: Rect, text: &str, style: ratatui::style::Style) -> u16 {
    let mut rows: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let row = rows.last_mut().expect("there is one");
        let length = row.chars().count() + 1 + word.chars().count();
        if row.is_empty() {
            row.push_str(word);
        } else if length <= usize::from(area.width) || rows.len() == usize::from(area.height) {
            let row = rows.last_mut().expect("there is one");
            row.push(' ');
            row.push_str(word);
        } else {
            rows.push(word.to_owned());
        }
    }
    for (index, row) in (0..area.height).zip(&rows) {
        cut(picture, area, index, Span::styled(row.as_str(), style).into());
    }
    u16::try_from(rows.len()).unwrap_or(area.height).min(area.height)
}

/// What stands in the upper line of a pane.
pub struct Title {
    pub text: String,
    pub lit: bool,
}

/// Whether the titles are those of one pane, or of several that share a place.
#[derive(Clone, Copy, PartialEq)]
pub enum Frame {
    Alone,
    Tabs,
}

/// Draws the upper line of a pane; returns what is below it.
pub fn frame(picture: &mut Buffer, area: Rect, titles: &[Title], frame: Frame) -> Rect {
    // Several need all the room there is.
    let mut spans = if frame == Frame::Alone { vec![Span::styled("─ ", DIM)] } else { Vec::new() };
    for title in titles {
        let style = match (title.lit, frame) {
            (true, _) => STRONG,
            (false, Frame::Alone) => BOLD,
            (false, Frame::Tabs) => DIM,
        };
        // The chosen one is seen without colours too.
        let text = match (title.lit, frame) {
            (true, Frame::Tabs) => format!("›{} ", title.text),
            _ => format!("{} ", title.text),
        };
        spans.push(Span::styled(text, style));
    }
    let titles = Line::from(spans);
    let used = u16::try_from(titles.width()).unwrap_or(area.width).min(area.width);
    picture.set_line(area.x, area.y, &titles, area.width);
    // Beside the titles, not below them: styles add up, and they would be dim as well.
    picture.set_string(area.x + used, area.y, "─".repeat(usize::from(area.width - used)), DIM);
    Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
}

/// Draws the line to the left of an area, joined to the lines that it meets.
pub fn divide(picture: &mut Buffer, area: Rect) {
    let Some(x) = area.x.checked_sub(1) else { return };
    let has = |picture: &Buffer, x: Option<u16>, y: u16| {
        let cell = x.and_then(|x| picture.cell((x, y)));
        cell.is_some_and(|cell| matches!(cell.symbol(), "─" | "┬" | "┴" | "┼" | "├" | "┤"))
    };
    for y in area.y..area.bottom() {
        let (left, right) = (has(picture, x.checked_sub(1), y), has(picture, Some(x + 1), y));
        let first = y == area.y;
        // Another line may end here.
        let above = first.then(|| y.checked_sub(1)).flatten().and_then(|y| picture.cell((x, y)));
        let above = above.is_some_and(|cell| cell.symbol() == "│");
        let sign = match (left, right) {
            _ if first && (left || right) && !above => "┬",
            (true, true) => "┼",
            (true, false) => "┤",
            (false, true) => "├",
            (false, false) => "│",
        };
        picture.set_string(x, y, sign, DIM);
    }
    if has(picture, Some(x), area.bottom()) {
        picture.set_string(x, area.bottom(), "┴", DIM);
    }
}

/// Which of `length` lines is the first to be seen in so many rows, if this one is to be, moved by so much.
pub fn top(length: usize, rows: u16, wanted: usize, moved: &Cell<isize>) -> usize {
    let rows = usize::from(rows);
    let most = length.saturating_sub(rows);
    // A third of the rows before it, so that it is seen what comes.
    let by_itself = wanted.saturating_sub(rows / 3).min(most);
    shifted(by_itself, moved, 0, most)
}

/// Where a move from there leads, between these two. Of one that goes beyond them no more is kept than can be seen.
pub fn shifted(from: usize, moved: &Cell<isize>, least: usize, most: usize) -> usize {
    let to = from.saturating_add_signed(moved.get()).clamp(least, most);
    moved.set(to.cast_signed() - from.cast_signed());
    to
}

/// Draws those of the lines that fit, from the one that is moved to.
pub fn list(picture: &mut Buffer, area: Rect, lines: Vec<Line>, moved: &Cell<isize>) {
    let (length, rows) = (lines.len(), usize::from(area.height));
    let first = top(length, area.height, 0, moved);
    for (row, line) in (0..area.height).zip(lines.into_iter().skip(first)) {
        cut(picture, area, row, line);
    }
    let rest = length.saturating_sub(first + rows);
    if rest > 0 && area.height > 1 {
        more(picture, area, rest + 1);
    }
}

/// Says in the last row how many there are beside those that are seen.
pub fn more(picture: &mut Buffer, area: Rect, rest: usize) {
    let row = area.height - 1;
    picture.set_string(area.x, area.y + row, " ".repeat(usize::from(area.width)), DIM);
    cut(picture, area, row, Span::styled(format!("  … {rest} more (v)"), DIM).into());
}
