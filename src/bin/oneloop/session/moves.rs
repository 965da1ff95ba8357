//! From one moment of the run to another.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use oneloop::trace::fold::World;
use oneloop::trace::narrate::{count, span};
use oneloop::trace::{Event, EventKind as E, TaskId, narrate::plain};

use super::commands::{Stop, Until};
use super::fetch::{Got, Told, Way};
use super::places;
use super::{Feed, Session, Watch};

/// The most events between two stops that are told one by one.
const TOLD: usize = 16;
/// How long a program may take to stop when it is asked to, before that is said: it may be waiting.
const MOMENT: Duration = Duration::from_millis(300);
/// The most lines of output that are shown on the way.
const LINES: usize = 50;

/// What `Until` means in this run: names are numbers now.
enum Goal {
    Next(Stop),
    /// The event of this number, or the first after it.
    Event(u64),
    PollEnd,
    PollOf(TaskId),
    WakeOf(TaskId),
    Line(String, u32),
    /// Where this rule finds something; any of them, if none is named.
    Finding(Option<&'static str>),
    End,
}

impl Goal {
    /// Whether this event is it. `world` is the state before it.
    fn is(&self, event: &Event, world: &World) -> bool {
        match self {
            Goal::Next(stop) => is_stop(*stop, event),
            Goal::Event(seq) => event.seq >= *seq,
            Goal::PollEnd => matches!(event.kind, E::PollEnd { .. } | E::CallbackEnd { .. }),
            Goal::PollOf(wanted) => matches!(event.kind, E::PollBegin { task, .. } if task == *wanted),
            Goal::WakeOf(wanted) => matches!(event.kind, E::Wake { task, .. } if task == *wanted),
            Goal::Line(file, line) => places::here(event, world)
                .is_some_and(|place| place.line == *line && ends_with(place.file, file)),
            // The rules are asked instead.
            Goal::Finding(_) | Goal::End => false,
        }
    }

    /// Whether it is looked for something that may never come.
    fn is_search(&self) -> bool {
        matches!(self, Goal::PollOf(_) | Goal::WakeOf(_) | Goal::Line(..) | Goal::Finding(_))
    }
}

fn is_stop(stop: Stop, event: &Event) -> bool {
    match stop {
        Stop::Event => true,
        Stop::Poll => matches!(event.kind, E::PollBegin { .. } | E::CallbackBegin { .. }),
        Stop::Turn => matches!(event.kind, E::TurnBegin { .. }),
    }
}

/// Whether a path is meant by its end, which is one of its names or more.
fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end)
        .is_some_and(|before| before.is_empty() || before.ends_with('/') || end.starts_with('/'))
}

impl<F: Feed, W: Write> Session<F, W> {
    pub(super) fn forward(&mut self, until: &Until, times: usize, watch: &mut dyn Watch) -> io::Result<()> {
        let goal = match self.goal(until) {
            Ok(goal) => goal,
            Err(error) => return self.say(&error),
        };
        let (begin, gone) = (self.history.at(), self.gone);
        let mut way = self.walk(&goal, times, watch)?;
        if way.steps == 0 {
            return if way.is_stopped { self.tell_stop() } else { self.tell_end(None) };
        }
        if way.left > 0 && goal.is_search() && !way.is_stopped && !way.is_news {
            // Nothing was learned on the way: we are still where we were.
            self.history.go(begin);
            return self.tell_end(Some(until));
        }
        let last = way.last.take().unwrap_or_else(|| {
            self.history.go(self.history.at() - 1);
            self.pass_and_tell()
        });
        self.tell_passed(way.passed, way.start, way.steps - 1, way.shown)?;
        self.tell(&last)?;
        if let Goal::Finding(rule) = goal {
            let seq = self.history.events()[last.index].seq;
            self.scan.at(seq, rule).try_for_each(|finding| writeln!(self.out, "{finding}"))?;
        }
        if self.gone > gone {
            self.tell_gone()?;
        }
        match way.left {
            0 => Ok(()),
            _ if way.is_stopped => self.tell_stop(),
            _ => self.tell_end(goal.is_search().then_some(until)),
        }
    }

    /// Goes on until the goal is reached for the last time, `watch` wants no more, or there is no more.
    fn walk(&mut self, goal: &Goal, times: usize, watch: &mut dyn Watch) -> io::Result<Way> {
        let mut way = Way { start: self.history.at(), left: times, ..Way::default() };
        let mut stopping: Option<Instant> = None;
        while way.left > 0 {
            if stopping.is_none() && !watch.goes_on(&self.history, &self.written) {
                self.feed.stop();
                stopping = Some(Instant::now());
            }
            // What has happened by then is taken up, so that the program stands where we are.
            if stopping.is_some_and(|since| !self.feed.is_moving() || since.elapsed() > MOMENT) {
                way.is_stopped = true;
                break;
            }
            if self.history.is_at_end() {
                match self.fetch(matches!(goal, Goal::End) && stopping.is_none(), &mut way)? {
                    Got::Event => {}
                    Got::Nothing => continue,
                    Got::End => break,
                }
            }
            let index = self.history.at();
            let (events, world) = (self.history.events(), self.history.world());
            let is_it = match goal {
                Goal::Finding(rule) => self.scan.finds(&self.history, index, *rule),
                _ => goal.is(&events[index], world),
            };
            way.left -= usize::from(is_it);
            way.steps += 1;
            if way.left == 0 {
                way.last = Some(self.pass_and_tell());
            } else if way.passed.len() <= TOLD {
                let sentence = self.history.forward().unwrap_or_default();
                way.passed.push((index, sentence));
            } else {
                self.history.pass();
            }
        }
        Ok(way)
    }

    /// Somebody has asked for a stop.
    fn tell_stop(&mut self) -> io::Result<()> {
        self.say(match self.feed.is_moving() {
            true => "The program waits, or is in the middle of a poll; it stops at its next event, to which `n` goes.",
            false => "Stopped.",
        })
    }

    /// Goes on by one event that is known.
    fn pass_and_tell(&mut self) -> Told {
        let index = self.history.at();
        let line = places::line(&self.history, index, self.history.world());
        let sentence = self.history.forward().unwrap_or_default();
        Told { index, sentence, line }
    }

    fn goal(&self, until: &Until) -> Result<Goal, String> {
        Ok(match until {
            Until::Next(stop) => Goal::Next(*stop),
            Until::PollEnd => Goal::PollEnd,
            Until::PollOf(task) => Goal::PollOf(self.task_called(task)?),
            Until::WakeOf(task) => Goal::WakeOf(self.task_called(task)?),
            Until::Line(file, line) => Goal::Line(file.clone(), *line),
            Until::Finding(rule) => Goal::Finding(*rule),
            Until::End => Goal::End,
        })
    }

    pub(super) fn back(&mut self, stop: Stop, times: usize) -> io::Result<()> {
        let mut at = self.history.at();
        for _ in 0..times {
            let before = &self.history.events()[..at.saturating_sub(1)];
            match before.iter().rposition(|event| is_stop(stop, event)) {
                Some(index) => at = index + 1,
                None => {
                    self.history.go(0);
                    return match self.begin() {
                        Some(first) => {
                            self.say(&format!("Nothing is known of what was before event {first}."))
                        }
                        None => self.say("This is the beginning: nothing has happened yet."),
                    };
                }
            }
        }
        self.look_at(at)
    }

    pub(super) fn go(&mut self, seq: u64, watch: &mut dyn Watch) -> io::Result<()> {
        if let Some(first) = self.begin().filter(|first| seq < *first) {
            return self.say(&format!("Event {seq} is not known: the first that is, is event {first}."));
        }
        if self.history.events().last().is_none_or(|last| last.seq < seq) {
            self.history.go(usize::MAX);
            let way = self.walk(&Goal::Event(seq), 1, watch)?;
            if way.left > 0 {
                self.look_at(self.history.at())?;
                return if way.is_stopped { self.tell_stop() } else { self.tell_end(None) };
            }
        }
        let at = self.history.events().partition_point(|event| event.seq < seq);
        self.look_at(at + 1)
    }

    /// Something was let go meanwhile.
    fn tell_gone(&mut self) -> io::Result<()> {
        let first = self.begin().unwrap_or(0);
        let text =
            format!("No more than {} events are kept (--keep); the first is event {first} now.", self.keep);
        self.say(&text)
    }

    pub(super) fn where_now(&mut self) -> io::Result<()> {
        self.look_at(self.history.at())
    }

    /// Shows the moment after the first `at` events.
    fn look_at(&mut self, at: usize) -> io::Result<()> {
        let Some(index) = at.checked_sub(1) else {
            self.history.go(0);
            return self
                .say("Nothing has happened yet. `n` goes to the first event, `help` lists all commands.");
        };
        self.history.go(index);
        let told = self.pass_and_tell();
        self.tell(&told)
    }

    /// What happened in so many steps on the way, one by one if they are few, and what the program wrote there, without
    /// what was shown.
    fn tell_passed(
        &mut self,
        mut passed: Vec<(usize, String)>,
        start: usize,
        steps: usize,
        shown: usize,
    ) -> io::Result<()> {
        if self.shown {
            return Ok(());
        }
        if steps > TOLD || passed.len() < steps {
            passed.clear();
            writeln!(self.out, "      … {} on the way", count(steps, "event"))?;
        }
        // The last may be told by itself.
        passed.truncate(steps);
        let end = self.history.at() - 1;
        let mut told = passed.iter().peekable();
        let written = |until: usize| self.written.partition_point(|written| written.after < until);
        let (from, to) =
            (written(start), written(end + 1).min(self.written.len() - shown.min(self.written.len())));
        let written = self.written.get(from..to).unwrap_or_default();
        let skipped = written.len().saturating_sub(LINES);
        if skipped > 0 {
            writeln!(self.out, "      … {} of output on the way", count(skipped, "piece"))?;
        }
        let events = self.history.events();
        for written in &written[skipped..] {
            while let Some((index, sentence)) = told.next_if(|(index, _)| *index < written.after) {
                writeln!(self.out, "{:>5} {sentence}", events[*index].seq)?;
            }
            super::show::write_output(&mut self.out, written)?;
        }
        for (index, sentence) in told {
            writeln!(self.out, "{:>5} {sentence}", events[*index].seq)?;
        }
        Ok(())
    }

    /// A stop: what happened, when, and at which line.
    fn tell(&mut self, told: &Told) -> io::Result<()> {
        let Told { index, sentence, line } = told;
        if self.shown {
            let line = line.or_else(|| places::line(&self.history, *index, self.history.world()));
            self.stop = line.map(|line| (index + 1, line));
            return Ok(());
        }
        let event = &self.history.events()[*index];
        let (seq, time) = (event.seq, span(event.time));
        let turn = self.history.world().turn.map(|turn| format!(" in turn {turn}")).unwrap_or_default();
        writeln!(self.out, "event {seq}{turn}, at {time}: {sentence}")?;
        let last = self.history.events().last().map_or(seq, |last| last.seq);
        if self.feed.called() == "program" && seq < last {
            writeln!(self.out, "      viewing event {seq} of {last}; the program stands at {last}")?;
        }
        if let Some(line) = line {
            match self.sources.line(line.place.file, line.place.line) {
                Some(text) => writeln!(self.out, "      {line}    {text}")?,
                None => writeln!(self.out, "      {line}")?,
            }
        }
        Ok(())
    }

    /// That there is no more; and that what was to come, did not come.
    fn tell_end(&mut self, missed: Option<&Until>) -> io::Result<()> {
        let (called, seq) = (self.feed.called(), self.history.events().last().map(|event| event.seq));
        if called == "recording" && !self.shown && self.history.is_at_end() {
            // What the program wrote when its loop was closed.
            let events = self.history.events().len();
            let behind = self.written.partition_point(|written| written.after < events);
            let behind = self.written[behind..].iter().take(LINES);
            behind.into_iter().try_for_each(|written| super::show::write_output(&mut self.out, written))?;
        }
        let missed = match missed {
            Some(Until::PollOf(task)) => format!("There was no further poll of task {}.", plain(task)),
            Some(Until::WakeOf(task)) => format!("There was no further wake of task {}.", plain(task)),
            Some(Until::Line(file, line)) => format!("Nothing more happened at {}:{line}.", plain(file)),
            Some(Until::Finding(rule)) => match self.scan.end(&self.history, *rule).as_slice() {
                [] => String::from("Nothing more is found to be wrong."),
                found => format!("The end itself tells:\n{}", found.join("\n")),
            },
            Some(_) | None => String::new(),
        };
        let why = self.ended.clone().unwrap_or_default();
        let end = match seq {
            Some(seq) => format!("This is the end of the {called}, after event {seq}."),
            None => format!("The {called} has no events."),
        };
        let sentences = [end, why, missed];
        let sentences: Vec<&str> =
            sentences.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        self.say(&sentences.join(" "))
    }

    /// The task of a number or a name; the latest one, if several have it.
    pub(super) fn task_called(&self, name: &str) -> Result<TaskId, String> {
        if let Ok(number) = name.parse() {
            return Ok(TaskId(number));
        }
        let named = self.history.events().iter().rev().find_map(|event| match &event.kind {
            E::Spawn { task, name: its, .. } if **its == *name => Some(*task),
            _ => None,
        });
        named.ok_or_else(|| format!("No task is called {}; `show tasks` lists them.", plain(name)))
    }
}
