//! The timer wheel: its levels, each a row of slots with a hand that says where the time is, and the timers by their time.
//!
//! ```text
//!   1 ms    │···●············    64 slots of 1 ms, four to a letter; the hand is at the first
//!   64 ms   ·│····●··········    a timer lies here until the hand comes
//!   4.1 s   │···············
//! ```

use std::collections::BTreeMap;

use oneloop::trace::fold::{World, slot};
use oneloop::trace::narrate::span;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::list;
use crate::screen::look::{BOLD, DIM, PLAIN, STRONG};
use crate::screen::model::{Model, Pane};
use crate::screen::scene::Scene;
use crate::session::things;

/// The slots of a level.
const SLOTS: usize = 64;
/// How long a slot of each level is.
const LENGTHS: [&str; 8] = ["1 ms", "64 ms", "4.1 s", "4.4 min", "4.7 h", "12.4 d", "2.2 y", "139 y"];
/// The levels that are always shown: milliseconds to minutes.
const LEVELS: u8 = 3;
/// The most timers that are listed.
const MOST: usize = 500;

pub fn draw(scene: &Scene, model: &Model, area: Rect, picture: &mut Buffer) {
    let world = scene.world();
    let mut places: BTreeMap<u8, BTreeMap<u8, usize>> = BTreeMap::new();
    for timer in world.timers.values() {
        if let Some((level, slot)) = slot(timer.at, world.looked) {
            *places.entry(level).or_default().entry(slot).or_default() += 1;
        }
    }
    let highest = places.last_key_value().map_or(0, |(level, _)| level + 1).max(LEVELS);
    let each = each(area.width);
    let levels = (0..highest).map(|level| row(level, places.get(&level), world, each));
    let mut lines: Vec<Line> = levels.collect();
    let mut timers: Vec<_> = world.timers.iter().collect();
    timers.sort_by_key(|(id, timer)| (timer.at, **id));
    lines.extend(timers.into_iter().take(MOST).enumerate().map(|(index, (id, timer))| {
        let place = slot(timer.at, world.looked).map(|(level, slot)| format!("level {level}, slot {slot}"));
        let left = timer.at.saturating_sub(world.time);
        let due = if left.is_zero() { "due now".into() } else { format!("in {}", span(left)) };
        let target = match timer.callback {
            Some(callback) => callback.to_string(),
            None => things::who(&timer.by, world),
        };
        let style = if index == 0 { BOLD } else { PLAIN };
        let facts = format!("  at {}, {}", span(timer.at), place.unwrap_or_else(|| "this tick".into()));
        vec![Span::styled(format!(" {id} {due}, {target}"), style), Span::styled(facts, DIM)].into()
    }));
    list(picture, area, lines, model.moved(Pane::Timers));
}

/// How many slots a letter stands for.
fn each(width: u16) -> usize {
    match width.saturating_sub(10) {
        64.. => 1,
        32.. => 2,
        _ => 4,
    }
}

fn row(level: u8, slots: Option<&BTreeMap<u8, usize>>, world: &World, each: usize) -> Line<'static> {
    let length = LENGTHS.get(usize::from(level)).copied().unwrap_or("more");
    let ticks = world.looked.as_millis() >> (6 * u32::from(level));
    let hand = (ticks % SLOTS as u128) as usize / each;
    let mut spans = vec![Span::styled(format!(" {length:<8}"), DIM)];
    spans.extend((0..SLOTS / each).map(|cell| {
        let mine = slots.into_iter().flatten().filter(|(slot, _)| usize::from(**slot) / each == cell);
        match mine.map(|(_, timers)| timers).sum() {
            0 if cell == hand => Span::styled("│", PLAIN),
            0 => Span::styled("·", DIM),
            1 => Span::styled("●", STRONG),
            timers @ 2..=9 => Span::styled(timers.to_string(), STRONG),
            _ => Span::styled("#", STRONG),
        }
    }));
    spans.into()
}
