//! The program's source, where it is found.
//!
//! A recording may come from anybody, and says which files its lines are in. So whatever it says, only regular files are
//! read whose names end as those of Rust's do, also at the end of a link, and no more of them than a bound. What is read is
//! shown to whoever sits at this machine; for what is handed on there is [`of_project`](Sources::of_project).

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
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
    /// The folder that a file has to lie in; `None`: it may be any.
    within: Option<PathBuf>,
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
        Sources { folders, within: None, files: HashMap::new() }
    }

    /// Looks in the project of the current folder alone: it, or the package or workspace of cargo around it.
    pub fn of_project() -> Sources {
        let current = std::env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
        let project = project(&current).to_owned();
        Sources { folders: vec![project.clone(), current], within: Some(project), files: HashMap::new() }
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

    /// Where a file of Rust source lies, with no links in the path, if it is there.
    pub fn find(&self, file: &str) -> Option<PathBuf> {
        let path = match file.strip_prefix("~/") {
            Some(rest) => std::env::home_dir()?.join(rest),
            None => PathBuf::from(file),
        };
        let mut places = self.folders.iter().filter_map(|folder| fs::canonicalize(folder.join(&path)).ok());
        places.find(|path| {
            // Without a current folder there is no project, and nothing lies in it.
            let is_in = |within: &PathBuf| within.is_absolute() && path.starts_with(within);
            let is_near = self.within.as_ref().is_none_or(is_in);
            is_near && path.extension().is_some_and(|ending| ending == "rs") && path.is_file()
        })
    }

    fn read(&self, file: &str) -> Option<Vec<String>> {
        let text = read(&self.find(file)?, MAX_FILE).ok()?;
        let line =
            |line: &str| plain(&line.trim_end().replace('\t', "    ")).chars().take(MAX_LINE).collect();
        Some(text.lines().map(line).collect())
    }
}

/// The text of a file, if it is a regular one of at most `most` bytes.
///
/// # Errors
/// That it is not, or what the operating system says.
pub fn read(file: &Path, most: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    // A pipe would be waited for, and a device has no end.
    if !fs::metadata(file).map_err(|error| error.to_string())?.is_file() {
        return Err(String::from("it is no regular file"));
    }
    let opened = File::open(file).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    opened.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most {
        return Err(format!("it is longer than {most} bytes"));
    }
    Ok(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned())
}

/// The workspace of cargo that a folder is in, or else the package; the folder itself if there is neither.
fn project(folder: &Path) -> &Path {
    let manifest = |folder: &&Path| read(&folder.join("Cargo.toml"), MAX_FILE).ok();
    let is_workspace = |text: String| text.lines().any(|line| line.trim().starts_with("[workspace"));
    let workspace = folder.ancestors().find(|folder| manifest(folder).is_some_and(is_workspace));
    workspace.or_else(|| folder.ancestors().find(|folder| manifest(folder).is_some())).unwrap_or(folder)
}
