//! What the user has chosen, and what a key makes of it: no terminal, no program, no clock.
//!
//! ```text
//!   key ──▶ Model::key ──▶ the model as it is then
//!                     └──▶ Request: what the session is to do
//! ```

use std::cell::Cell;
use std::collections::BTreeMap;

use oneloop::trace::TaskId;

use super::key::Key;
use super::keys::{self, Action};
use super::prompt::{Prompt, Purpose};
use super::scene::Scene;

/// The parts of the screen, in the order of their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pane {
    Tasks,
    Ready,
    Timers,
    Io,
    Pool,
    Locks,
    Task,
    Source,
    Output,
}

/// All of them.
pub const PANES: [Pane; 9] = [
    Pane::Tasks,
    Pane::Ready,
    Pane::Timers,
    Pane::Io,
    Pane::Pool,
    Pane::Locks,
    Pane::Task,
    Pane::Source,
    Pane::Output,
];

/// How many of them, the first, share a place where there is no room for all.
pub const TABS: usize = 7;

impl Pane {
    pub fn title(self) -> &'static str {
        match self {
            Pane::Tasks => "Tasks",
            Pane::Ready => "Ready",
            Pane::Timers => "Timers",
            Pane::Io => "I/O",
            Pane::Pool => "Pool",
            Pane::Locks => "Locks",
            Pane::Task => "Task",
            Pane::Source => "Source",
            Pane::Output => "Output",
        }
    }

    /// The command that shows everything in it. `{task}` stands for the selected task.
    fn command(self) -> &'static str {
        match self {
            Pane::Tasks => "show tasks",
            Pane::Ready => "show ready",
            Pane::Timers => "show timers",
            Pane::Io => "show io",
            Pane::Pool => "show pool",
            Pane::Locks => "show locks",
            Pane::Task => "show task {task}",
            Pane::Source => "where",
            Pane::Output => "show output",
        }
    }
}

/// What the session is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    Nothing,
    /// A command of line mode.
    Command(String),
    /// Goes to the next sentence with this text, or to the one before.
    Find {
        text: String,
        forward: bool,
    },
    Redraw,
    Suspend,
    Quit,
}

/// Text over the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    Help,
    /// What a command had to say.
    Said(Vec<String>),
}

/// What the next letter is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Letter {
    SetMark,
    GoToMark,
}

/// What the user has chosen.
#[derive(Clone, Debug)]
pub struct Model {
    pub pane: Pane,
    /// Where panes share a place: which of them is seen.
    pub tab: Pane,
    /// `None`: the task that the event is about.
    pub selected: Option<TaskId>,
    /// How far each pane is moved down from where it would be by itself. Drawn, it is as far as there is something to see.
    moved: [Cell<isize>; PANES.len()],
    pub prompt: Option<Prompt>,
    pub overlay: Option<Overlay>,
    /// The first line that is seen of it. Drawn, it is one that there is.
    pub top: Cell<usize>,
    /// One line to be said until the next key.
    pub message: Option<String>,
    pub letter: Option<Letter>,
    /// The bookmarks: the numbers of events.
    pub marks: BTreeMap<char, u64>,
    /// What was searched for.
    pub search: String,
    /// What Enter repeats.
    last: String,
}

impl Default for Model {
    fn default() -> Model {
        Model {
            pane: Pane::Tasks,
            tab: Pane::Tasks,
            selected: None,
            moved: Default::default(),
            prompt: None,
            overlay: None,
            top: Cell::new(0),
            message: None,
            letter: None,
            marks: BTreeMap::new(),
            search: String::new(),
            last: "n".into(),
        }
    }
}

impl Model {
    /// The task that is shown.
    pub fn task(&self, scene: &Scene) -> Option<TaskId> {
        self.selected.or_else(|| scene.main_task())
    }

    pub fn moved(&self, pane: Pane) -> &Cell<isize> {
        &self.moved[pane as usize]
    }

    /// What a command had to say: a line at the bottom, or several over the screen.
    pub fn say(&mut self, text: &str) {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        match lines.as_slice() {
            [] => {}
            [line] => self.message = Some(line.clone()),
            _ => self.lay_over(Overlay::Said(lines)),
        }
    }

    fn lay_over(&mut self, overlay: Overlay) {
        (self.overlay, self.top) = (Some(overlay), Cell::new(0));
    }

    /// Another moment is looked at: panes are where they are by themselves again.
    pub fn came(&mut self) {
        self.moved = Default::default();
    }

    /// A key was pressed.
    pub fn key(&mut self, key: Key, scene: &Scene) -> Request {
        self.message = None;
        if let Some(letter) = self.letter.take() {
            return self.mark(letter, key, scene);
        }
        if self.prompt.is_some() {
            return self.type_in(key);
        }
        let Some(action) = keys::action(key, scene.is_program) else { return Request::Nothing };
        match self.overlay {
            Some(_) => self.in_overlay(action, scene),
            None => self.act(action, scene),
        }
    }

    fn act(&mut self, action: Action, scene: &Scene) -> Request {
        match action {
            Action::Run(command) => return self.command(&self.filled(command, scene)),
            Action::Ask(command) => {
                self.prompt = Some(Prompt::new(Purpose::Command, &self.filled(command, scene)));
            }
            Action::Search => self.prompt = Some(Prompt::new(Purpose::Search, "")),
            Action::Repeat => return self.command(&self.last.clone()),
            Action::First => return self.go_to(scene.history.events().first().map(|event| event.seq)),
            Action::Last => return self.go_to(scene.last()),
            Action::Here => (self.selected, self.moved) = Default::default(),
            Action::Whole => return self.command(&self.filled(self.pane.command(), scene)),
            Action::Pane(number) => self.choose(PANES[number]),
            Action::NextPane => self.choose(self.pane_at(1)),
            Action::PaneBefore => self.choose(self.pane_at(PANES.len() - 1)),
            Action::Up => self.go_by(-1, scene),
            Action::Down => self.go_by(1, scene),
            Action::PageUp => self.go_by(-10, scene),
            Action::PageDown => self.go_by(10, scene),
            Action::Find(forward) => return self.find(forward),
            Action::SetMark => self.letter = Some(Letter::SetMark),
            Action::GoToMark => self.letter = Some(Letter::GoToMark),
            Action::Help => self.lay_over(Overlay::Help),
            Action::Close => {}
            Action::Redraw => return Request::Redraw,
            Action::Suspend => return Request::Suspend,
            Action::Quit => return Request::Quit,
        }
        Request::Nothing
    }

    /// With text over the screen, keys move in it or close it; one that means something else does that too.
    fn in_overlay(&mut self, action: Action, scene: &Scene) -> Request {
        match action {
            Action::Up => self.top.set(self.top.get().saturating_sub(1)),
            Action::Down => self.top.set(self.top.get().saturating_add(1)),
            Action::PageUp => self.top.set(self.top.get().saturating_sub(10)),
            Action::PageDown => self.top.set(self.top.get().saturating_add(10)),
            Action::First => self.top.set(0),
            Action::Last => self.top.set(usize::MAX),
            Action::Close | Action::Quit | Action::Help | Action::Repeat => self.overlay = None,
            Action::Redraw | Action::Suspend => return self.act(action, scene),
            _ => {
                self.overlay = None;
                return self.act(action, scene);
            }
        }
        Request::Nothing
    }

    fn type_in(&mut self, key: Key) -> Request {
        let Some(prompt) = &mut self.prompt else { return Request::Nothing };
        match key {
            Key::Letter(letter) => prompt.put(letter),
            Key::Backspace if prompt.is_empty() => self.prompt = None,
            Key::Backspace | Key::Ctrl('h') => prompt.erase(),
            Key::Delete => prompt.delete(),
            Key::Left => prompt.go(-1),
            Key::Right => prompt.go(1),
            Key::Home | Key::Ctrl('a') => prompt.go(isize::MIN),
            Key::End | Key::Ctrl('e') => prompt.go(isize::MAX),
            Key::Ctrl('u') => prompt.clear(),
            Key::Up if prompt.purpose == Purpose::Command => {
                *prompt = Prompt::new(Purpose::Command, &self.last);
            }
            Key::Escape | Key::Ctrl('c') => self.prompt = None,
            Key::Ctrl('z') => return Request::Suspend,
            Key::Enter => {
                let (purpose, text) = (prompt.purpose, prompt.text());
                self.prompt = None;
                match purpose {
                    Purpose::Command => return self.typed(text.trim()),
                    Purpose::Search => {
                        self.search = text;
                        return self.find(true);
                    }
                }
            }
            _ => {}
        }
        Request::Nothing
    }

    /// A command, as line mode has it; the words for help and for the end are the screen's own.
    fn typed(&mut self, command: &str) -> Request {
        match command {
            "" => Request::Nothing,
            "q" | "quit" | "exit" => Request::Quit,
            command => self.command(command),
        }
    }

    fn command(&mut self, command: &str) -> Request {
        self.last = command.to_owned();
        Request::Command(command.to_owned())
    }

    /// A command with what is selected put in.
    fn filled(&self, command: &str, scene: &Scene) -> String {
        let world = scene.world();
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let timer = world.timers.iter().min_by_key(|(id, timer)| (timer.at, **id)).map(|(id, _)| id.0);
        let source = world.sources.keys().next().map(|source| source.0);
        let place = scene.ran().map(|line| format!("{:#}", line.place));
        let filled = command.replace("{task}", &number(self.task(scene).map(|task| task.0)));
        let filled = filled.replace("{timer}", &number(timer)).replace("{source}", &number(source));
        filled.replace("{place}", &place.unwrap_or_default())
    }

    fn go_to(&mut self, seq: Option<u64>) -> Request {
        seq.map_or(Request::Nothing, |seq| Request::Command(format!("go {seq}")))
    }

    fn choose(&mut self, pane: Pane) {
        self.pane = pane;
        if !matches!(pane, Pane::Source | Pane::Output) {
            self.tab = pane;
        }
    }

    fn pane_at(&self, steps: usize) -> Pane {
        PANES[(self.pane as usize + steps) % PANES.len()]
    }

    /// Moves in the pane; among the tasks, to another one.
    fn go_by(&mut self, by: isize, scene: &Scene) {
        if self.pane != Pane::Tasks {
            let moved = self.moved(self.pane);
            return moved.set(moved.get().saturating_add(by));
        }
        let tasks = &scene.world().tasks;
        let current = self.task(scene).unwrap_or(TaskId(0));
        let far = by.unsigned_abs() - 1;
        let (next, end) = match by > 0 {
            true => {
                let behind = (std::ops::Bound::Excluded(current), std::ops::Bound::Unbounded);
                (tasks.range(behind).nth(far), tasks.last_key_value())
            }
            false => (tasks.range(..current).rev().nth(far), tasks.first_key_value()),
        };
        self.selected = next.or(end).map(|(task, _)| *task);
    }

    fn find(&mut self, forward: bool) -> Request {
        if self.search.is_empty() {
            self.message = Some("Nothing was searched for yet: `/` asks what for.".into());
            return Request::Nothing;
        }
        Request::Find { text: self.search.clone(), forward }
    }

    fn mark(&mut self, what: Letter, key: Key, scene: &Scene) -> Request {
        let Key::Letter(letter) = key else { return Request::Nothing };
        match (what, self.marks.get(&letter).copied(), scene.now()) {
            (Letter::SetMark, _, Some(event)) if letter.is_alphanumeric() => {
                self.marks.insert(letter, event.seq);
                self.message =
                    Some(format!("Bookmark {letter} is event {}; ' {letter} comes back.", event.seq));
            }
            (Letter::SetMark, ..) => self.message = Some("A bookmark is a letter or a digit.".into()),
            (Letter::GoToMark, Some(seq), _) => return Request::Command(format!("go {seq}")),
            (Letter::GoToMark, None, _) => {
                let known: String = self.marks.keys().flat_map(|mark| [' ', *mark]).collect();
                let known = if known.is_empty() { " none".into() } else { known };
                self.message =
                    Some(format!("There is no bookmark {}; there is{known}.", plain_letter(letter)));
            }
        }
        Request::Nothing
    }
}

fn plain_letter(letter: char) -> String {
    oneloop::trace::narrate::plain(&letter.to_string())
}
