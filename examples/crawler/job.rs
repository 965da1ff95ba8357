//! What is done to one picture on a thread of the blocking pool.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use url::Url;

use crate::args::Args;
use crate::failure::Failure;
use crate::save::{self, Name};
use crate::thumbnail;

/// Decode, resize, write; with all it needs, as it goes to another thread.
pub struct Job {
    name: Name,
    size: (u32, u32),
    max_pixels: u64,
    out: PathBuf,
    /// Where the picture as it came is kept; `None`: nowhere.
    originals: Option<PathBuf>,
}

/// How a job ended.
pub struct Outcome {
    /// Time a processor spent on it, waiting not counted.
    pub cpu_time: Duration,
    /// Bytes written.
    pub result: Result<u64, Error>,
}

/// Why a job has left no thumbnail.
pub enum Error {
    Thumbnail(thumbnail::Error),
    Disk(io::Error),
}

impl Error {
    /// With the URL the picture came from.
    pub fn of(self, url: &Url) -> Failure {
        match self {
            Error::Thumbnail(error) => Failure::thumbnail(url, &error),
            Error::Disk(error) => Failure::disk(url, &error),
        }
    }
}

impl Job {
    pub fn new(args: &Args, name: Name) -> Job {
        let (out, originals) = (args.out.clone(), args.originals.clone());
        Job { name, size: args.size, max_pixels: args.max_pixels, out, originals }
    }

    /// Is the original where it is to be kept? If none is to be kept, nothing is missing.
    pub fn has_original(&self) -> bool {
        self.originals.as_ref().is_none_or(|folder| folder.join(self.name.original()).is_file())
    }

    /// Does the work. May panic where a decoder does.
    pub fn run(&self, picture: &[u8]) -> Outcome {
        let start = thread_time();
        let result = self.make(picture);
        Outcome { cpu_time: thread_time().saturating_sub(start), result }
    }

    fn make(&self, picture: &[u8]) -> Result<u64, Error> {
        let name = self.name.thumbnail();
        let grey = thumbnail::grey(picture, self.size, self.max_pixels).map_err(Error::Thumbnail)?;
        let file = thumbnail::pack(&grey, self.size, &name).map_err(Error::Thumbnail)?;
        let mut written = file.len() as u64;
        // The thumbnail comes last: once it is there, nothing of this picture is missing.
        if let Some(folder) = &self.originals {
            save::write(folder, &self.name.original(), picture).map_err(Error::Disk)?;
            written += picture.len() as u64;
        }
        save::write(&self.out, &name, &file).map_err(Error::Disk)?;
        Ok(written)
    }
}

/// What this thread has used of the processors since it began.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
