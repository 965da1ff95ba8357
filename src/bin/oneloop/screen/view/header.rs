//! The first rows: where the run is, what just happened and why, and what comes next.

use oneloop::trace::fold::Step;
use oneloop::trace::narrate::span;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::{cut, wrap};
use crate::screen::look::{ACCENT, BOLD, DIM, LIT, STRONG};
use crate::screen::scene::Scene;

/// One row for where, two for what, one for why, one for next.
pub const HEIGHT: u16 = 5;

/// The steps of a turn.
const STEPS: [(&str, Step); 5] = [
    ("plan", Step::Plan),
    ("wait", Step::Wait),
    ("wake", Step::Wake),
    ("fire", Step::Fire),
    ("run", Step::Run),
];

pub fn draw(scene: &Scene, area: Rect, picture: &mut Buffer) {
    let steps = steps(scene, area.width >= 100);
    let width = u16::try_from(steps.width()).unwrap_or(0).min(area.width);
    let left = Rect { width: area.width - width, ..area };
    cut(picture, left, 0, place(scene));
    let right = Rect { x: area.x + area.width - width, width, ..area };
    cut(picture, right, 0, steps);
    picture.set_string(area.x, area.y + 1, "▶", STRONG);
    let text = Rect { x: area.x + 2, y: area.y + 1, width: area.width - 2, height: 2 };
    let said = match scene.now() {
        Some(event) => scene.sentence(event),
        None => "Nothing has happened yet.".into(),
    };
    wrap(picture, text, &said, BOLD);
    if let Some(cause) = scene.cause() {
        let line =
            vec![Span::styled(format!("  because of {}: ", cause.seq), DIM), scene.sentence(cause).into()];
        cut(picture, area, 3, line.into());
    }
    let (next, _) = scene.next();
    let number = scene.after().map_or(String::from("next: "), |event| format!("next is {}: ", event.seq));
    let line = match scene.goes_on {
        true => vec![Span::styled("▷ ", ACCENT), Span::styled("goes on … Esc stops it", STRONG)],
        false => vec![Span::styled("▷ ", ACCENT), Span::styled(number, DIM), next.into()],
    };
    cut(picture, area, 4, line.into());
}

/// Which program, event, turn and time.
fn place(scene: &Scene) -> Line<'static> {
    let world = scene.world();
    const LONGEST: usize = 20;
    let name = match scene.name.chars().count() {
        ..=LONGEST => scene.name.to_owned(),
        _ => scene.name.chars().take(LONGEST - 1).chain(['…']).collect(),
    };
    let mut spans = vec![Span::styled(format!(" {name} "), BOLD)];
    let last = scene.last().unwrap_or(0);
    match scene.now() {
        Some(event) if scene.is_program && event.seq < last => {
            spans.push(Span::styled(format!(" LOOKING BACK at {} of {last} ", event.seq), LIT));
        }
        Some(event) if scene.is_program => spans.push(format!(" event {}", event.seq).into()),
        Some(event) => spans.push(format!(" event {}/{last}", event.seq).into()),
        None => {}
    }
    let turn = world.turn.map(|turn| format!("turn {turn}"));
    let time = scene.now().map(|_| span(world.time));
    spans.extend([turn, time].into_iter().flatten().map(|text| Span::raw(format!(" · {text}"))));
    spans.into()
}

/// The five steps of a turn, with the one that the loop is in.
fn steps(scene: &Scene, numbered: bool) -> Line<'static> {
    let step = scene.world().step;
    let spans = STEPS.into_iter().zip(1..).map(|((name, which), number)| {
        let name = if numbered { format!("{number} {name}") } else { name.to_owned() };
        match which == step {
            true => Span::styled(format!("[{name}]"), STRONG),
            false => Span::styled(format!(" {name} "), DIM),
        }
    });
    spans.collect::<Vec<_>>().into()
}
