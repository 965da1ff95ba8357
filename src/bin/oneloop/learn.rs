//! `oneloop learn`: the lessons, in the terminal and as pages.

mod course;
mod lesson;
mod walk;

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use oneloop::trace::findings::{Finding, Limits, check_recording};
use oneloop::trace::page::{self, LessonText};
use oneloop::trace::read::Recording;

use crate::{Ended, hangup, say};
use course::{COURSE, Files};
use lesson::Lesson;

/// Learn how an event loop works: short programs, what their loops did, and questions.
///
/// Without a number the lessons are listed. With one, it goes through that lesson: predict what happens at each stop,
/// press Enter, and read what did. --page writes all of them as pages, to be read in a browser, offline.
#[derive(clap::Args)]
pub struct Args {
    /// The number of a lesson
    number: Option<usize>,
    /// Write the whole course as pages to this folder, with an index.html to begin at
    #[arg(long, value_name = "DIR", conflicts_with = "number")]
    page: Option<PathBuf>,
}

/// A lesson that was read.
struct Read {
    files: Files,
    text: LessonText,
    recording: Recording,
    /// The events of the stops.
    stops: Vec<u64>,
}

impl Read {
    fn new(files: Files) -> Result<Read, String> {
        let told = |error: String| format!("lesson {}: {error}", files.slug);
        let lesson = Lesson::parse(files.text).map_err(told)?;
        let text = lesson::text(files.recording).map_err(told)?;
        let lines = lesson::lines(&text).map_err(told)?;
        let recording = Recording::read(text.as_bytes()).map_err(|error| told(error.to_string()))?;
        let stops = lesson.selectors.iter().map(|selector| {
            let none = || format!("lesson {}: there is no {selector}", files.slug);
            selector.find(&lines).ok_or_else(none)
        });
        let stops = stops.collect::<Result<_, _>>()?;
        Ok(Read { files, text: lesson.text, recording, stops })
    }

    /// What the rules find.
    fn found(&self) -> Vec<Finding> {
        check_recording(&self.recording, Limits::default()).found().to_vec()
    }
}

/// Lists, walks through, or writes.
pub fn run(args: &Args) -> Ended {
    match (&args.page, args.number) {
        (Some(folder), _) => write_pages(folder)?,
        (None, None) => list()?,
        (None, Some(number)) => {
            let none = || format!("there is no lesson {number}: they go from 1 to {}", COURSE.len());
            let files = number.checked_sub(1).and_then(|index| COURSE.get(index)).ok_or_else(none)?;
            // Whoever answers may be somewhere else than what is shown, and is not to be waited for in vain.
            hangup::watch(|| {})?;
            walk::through(&Read::new(*files)?, COURSE.len())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list() -> Result<(), String> {
    let mut text = String::from("The lessons, in an order in which each needs only those before it:\n\n");
    for files in COURSE {
        let lesson = Lesson::parse(files.text).map_err(|error| format!("lesson {}: {error}", files.slug))?;
        text.push_str(&format!("{:4}  {}\n", lesson.text.number, lesson.text.question.replace('`', "")));
    }
    text.push_str("\n`oneloop learn 1` goes through the first. `oneloop learn --page DIR` writes all of them as pages.\n");
    say(&text)
}

/// The whole course: a page for each lesson, and one that leads to all.
fn write_pages(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let lessons = COURSE.iter().map(|files| Read::new(*files)).collect::<Result<Vec<_>, _>>()?;
    let course: Vec<page::Lesson> = lessons.iter().map(beside).collect();
    for (index, read) in lessons.iter().enumerate() {
        let side = page::Side {
            name: format!("Lesson {}", read.text.number),
            recording: &read.recording,
            sources: sources(read),
        };
        write_page(&folder.join(&course[index].file), |out| page::lesson(&course, index, side, out))?;
    }
    let index = folder.join("index.html");
    write_page(&index, |out| page::index(&course, out))?;
    say(&format!("{} lessons; begin at {}\n", lessons.len(), index.display()))
}

fn write_page(file: &Path, write: impl FnOnce(BufWriter<File>) -> io::Result<()>) -> Result<(), String> {
    // What is there may be a link to a file elsewhere, or a pipe: it is not written through, but replaced.
    let removed = match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    let written = removed.and_then(|()| File::create_new(file)).and_then(|out| write(BufWriter::new(out)));
    written.map_err(|error| format!("{}: {error}", file.display()))
}

/// What stands beside the recording.
fn beside(read: &Read) -> page::Lesson {
    page::Lesson {
        text: read.text.clone(),
        events: read.stops.clone(),
        found: read.found().iter().map(|found| format!("`{}`: {}", found.rule, found.text)).collect(),
        file: format!("{}.html", read.files.slug),
    }
}

/// The program, and of other files that they are not here.
fn sources(read: &Read) -> Vec<page::Source> {
    let files = page::files(&read.recording).into_iter().map(|file| match file == "program.rs" {
        true => page::Source { file, text: Ok(read.files.program.to_owned()), library: false },
        false => page::Source { file, text: Err("it is a part of a library".into()), library: true },
    });
    files.collect()
}
