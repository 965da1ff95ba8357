//! The words that somebody types, and what they mean.

use oneloop::trace::findings::RULES;
use oneloop::trace::narrate::plain;

/// How often a command may be asked to repeat itself.
const MOST_TIMES: usize = 1_000_000;

/// A line of the help.
pub struct Entry {
    /// The command's names, the usual one first.
    pub names: &'static [&'static str],
    /// With its arguments.
    pub usage: &'static str,
    /// What it does.
    pub does: &'static str,
}

const fn entry(names: &'static [&'static str], usage: &'static str, does: &'static str) -> Entry {
    Entry { names, usage, does }
}

/// What somebody wants.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Go on, so many times, until something happens.
    Forward(Until, usize),
    /// The same backwards.
    Back(Stop, usize),
    /// Go to the event of this number.
    Go(u64),
    /// Say again where we are.
    Where,
    Show(Show),
    Help,
    Quit,
    /// One of the feed's own.
    Own,
}

/// The three sorts of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    Event,
    /// The begin of a poll, or of the call of a callback.
    Poll,
    Turn,
}

/// What to go on to.
#[derive(Clone, Debug, PartialEq)]
pub enum Until {
    Next(Stop),
    /// The end of this poll or call.
    PollEnd,
    /// The next poll of the task of this number or name.
    PollOf(String),
    /// Its next wake.
    WakeOf(String),
    /// A line of the source.
    Line(String, u32),
    /// Where this rule finds something wrong, or any.
    Finding(Option<&'static str>),
    End,
}

/// What to show.
#[derive(Clone, Debug, PartialEq)]
pub enum Show {
    Everything,
    Ready,
    Timers,
    Io,
    Pool,
    Locks,
    Tasks,
    /// The story of the task of this number or name.
    Task(String),
    /// Why the task of this number or name does not run; all that wait, if none is named.
    Why(Option<String>),
    Output,
}

const MOVES: &[Entry] = &[
    entry(&["n", "next"], "n [COUNT]", "to the next event"),
    entry(&["p", "poll"], "p [COUNT]", "to the next poll of a task or call of a callback"),
    entry(&["t", "turn"], "t [COUNT]", "to the next turn of the loop"),
    entry(&["f", "finish"], "f", "to the end of this poll"),
    entry(&["to", "until"], "to poll TASK", "to the next poll of a task (its number or its name)"),
    entry(&[], "to wake TASK", "to the next wake of a task"),
    entry(&[], "to FILE:LINE", "to what next happens at a line, as in `to main.rs:12`"),
    entry(&[], "until finding", "to where a rule finds something wrong (or `until slow_poll`: that rule)"),
    entry(&["go"], "go EVENT", "to the event of that number, before or after"),
    entry(&["c", "continue"], "c", "on to the end"),
    entry(&["bn", "back"], "bn [COUNT]", "back by an event (`back`)"),
    entry(&["bp"], "bp [COUNT]", "back to the poll before (`back poll`)"),
    entry(&["bt"], "bt [COUNT]", "back to the turn before (`back turn`)"),
];

const LOOKS: &[Entry] = &[
    entry(&["w", "where"], "w", "say again where we are"),
    entry(&["s", "show"], "show", "where the loop is, and how much there is of everything"),
    entry(&["ready"], "show ready", "the ready queue"),
    entry(&["timers"], "show timers", "the timer wheel, with levels and slots"),
    entry(&["io"], "show io", "the sources of I/O, and who waits for them"),
    entry(&["pool"], "show pool", "the blocking pool: threads and jobs"),
    entry(&["locks"], "show locks", "locks, semaphores and queues: who holds them, who waits in line"),
    entry(&["tasks"], "show tasks", "all tasks, and what each waits for"),
    entry(&["task"], "show task TASK", "the whole story of a task"),
    entry(
        &["why"],
        "why [TASK]",
        "why a task does not run, what would wake it, and whether anyone still can",
    ),
    entry(&["output"], "show output", "what the program has written so far"),
];

const OTHERS: &[Entry] = &[
    entry(&["h", "help", "?"], "help", "this list"),
    entry(&["q", "quit", "exit"], "q", "quit"),
    entry(&[], "(Enter)", "the last command once more"),
];

/// All commands but those of the feed.
#[cfg(test)]
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [MOVES, LOOKS, OTHERS].into_iter().flatten()
}

/// All commands, in three groups, and those of the feed.
pub fn help(own: &[Entry]) -> String {
    let mut text = String::from(
        "An event is one thing that happens; a poll, what a task does between two waits; a turn, once round the loop.\n",
    );
    for (title, entries) in [("Go", MOVES), ("Look", LOOKS), ("What if", own), ("Other", OTHERS)] {
        if !entries.is_empty() {
            text.push_str(&format!("\n{title}\n"));
        }
        for Entry { usage, does, .. } in entries {
            text.push_str(&format!("  {usage:<16} {does}\n"));
        }
    }
    text.push_str("\n`show` may be left out: `ready` is `show ready`.\n");
    text
}

/// What a line means; `own` are the commands of the feed.
///
/// # Errors
/// What is wrong with it, with a suggestion.
pub fn parse(line: &str, own: &[Entry]) -> Result<Command, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [first, rest @ ..] = words.as_slice() else { return Ok(Command::Where) };
    let is = |entries: &[Entry]| {
        entries.iter().find(|entry| entry.names.contains(first)).map(|entry| entry.names[0])
    };
    if is(own).is_some() {
        return Ok(Command::Own);
    }
    let Some(name) = [MOVES, LOOKS, OTHERS].into_iter().find_map(is) else { return Err(unknown(first, own)) };
    match name {
        "n" => Ok(Command::Forward(Until::Next(Stop::Event), times(rest)?)),
        "p" => Ok(Command::Forward(Until::Next(Stop::Poll), times(rest)?)),
        "t" => Ok(Command::Forward(Until::Next(Stop::Turn), times(rest)?)),
        "f" => Ok(Command::Forward(Until::PollEnd, times(rest)?)),
        "c" => Ok(Command::Forward(Until::End, 1)),
        "to" => to(rest),
        "go" => go(rest),
        "bn" => back(rest),
        "bp" => Ok(Command::Back(Stop::Poll, times(rest)?)),
        "bt" => Ok(Command::Back(Stop::Turn, times(rest)?)),
        "w" => Ok(Command::Where),
        "s" => show(rest),
        "h" => Ok(Command::Help),
        "q" => Ok(Command::Quit),
        _ => show(&words),
    }
}

/// Words that may be said and mean nothing: `to the next poll of task 3` is `to poll 3`.
fn without_filling<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let filling = ["the", "next", "of", "task", "event", "to", "line", "by"];
    words.iter().copied().filter(|word| !filling.contains(word)).collect()
}

fn times(rest: &[&str]) -> Result<usize, String> {
    match rest {
        [] => Ok(1),
        [count] => match count.parse() {
            Ok(count @ 1..=MOST_TIMES) => Ok(count),
            _ => Err(format!("`{}` is no count from 1 to {MOST_TIMES}.", plain(count))),
        },
        _ => Err("One number is enough.".into()),
    }
}

fn to(rest: &[&str]) -> Result<Command, String> {
    let words = without_filling(rest);
    let until = match words.as_slice() {
        ["poll", task] => Until::PollOf((*task).to_owned()),
        ["wake", task] => Until::WakeOf((*task).to_owned()),
        ["end"] => Until::End,
        ["finding" | "findings" | "rule"] | ["rule" | "a" | "any", "rule" | "fires" | "finding"] => {
            Until::Finding(None)
        }
        ["rule", rule] | [rule] if rule_called(rule).is_some() => Until::Finding(rule_called(rule)),
        [place] if !place.contains([':', '/', '.']) => return Err(no_rule(place)),
        [place] => match place.rsplit_once(':').map(|(file, line)| (file, line.parse())) {
            Some((file, Ok(line))) if !file.is_empty() => Until::Line(file.to_owned(), line),
            _ => return Err(format!("`{}` is no place in the source, as main.rs:12 is one.", plain(place))),
        },
        ["rule", rule] => return Err(no_rule(rule)),
        _ => {
            return Err("Say where to: `to poll 3`, `to wake 3`, `to main.rs:12`, `until finding`, `until slow_poll`.".into());
        }
    };
    Ok(Command::Forward(until, 1))
}

fn rule_called(name: &str) -> Option<&'static str> {
    let name = name.replace('-', "_");
    RULES.iter().copied().find(|rule| *rule == name)
}

fn no_rule(name: &str) -> String {
    let known = RULES.iter().copied().chain(["poll", "wake", "finding", "end"]);
    match closest(&name.replace('-', "_"), known) {
        Some(close) => format!("There is no rule `{}`. Did you mean `until {close}`?", plain(name)),
        None => format!(
            "`{}` is no place in the source, as main.rs:12 is one, and no rule; the rules are {}.",
            plain(name),
            RULES.join(", ")
        ),
    }
}

fn go(rest: &[&str]) -> Result<Command, String> {
    match without_filling(rest).as_slice() {
        [number] => match number.parse() {
            Ok(number) => Ok(Command::Go(number)),
            Err(_) => Err(format!("`{}` is no number of an event.", plain(number))),
        },
        _ => Err("Say which event: `go 12`.".into()),
    }
}

fn back(rest: &[&str]) -> Result<Command, String> {
    match rest {
        ["event", rest @ ..] => Ok(Command::Back(Stop::Event, times(rest)?)),
        ["poll", rest @ ..] => Ok(Command::Back(Stop::Poll, times(rest)?)),
        ["turn", rest @ ..] => Ok(Command::Back(Stop::Turn, times(rest)?)),
        rest => Ok(Command::Back(Stop::Event, times(rest)?)),
    }
}

fn show(words: &[&str]) -> Result<Command, String> {
    let known = ["ready", "timers", "io", "pool", "locks", "tasks", "task", "why", "output"];
    Ok(Command::Show(match words {
        [] => Show::Everything,
        ["ready", ..] => Show::Ready,
        ["timers" | "timer", ..] => Show::Timers,
        ["io", ..] => Show::Io,
        ["pool", ..] => Show::Pool,
        ["locks" | "lock" | "lines", ..] => Show::Locks,
        ["task"] => return Err("Say which task: `show task 3`, or `show tasks` for all of them.".into()),
        ["task", task] => Show::Task((*task).to_owned()),
        ["tasks", ..] => Show::Tasks,
        ["why", rest @ ..] => Show::Why(without_filling(rest).first().map(|task| (*task).to_owned())),
        ["output", ..] => Show::Output,
        [what, ..] => {
            let mut text = format!("There is no `{}` to show.", plain(what));
            if let Some(close) = closest(what, known.into_iter()) {
                text.push_str(&format!(" Did you mean `show {close}`?"));
            }
            return Err(text + " There are: " + &known.join(", ") + ".");
        }
    }))
}

fn unknown(word: &str, own: &[Entry]) -> String {
    let all = [MOVES, LOOKS, OTHERS, own].into_iter().flatten();
    let names = all.flat_map(|entry| entry.names.iter().copied());
    let shown: String = plain(word).chars().take(40).collect();
    match closest(word, names) {
        Some(close) => {
            format!("There is no command `{shown}`. Did you mean `{close}`? `help` lists all of them.")
        }
        None => format!("There is no command `{shown}`. `help` lists all of them."),
    }
}

/// The word that is meant, most likely.
pub fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = known.map(|known| (distance(&word, known), known));
    let near = near.filter(|(distance, known)| *distance * 2 <= known.len() || known.starts_with(&word));
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// How many letters must be changed, put in or left out (Levenshtein's distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().take(64).enumerate() {
        let mut before = index;
        row[0] = index + 1;
        for (column, theirs) in other.iter().enumerate() {
            let changed = before + usize::from(letter != *theirs);
            before = row[column + 1];
            row[column + 1] = changed.min(before + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_forms_mean_the_same() {
        for (short, long) in [
            ("n", "next"),
            ("p 3", "poll 3"),
            ("bt", "back turn"),
            ("go 12", "go to event 12"),
            ("to poll 3", "to the next poll of task 3"),
            ("ready", "show ready"),
            ("task 3", "show task 3"),
        ] {
            assert_eq!(parse(short, &[]), parse(long, &[]), "{short}");
        }
        assert_eq!(
            parse("to src/main.rs:12", &[]),
            Ok(Command::Forward(Until::Line("src/main.rs".into(), 12), 1))
        );
    }

    #[test]
    fn a_wrong_word_gets_a_suggestion() {
        for (wrong, suggestion) in
            [("nxt", "`next`"), ("shwo", "`show`"), ("conti", "`continue`"), ("hlep", "`help`")]
        {
            let error = parse(wrong, &[]).unwrap_err();
            assert!(error.contains(suggestion), "{wrong}: {error}");
        }
        assert!(parse("show tsaks", &[]).unwrap_err().contains("`show tasks`"));
        let hostile = parse("\u{1b}[2J", &[]).unwrap_err();
        assert!(!hostile.contains('\u{1b}'), "{hostile:?}");
        assert!(!parse("xyzzy", &[]).unwrap_err().contains("mean"));
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_sentence() {
        for wrong in ["n 0", "n -1", "n x", "n 1 2", "go", "go x", "to", "to main.rs", "to :3", "task"] {
            let error = parse(wrong, &[]).expect_err(wrong);
            assert!(error.ends_with('.'), "{error}");
        }
    }

    #[test]
    fn every_command_is_in_the_help() {
        let text = help(&[]);
        for entry in [MOVES, LOOKS, OTHERS].into_iter().flatten() {
            assert!(text.contains(entry.usage), "{}", entry.usage);
            for name in entry.names {
                assert!(!matches!(parse(name, &[]), Err(error) if error.contains("no command")), "{name}");
            }
        }
    }
}
