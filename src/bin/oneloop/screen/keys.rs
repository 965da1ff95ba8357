//! What each key does: one table, from which the help and the lowest line of the screen are made as well.

use super::key::Key;

/// What a key has the screen do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Gives a command of line mode. `{task}` stands for the selected task.
    Run(&'static str),
    /// Begins such a command, for the user to end: `{task}` as above, `{timer}` and `{source}` for the next one,
    /// `{place}` for the line that just ran.
    Ask(&'static str),
    /// The last command once more.
    Repeat,
    First,
    Last,
    /// Back to what just happened, and to the task that it happened to.
    Here,
    Pane(usize),
    NextPane,
    PaneBefore,
    /// Everything there is in the pane.
    Whole,
    Up,
    Down,
    PageUp,
    PageDown,
    Search,
    /// The next sentence with what was searched for, or the one before.
    Find(bool),
    SetMark,
    GoToMark,
    Help,
    Close,
    Redraw,
    Suspend,
    Quit,
}

/// A line of the help.
pub struct Binding {
    pub keys: &'static [Key],
    /// The keys, as they are shown.
    pub shown: &'static str,
    pub action: Action,
    pub does: &'static str,
}

const fn key(keys: &'static [Key], shown: &'static str, action: Action, does: &'static str) -> Binding {
    Binding { keys, shown, action, does }
}

use Action as A;
use Key::*;

/// Forwards and backwards.
pub const GO: &[Binding] = &[
    key(&[Letter('n'), Right, Letter(' ')], "n →", A::Run("n"), "to the next event"),
    key(&[Letter('p')], "p", A::Run("p"), "to the next poll or call"),
    key(&[Letter('t')], "t", A::Run("t"), "to the next turn"),
    key(&[Letter('f')], "f", A::Run("f"), "to the end of this poll"),
    key(&[Letter('c')], "c", A::Run("c"), "on to the end; Esc stops it"),
    key(&[Letter('N'), Left, Letter('b')], "N ←", A::Run("bn"), "back by an event"),
    key(&[Letter('P')], "P", A::Run("bp"), "back to the poll before"),
    key(&[Letter('T')], "T", A::Run("bt"), "back to the turn before"),
    key(&[Home], "Home", A::First, "to the first event"),
    key(&[End, Letter('G')], "End G", A::Last, "to the last event known"),
    key(&[Letter('g')], "g", A::Ask("go "), "to the event of a number"),
    key(&[Letter('o')], "o", A::Run("to poll {task}"), "to the task's next poll"),
    key(&[Letter('w')], "w", A::Run("to wake {task}"), "to its next wake"),
    key(&[Letter('l')], "l", A::Ask("to {place}"), "to a line of the source"),
    key(&[Letter('F')], "F", A::Run("to finding"), "to where something is wrong"),
    key(&[Enter], "Enter", A::Repeat, "the last command once more"),
];

/// Looking around.
pub const LOOK: &[Binding] = &[
    key(&[Letter('.')], ".", A::Here, "back to what just happened"),
    key(&[Tab], "Tab", A::NextPane, "to the next pane"),
    key(&[BackTab], "⇧Tab", A::PaneBefore, "to the pane before"),
    key(&[Letter('1')], "1", A::Pane(0), "tasks"),
    key(&[Letter('2')], "2", A::Pane(1), "ready queue"),
    key(&[Letter('3')], "3", A::Pane(2), "timer wheel"),
    key(&[Letter('4')], "4", A::Pane(3), "I/O"),
    key(&[Letter('5')], "5", A::Pane(4), "blocking pool"),
    key(&[Letter('6'), Letter('L')], "6 L", A::Pane(5), "locks, and who waits there"),
    key(&[Letter('7')], "7", A::Pane(6), "the selected task"),
    key(&[Letter('8')], "8", A::Pane(7), "source"),
    key(&[Letter('9')], "9", A::Pane(8), "output"),
    key(&[Up, Letter('k')], "↑ k", A::Up, "up; selects among tasks"),
    key(&[Down, Letter('j')], "↓ j", A::Down, "down"),
    key(&[PageUp], "PgUp", A::PageUp, "up by a page"),
    key(&[PageDown], "PgDn", A::PageDown, "down by a page"),
    key(&[Letter('v')], "v", A::Whole, "all there is in the pane"),
    key(&[Letter('s')], "s", A::Run("show"), "how much there is of all"),
    key(&[Letter('S')], "S", A::Run("show task {task}"), "its whole story"),
    key(&[Letter('y')], "y", A::Run("why {task}"), "why it does not run"),
    key(&[Letter('Y')], "Y", A::Run("why"), "why none of them runs"),
];

/// Finding again.
pub const FIND: &[Binding] = &[
    key(&[Letter('/')], "/", A::Search, "search in the sentences"),
    key(&[Letter(']')], "]", A::Find(true), "the next one found"),
    key(&[Letter('[')], "[", A::Find(false), "the one before"),
    key(&[Letter('m')], "m a", A::SetMark, "set bookmark a (any letter)"),
    key(&[Letter('\'')], "' a", A::GoToMark, "go to bookmark a"),
];

/// What only a program that runs can be asked.
pub const WHAT_IF: &[Binding] = &[
    key(&[Letter('r')], "r", A::Ask("run {task}"), "let a task run next"),
    key(&[Letter('i')], "i", A::Ask("fire {timer}"), "have a timer fire now"),
    key(&[Letter('J')], "J", A::Ask("jump "), "move the clock forward"),
    key(&[Letter('x')], "x", A::Ask("cancel {task}"), "cancel a task"),
    key(&[Letter('e')], "e", A::Ask("fail {source}"), "have an operation fail"),
    key(&[Letter('d')], "d", A::Ask("delay {source}"), "put an operation off"),
];

pub const OTHER: &[Binding] = &[
    key(&[Letter(':')], ":", A::Ask(""), "any command of line mode"),
    key(&[Letter('?'), Letter('h')], "? h", A::Help, "this page"),
    key(&[Escape], "Esc", A::Close, "close; stop what goes on"),
    key(&[Ctrl('l')], "^L", A::Redraw, "draw the screen anew"),
    key(&[Ctrl('z')], "^Z", A::Suspend, "to the shell; `fg` comes back"),
    key(&[Letter('q'), Ctrl('c'), Ctrl('d')], "q ^C", A::Quit, "quit"),
];

/// All groups, in the order of the help.
pub const GROUPS: [(&str, &[Binding]); 5] =
    [("Go", GO), ("Look", LOOK), ("Find", FIND), ("What if", WHAT_IF), ("Other", OTHER)];

/// What a key means; `live` if there is a program that can be asked what would be if.
pub fn action(key: Key, live: bool) -> Option<Action> {
    let groups = GROUPS.iter().filter(|(title, _)| live || *title != "What if");
    let mut bindings = groups.flat_map(|(_, bindings)| *bindings);
    bindings.find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::commands::{self, Command};
    use crate::what_if;

    fn bindings() -> impl Iterator<Item = &'static Binding> {
        GROUPS.iter().flat_map(|(_, bindings)| *bindings)
    }

    #[test]
    fn no_key_means_two_things() {
        let keys: Vec<Key> = bindings().flat_map(|binding| binding.keys.iter().copied()).collect();
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key), "{key:?}");
        }
    }

    #[test]
    fn what_keys_type_is_understood_by_line_mode() {
        for binding in bindings() {
            let (Action::Run(text) | Action::Ask(text)) = binding.action else { continue };
            let text = text.replace("{place}", "main.rs:7").replace("{task}", "3");
            let text = text.replace("{timer}", "4").replace("{source}", "5");
            let text = if text == "go " { String::from("go 12") } else { text };
            let parsed = commands::parse(&text, what_if::COMMANDS);
            assert!(parsed.is_ok(), "{text}: {parsed:?}");
        }
    }

    #[test]
    fn every_command_of_line_mode_is_on_a_key() {
        let typed: Vec<&str> = bindings()
            .filter_map(|binding| match binding.action {
                Action::Run(text) | Action::Ask(text) => text.split(' ').next(),
                _ => None,
            })
            .collect();
        for entry in commands::all().chain(what_if::COMMANDS) {
            let Some(name) = entry.names.first() else { continue };
            let otherwise = [
                ("w", Action::Here),
                ("h", Action::Help),
                ("q", Action::Quit),
                ("ready", Action::Pane(1)),
                ("timers", Action::Pane(2)),
                ("io", Action::Pane(3)),
                ("pool", Action::Pane(4)),
                ("tasks", Action::Pane(0)),
                ("task", Action::Pane(6)),
                ("locks", Action::Pane(5)),
                ("output", Action::Pane(8)),
            ];
            let on_a_key = match otherwise.iter().find(|(other, _)| other == name) {
                Some((_, action)) => bindings().any(|binding| binding.action == *action),
                None => {
                    typed.contains(name)
                        || typed.iter().any(|word| {
                            commands::parse(word, &[]).is_ok_and(|command| {
                                command != Command::Own && Ok(command) == commands::parse(name, &[])
                            })
                        })
                }
            };
            assert!(on_a_key, "{name}");
        }
    }
}
