//! `oneloop page`: a recording as one file that plays in any browser.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use oneloop::trace::narrate::{count, plain};
use oneloop::trace::page::{self, Side, Source};
use oneloop::trace::read::Recording;

use crate::session::sources::{Sources, read};
use crate::{Ended, recording};

/// The longest source file that is put on a page, in bytes.
const MAX_FILE: u64 = 512 << 10;
/// The most source that is put on a page, in bytes.
const MAX_SOURCES: u64 = 4 << 20;
/// The most source files that are put on a page.
const MAX_FILES: usize = 256;

/// Write a recording as a page: one file, which plays in any browser and asks nobody for anything.
///
/// The page holds the recording, and of the source files that it names those that are found in the project of this
/// folder: the workspace or package of cargo around it. No other file is ever put on a page.
#[derive(clap::Args)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// Another one, to be shown beside it on the same scale of time
    other: Option<PathBuf>,
    /// The file to write; `-` is standard output. If left out, FILE with the ending `html`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes it.
pub fn run(args: Args) -> Ended {
    let files: Vec<&Path> =
        [Some(&args.file), args.other.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    let recordings = files.iter().map(|file| recording::open(file)).collect::<Result<Vec<_>, _>>()?;
    let output = args.output.unwrap_or_else(|| args.file.with_extension("html"));
    let sides: Vec<Side> =
        files.iter().zip(&recordings).map(|(file, recording)| side(file, recording)).collect();
    recording::write_to(&output, &files, |out| page::page(&sides, out))?;
    recordings.iter().for_each(recording::say_warnings);
    if output.as_os_str() != "-" {
        say_what_is_on_it(&output, &sides)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn side<'a>(file: &Path, recording: &'a Recording) -> Side<'a> {
    let name = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    Side { name, recording, sources: sources(recording) }
}

/// The source files that a recording names, within the limits.
fn sources(recording: &Recording) -> Vec<Source> {
    let (places, mut room) = (Sources::of_project(), MAX_SOURCES);
    let files = page::files(recording).into_iter().take(MAX_FILES);
    let read = files.map(|file| {
        let found = places.find(&file);
        let library = page::is_of_a_library(&file) || found.as_deref().is_some_and(is_of_oneloop);
        let text = match found {
            None => Err(String::from("it was not found in the project where the page was made")),
            Some(found) => text_of(&found, &mut room),
        };
        Source { file, text, library }
    });
    read.collect()
}

fn text_of(file: &Path, room: &mut u64) -> Result<String, String> {
    let text = read(file, MAX_FILE)?;
    *room = room
        .checked_sub(text.len() as u64)
        .ok_or_else(|| format!("more than {MAX_SOURCES} bytes of source are not put on a page"))?;
    Ok(text)
}

/// Whether a file is of this crate's own library: in the `src` of the folder whose `Cargo.toml` names it.
fn is_of_oneloop(file: &Path) -> bool {
    let source = file.ancestors().find(|folder| folder.ends_with("src"));
    let manifest = source.and_then(Path::parent).map(|root| root.join("Cargo.toml"));
    let text = manifest.and_then(|manifest| read(&manifest, MAX_FILE).ok()).unwrap_or_default();
    text.lines().any(|line| line.trim() == "name = \"oneloop\"")
}

/// Which source files went with it, since a page is made to be handed out.
fn say_what_is_on_it(output: &Path, sides: &[Side<'_>]) -> Result<(), String> {
    let sources: Vec<&Source> = sides.iter().flat_map(|side| &side.sources).collect();
    let events: usize = sides.iter().map(|side| side.recording.events.len().min(page::MAX_EVENTS)).sum();
    let mut text = format!("{}: {}", output.display(), count(events, "event"));
    let mut held: Vec<&str> =
        sources.iter().filter(|source| source.text.is_ok()).map(|source| source.file.as_str()).collect();
    // Two recordings may name the same ones.
    held.sort_unstable();
    held.dedup();
    if !held.is_empty() {
        text.push_str(&format!(", and the source of {}", held.join(", ")));
    }
    text.push('\n');
    for source in sources {
        if let Err(why) = &source.text {
            text.push_str(&format!("not on it: {}, {why}\n", source.file));
        }
    }
    crate::say(&text.lines().map(|line| plain(line) + "\n").collect::<String>())
}
