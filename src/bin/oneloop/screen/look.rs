//! How things look: a few styles with one colour, and what becomes of them where there are no colours or few letters.
//!
//! Everything is drawn as for the best terminal, and then reduced: a colour never says anything alone, and each line or
//! sign has a letter of ASCII that stands for it.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// What just happened, and what is next: the one colour.
pub const ACCENT: Style = Style::new().fg(Color::Cyan);
/// The same, for what is to be seen first.
pub const STRONG: Style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);
pub const PLAIN: Style = Style::new();
pub const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
/// Lines, labels, and what is only beside the point.
pub const DIM: Style = Style::new().add_modifier(Modifier::DIM);
/// Where the loop is, and which task is selected.
pub const LIT: Style = Style::new().add_modifier(Modifier::REVERSED);

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub color: bool,
    /// Whether there are letters beside those of ASCII.
    pub unicode: bool,
}

impl Look {
    /// What the environment says of the terminal: `NO_COLOR`, the locale, and the console without a window system.
    pub fn of_environment(ascii: bool) -> Look {
        let value = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(value).unwrap_or_default();
        let locale = locale.to_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let console = value("TERM").is_some_and(|term| term == "linux");
        Look { color: value("NO_COLOR").is_none(), unicode: utf8 && !console && !ascii }
    }

    /// Makes of a picture what the terminal can show.
    pub fn reduce(self, picture: &mut Buffer) {
        for cell in &mut picture.content {
            if !self.color {
                (cell.fg, cell.bg) = (Color::Reset, Color::Reset);
            }
            if !self.unicode && !cell.symbol().is_ascii() {
                let letter = cell.symbol().chars().next().map_or(' ', ascii);
                cell.set_char(letter);
            }
        }
    }
}

/// The letter of ASCII that stands for another one.
fn ascii(letter: char) -> char {
    match letter {
        '─' => '-',
        '│' | '▏' | '▕' => '|',
        '┌' | '┐' | '└' | '┘' | '┬' | '┴' | '├' | '┤' | '┼' => '+',
        '━' => '=',
        '┃' | '┏' | '┓' | '┗' | '┛' => '#',
        '▶' | '›' | '→' => '>',
        '▷' => '}',
        '◀' | '←' => '<',
        '▲' | '↑' => '^',
        '▼' | '↓' => 'v',
        '●' => '*',
        '◐' => '+',
        '○' => 'o',
        '•' | '·' => '.',
        '…' => '~',
        '×' => 'x',
        'µ' => 'u',
        '–' | '—' => '-',
        _ => '?',
    }
}
