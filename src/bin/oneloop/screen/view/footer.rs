//! The last row: the keys that are needed most, or what is typed, or what there is to say.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::{cut, wrap};
use crate::screen::look::{BOLD, DIM, STRONG};
use crate::screen::model::{Letter, Model};
use crate::screen::prompt::Purpose;

/// As many of them as there is room for are shown.
const KEYS: [(&str, &str); 14] = [
    ("?", "help"),
    ("n", "event"),
    ("p", "poll"),
    ("t", "turn"),
    ("N P T", "back"),
    ("c", "go on"),
    (":", "command"),
    ("q", "quit"),
    ("y", "why"),
    ("1-9", "pane"),
    ("/", "search"),
    ("f", "finish the poll"),
    ("o w", "to its poll, wake"),
    ("m '", "bookmarks"),
];

/// How many rows it takes: one, unless a long sentence is to be said.
pub fn height(model: &Model, width: u16) -> u16 {
    const MOST: u16 = 4;
    let area = Rect { x: 0, y: 0, width: width.saturating_sub(2), height: MOST };
    let said = model.message.as_ref().filter(|_| model.prompt.is_none() && model.letter.is_none());
    said.map_or(1, |text| wrap(&mut Buffer::empty(area), area, text, BOLD).max(1))
}

/// Draws it; where the cursor belongs, if something is typed.
pub fn draw(model: &Model, area: Rect, picture: &mut Buffer) -> Option<(u16, u16)> {
    if let Some(prompt) = &model.prompt {
        let sign = if prompt.purpose == Purpose::Search { "/" } else { ":" };
        let before = Line::from(prompt.before()).width();
        // The end of a long line is seen.
        let room = usize::from(area.width.saturating_sub(2));
        let text = prompt.text();
        let hidden = before.saturating_sub(room);
        let seen: String = text.chars().skip(hidden).collect();
        cut(picture, area, 0, vec![Span::styled(sign, STRONG), seen.into()].into());
        let x = u16::try_from(before - hidden).unwrap_or(0) + 1;
        return Some(((area.x + x).min(area.right() - 1), area.y));
    }
    let letter = model.letter.map(|letter| match letter {
        Letter::SetMark => "Which letter is the bookmark to have?",
        Letter::GoToMark => "To which bookmark?",
    });
    if let Some(text) = letter.or(model.message.as_deref()) {
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        wrap(picture, inner, text, BOLD);
        return None;
    }
    let mut spans: Vec<Span> = Vec::new();
    let mut width = 0;
    for (key, does) in KEYS {
        let more = key.len() + does.len() + 3;
        if width + more > usize::from(area.width) + 1 {
            break;
        }
        width += more;
        spans.extend([Span::styled(format!(" {key} "), STRONG), Span::styled(format!("{does} "), DIM)]);
    }
    cut(picture, area, 0, spans.into());
    None
}
