//! From one moment of the run to another.

use std::io::{self, Write};

use oneloop::trace::findings::Findings;
use oneloop::trace::fold::World;
use oneloop::trace::narrate::{count, span};
use oneloop::trace::{Event, EventKind as E, TaskId, narrate::plain};

use super::commands::{Stop, Until};
use super::places::{self, Line};
use super::{Feed, News, Session, Watch};

/// The most events between two stops that are told one by one.
const TOLD: usize = 16;
/// The most lines of output that are shown on the way.
const LINES: usize = 50;

/// What `Until` means in this run: names are numbers now.
enum Goal {
    Next(Stop),
    PollEnd,
    PollOf(TaskId),
    WakeOf(TaskId),
    Line(String, u32),
    /// What the rules have seen so far, and what they said last.
    Finding(Box<Findings>, Vec<String>),
    End,
}

impl Goal {
    /// Whether this event is it. `world` is the state before it.
    fn is(&mut self, event: &Event, world: &World) -> bool {
        match self {
            Goal::Next(stop) => is_stop(*stop, event),
            Goal::PollEnd => matches!(event.kind, E::PollEnd { .. } | E::CallbackEnd { .. }),
            Goal::PollOf(wanted) => matches!(event.kind, E::PollBegin { task, .. } if task == *wanted),
            Goal::WakeOf(wanted) => matches!(event.kind, E::Wake { task, .. } if task == *wanted),
            Goal::Line(file, line) => places::here(event, world)
                .is_some_and(|place| place.line == *line && ends_with(place.file, file)),
            Goal::Finding(findings, said) => {
                *said =
                    findings.event(event).iter().map(|finding| plain_lines(&finding.to_string())).collect();
                !said.is_empty()
            }
            Goal::End => false,
        }
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

/// Text of several lines, without anything that would do something else than be read.
fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// One event, as it was gone through.
struct Told {
    index: usize,
    sentence: String,
    line: Option<Line>,
}

/// What came of going on by one event.
enum Step {
    /// It happened; whether it is the goal.
    On(Told, bool),
    /// Whoever looks on wants no more.
    Stopped,
    /// There is no more.
    End,
}

impl<F: Feed, W: Write> Session<F, W> {
    pub(super) fn forward(&mut self, until: &Until, times: usize, watch: &mut dyn Watch) -> io::Result<()> {
        let mut goal = match self.goal(until) {
            Ok(goal) => goal,
            Err(error) => return self.say(&error),
        };
        let (start, known) = (self.history.at(), self.history.events().len());
        let (mut left, mut passed, mut last, mut stopped) = (times, Vec::new(), None, false);
        while left > 0 {
            let (told, is_it) = match self.step(&mut goal, watch)? {
                Step::On(told, is_it) => (told, is_it),
                Step::Stopped => {
                    stopped = true;
                    break;
                }
                Step::End => break,
            };
            left -= usize::from(is_it);
            if passed.len() <= TOLD {
                passed.extend(last.take());
            }
            last = Some(told);
        }
        let Some(last) = last else { return if stopped { self.tell_stop() } else { self.tell_end(None) } };
        let is_search =
            matches!(goal, Goal::PollOf(_) | Goal::WakeOf(_) | Goal::Line(..) | Goal::Finding(..));
        if left > 0 && is_search && !stopped && self.history.events().len() == known {
            // Nothing new was learned on the way: we are still where we were.
            self.history.go(start);
            return self.tell_end(Some(until));
        }
        let missed = left > 0 && is_search;
        self.tell_passed(&passed, last.index.saturating_sub(start), start)?;
        self.tell(&last)?;
        if let Goal::Finding(_, said) = &goal {
            said.iter().try_for_each(|finding| writeln!(self.out, "{finding}"))?;
        }
        match left {
            0 => Ok(()),
            _ if stopped => self.tell_stop(),
            _ => self.tell_end(missed.then_some(until)),
        }
    }

    fn goal(&self, until: &Until) -> Result<Goal, String> {
        Ok(match until {
            Until::Next(stop) => Goal::Next(*stop),
            Until::PollEnd => Goal::PollEnd,
            Until::PollOf(task) => Goal::PollOf(self.task_called(task)?),
            Until::WakeOf(task) => Goal::WakeOf(self.task_called(task)?),
            Until::Line(file, line) => Goal::Line(file.clone(), *line),
            Until::Finding => {
                Goal::Finding(Box::new(super::story::findings_until(&self.history)), Vec::new())
            }
            Until::End => Goal::End,
        })
    }

    /// Goes on by one event.
    fn step(&mut self, goal: &mut Goal, watch: &mut dyn Watch) -> io::Result<Step> {
        if !watch.goes_on(&self.history, &self.written) {
            return Ok(Step::Stopped);
        }
        if self.history.is_at_end() && !self.fetch(matches!(goal, Goal::End), watch)? {
            return Ok(if self.ended.is_some() { Step::End } else { Step::Stopped });
        }
        let index = self.history.at();
        let is_it = goal.is(&self.history.events()[index], self.history.world());
        // Only where it may be shown: it costs a look around.
        let line = (is_it || self.history.events().len() == index + 1)
            .then(|| places::line(&self.history, index, self.history.world()));
        let sentence = self.history.forward().unwrap_or_default();
        Ok(Step::On(Told { index, sentence, line: line.flatten() }, is_it))
    }

    /// Has the feed give one more event; whether there is one. There is none at the end, or if it is stopped.
    fn fetch(&mut self, running: bool, watch: &mut dyn Watch) -> io::Result<bool> {
        while self.ended.is_none() {
            match self.feed.next(running) {
                News::Nothing if watch.goes_on(&self.history, &self.written) => {}
                News::Nothing => return Ok(false),
                News::Event(event) => {
                    self.history.push(event);
                    return Ok(true);
                }
                News::Written(written) => {
                    let after = self.history.events().len();
                    self.written.push(super::Written { after, ..written });
                }
                News::NewLoop => {
                    self.history = Default::default();
                    self.written.clear();
                    self.say("The program made another loop, whose events are numbered from 0 again.")?;
                }
                News::Say(text) => self.say(&text)?,
                News::End(why) => self.ended = Some(why),
            }
        }
        Ok(false)
    }

    pub(super) fn back(&mut self, stop: Stop, times: usize) -> io::Result<()> {
        let mut at = self.history.at();
        for _ in 0..times {
            let before = &self.history.events()[..at.saturating_sub(1)];
            match before.iter().rposition(|event| is_stop(stop, event)) {
                Some(index) => at = index + 1,
                None => {
                    self.history.go(0);
                    return self.say("This is the beginning: nothing has happened yet.");
                }
            }
        }
        self.look_at(at)
    }

    pub(super) fn go(&mut self, seq: u64, watch: &mut dyn Watch) -> io::Result<()> {
        loop {
            let events = self.history.events();
            let known = events.last().is_some_and(|last| last.seq >= seq);
            if known || !self.fetch(false, watch)? {
                let at = self.history.events().partition_point(|event| event.seq < seq);
                let beyond = at == self.history.events().len();
                self.look_at((at + 1).min(self.history.events().len()))?;
                return match beyond {
                    true if self.ended.is_none() => self.tell_stop(),
                    true => self.tell_end(None),
                    false => Ok(()),
                };
            }
        }
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
        let line = places::line(&self.history, index, self.history.world());
        let sentence = self.history.forward().unwrap_or_default();
        self.tell(&Told { index, sentence, line })
    }

    /// What happened on the way: one by one if it is little, and the program's output in any case.
    fn tell_passed(&mut self, passed: &[Told], count_passed: usize, start: usize) -> io::Result<()> {
        if self.shown {
            return Ok(());
        }
        let few = passed.len() <= TOLD;
        if !few {
            let events = count(count_passed, "event");
            writeln!(self.out, "      … {events} on the way")?;
        }
        let end = self.history.at() - 1;
        let mut told = passed.iter().filter(|_| few).peekable();
        let written = self.written.iter().filter(|written| (start..=end).contains(&written.after));
        let skipped = written.clone().count().saturating_sub(LINES);
        if skipped > 0 {
            writeln!(self.out, "      … {} of output on the way", count(skipped, "piece"))?;
        }
        for written in written.skip(skipped) {
            while let Some(event) = told.next_if(|event| event.index < written.after) {
                let seq = self.history.events()[event.index].seq;
                writeln!(self.out, "{seq:>5} {}", event.sentence)?;
            }
            super::show::write_output(&mut self.out, written)?;
        }
        for event in told {
            let seq = self.history.events()[event.index].seq;
            writeln!(self.out, "{seq:>5} {}", event.sentence)?;
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
        let line = line.or_else(|| places::line(&self.history, *index, self.history.world()));
        if let Some(line) = line {
            match self.sources.line(line.place.file, line.place.line) {
                Some(text) => writeln!(self.out, "      {line}    {text}")?,
                None => writeln!(self.out, "      {line}")?,
            }
        }
        Ok(())
    }

    fn tell_stop(&mut self) -> io::Result<()> {
        self.say("Stopped on the way.")
    }

    /// That there is no more; and that what was to come, did not come.
    fn tell_end(&mut self, missed: Option<&Until>) -> io::Result<()> {
        let (called, seq) = (self.feed.called(), self.history.events().last().map(|event| event.seq));
        let missed = match missed {
            Some(Until::PollOf(task)) => format!("There was no further poll of task {}.", plain(task)),
            Some(Until::WakeOf(task)) => format!("There was no further wake of task {}.", plain(task)),
            Some(Until::Line(file, line)) => format!("Nothing more happened at {}:{line}.", plain(file)),
            Some(Until::Finding) => String::from("Nothing more is found to be wrong."),
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
