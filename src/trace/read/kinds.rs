//! Chapter 35, part 42: the kinds of events, group by group as in `EventKind`.
//!
//! Before: `trace/read/sites.rs`. Next: `trace/read/snapshot.rs`.

use serde_json::Value;

use super::actors::{actor, effect, io_op, io_result, loop_end, outcome, reason, wait, wait_end};
use super::fields::{Fault, Fields};
use super::names::{lasting, name, text};
use super::sites::Sites;
use crate::trace::event::{
    Actor, CallbackId, EventKind as E, JobId, LineId, Place, SourceId, TaskId, TimerId, Wait,
};
use crate::trace::frames::Frames;

/// The most frames of one chain; of more, the innermost are left out.
const MAX_FRAMES: usize = 1_024;

/// A line's kind, or none if it is not known.
type Decoded = Result<Option<E>, Fault>;

/// What happened, by the name of its kind; `None`: the kind is not known.
pub(super) fn decode(kind: &str, fields: &Fields<'_>, sites: &Sites) -> Decoded {
    for group in [of_loop, of_callbacks, of_tasks, of_lines, of_timers, of_io, of_jobs] {
        let line = Line { fields, sites };
        if let Some(event) = group(kind, &line).map_err(|fault| format!("a {kind}, but {fault}"))? {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// The fields of a line, with the places that its numbers stand for.
struct Line<'a> {
    fields: &'a Fields<'a>,
    sites: &'a Sites,
}

impl Line<'_> {
    fn task(&self) -> Result<TaskId, Fault> {
        self.fields.number("task").map(TaskId)
    }

    fn callback(&self) -> Result<CallbackId, Fault> {
        self.fields.number("callback").map(CallbackId)
    }

    fn timer(&self) -> Result<TimerId, Fault> {
        self.fields.number("timer").map(TimerId)
    }

    fn source(&self) -> Result<SourceId, Fault> {
        self.fields.number("source").map(SourceId)
    }

    fn job(&self) -> Result<JobId, Fault> {
        self.fields.number("job").map(JobId)
    }

    fn by(&self) -> Result<Actor, Fault> {
        actor(self.fields.value("by")?).ok_or_else(|| String::from("its field \"by\" names nobody"))
    }

    fn site(&self) -> Result<Place, Fault> {
        self.fields.number("site").map(|site| self.sites.place(site))
    }

    fn maybe_callback(&self) -> Result<Option<CallbackId>, Fault> {
        Ok(self.fields.maybe_number("callback")?.map(CallbackId))
    }

    /// `[1,24]`: level and slot of a timer.
    fn slot(&self) -> Option<(u8, u8)> {
        let number = |value: &Value| value.as_u64().and_then(|number| u8::try_from(number).ok());
        match self.fields.maybe("place")?.as_array()?.as_slice() {
            [level, slot] => Some((number(level)?, number(slot)?)),
            _ => None,
        }
    }
}

/// `["sleep",5]`: what a task is suspended for, and where; `["custom"]` where that is not known.
pub(super) fn suspended(fields: &Fields<'_>, sites: &Sites) -> Result<Option<(Wait, Option<Place>)>, Fault> {
    let Some(value) = fields.maybe("suspended") else { return Ok(None) };
    let pair = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(word) = pair.first().and_then(Value::as_str) else {
        return Err("its field \"suspended\" is not what it should be".into());
    };
    let place = pair.get(1).and_then(Value::as_u64).map(|site| sites.place(site));
    Ok(Some((wait(word), place)))
}

/// `[4,7]`: the places that a task waits through, the outermost first.
pub(super) fn frames(fields: &Fields<'_>, sites: &Sites) -> Result<Frames, Fault> {
    let fault = || String::from("its field \"frames\" is not what it should be");
    let frames = fields.value("frames")?.as_array().ok_or_else(fault)?;
    let places = frames.iter().take(MAX_FRAMES).filter_map(Value::as_u64);
    Ok(Frames::new(places.map(|site| sites.place(site)).collect()))
}

fn of_loop(kind: &str, line: &Line<'_>) -> Decoded {
    let fields = line.fields;
    Ok(Some(match kind {
        "turn_begin" => E::TurnBegin {
            turn: fields.number("turn")?,
            ready: fields.size("ready")?,
            timers: fields.size("timers")?,
            sources: fields.size("sources")?,
            jobs: fields.size("jobs")?,
        },
        "turn_end" => E::TurnEnd { turn: fields.number("turn")?, ready: fields.size("ready")? },
        "wait_begin" => {
            E::WaitBegin { timeout: fields.maybe_time("timeout")?, why: fields.word("why", reason)? }
        }
        "wait_end" => E::WaitEnd { sources: fields.size("sources")?, by: fields.word("by", wait_end)? },
        "notify" => E::Notify { by: line.by()? },
        "clock_jump" => E::ClockJump { from: fields.time("from")?, to: fields.time("to")? },
        "stop" => E::Stop { by: line.by()? },
        "stuck" => E::Stuck {
            tasks: fields.size("tasks")?,
            report: text(fields.maybe_text("report")),
            fatal: fields.flag("fatal")?,
        },
        "held_up" => E::HeldUp { by: line.by()?, took: fields.time("took")? },
        "loop_end" => E::LoopEnd { why: fields.word("why", loop_end)? },
        _ => return Ok(None),
    }))
}

fn of_callbacks(kind: &str, line: &Line<'_>) -> Decoded {
    let fields = line.fields;
    Ok(Some(match kind {
        "callback_new" => E::CallbackNew {
            callback: line.callback()?,
            at: fields.maybe_time("at")?,
            by: line.by()?,
            site: line.site()?,
        },
        "callback_begin" => E::CallbackBegin { callback: line.callback()? },
        "callback_end" => E::CallbackEnd {
            callback: line.callback()?,
            took: fields.time("took")?,
            panicked: fields.flag("panicked")?,
        },
        "callback_cancel" => E::CallbackCancel { callback: line.callback()?, by: line.by()? },
        _ => return Ok(None),
    }))
}

fn of_tasks(kind: &str, line: &Line<'_>) -> Decoded {
    let fields = line.fields;
    let number = |name| fields.number(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    Ok(Some(match kind {
        "spawn" => E::Spawn {
            task: line.task()?,
            name: name(fields.maybe_text("name")).into(),
            by: line.by()?,
            site: line.site()?,
            future: lasting(fields.maybe_text("future")),
            size: fields.size("size")?,
        },
        "wake" => E::Wake { task: line.task()?, by: line.by()?, effect: fields.word("effect", effect)? },
        "poll_begin" => {
            E::PollBegin { task: line.task()?, poll: number("poll")?, waited: fields.time("waited")? }
        }
        "leaf_wait" => E::LeafWait { wait: wait(fields.text("wait")?), by: line.by()?, site: line.site()? },
        "chain" => E::Chain { task: line.task()?, frames: frames(line.fields, line.sites)? },
        "poll_end" => E::PollEnd {
            task: line.task()?,
            poll: number("poll")?,
            took: fields.time("took")?,
            suspended: suspended(fields, line.sites)?,
            wakers: fields.size("wakers")?,
        },
        "cancel" => E::Cancel { task: line.task()?, by: line.by()? },
        "task_end" => {
            let at = fields.maybe_number("at")?.map(|site| line.sites.place(site));
            E::TaskEnd { task: line.task()?, outcome: fields.word("outcome", outcome)?, at }
        }
        "handle_drop" => E::HandleDrop { task: line.task()?, cancelled: fields.flag("cancelled")? },
        "join_wait" => E::JoinWait { task: line.task()?, by: line.by()?, site: line.site()? },
        "joined" => E::Joined { task: line.task()?, by: line.by()? },
        "lost" => E::Lost { task: line.task()? },
        "unheard" => E::Unheard {
            task: line.task()?,
            name: name(fields.maybe_text("name")),
            how: name(fields.maybe_text("how")),
            text: text(fields.maybe_text("text")),
        },
        _ => return Ok(None),
    }))
}

fn of_lines(kind: &str, line: &Line<'_>) -> Decoded {
    let fields = line.fields;
    let id = || fields.number("line").map(LineId);
    Ok(Some(match kind {
        "line_wait" => E::LineWait {
            line: id()?,
            ticket: fields.size("ticket")?,
            wait: wait(fields.text("wait")?),
            by: line.by()?,
            site: line.site()?,
        },
        "line_grant" => E::LineGrant { line: id()?, ticket: fields.size("ticket")?, by: line.by()? },
        "line_leave" => E::LineLeave {
            line: id()?,
            ticket: fields.size("ticket")?,
            served: fields.flag("served")?,
            by: line.by()?,
        },
        "permit_take" => E::PermitTake { line: id()?, by: line.by()? },
        "permit_release" => E::PermitRelease { line: id()?, by: line.by()? },
        _ => return Ok(None),
    }))
}

fn of_timers(kind: &str, line: &Line<'_>) -> Decoded {
    let fields = line.fields;
    Ok(Some(match kind {
        "timer_arm" => E::TimerArm {
            timer: line.timer()?,
            callback: line.maybe_callback()?,
            by: line.by()?,
            at: fields.time("at")?,
            place: line.slot(),
        },
        "timer_fire" => E::TimerFire {
            timer: line.timer()?,
            callback: line.maybe_callback()?,
            late: fields.time("late")?,
        },
        "timer_cancel" => E::TimerCancel { timer: line.timer()?, by: line.by()? },
        _ => return Ok(None),
    }))
}

fn of_io(kind: &str, line: &Line<'_>) -> Decoded {
    let fields = line.fields;
    Ok(Some(match kind {
        "io_open" => E::IoOpen {
            source: line.source()?,
            what: lasting(fields.maybe_text("what")),
            by: line.by()?,
            site: line.site()?,
        },
        "io_interest" => {
            E::IoInterest { source: line.source()?, wait: wait(fields.text("wait")?), by: line.by()? }
        }
        "io_forget" => {
            E::IoForget { source: line.source()?, wait: wait(fields.text("wait")?), by: line.by()? }
        }
        "io_ready" => E::IoReady {
            source: line.source()?,
            readable: fields.flag("readable")?,
            writable: fields.flag("writable")?,
            closed: fields.flag("closed")?,
        },
        "io_op" => {
            let result = io_result(fields.value("result")?);
            let result =
                result.ok_or_else(|| String::from("its field \"result\" is not what it should be"))?;
            E::IoOp { source: line.source()?, op: fields.word("op", io_op)?, result }
        }
        "io_close" => E::IoClose { source: line.source()?, by: line.by()? },
        _ => return Ok(None),
    }))
}

fn of_jobs(kind: &str, line: &Line<'_>) -> Decoded {
    let fields = line.fields;
    Ok(Some(match kind {
        "job_new" => E::JobNew { job: line.job()?, by: line.by()?, site: line.site()? },
        "job_start" => E::JobStart { job: line.job()?, waited: fields.time("waited")? },
        "job_end" => {
            E::JobEnd { job: line.job()?, took: fields.time("took")?, panicked: fields.flag("panicked")? }
        }
        "job_deliver" => E::JobDeliver { job: line.job()? },
        "job_abandon" => E::JobAbandon { job: line.job()? },
        "thread_start" => E::ThreadStart { thread: name(fields.text("thread")?) },
        "thread_exit" => E::ThreadExit { thread: name(fields.text("thread")?) },
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use crate::trace::read::{Decoder, Item};
    use crate::trace::record::{Lines, samples};

    #[test]
    fn every_kind_that_is_written_is_read_as_it_was() {
        let (mut lines, mut decoder) = (Lines::new(), Decoder::new());
        for event in samples::events() {
            let mut written = Vec::new();
            lines.event(&event, &mut written);
            let items: Vec<Item> = written
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| decoder.decode(line).expect("it makes sense"))
                .collect();
            let Some(Item::Event(read)) = items.last() else { panic!("{event:?} is read as {items:?}") };
            assert_eq!(format!("{read:?}"), format!("{event:?}"));
        }
    }
}
