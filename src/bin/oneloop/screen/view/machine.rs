//! The states of a task, and the way that it just went, drawn strong.
//!
//! ```text
//!              ┌── again ──┐
//!      spawn   ▼  poll     │ finish
//!   Vacant──▶Ready━━━▶Polling──▶Done
//!         wake ▲           │ suspend
//!              └─Suspended◀┘
//! ```

use oneloop::trace::fold::{Stand, Task};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::screen::look::{DIM, LIT, PLAIN, STRONG};
use crate::screen::scene::Edge;

/// The rows and columns it takes.
pub const SIZE: (u16, u16) = (32, 5);

/// The states: where each stands, and its name.
const STATES: [(u16, u16, &str); 5] =
    [(0, 2, "Vacant"), (9, 2, "Ready"), (18, 2, "Polling"), (28, 2, "Done"), (13, 4, "Suspended")];

/// A way: its name, and its lines as they are drawn thin and strong.
struct Way {
    edge: Edge,
    name: (u16, u16, &'static str),
    lines: &'static [(u16, u16, &'static str, &'static str)],
}

const WAYS: [Way; 6] = [
    Way { edge: Edge::Spawn, name: (3, 1, "spawn"), lines: &[(6, 2, "──▶", "━━▶")] },
    Way { edge: Edge::Poll, name: (14, 1, "poll"), lines: &[(14, 2, "───▶", "━━━▶")] },
    Way { edge: Edge::Finish, name: (25, 1, "finish"), lines: &[(25, 2, "──▶", "━━▶")] },
    Way {
        edge: Edge::Again,
        name: (15, 0, "again"),
        lines: &[(11, 0, "┌──", "┏━━"), (21, 0, "──┐", "━━┓"), (11, 1, "▼", "▼"), (23, 1, "│", "┃")],
    },
    Way {
        edge: Edge::Suspend, name: (25, 3, "suspend"), lines: &[(23, 3, "│", "┃"), (22, 4, "◀┘", "◀┛")]
    },
    Way {
        edge: Edge::Wake, name: (6, 3, "wake"), lines: &[(11, 3, "▲", "▲"), (11, 4, "└─", "┗━")]
    },
];

/// How a task stands: `None` where it is not alive, and then whether it has been.
pub enum Standing<'a> {
    Before,
    Alive(&'a Task),
    After,
}

/// Draws the states of a task that stands so, and went this way just now.
pub fn draw(standing: &Standing, went: Option<Edge>, area: Rect, picture: &mut Buffer) {
    let mut put = |x: u16, y: u16, text: &str, style: Style| {
        if y < area.height && x < area.width {
            picture.set_stringn(area.x + x, area.y + y, text, usize::from(area.width - x), style);
        }
    };
    let state = match standing {
        Standing::Before => "Vacant",
        Standing::After => "Done",
        Standing::Alive(task) => match task.stand {
            Stand::Ready => "Ready",
            Stand::Running => "Polling",
            _ => "Suspended",
        },
    };
    for way in &WAYS {
        let strong = went == Some(way.edge);
        let style = if strong { STRONG } else { DIM };
        let (x, y, name) = way.name;
        put(x, y, name, style);
        for (x, y, thin, heavy) in way.lines {
            put(*x, *y, if strong { heavy } else { thin }, style);
        }
    }
    for (x, y, name) in STATES {
        put(x, y, name, if name == state { LIT } else { PLAIN });
    }
}
