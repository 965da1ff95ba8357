//! Lines of the source, quoted where the files are found.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use oneloop::trace::narrate::plain;

/// The longest source file that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;
/// The most files that are kept.
const MAX_FILES: usize = 256;
/// The longest line that is quoted, in letters.
const MAX_LINE: usize = 160;

/// The files that were asked for.
#[derive(Debug)]
pub struct Sources {
    /// Where a relative name may begin.
    folders: Vec<PathBuf>,
    /// `None`: it was not found.
    files: HashMap<String, Option<Vec<String>>>,
}

impl Sources {
    /// Looks in the folder the program ran in, in the current one, and in those around it.
    pub fn new(folder: &str) -> Sources {
        let mut folders = Vec::new();
        let current = std::env::current_dir().unwrap_or_default();
        for start in [Path::new(folder), &current] {
            folders.extend(start.ancestors().take(8).map(Path::to_owned));
        }
        Sources { folders, files: HashMap::new() }
    }

    /// A line, from 1, without what is before and after it; `None`: it is not found.
    pub fn line(&mut self, file: &str, number: u32) -> Option<&str> {
        let lines = self.lines(file)?;
        lines.get(usize::try_from(number).ok()?.checked_sub(1)?).map(|line| line.trim_start())
    }

    /// All lines of a file, without what is after them; `None`: it is not found.
    pub fn lines(&mut self, file: &str) -> Option<&[String]> {
        if !self.files.contains_key(file) {
            if self.files.len() >= MAX_FILES {
                self.files.clear();
            }
            let lines = self.read(file);
            self.files.insert(file.to_owned(), lines);
        }
        self.files.get(file)?.as_deref()
    }

    /// Where a file of Rust source lies, if it is there and not too long.
    pub fn find(&self, file: &str) -> Option<PathBuf> {
        // A recording may come from anybody, and is not to have any other file read.
        let path = match file.strip_prefix("~/") {
            Some(rest) => std::env::home_dir()?.join(rest),
            None => PathBuf::from(file),
        };
        if path.extension().is_none_or(|ending| ending != "rs") {
            return None;
        }
        let mut places = self.folders.iter().map(|folder| folder.join(&path));
        places.find(|path| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MAX_FILE))
    }

    fn read(&self, file: &str) -> Option<Vec<String>> {
        let text = fs::read(self.find(file)?).ok()?;
        let text = String::from_utf8_lossy(&text);
        let line =
            |line: &str| plain(&line.trim_end().replace('\t', "    ")).chars().take(MAX_LINE).collect();
        Some(text.lines().map(line).collect())
    }
}
