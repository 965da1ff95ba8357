//! Chapter 35, part 3: the sentences, group by group as in `EventKind`, without their capital letter and full stop.
//!
//! Before: `trace/narrate/print.rs`. Next: `trace/narrate/warn.rs`.

use std::time::Duration;

use super::Narrator;
use super::words::{count, lasting, ordinal, place, plain, span, type_of};
use crate::trace::event::{
    Actor, Event, EventKind as E, IoOp, IoResult, LoopEnd, Outcome, Place, TaskId, Wait, WaitEnd, WaitReason,
    WakeEffect,
};

/// What an event is in words. Each kind is found in one of the groups: a test counts them.
pub(super) fn text(narrator: &Narrator, event: &Event) -> String {
    let groups = [of_loop, of_callbacks, of_tasks, of_lines, of_timers, of_io, of_jobs];
    groups.iter().find_map(|group| group(narrator, event)).unwrap_or_default()
}

fn of_loop(names: &Narrator, event: &Event) -> Option<String> {
    Some(match &event.kind {
        E::TurnBegin { turn, ready, timers, sources, jobs } => {
            format!("turn {turn} begins: {}", lengths(*ready, *timers, *sources, *jobs))
        }
        E::TurnEnd { turn, ready: 0 } => format!("turn {turn} ended: the ready queue is empty"),
        E::TurnEnd { turn, ready } => {
            format!("turn {turn} ended: {ready} in the ready queue for the next one")
        }
        E::WaitBegin { timeout, why } => wait_begin(*timeout, *why),
        E::WaitEnd { sources, by } => wait_end(*sources, *by),
        E::Notify { by } => format!("{} notified the loop, which was waiting", names.who(by)),
        E::ClockJump { from, to } => format!("the loop's clock jumped from {} to {}", span(*from), span(*to)),
        E::Stop { by } => format!("{} asked the loop to stop after this turn", names.who(by)),
        E::Stuck { tasks, fatal, .. } => stuck(*tasks, *fatal),
        E::HeldUp { by, took } => {
            format!("{} has been running for more than {} and holds the loop up", names.who(by), span(*took))
        }
        E::LoopEnd { why } => format!("the run ended: {}", loop_end(*why)),
        _ => return None,
    })
}

fn lengths(ready: usize, timers: usize, sources: usize, jobs: usize) -> String {
    let queue = match ready {
        0 => String::from("the ready queue is empty"),
        _ => format!("{ready} in the ready queue"),
    };
    let others = [(timers, "timer", "armed"), (sources, "source", "open"), (jobs, "job", "with the pool")];
    let others = others.into_iter().filter(|(number, ..)| *number > 0);
    others.fold(queue, |text, (number, thing, how)| format!("{text}, {} {how}", count(number, thing)))
}

fn wait_begin(timeout: Option<Duration>, why: WaitReason) -> String {
    let reason = match why {
        WaitReason::ReadyWork => "since there is work to do",
        WaitReason::NextTimer => "until the next timer is due",
        WaitReason::Forever => "since no timer is armed",
    };
    match timeout {
        Some(Duration::ZERO) => format!("the loop looks for I/O without waiting, {reason}"),
        Some(time) => format!("the loop waits for at most {}, {reason}", span(time)),
        None => format!("the loop waits without limit, {reason}"),
    }
}

fn wait_end(sources: usize, by: WaitEnd) -> String {
    match by {
        WaitEnd::Io if sources == 1 => String::from("the wait ended: 1 source is ready"),
        WaitEnd::Io => format!("the wait ended: {sources} sources are ready"),
        WaitEnd::Notify => String::from("the wait ended: another thread has sent something"),
        WaitEnd::Timeout => String::from("the wait ended: the time was up"),
    }
}

fn loop_end(why: LoopEnd) -> &'static str {
    match why {
        LoopEnd::MainDone => "the main future returned",
        LoopEnd::Stopped => "the loop was stopped",
        LoopEnd::Panicked => "the main future panicked",
        LoopEnd::Stuck => "it could never have gone on",
    }
}

fn stuck(tasks: usize, fatal: bool) -> String {
    let waiting = match tasks {
        0 => String::from("nothing is left to do"),
        1 => String::from("1 task waits, and nothing is left that could wake it"),
        _ => format!("{tasks} tasks wait, and nothing is left that could wake any"),
    };
    let then = if fatal { "which ends the run" } else { "so it waits for what nobody can see" };
    format!("the loop can never go on: {waiting}, {then}")
}

fn of_callbacks(names: &Narrator, event: &Event) -> Option<String> {
    Some(match &event.kind {
        E::CallbackNew { callback, at, by, site } => {
            let then = match at {
                Some(at) => format!("it is {}", due(event.time, *at)),
                None => String::from("it joined the ready queue"),
            };
            format!("{} handed {callback} to the loop at {}; {then}", names.who(by), place(*site))
        }
        E::CallbackBegin { callback } => format!("the loop calls {callback}"),
        E::CallbackEnd { callback, took, panicked: false } => {
            format!("{callback} returned{}", lasting(" after", *took))
        }
        E::CallbackEnd { callback, took, panicked: true } => {
            format!("{callback} panicked{}; the loop goes on", lasting(" after", *took))
        }
        E::CallbackCancel { callback, by } => {
            format!("{} cancelled {callback}, which will not be called", names.who(by))
        }
        _ => return None,
    })
}

fn of_tasks(names: &Narrator, event: &Event) -> Option<String> {
    Some(match &event.kind {
        E::Spawn { task, by, site, future, size, .. } => {
            let what = format!("{}, {}", type_of(future), count(*size, "byte"));
            format!("{} spawned {} at {}: {what}", names.who(by), names.task(*task), place(*site))
        }
        E::Wake { task, by, effect } => wake(names, *task, by, *effect),
        E::PollBegin { task, poll, waited } => {
            let waited = lasting(", after it was ready for", *waited);
            format!("the loop polls {} for the {} time{waited}", names.task(*task), ordinal(*poll))
        }
        E::LeafWait { wait, by, site } => {
            format!("{} waits at {} for {wait}, and not for that alone", names.who(by), place(*site))
        }
        E::Chain { task, frames } => match frames.places() {
            [] => format!("{} waits in functions of which no lines are known", names.task(*task)),
            _ => format!("{} waits through {frames}", names.task(*task)),
        },
        E::PollEnd { task, took, suspended: Some((wait, site)), wakers, .. } => {
            let (kept, took) = (kept(*wait, *wakers), lasting("; the poll took", *took));
            format!("{} is suspended{}{kept}{took}", names.task(*task), suspended(*wait, *site))
        }
        E::PollEnd { task, poll, took, suspended: None, .. } => {
            let took = lasting("; it took", *took);
            format!("the {} poll of {} was its last{took}", ordinal(*poll), names.task(*task))
        }
        E::Cancel { task, by } => {
            let task = if *by == Actor::Task(*task) { String::from("itself") } else { names.task(*task) };
            format!("{} cancelled {task}, to be dropped at its next turn", names.who(by))
        }
        E::TaskEnd { task, outcome, at } => format!("{} ended: {}", names.task(*task), end(*outcome, *at)),
        E::HandleDrop { task, cancelled } => handle_drop(names, *task, *cancelled),
        E::JoinWait { task, by, site } => {
            format!("{} awaits the end of {} at {}", names.who(by), names.task(*task), place(*site))
        }
        E::Lost { task } => format!("nobody is left who could wake {}", names.task(*task)),
        E::Joined { task, by } => format!("{} took the result of {}", names.who(by), names.task(*task)),
        E::Unheard { task, name, how, text } => {
            let (who, how) = (names.named(*task, name), plain(how));
            format!("nobody took what {who} ended with: it {how}: {}", plain(text))
        }
        _ => return None,
    })
}

fn wake(names: &Narrator, task: TaskId, by: &Actor, effect: WakeEffect) -> String {
    let itself = *by == Actor::Task(task);
    let woken = if itself { String::from("itself") } else { names.task(task) };
    let who = if *by == Actor::Loop { String::from("the loop") } else { names.who(by) };
    let what = match effect {
        WakeEffect::Queued => "which joined the ready queue",
        WakeEffect::AlreadyQueued => "which was in the ready queue already: two wakes, one turn",
        WakeEffect::WhileRunning if itself => "so it joined the ready queue for another turn",
        WakeEffect::WhileRunning => "which is being polled, and joined the ready queue for another turn",
        WakeEffect::AfterDone => "which has ended: nothing changed",
    };
    format!("{who} woke {woken}, {what}")
}

/// Who could wake a task that waits for what the loop does not know: whoever has a clone of its waker.
fn kept(wait: Wait, wakers: usize) -> String {
    match (wait, wakers) {
        (Wait::Custom, 0) => String::from("; nobody keeps its waker"),
        (Wait::Custom, 1) => String::from("; 1 clone of its waker is kept"),
        (Wait::Custom, _) => format!("; {wakers} clones of its waker are kept"),
        _ => String::new(),
    }
}

fn suspended(wait: Wait, site: Option<Place>) -> String {
    match site {
        Some(site) => format!(" at {}, waiting for {wait}", place(site)),
        None => format!(", waiting for {wait}"),
    }
}

fn end(outcome: Outcome, at: Option<Place>) -> String {
    let cancelled = "it was cancelled, and its future dropped";
    match (outcome, at) {
        (Outcome::Done, _) => String::from("its future returned"),
        (Outcome::Panicked, _) => String::from("its future panicked"),
        (Outcome::Cancelled, Some(site)) => format!("{cancelled} where it was suspended, at {}", place(site)),
        (Outcome::Cancelled, None) => cancelled.to_owned(),
    }
}

fn handle_drop(names: &Narrator, task: TaskId, cancelled: bool) -> String {
    let then = match cancelled {
        true => " while it was awaited, which cancelled the task",
        false if names.has_ended(task) => ", and with it the task's result, which nobody took",
        false if names.is_cancelled(task) => ", and nobody will hear of the cancelled task's end",
        false => ", and the task goes on by itself",
    };
    format!("the handle of {} was dropped{then}", names.task(task))
}

fn of_lines(names: &Narrator, event: &Event) -> Option<String> {
    Some(match &event.kind {
        E::LineWait { line, ticket, wait, by, site } => {
            let (who, at) = (names.who(by), place(*site));
            format!("{who} waits in {line} with ticket {ticket}, at {at}, for {wait}")
        }
        E::LineGrant { line, ticket, by } => {
            format!("{} granted ticket {ticket} of {line} what it waits for", names.who(by))
        }
        E::LineLeave { line, ticket, served: true, by } => {
            format!("{} took what ticket {ticket} of {line} was granted", names.who(by))
        }
        E::LineLeave { line, ticket, served: false, by } => {
            format!("{} gave ticket {ticket} of {line} back", names.who(by))
        }
        E::PermitTake { line, by } => format!("{} took a permit of {line}", names.who(by)),
        E::PermitRelease { line, by } => format!("{} gave a permit of {line} back", names.who(by)),
        _ => return None,
    })
}

fn of_timers(names: &Narrator, event: &Event) -> Option<String> {
    Some(match &event.kind {
        E::TimerArm { timer, callback: None, by, at, .. } => {
            format!("{} armed {timer}, which is {}", names.who(by), due(event.time, *at))
        }
        E::TimerArm { timer, callback: Some(callback), at, .. } => {
            format!("{timer} was armed for {callback}; it is {}", due(event.time, *at))
        }
        E::TimerFire { timer, callback, late } => {
            let queued = callback.map(|callback| format!(": {callback} joined the ready queue"));
            let late = if late.is_zero() { String::from("on time") } else { format!("{} late", span(*late)) };
            format!("{timer} fired {late}{}", queued.unwrap_or_default())
        }
        E::TimerCancel { timer, by } => format!("{} took {timer} out before it fired", names.who(by)),
        _ => return None,
    })
}

fn due(now: Duration, at: Duration) -> String {
    match at.saturating_sub(now) {
        Duration::ZERO => String::from("due at once"),
        left => format!("due in {}, at {}", span(left), span(at)),
    }
}

fn of_io(names: &Narrator, event: &Event) -> Option<String> {
    Some(match &event.kind {
        E::IoOpen { source, by, site, .. } => {
            format!("{} opened {} at {}", names.who(by), names.source(*source), place(*site))
        }
        E::IoInterest { source, wait, by } => {
            format!("{} left word with {}: it waits for {wait}", names.who(by), names.source(*source))
        }
        E::IoForget { source, wait, by } => {
            format!("{} gave up a future that waited at {} for {wait}", names.who(by), names.source(*source))
        }
        E::IoReady { source, readable, writable, closed } => {
            format!("{} became {}", names.source(*source), readiness(*readable, *writable, *closed))
        }
        E::IoOp { source, op, result } => operation(&names.source(*source), *op, *result),
        E::IoClose { source, by } => format!("{} closed {}", names.who(by), names.source(*source)),
        _ => return None,
    })
}

fn readiness(readable: bool, writable: bool, closed: bool) -> String {
    let ready = match (readable, writable) {
        (true, true) => "readable and writable",
        (true, false) => "readable",
        (false, true) => "writable",
        (false, false) => "ready",
    };
    format!("{ready}{}", if closed { ": the other side has closed, or it failed" } else { "" })
}

fn operation(source: &str, op: IoOp, result: IoResult) -> String {
    let doing = match op {
        IoOp::Connect => "connecting",
        IoOp::Accept => "accepting from",
        IoOp::Read => "reading from",
        IoOp::Write => "writing to",
        IoOp::Wait => "waiting for",
    };
    match (result, op) {
        (IoResult::Bytes(_), IoOp::Connect) => format!("{source} is connected"),
        (IoResult::Bytes(_), IoOp::Accept) => format!("a connection was accepted from {source}"),
        (IoResult::Bytes(_), IoOp::Wait) => format!("{source} has ended"),
        (IoResult::WouldBlock, IoOp::Wait) => format!("{source} has not ended yet"),
        (IoResult::Bytes(bytes), _) => format!("{doing} {source} moved {}", count(bytes, "byte")),
        (IoResult::Eof, _) => format!("{doing} {source} came to the end: the other side has closed"),
        (IoResult::WouldBlock, _) => format!("{doing} {source} would block"),
        (IoResult::Error(kind), _) => format!("{doing} {source} failed: {kind}"),
    }
}

fn of_jobs(names: &Narrator, event: &Event) -> Option<String> {
    let thread = || match &event.thread {
        Some(name) => format!("thread {}", plain(name)),
        None => String::from("the loop's own thread"),
    };
    Some(match &event.kind {
        E::JobNew { job, by, site } => {
            format!("{} handed {job} to the blocking pool at {}", names.who(by), place(*site))
        }
        E::JobStart { job, waited } => {
            format!(
                "{} took {job}{}",
                thread(),
                lasting(", which had waited in the pool's queue for", *waited)
            )
        }
        E::JobEnd { job, took, panicked: false } => {
            format!("{job} returned{} on {}", lasting(" after", *took), thread())
        }
        E::JobEnd { job, took, panicked: true } => {
            format!("{job} panicked{} on {}, which goes on", lasting(" after", *took), thread())
        }
        E::JobDeliver { job } => format!("the result of {job} was handed to whoever awaited it"),
        E::JobAbandon { job } => format!("nobody waits for {job} any more"),
        E::ThreadStart { thread } => format!("thread {} of the blocking pool started", plain(thread)),
        E::ThreadExit { thread } => format!("thread {} of the blocking pool ended", plain(thread)),
        _ => return None,
    })
}
