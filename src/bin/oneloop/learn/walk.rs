//! A lesson in the terminal: the program, and stop after stop the sentence, the state, the question, and the answer.

use std::io::{self, BufRead, Write};

use oneloop::trace::fold::World;
use oneloop::trace::narrate::{Narrator, plain, span};
use oneloop::trace::{EventKind, Place, Ready};

use super::Read;
use crate::session::{places, things};

/// The width of text, in letters: a terminal has 80, and some of them are for signs.
const WIDTH: usize = 76;
/// The most events that are told between two stops: an answer may speak of any of them.
const TOLD: usize = 48;

/// Goes through a lesson; whoever does so may answer, and is shown the answer after each Enter.
///
/// # Errors
/// If standard output cannot be written to for another reason than that nobody reads it.
pub fn through(read: &Read, of: usize) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match walk(read, of, &mut io::stdin().lock(), &mut out) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("the lesson cannot be shown: {error}"))
        }
        _ => Ok(()),
    }
}

fn walk(read: &Read, of: usize, answers: &mut impl BufRead, out: &mut impl Write) -> io::Result<()> {
    let lesson = &read.text;
    writeln!(out, "Lesson {} of {of}: {}\n", lesson.number, lesson.question)?;
    wrapped(out, "", &format!("Wrong idea: {}", lesson.wrong_idea))?;
    for paragraph in &lesson.about {
        writeln!(out)?;
        wrapped(out, "", paragraph)?;
    }
    writeln!(out)?;
    for (number, line) in (1..).zip(read.files.program.lines()) {
        writeln!(out, "{number:4} │ {line}")?;
    }
    let mut moment = Moment { read, world: World::new(), narrator: Narrator::new(), at: 0, written: 0 };
    for (index, (stop, seq)) in lesson.stops.iter().zip(&read.stops).enumerate() {
        // Nothing is given away: what leads to a stop is told when one is there.
        moment.go(*seq, out)?;
        writeln!(
            out,
            "\n── Stop {} of {}, event {seq}, at {} ──\n",
            index + 1,
            lesson.stops.len(),
            span(moment.world.time)
        )?;
        moment.show(out)?;
        for paragraph in &stop.question {
            writeln!(out)?;
            wrapped(out, "? ", paragraph)?;
        }
        write!(out, "\nYour answer (Enter shows ours, q ends): ")?;
        out.flush()?;
        let mut answer = String::new();
        let was_asked = answers.read_line(&mut answer)? > 0;
        if !was_asked {
            writeln!(out)?;
        }
        if answer.trim() == "q" {
            return Ok(());
        }
        wrapped(out, "│ ", &stop.answer)?;
    }
    moment.go(u64::MAX, out)?;
    end(read, of, out)
}

/// What is left of the lesson, and what the rules find.
fn end(read: &Read, of: usize, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n── At the end ──\n")?;
    if !read.text.remember.is_empty() {
        wrapped(out, "", &format!("Remember: {}", read.text.remember))?;
    }
    let found = read.found();
    if found.is_empty() {
        writeln!(out, "`oneloop check` finds nothing wrong in this run.")?;
    }
    for finding in &found {
        wrapped(
            out,
            "",
            &format!("`oneloop check` says: {}[{}] {}", finding.level, finding.rule, finding.text),
        )?;
    }
    match read.text.number as usize {
        last if last == of => writeln!(out, "\nThis was the last lesson."),
        number => writeln!(out, "\n`oneloop learn {}` is the next one.", number + 1),
    }
}

/// A moment of the run.
struct Moment<'a> {
    read: &'a Read,
    world: World,
    narrator: Narrator,
    /// How many events have happened.
    at: usize,
    /// How many pieces of output were shown.
    written: usize,
}

impl Moment<'_> {
    /// Goes on to an event, and tells what happened before it, with what the program wrote.
    fn go(&mut self, seq: u64, out: &mut impl Write) -> io::Result<()> {
        let events = &self.read.recording.events;
        let to = events.partition_point(|event| event.seq < seq).max(self.at);
        let before = to - self.at;
        if before > 0 {
            writeln!(out)?;
        }
        let (first, last) = (self.at + TOLD - 4, to - 4.min(to));
        for event in &events[self.at..to] {
            let sentence = self.narrator.sentence(event);
            self.world.apply(event);
            if before <= TOLD || self.at < first || self.at >= last {
                self.output(out)?;
                writeln!(out, "{:5} {}", event.seq, sentence)?;
            } else if self.at == first {
                writeln!(out, "      … {} more events …", last - first)?;
            }
            self.at += 1;
        }
        self.output(out)?;
        if let Some(event) = events.get(self.at).filter(|event| event.seq == seq) {
            let sentence = self.narrator.sentence(event);
            let place = match event.kind {
                // One that does not say where it waits does not wait where its task was spawned.
                EventKind::PollEnd { .. } => places::own(event),
                _ => places::here(event, &self.world),
            };
            self.world.apply(event);
            self.at += 1;
            writeln!(out, "{:5} {}", event.seq, sentence)?;
            self.line(place, out)?;
        }
        Ok(())
    }

    /// The line of the program that an event is at, so that nobody has to look for it further up.
    fn line(&self, place: Option<Place>, out: &mut impl Write) -> io::Result<()> {
        let Some(Place { line, .. }) = place.filter(|place| place.file == "program.rs") else {
            return Ok(());
        };
        let text = self.read.files.program.lines().nth(line as usize - 1).unwrap_or_default();
        writeln!(out, "\n ▶ {line:2} │ {text}")
    }

    /// What the program has written so far, as far as it was not shown yet.
    fn output(&mut self, out: &mut impl Write) -> io::Result<()> {
        let all = &self.read.recording.output;
        while let Some(output) = all.get(self.written).filter(|output| output.after <= self.at) {
            output.text.lines().try_for_each(|line| writeln!(out, "output│ {}", plain(line)))?;
            self.written += 1;
        }
        Ok(())
    }

    /// The state of the loop.
    fn show(&self, out: &mut impl Write) -> io::Result<()> {
        let world = &self.world;
        let running = match world.running {
            Some(Ready::Task(task)) => things::task_name(task, world),
            Some(Ready::Callback(callback)) => callback.to_string(),
            _ => "nothing".into(),
        };
        let ready: Vec<String> = world.ready.iter().map(|entry| name(entry, world)).collect();
        let ready = if ready.is_empty() { "empty".into() } else { ready.join(", ") };
        writeln!(out, "  running: {running}; ready queue: {ready}")?;
        for (id, task) in &world.tasks {
            hanging(out, "  ", "      ", &things::task(*id, task, world))?;
        }
        for (id, timer) in &world.timers {
            hanging(out, "  ", "      ", &things::timer(*id, timer, world))?;
        }
        for (id, source) in &world.sources {
            hanging(out, "  ", "      ", &things::source(*id, source, world))?;
        }
        for (id, job) in &world.jobs {
            hanging(out, "  ", "      ", &things::job(*id, job, world))?;
        }
        Ok(())
    }
}

fn name(entry: Ready, world: &World) -> String {
    match entry {
        Ready::Task(task) => things::task_name(task, world),
        Ready::Callback(callback) => callback.to_string(),
        _ => "the end of the run".into(),
    }
}

/// A paragraph, in lines that are not too long, each with a sign before it.
fn wrapped(out: &mut impl Write, sign: &str, text: &str) -> io::Result<()> {
    hanging(out, sign, sign, text)
}

/// The same, with another sign before the first line.
fn hanging(out: &mut impl Write, first: &str, then: &str, text: &str) -> io::Result<()> {
    let (mut sign, mut line) = (first, String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
            writeln!(out, "{sign}{line}")?;
            line.clear();
            sign = then;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{sign}{line}")
}
