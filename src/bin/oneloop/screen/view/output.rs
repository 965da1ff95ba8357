//! What the program has written up to the moment that is looked at, the latest at the bottom.

use oneloop::trace::narrate::plain;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::canvas::{cut, shifted};
use crate::screen::look::{ACCENT, DIM, PLAIN};
use crate::screen::model::{Model, Pane};
use crate::screen::scene::Scene;

/// The most pieces that are looked at for the last lines.
const PIECES: usize = 2_000;

pub fn draw(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let at = scene.history.at();
    let end = scene.written.partition_point(|written| written.after <= at);
    let pieces = &scene.written[end.saturating_sub(PIECES)..end];
    // Standard error is marked by a sign and a word, not by a colour alone. What was written since the event before is
    // strong.
    let lines: Vec<(bool, bool, &str)> = pieces
        .iter()
        .flat_map(|piece| {
            let new = piece.after == at || piece.after + 1 == at;
            piece.text.lines().map(move |line| (piece.stderr, new, line))
        })
        .collect();
    if lines.is_empty() {
        return cut(picture, area, 0, Span::styled("  nothing so far", DIM).into());
    }
    let rows = usize::from(area.height);
    let last = shifted(lines.len(), model.moved(Pane::Output), rows.min(lines.len()), lines.len());
    let shown = &lines[last.saturating_sub(rows)..last];
    for (row, (stderr, new, text)) in (0..area.height).zip(shown) {
        let mark = if *stderr { " error │ " } else { "output │ " };
        let style = if *new { ACCENT } else { PLAIN };
        // What moves the cursor back, as a spinner does, has only its last state.
        let text = text.rsplit('\r').find(|text| !text.is_empty()).unwrap_or("");
        cut(picture, area, row, vec![Span::styled(mark, DIM), Span::styled(plain(text), style)].into());
    }
}
