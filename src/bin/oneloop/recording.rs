//! Opening a recording, with everything said that there is to say about it.

use std::io::{self, Write};
use std::path::Path;

use oneloop::trace::read::Recording;

/// Opens a recording.
///
/// # Errors
/// One sentence with the file's name.
pub fn open(path: &Path) -> Result<Recording, String> {
    Recording::open(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Says on standard error what is not as it should be.
pub fn say_warnings(recording: &Recording) {
    for warning in recording.warnings() {
        let _ = writeln!(io::stderr(), "oneloop: {warning}");
    }
}
