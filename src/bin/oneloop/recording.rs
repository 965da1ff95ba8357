//! Opening a recording, with everything said that there is to say about it.

use std::path::Path;

use oneloop::trace::read::Recording;

/// Opens a recording.
///
/// # Errors
/// One sentence with the file's name.
pub fn open(path: &Path) -> Result<Recording, String> {
    Recording::open(path).map_err(|error| format!("{}: {error}", path.display()))
}
