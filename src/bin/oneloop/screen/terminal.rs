//! The terminal: taken over when the screen opens, and given back as it was, whatever ends or stops it.
//!
//! * An end of any sort, a panic too: `Terminal` is dropped, and the hook for panics (`taken.rs`) gives the terminal back
//!   before the message is written.
//! * Ctrl-C is a key here. The signals that ask a process to end (SIGINT, SIGTERM, SIGHUP) are told by `next`.
//! * Ctrl-Z is a key as well: the terminal is given back, the whole job is stopped as the terminal would have done it,
//!   and taken over again when the job goes on.

use std::io::{self, Stdout, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Rect, Size};
use ratatui::{TerminalOptions, Viewport};
use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::{flag, low_level};

use super::key::Key;
use super::taken::{give_back, take};
use crate::hangup;

/// The largest picture, in columns and rows. What a terminal says of its size need not be true, and memory is taken for
/// all of it.
const MOST: Size = Size::new(1_000, 500);

type Screen = ratatui::Terminal<CrosstermBackend<Out>>;

/// Standard output. A terminal that is gone takes everything, as if it were there, until `next` tells of it: or else
/// ratatui would complain, and panic since there is nowhere to complain to.
struct Out(Stdout);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).or_else(|error| if_gone(error, bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().or_else(|error| if_gone(error, ()))
    }
}

/// What is answered in the place of an error, if it tells that the terminal is gone.
fn if_gone<T>(error: io::Error, answer: T) -> io::Result<T> {
    if error.raw_os_error() == Some(Errno::IO.raw_os_error()) { Ok(answer) } else { Err(error) }
}

/// What comes from the terminal.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Key(Key),
    /// Text that was put in all at once.
    Paste(String),
    /// It has another size, or has to be drawn anew for another reason.
    Redraw,
    /// This signal asks for the end.
    End(usize),
    /// The time is up.
    Nothing,
}

/// The terminal of this process, taken over. Dropped, it is as it was before.
pub struct Terminal {
    screen: Screen,
    /// The size it had last, even if no picture is as large.
    size: Size,
    /// The signal that asked for the end; 0: none has.
    end: Arc<AtomicUsize>,
    /// Whether a signal asked for a stop.
    stop: Arc<AtomicBool>,
    /// Whether the process goes on after a stop.
    went_on: Arc<AtomicBool>,
}

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// If standard input and output are no terminal that can be set.
    pub fn open() -> io::Result<Terminal> {
        let (end, stop, went_on) = (Arc::default(), Arc::default(), Arc::default());
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register_usize(signal, Arc::clone(&end), signal.unsigned_abs() as usize)?;
        }
        flag::register(SIGTSTP, Arc::clone(&stop))?;
        flag::register(SIGCONT, Arc::clone(&went_on))?;
        take()?;
        let screen = screen().inspect_err(|_| give_back())?;
        let size = screen.size().inspect_err(|_| give_back())?;
        Ok(Terminal { screen, size, end, stop, went_on })
    }

    /// Shows a picture. `draw` is given an empty one of the right size, and says where the cursor is to be seen.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer) -> Option<(u16, u16)>) -> io::Result<()> {
        self.screen.draw(|frame| {
            if let Some(cursor) = draw(frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        })?;
        Ok(())
    }

    /// Has all of the next picture drawn, in the size that the terminal has now, and not only what differs from the last
    /// one. (`Terminal::clear` would ask the terminal where the cursor is, and not every one answers.)
    pub fn forget(&mut self) -> io::Result<()> {
        self.screen.backend_mut().clear()?;
        self.screen = screen()?;
        Ok(())
    }

    /// What comes next, if it comes within that time.
    pub fn next(&mut self, within: Duration) -> io::Result<Input> {
        match self.end.load(Ordering::Relaxed) {
            // Of a terminal that is gone, `event::poll` would wait for a key for ever.
            0 if hangup::is_gone(io::stdin()) => return Ok(Input::End(SIGHUP.unsigned_abs() as usize)),
            0 => {}
            signal => return Ok(Input::End(signal)),
        }
        if self.stop.swap(false, Ordering::Relaxed) {
            self.suspend()?;
            return Ok(Input::Redraw);
        }
        if self.went_on.swap(false, Ordering::Relaxed) {
            // Stopped by a signal that nobody sees: who knows what was done to the terminal.
            self.take_again()?;
            return Ok(Input::Redraw);
        }
        // Looked at each time: a change soon after the begin is not always told.
        let size = self.screen.size()?;
        if std::mem::replace(&mut self.size, size) != size {
            return Ok(Input::Redraw);
        }
        if !event::poll(Duration::ZERO)? {
            let came = hangup::wait(io::stdin(), within);
            if hangup::is_gone(io::stdin()) {
                return Ok(Input::End(SIGHUP.unsigned_abs() as usize));
            }
            // Of more than a kilobyte at once crossterm leaves the rest until the next key: so it may see nothing where there
            // is something to read, and is not to be asked again at once.
            if !came || !event::poll(within)? {
                return Ok(Input::Nothing);
            }
        }
        Ok(match event::read()? {
            Event::Key(event) if event.kind != KeyEventKind::Release => {
                key(event).map_or(Input::Nothing, Input::Key)
            }
            Event::Paste(text) => Input::Paste(text),
            Event::Resize(..) => Input::Redraw,
            _ => Input::Nothing,
        })
    }

    /// Whether there is more to come at once.
    pub fn has_more(&self) -> io::Result<bool> {
        event::poll(Duration::ZERO)
    }

    /// Gives the terminal back, and stops the job until it is told to go on.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Whoever is in the job with us, cargo for one, is to stop too: else the shell waits on.
        kill_current_process_group(Signal::TSTP)?;
        low_level::emulate_default_handler(SIGTSTP)?;
        self.take_again()
    }

    fn take_again(&mut self) -> io::Result<()> {
        self.stop.store(false, Ordering::Relaxed);
        self.went_on.store(false, Ordering::Relaxed);
        give_back();
        take()?;
        self.forget()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// A screen of the size that the terminal has now, within bounds.
fn screen() -> io::Result<Screen> {
    let terminal = CrosstermBackend::new(Out(io::stdout()));
    let Size { width, height } = terminal.size()?;
    let area = Rect::new(0, 0, width.min(MOST.width), height.min(MOST.height));
    Screen::with_options(terminal, TerminalOptions { viewport: Viewport::Fixed(area) })
}

/// A key, if it is one that can mean something.
fn key(event: KeyEvent) -> Option<Key> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char(letter) if ctrl => Key::Ctrl(letter.to_ascii_lowercase()),
        KeyCode::Char(letter) => Key::Letter(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Tab => Key::Tab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}
