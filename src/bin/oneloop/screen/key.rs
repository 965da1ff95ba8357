//! A key of the keyboard.

/// A key, as far as any of them means something here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key {
    Letter(char),
    Ctrl(char),
    Enter,
    Escape,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
}
