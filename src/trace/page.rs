//! Chapter 35, part 60: how does a recording become a page that any browser plays?
//!
//! One file of HTML holds all of it: what is shown, the script that shows it, and the recording. It asks nobody for
//! anything, so it can be handed out, mailed, and opened in a train.
//!
//! ```text
//!   page/page.html    where everything has its place          ┐
//!   page/*.css        how it looks; lesson.css only beside a  │
//!                     lesson                                  │
//!   page/*.js         fold.js folds events into a state, as   ├──▶ page.html
//!                     `trace/fold.rs` does; the others show it│
//!   the recording     as text in base64 (page/data.rs)        ┘
//! ```
//!
//! Nothing that a recording says can be taken for a part of the page. It comes as base64, whose letters mean nothing to a
//! browser, and the script puts it on the page as text only. Should that ever go wrong, the page's own policy
//! (`Content-Security-Policy`) still forbids all but these very scripts, named by their sums, and any request.
//!
//! Before: `trace/findings/why.rs`. Next: `trace/page/data.rs`.

mod data;
mod sums;
mod lesson;

use std::io::{self, Write};

use super::read::Recording;

pub use data::{files, is_of_a_library};
pub use lesson::{Lesson, LessonText, Stop};

/// The most events of a page. What comes after them is left out, and the page says so.
pub const MAX_EVENTS: usize = 500_000;

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const LESSON_STYLE: &str = include_str!("page/lesson.css");

const NOSCRIPT: &str = "<noscript>This page shows a recorded run of a program, and needs JavaScript for it. It asks nobody for anything.</noscript>";

/// The scripts, in the order in which they build on one another.
const SCRIPTS: [&str; 15] = [
    include_str!("page/fold.js"),
    include_str!("page/snapshot.js"),
    include_str!("page/words.js"),
    include_str!("page/recording.js"),
    include_str!("page/lanes.js"),
    include_str!("page/dom.js"),
    include_str!("page/code.js"),
    include_str!("page/wheel.js"),
    include_str!("page/panels.js"),
    include_str!("page/paint.js"),
    include_str!("page/timeline.js"),
    include_str!("page/player.js"),
    include_str!("page/stops.js"),
    include_str!("page/controls.js"),
    include_str!("page/page.js"),
];

/// A recording that is to be on a page, with what is to be shown beside it.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    /// What it is called there.
    pub name: String,
    /// The recording.
    pub recording: &'a Recording,
    /// The source files that its places are in, as far as they were found.
    pub sources: Vec<Source>,
}

/// A file of the program's source.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, as the recording has it.
    pub file: String,
    /// Its text, or why there is none, in words.
    pub text: Result<String, String>,
    /// Whether it belongs to a library, and not to the program itself.
    pub library: bool,
}

/// Writes one page with one recording, or with two side by side on one scale of time.
///
/// # Errors
/// Those of `out`.
pub fn page(sides: &[Side<'_>], out: impl Write) -> io::Result<()> {
    let title: Vec<String> = sides.iter().map(|side| escaped(&side.name)).collect();
    write(&Parts { title: title.join(" · "), sides, ..Parts::default() }, out)
}

/// Writes the page of the lesson `number` of a course, from 0, with its recording.
///
/// # Errors
/// Those of `out`.
///
/// # Panics
/// If there is no such lesson.
pub fn lesson(course: &[Lesson], number: usize, side: Side<'_>, out: impl Write) -> io::Result<()> {
    let before = number.checked_sub(1).map(|before| &course[before]);
    let lesson = course[number].html(before, course.get(number + 1));
    write(&Parts { title: escaped(&course[number].text.question), sides: &[side], lesson }, out)
}

/// Writes the page that leads to all lessons of a course.
///
/// # Errors
/// Those of `out`.
pub fn index(course: &[Lesson], out: impl Write) -> io::Result<()> {
    write(&Parts { title: "Lessons".into(), lesson: lesson::index(course), ..Parts::default() }, out)
}

/// What a page is made of, beside what all have. Titles and lessons are HTML.
#[derive(Default)]
struct Parts<'a> {
    title: String,
    /// None: there is nothing to play, so there are no scripts.
    sides: &'a [Side<'a>],
    /// Empty: it is none.
    lesson: String,
}

fn write(parts: &Parts<'_>, mut out: impl Write) -> io::Result<()> {
    let scripts = if parts.sides.is_empty() { &[][..] } else { &SCRIPTS };
    let styles = if parts.lesson.is_empty() { &[STYLE][..] } else { &[STYLE, LESSON_STYLE] };
    let (policy, mut pieces) = (policy(scripts, styles), TEMPLATE.split("{{"));
    out.write_all(pieces.next().unwrap_or_default().as_bytes())?;
    for piece in pieces {
        let (what, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        match what {
            "title" => out.write_all(parts.title.as_bytes())?,
            "policy" => out.write_all(policy.as_bytes())?,
            "style" => {
                for style in styles {
                    write!(out, "<style>{style}</style>")?;
                }
            }
            "scripts" => {
                for script in scripts {
                    writeln!(out, "<script>{script}</script>")?;
                }
            }
            "noscript" if scripts.is_empty() => {}
            "noscript" => out.write_all(NOSCRIPT.as_bytes())?,
            "lesson" => out.write_all(parts.lesson.as_bytes())?,
            _ => write_recordings(parts.sides, &mut out)?,
        }
        out.write_all(rest.as_bytes())?;
    }
    out.flush()
}

/// A script of another type than a script's is never run: it is where a page keeps what it is about.
fn write_recordings(sides: &[Side<'_>], out: &mut impl Write) -> io::Result<()> {
    for side in sides {
        let data = sums::base64(&data::packed(side)?);
        writeln!(out, "<script type=\"text/plain\" class=\"recording\">{data}</script>")?;
    }
    Ok(())
}

/// What the page may do: run its own scripts and wear its own style, each named by its sum; and nothing else.
fn policy(scripts: &[&str], styles: &[&str]) -> String {
    let sum = |text: &str| format!("'sha256-{}'", sums::base64(&sums::sha256(text.as_bytes())));
    let scripts: Vec<String> = scripts.iter().copied().map(sum).collect();
    let scripts = if scripts.is_empty() { "'none'".into() } else { scripts.join(" ") };
    let style = styles.iter().copied().map(sum).collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'none'; script-src {scripts}; style-src {style}; base-uri 'none'; form-action 'none'"
    )
}

/// Text as HTML has it.
fn escaped(text: &str) -> String {
    let mut html = String::new();
    for letter in super::narrate::plain(text).chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(letter),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_text() {
        assert_eq!(escaped("</title>&\"'\n"), "&lt;/title&gt;&amp;&quot;&#39;\u{fffd}");
    }

    #[test]
    fn nothing_in_a_script_or_in_the_style_ends_it() {
        for text in SCRIPTS {
            assert!(!text.contains("</script") && !text.contains("<!--"), "{}", &text[..80]);
        }
        assert!(!STYLE.contains("</style") && !LESSON_STYLE.contains("</style"));
    }

    #[test]
    fn the_template_has_every_part_once() {
        for part in [
            "{{title}}",
            "{{policy}}",
            "{{style}}",
            "{{scripts}}",
            "{{recordings}}",
            "{{lesson}}",
            "{{noscript}}",
        ] {
            assert_eq!(TEMPLATE.matches(part).count(), 1, "{part}");
        }
    }

    #[test]
    fn scripts_and_style_are_short_files_that_say_what_they_are() {
        for text in SCRIPTS.into_iter().chain([STYLE, LESSON_STYLE]) {
            let first = text.lines().next().unwrap_or_default();
            assert!(first.starts_with("// ") || first.starts_with("/* "), "{first}");
            assert!(text.lines().count() <= 400, "{first}");
        }
    }
}
