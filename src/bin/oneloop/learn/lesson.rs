//! What a lesson is, as it is read from its files.
//!
//! ```text
//!   # 01. Does calling an async function run it?     number and question
//!   Wrong idea: `hello()` runs the body of `hello`.  what many believe
//!   (a few sentences)                                what it is about
//!   ## Stop 1: poll_begin of main, 1st               an event of the recording, in words: a selector
//!   How often is `Hello` printed?                    a question
//!   > Answer: Once. …                                shown when it was thought about
//!   Remember: calling makes a future; …              what is left of it a year later (may be left out)
//!   Rule: must not fire never_polled                 what `oneloop check` says of the recording
//! ```
//!
//! `Clock: real` in a line of its own says that virtual time would hide what is to be seen.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use oneloop::trace::page::{LessonText, Stop};
use serde_json::Value;

/// A lesson.
#[derive(Clone, Debug, Default)]
pub struct Lesson {
    /// What it says.
    pub text: LessonText,
    /// Where its recording stops, one for each stop of the text.
    pub selectors: Vec<Selector>,
    /// The rules that must find something in the recording (`true`), and those that must not.
    pub rules: Vec<(bool, String)>,
    /// Whether it is recorded by the clock on the wall.
    pub real_clock: bool,
}

/// An event in words: `poll_end of task-1, 2nd`, `wait_begin of loop, 1st`, `timer_fire of timer 0, last`.
#[derive(Clone, Debug)]
pub struct Selector {
    kind: String,
    subject: String,
    /// From 1; `None`: the last one.
    which: Option<usize>,
}

impl Lesson {
    /// Reads a `lesson.md`.
    ///
    /// # Errors
    /// What is not as it should be, in a sentence.
    pub fn parse(text: &str) -> Result<Lesson, String> {
        let mut lesson = Lesson::default();
        for paragraph in paragraphs(text) {
            lesson.add(paragraph)?;
        }
        let LessonText { number, wrong_idea, stops, .. } = &lesson.text;
        let unanswered = stops.iter().position(|stop| stop.question.is_empty() || stop.answer.is_empty());
        match unanswered {
            Some(index) => Err(format!("stop {} lacks a question or an answer", index + 1)),
            None if wrong_idea.is_empty() => Err("it names no wrong idea".into()),
            None if *number == 0 => Err("its first line is not `# NN. Question`".into()),
            None => Ok(lesson),
        }
    }

    fn add(&mut self, paragraph: String) -> Result<(), String> {
        let text = &mut self.text;
        if let Some(title) = paragraph.strip_prefix("# ") {
            let (number, question) = title.split_once(". ").ok_or("its title has no number")?;
            text.number = number.parse().map_err(|_| format!("{number:?} is no number"))?;
            text.question = question.to_owned();
        } else if let Some(stop) = paragraph.strip_prefix("## Stop ") {
            let (number, selector) = stop.split_once(": ").ok_or("a stop has no selector")?;
            if number.parse() != Ok(text.stops.len() + 1) {
                return Err(format!("stop {number} comes after {} others", text.stops.len()));
            }
            self.selectors.push(Selector::parse(selector)?);
            text.stops.push(Stop::default());
        } else if let Some(idea) = paragraph.strip_prefix("Wrong idea: ") {
            text.wrong_idea = idea.to_owned();
        } else if let Some(remember) = paragraph.strip_prefix("Remember: ") {
            text.remember = remember.to_owned();
        } else if paragraph == "Clock: real" {
            self.real_clock = true;
        } else if let Some(rule) = paragraph.strip_prefix("Rule: must fire ") {
            self.rules.push((true, rule.to_owned()));
        } else if let Some(rule) = paragraph.strip_prefix("Rule: must not fire ") {
            self.rules.push((false, rule.to_owned()));
        } else if let Some(stop) = text.stops.last_mut() {
            match paragraph.strip_prefix("> Answer: ") {
                Some(answer) => stop.answer = answer.to_owned(),
                None => stop.question.push(paragraph),
            }
        } else {
            text.about.push(paragraph);
        }
        Ok(())
    }
}

/// The paragraphs of a text, each in one line; a heading and a rule is one by itself.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        let alone = ["#", "Rule: ", "Clock: "].iter().any(|begin| line.starts_with(begin));
        let last = paragraphs.last_mut().expect("there is one from the beginning");
        let quoted = last.starts_with("> ");
        if line.trim().is_empty() || alone {
            paragraphs.push(String::new());
        }
        let last = paragraphs.last_mut().expect("there is one from the beginning");
        let line = if quoted { line.strip_prefix("> ").unwrap_or(line) } else { line };
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(line.trim());
        if alone {
            paragraphs.push(String::new());
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

impl Selector {
    fn parse(text: &str) -> Result<Selector, String> {
        let wrong = || format!("{text:?} is no selector: one is `poll_end of task-1, 2nd`");
        let (kind, rest) = text.split_once(" of ").ok_or_else(wrong)?;
        let (subject, which) = rest.rsplit_once(", ").unwrap_or((rest, "1st"));
        let digits = which.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let which = match which {
            "last" => None,
            _ => Some(digits.parse().ok().filter(|which| *which > 0).ok_or_else(wrong)?),
        };
        Ok(Selector { kind: kind.to_owned(), subject: subject.to_owned(), which })
    }

    /// The number of the event that is meant; `None`: the recording has no such event.
    pub fn find(&self, lines: &[Value]) -> Option<u64> {
        let spawns = lines.iter().filter(|line| line["k"] == "spawn");
        let tasks: HashMap<&str, &Value> =
            spawns.filter_map(|line| Some((line["name"].as_str()?, &line["task"]))).collect();
        let is_of = |line: &Value| match (self.subject.rsplit_once(' '), tasks.get(self.subject.as_str())) {
            _ if self.subject == "loop" => true,
            (_, Some(task)) if line.get("task").is_some() => line["task"] == **task,
            (_, Some(task)) => line["by"]["task"] == **task,
            (Some((what, number)), None) => {
                let number = number.parse::<u64>().ok();
                number.is_some() && (line[what].as_u64() == number || line["by"][what].as_u64() == number)
            }
            (None, None) => false,
        };
        let mut found =
            lines.iter().filter(|line| line["k"] == self.kind.as_str() && is_of(line) && line["n"].is_u64());
        let line = match self.which {
            Some(which) => found.nth(which - 1),
            None => found.next_back(),
        };
        line.and_then(|line| line["n"].as_u64())
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let which = self.which.map_or("the last".into(), |which| format!("number {which}"));
        write!(f, "{} of {}, {which}", self.kind, self.subject)
    }
}

/// The text of a recording, packed or plain.
///
/// # Errors
/// If it cannot be unpacked.
pub fn text(recording: &[u8]) -> Result<String, String> {
    let mut text = String::new();
    let read = match recording.starts_with(&[0x1f, 0x8b]) {
        true => MultiGzDecoder::new(recording).read_to_string(&mut text),
        false => (&*recording).read_to_string(&mut text),
    };
    read.map(|_| text).map_err(|error| error.to_string())
}

/// The lines of a recording's text.
///
/// # Errors
/// If one is no JSON.
pub fn lines(text: &str) -> Result<Vec<Value>, String> {
    text.lines().map(|line| serde_json::from_str(line).map_err(|error| error.to_string())).collect()
}
