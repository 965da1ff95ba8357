//! Chapter 35, part 33: what a stepper may say, one command a line.
//!
//! ```text
//!   go 1                    go on until so many more events have happened
//!   go                      go on without limit
//!   stop                    stop at the next event
//!   run 2, run callback 7   this is to run next, as soon as the loop has a choice with it in
//!   cancel 3                cancel task 3          ┐ when the next turn begins, or instead of
//!   jump 5000000000         the clock: to 5 s      ┘ the wait that is about to begin
//!   fail 4 read timed_out   the next read from source 4 fails; `any` stands for every operation
//!   delay 4 3               the next three operations on source 4 are put off, each by a turn
//!   bye                     go on, and tell nothing any more
//! ```
//!
//! Words of letters and numbers, so that there is nothing to escape and next to nothing to get wrong: a line is a
//! command, or the stepper is none and the program goes on without it.
//!
//! Before: `trace/live.rs`. Next: `trace/live/step.rs`, who does what is said.

use std::io::ErrorKind;
use std::time::Duration;

use crate::trace::event::{CallbackId, IoOp, SourceId, TaskId};
use crate::trace::observer::{Choice, Decision, Ready};

/// The longest line, with its end. The longest command has half of that.
pub(crate) const MAX_LINE: usize = 128;

/// One line of a stepper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Go on until so many more events have happened; `None`: without limit.
    Go(Option<u64>),
    /// Stop at the next event.
    Stop,
    /// Have something done otherwise.
    Wish(Wish),
    /// Go on, unwatched.
    Bye,
}

/// Something that the stepper wants otherwise than it would go by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// This is to run next.
    Run(Ready),
    /// The task is to be cancelled.
    Cancel(TaskId),
    /// The clock is to show this, if it does not show more.
    Jump(Duration),
    /// The next operation of that sort (`None`: of any) on the source is to fail.
    Fail(SourceId, Option<IoOp>, ErrorKind),
    /// So many operations on the source are to be put off.
    Delay(SourceId, u64),
}

/// The failures that can be asked for.
const FAILURES: [(&str, ErrorKind); 9] = [
    ("timed_out", ErrorKind::TimedOut),
    ("connection_reset", ErrorKind::ConnectionReset),
    ("connection_refused", ErrorKind::ConnectionRefused),
    ("connection_aborted", ErrorKind::ConnectionAborted),
    ("broken_pipe", ErrorKind::BrokenPipe),
    ("unexpected_eof", ErrorKind::UnexpectedEof),
    ("permission_denied", ErrorKind::PermissionDenied),
    ("not_found", ErrorKind::NotFound),
    ("other", ErrorKind::Other),
];

/// The operations by name.
const OPERATIONS: [(&str, Option<IoOp>); 6] = [
    ("any", None),
    ("connect", Some(IoOp::Connect)),
    ("accept", Some(IoOp::Accept)),
    ("read", Some(IoOp::Read)),
    ("write", Some(IoOp::Write)),
    ("wait", Some(IoOp::Wait)),
];

/// The command that a line is, without its end; `None`: it is none.
pub(crate) fn parse(line: &[u8]) -> Option<Command> {
    let line = std::str::from_utf8(line).ok().filter(|line| line.len() < MAX_LINE)?;
    let words: Vec<&str> = line.split(' ').collect();
    let number = |word: &str| -> Option<u64> {
        // `parse` alone would take `+1`.
        word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok()).flatten()
    };
    Some(match words[..] {
        ["go"] => Command::Go(None),
        ["go", events] => Command::Go(Some(number(events)?.max(1))),
        ["stop"] => Command::Stop,
        ["bye"] => Command::Bye,
        ["run", task] => Command::Wish(Wish::Run(Ready::Task(TaskId(number(task)?)))),
        ["run", "callback", callback] => {
            Command::Wish(Wish::Run(Ready::Callback(CallbackId(number(callback)?))))
        }
        ["cancel", task] => Command::Wish(Wish::Cancel(TaskId(number(task)?))),
        ["jump", to] => Command::Wish(Wish::Jump(Duration::from_nanos(number(to)?))),
        ["fail", source, op, kind] => {
            let source = SourceId(number(source)?);
            Command::Wish(Wish::Fail(source, called(&OPERATIONS, op)?, called(&FAILURES, kind)?))
        }
        ["delay", source, times] => Command::Wish(Wish::Delay(SourceId(number(source)?), number(times)?)),
        _ => return None,
    })
}

fn called<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}

impl Wish {
    /// What to answer to `choice`, at `now` on the loop's clock, to have the wish fulfilled; `None`: this is not its
    /// choice.
    pub(crate) fn answer(&self, choice: &Choice<'_>, now: Duration) -> Option<Decision> {
        match (self, choice) {
            (Wish::Run(wanted), Choice::Next(ready)) => {
                ready.iter().position(|ready| ready == wanted).map(Decision::Run)
            }
            (Wish::Cancel(task), Choice::Turn(_) | Choice::Time(_)) => Some(Decision::Cancel(*task)),
            (Wish::Jump(to), Choice::Turn(_) | Choice::Time(_)) => {
                Some(to.checked_sub(now).map_or(Decision::GoOn, Decision::Advance))
            }
            (Wish::Fail(wanted, op, kind), Choice::Io(source, tried)) => {
                (wanted == source && op.is_none_or(|op| op == *tried)).then_some(Decision::Fail(*kind))
            }
            (Wish::Delay(wanted, left), Choice::Io(source, _)) => {
                (wanted == source && *left > 0).then_some(Decision::Delay)
            }
            _ => None,
        }
    }

    /// What is left to wish once it was answered.
    pub(crate) fn rest(self) -> Option<Wish> {
        match self {
            Wish::Delay(source, left) if left > 1 => Some(Wish::Delay(source, left - 1)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_understood() {
        let task = |number| Ready::Task(TaskId(number));
        for (line, command) in [
            ("go", Command::Go(None)),
            ("go 12", Command::Go(Some(12))),
            ("go 0", Command::Go(Some(1))),
            ("stop", Command::Stop),
            ("bye", Command::Bye),
            ("run 2", Command::Wish(Wish::Run(task(2)))),
            ("run callback 7", Command::Wish(Wish::Run(Ready::Callback(CallbackId(7))))),
            ("cancel 3", Command::Wish(Wish::Cancel(TaskId(3)))),
            ("jump 5000000000", Command::Wish(Wish::Jump(Duration::from_secs(5)))),
            (
                "fail 4 read timed_out",
                Command::Wish(Wish::Fail(SourceId(4), Some(IoOp::Read), ErrorKind::TimedOut)),
            ),
            ("fail 4 any other", Command::Wish(Wish::Fail(SourceId(4), None, ErrorKind::Other))),
            ("delay 4 3", Command::Wish(Wish::Delay(SourceId(4), 3))),
        ] {
            assert_eq!(parse(line.as_bytes()), Some(command), "{line}");
        }
    }

    #[test]
    fn whatever_else_there_is_on_a_line_is_no_command() {
        for line in
            ["", " ", "go ", " go", "go on", "go 1 2", "go -1", "go +1", "go 1e9", "GO", "run", "run two"]
        {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
        for line in [
            "cancel 18446744073709551616",
            "fail 4 read",
            "fail 4 eat other",
            "fail 4 read hunger",
            "delay 4",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
        assert_eq!(parse(b"go\0"), None);
        assert_eq!(parse(b"go \xff"), None);
        assert_eq!(parse(format!("go {:0>200}", 1).as_bytes()), None, "too long");
    }

    #[test]
    fn a_wish_answers_its_own_choice_and_no_other() {
        let now = Duration::from_secs(2);
        let ready = [Ready::Task(TaskId(1)), Ready::Task(TaskId(2))];
        let run = Wish::Run(Ready::Task(TaskId(2)));
        assert_eq!(run.answer(&Choice::Next(&ready), now), Some(Decision::Run(1)));
        assert_eq!(run.answer(&Choice::Next(&ready[..1]), now), None, "it is kept until it can be");
        assert_eq!(run.answer(&Choice::Turn(1), now), None);
        let jump = Wish::Jump(Duration::from_secs(5));
        assert_eq!(jump.answer(&Choice::Time(None), now), Some(Decision::Advance(Duration::from_secs(3))));
        assert_eq!(jump.answer(&Choice::Turn(1), now * 4), Some(Decision::GoOn), "time never goes back");
        let delay = Wish::Delay(SourceId(4), 2);
        assert_eq!(delay.answer(&Choice::Io(SourceId(4), IoOp::Read), now), Some(Decision::Delay));
        assert_eq!(delay.answer(&Choice::Io(SourceId(5), IoOp::Read), now), None);
        assert_eq!(delay.clone().rest().and_then(Wish::rest), None);
        assert!(delay.rest().is_some());
    }
}
