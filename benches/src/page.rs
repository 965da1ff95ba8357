//! A page of the documentation with a part that a command writes.

use std::fs;
use std::path::{Path, PathBuf};

/// The page, without that part.
pub struct Page {
    file: PathBuf,
    /// With the line that opens the part, and …
    before: String,
    /// … with the one that closes it.
    after: String,
}

impl Page {
    /// Reads a page. The part stands between `<!-- written by the command: COMMAND -->` and the line that ends it.
    ///
    /// # Errors
    /// If it cannot be read, or has no such part.
    pub fn read(file: &Path, command: &str) -> Result<Page, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let begin = format!("<!-- written by the command: {command} -->\n");
        let end = "<!-- end of what the command writes -->\n";
        let parts =
            text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let (before, after) = parts.ok_or_else(|| {
            format!("{}: there must be one part between these lines:\n{begin}{end}", file.display())
        })?;
        let (before, after) = (format!("{before}{begin}"), format!("{end}{after}"));
        Ok(Page { file: file.to_owned(), before, after })
    }

    /// Writes the page with other text in that part.
    pub fn write(&self, text: &str) -> Result<(), String> {
        let text = format!("{}\n{text}\n{}", self.before, self.after);
        fs::write(&self.file, text).map_err(|error| format!("{}: {error}", self.file.display()))
    }
}
