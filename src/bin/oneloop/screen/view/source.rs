//! The source, with the line that just ran, the one that is next, and those where tasks wait.
//!
//! ```text
//!   ○1▶  28     sleep(Duration::from_secs(3)).await;
//!   │ │  └ the number of the line
//!   │ └ ▶ just ran, · led to it, ▷ is next
//!   └ task 1 waits here; ○×7: seven tasks do
//! ```

use std::collections::BTreeMap;

use oneloop::trace::fold::Stand;
use oneloop::trace::narrate::plain;
use oneloop::trace::{Place, TaskId};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use super::canvas::{cut, top};
use crate::screen::look::{ACCENT, BOLD, DIM, PLAIN, STRONG};
use crate::screen::model::{Model, Pane};
use crate::screen::scene::Scene;
use crate::session::places::How;

pub fn title(scene: &Scene) -> String {
    let Some(line) = scene.ran() else { return "Source".into() };
    let how = match line.how {
        How::At => "",
        How::CausedBy => " (what led to it)",
        How::Next => " (what is next)",
        How::After => " (where it was last)",
    };
    plain(&format!("{:#}{how}", line.place))
}

pub fn draw(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let Some(ran) = scene.ran() else {
        return cut(picture, area, 0, Span::styled("  No line of the source is known yet.", DIM).into());
    };
    let Some(page) = scene.page else {
        return cut(picture, area, 0, Span::styled("  The file is not found.", DIM).into());
    };
    let next = scene.next().1;
    let waits = waits(scene, ran.place.file);
    let at = (ran.place.line as usize).saturating_sub(1);
    let first = top(page.len(), area.height, at, model.moved(Pane::Source));
    let digits = page.len().to_string().len();
    for (row, (index, text)) in (0..area.height).zip(page.iter().enumerate().skip(first)) {
        let number = index as u32 + 1;
        let is = |place: Place| place.file == ran.place.file && place.line == number;
        let just = ran.how == How::At && is(ran.place);
        let led = matches!(ran.how, How::CausedBy | How::After) && is(ran.place);
        let next = next.is_some_and(is) || (ran.how == How::Next && is(ran.place));
        let mut spans = vec![waiting(waits.get(&number))];
        spans.push(match (just, led) {
            (true, _) => Span::styled("▶", STRONG),
            (_, true) => Span::styled("·", ACCENT),
            _ => " ".into(),
        });
        spans.push(Span::styled(if next { "▷" } else { " " }, ACCENT));
        let style = if just { STRONG } else { DIM };
        spans.push(Span::styled(format!("{number:>digits$} "), style));
        code(text, just, &mut spans);
        cut(picture, area, row, spans.into());
    }
}

/// The tasks that wait at each line of a file.
fn waits(scene: &Scene, file: &str) -> BTreeMap<u32, Vec<TaskId>> {
    let mut waits: BTreeMap<u32, Vec<TaskId>> = BTreeMap::new();
    for (id, task) in &scene.world().tasks {
        let place = task.suspended.and_then(|(_, place)| place);
        if let Some(place) = place.filter(|place| task.stand != Stand::Running && place.file == file) {
            waits.entry(place.line).or_default().push(*id);
        }
    }
    waits
}

/// The mark of a line where tasks wait, four letters wide.
fn waiting(tasks: Option<&Vec<TaskId>>) -> Span<'static> {
    let text = match tasks.map(Vec::as_slice) {
        None | Some([]) => String::new(),
        Some([task]) if task.0 < 1_000 => format!("○{}", task.0),
        Some([_]) => "○".into(),
        Some(several) => format!("○×{}", several.len().min(99)),
    };
    Span::styled(format!("{text:>4}"), PLAIN)
}

/// A line of code: comments step back, and the places where a task may be suspended stand out.
fn code(text: &str, just: bool, spans: &mut Vec<Span<'static>>) {
    let style = if just { BOLD } else { PLAIN };
    let comment = text.find("//").filter(|at| text[..*at].matches('"').count().is_multiple_of(2));
    let (code, comment) = text.split_at(comment.unwrap_or(text.len()));
    let awaits = Style { underline_color: None, ..style.add_modifier(Modifier::UNDERLINED) };
    for (index, piece) in code.split(".await").enumerate() {
        if index > 0 {
            spans.push(".".into());
            spans.push(Span::styled("await", awaits));
        }
        spans.push(Span::styled(piece.to_owned(), style));
    }
    spans.push(Span::styled(comment.to_owned(), DIM));
}
