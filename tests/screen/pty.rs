//! A program in a pseudo-terminal, and what is to be seen there.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

/// So often it is looked in vain for what is to come at once, each time for a moment. Moments are counted, and not the time
/// from the first to the last: while all processes are halted none of them is late.
const SOON: usize = 300;

/// How long it is looked once.
const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// What takes the screen over, and what gives it back.
const TAKE: &str = "\u{1b}[?1049h";
const GIVE: &str = "\u{1b}[?1049l";

/// A program, its terminal, and what it has written.
pub struct Pty {
    child: Child,
    master: File,
    /// The program's side, kept open to ask for its settings.
    line: File,
    /// How they were before.
    before: String,
    all: Vec<u8>,
    size: (usize, usize),
}

impl Pty {
    /// Starts a program in a terminal of 80 by 24 letters, which is its own: `setsid` sees to that.
    pub fn start(program: Command) -> Pty {
        let master = new_master();
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("in ASCII");
        let line = || OpenOptions::new().read(true).write(true).open(&name).expect("it is ours");
        let kept = line();
        set_size(&master, 80, 24);
        let before = settings(&kept);
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program.get_program()).args(program.get_args());
        command.stdin(line()).stdout(line()).stderr(line()).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env_remove("ONELOOP").env_remove("NO_COLOR");
        command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let child = command.spawn().expect("setsid is part of the system");
        // The program's side lives in the command too.
        drop(command);
        Pty { child, master: master.into(), line: kept, before, all: Vec::new(), size: (80, 24) }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("there is room");
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width.into(), height.into());
        set_size(&self.master, width, height);
    }

    /// Closes the terminal. In its place is another one, in which nobody says anything.
    pub fn hang_up(&mut self) {
        self.master = new_master().into();
    }

    /// Waits until this is to be seen on the screen, or, line by line, was written.
    pub fn until(&mut self, text: &str) {
        let mut left = SOON;
        while !self.screen().contains(text) {
            let all = self.all();
            let tail: String = all.chars().rev().take(400).collect::<Vec<_>>().into_iter().rev().collect();
            assert!(left > 0, "{text:?} was not shown, but:\n{}\n{tail:?}", self.screen());
            left -= usize::from(!self.read());
        }
    }

    /// Waits until the terminal is taken over once more.
    pub fn until_taken(&mut self) {
        let mut left = SOON;
        let all = |pty: &Pty| pty.all().rfind(TAKE) > pty.all().rfind(GIVE);
        while !all(self) {
            assert!(left > 0, "it was not taken: {:?}", self.all());
            left -= usize::from(!self.read());
        }
    }

    /// Everything that was written.
    pub fn all(&self) -> String {
        String::from_utf8_lossy(&self.all).into_owned()
    }

    /// Takes what was written; whether there was anything, within a moment.
    fn read(&mut self) -> bool {
        if !matches!(poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&MOMENT)), Ok(1)) {
            return false;
        }
        let mut bytes = [0; 1 << 16];
        let length = self.master.read(&mut bytes).unwrap_or(0);
        self.all.extend_from_slice(&bytes[..length]);
        length > 0
    }

    /// The status that the program ends with; the terminal must be as it was.
    pub fn end(&mut self) -> Option<i32> {
        let status = self.status();
        self.is_as_before();
        status
    }

    /// The status that the program ends with.
    pub fn status(&mut self) -> Option<i32> {
        let mut left = SOON;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                self.read();
                return status.code();
            }
            assert!(left > 0, "it goes on:\n{}", self.screen());
            left -= usize::from(!self.read());
        }
    }

    /// The terminal is given back, with the settings it had.
    pub fn is_as_before(&mut self) {
        self.read();
        let all = self.all();
        assert!(all.contains(TAKE), "it was taken over: {all:?}");
        assert!(all.rfind(GIVE) > all.rfind(TAKE), "it was not given back: {all:?}");
        assert!(all.rfind("\u{1b}[?25h") > all.rfind("\u{1b}[?25l"), "the cursor is not seen: {all:?}");
        assert_eq!(settings(&self.line), self.before);
    }

    /// What was written after the screen was given back.
    pub fn after_the_screen(&self) -> String {
        let all = self.all();
        all[all.rfind(GIVE).expect("it was given back")..].to_owned()
    }

    /// What is to be seen. Understood is what is sent here: going to a place, and clearing everything.
    pub fn screen(&self) -> String {
        let all = self.all();
        let (width, height) = self.size;
        let mut rows = vec![vec![' '; width]; height];
        let (mut x, mut y) = (0, 0);
        let mut letters = all.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\u{1b}' if letters.as_str().starts_with('[') => {
                    let mut code = String::new();
                    for letter in letters.by_ref().skip(1) {
                        code.push(letter);
                        if letter.is_ascii_alphabetic() {
                            break;
                        }
                    }
                    let (numbers, end) = code.split_at(code.len().saturating_sub(1));
                    let mut numbers =
                        numbers.split(';').map(|number| number.parse::<usize>().unwrap_or(1).max(1));
                    match end {
                        "H" => (y, x) = (numbers.next().unwrap_or(1) - 1, numbers.next().unwrap_or(1) - 1),
                        "J" => rows = vec![vec![' '; width]; height],
                        _ => {}
                    }
                }
                '\r' => x = 0,
                '\n' if y + 1 == height => {
                    rows.remove(0);
                    rows.push(vec![' '; width]);
                }
                '\n' => y += 1,
                letter => {
                    if let Some(cell) = rows.get_mut(y).and_then(|row| row.get_mut(x)) {
                        *cell = letter;
                    }
                    x += 1;
                }
            }
        }
        rows.into_iter().map(|row| String::from_iter(row).trim_end().to_owned() + "\n").collect()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The side of a terminal that whoever looks at it has; no program that is started has it too.
fn new_master() -> OwnedFd {
    openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("there are terminals")
}

fn set_size(master: impl std::os::fd::AsFd, width: u16, height: u16) {
    let size = Winsize { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(master, size).expect("it is a terminal");
}

fn settings(line: &File) -> String {
    format!("{:?}", tcgetattr(line).expect("it is a terminal"))
}
