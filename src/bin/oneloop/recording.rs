//! Opening a recording, with everything said that there is to say about it, and writing what is made of it.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
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

/// Writes what is made of some recordings to a file, or, if it is called `-`, to standard output, where nobody may read it
/// to its end.
///
/// # Errors
/// One sentence with the file's name; also if it is one of the recordings.
pub fn write_to(
    output: &Path,
    recordings: &[&Path],
    write: impl FnOnce(BufWriter<Box<dyn Write>>) -> io::Result<()>,
) -> Result<(), String> {
    let told = |error: io::Error| format!("{}: {error}", output.display());
    let which = |file: &Path| fs::metadata(file).map(|file| (file.dev(), file.ino())).ok();
    // By whatever name, through a link too.
    let own = which(output);
    if own.is_some() && recordings.iter().any(|file| which(file) == own) {
        return Err(format!("{}: the recording would be written over", output.display()));
    }
    let is_standard = output.as_os_str() == "-";
    let out: Box<dyn Write> = match is_standard {
        true => Box::new(io::stdout().lock()),
        false => Box::new(File::create(output).map_err(told)?),
    };
    match write(BufWriter::new(out)) {
        Err(error) if is_standard && error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(told),
    }
}
