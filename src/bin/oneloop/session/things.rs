//! Tasks, timers, sources, jobs and what is waited for in line, each in one line.

use oneloop::trace::fold::{Handle, Job, JobStand, Line, Source, Stand, Task, Timer, Waiter, World};
use oneloop::trace::narrate::{count, named, place, plain, span};
use oneloop::trace::{Actor, IoResult, JobId, LineId, Ready, SourceId, TaskId, TimerId, Wait};

/// `task 2 (fetch)`.
pub fn task_name(id: TaskId, world: &World) -> String {
    world.tasks.get(&id).map_or_else(|| id.to_string(), |task| named(id, &task.name))
}

pub fn who(actor: &Actor, world: &World) -> String {
    match actor {
        Actor::Task(task) => task_name(*task, world),
        Actor::Callback(callback) => callback.to_string(),
        Actor::Timer(timer) => timer.to_string(),
        Actor::Source(source) => match world.sources.get(source) {
            Some(known) => format!("{source} ({})", known.what),
            None => source.to_string(),
        },
        Actor::Job(job) => job.to_string(),
        Actor::Thread(name) => format!("thread {}", plain(name)),
        Actor::Loop => "the program".into(),
        _ => "the observer".into(),
    }
}

/// Something in the ready queue.
pub fn ready(entry: Ready, world: &World) -> String {
    match entry {
        Ready::Task(id) => {
            let mut text = task_name(id, world);
            let Some(task) = world.tasks.get(&id) else { return text };
            if let Some((seq, by)) = &task.woken {
                let how = if task.polls == 0 && task.suspended.is_none() { "spawned" } else { "woken" };
                text.push_str(&format!(", {how} by {} in event {seq}", who(by, world)));
            }
            if task.cancelled {
                text.push_str(", to be dropped: it was cancelled");
            } else if let Some(at) = task.goes_on_at() {
                let how = if task.suspended.is_some() { "to go on at" } else { "spawned at" };
                text.push_str(&format!(", {how} {}", place(at)));
            }
            text
        }
        Ready::Callback(id) => match world.callbacks.get(&id) {
            Some(callback) => format!("{id}, handed to the loop at {}", place(callback.site)),
            None => id.to_string(),
        },
        _ => "the end of the run: the main future has ended".into(),
    }
}

/// How a task stands.
pub fn task(id: TaskId, task: &Task, world: &World) -> String {
    let since = span(world.time.saturating_sub(task.since));
    let stand = match (task.stand, &task.suspended) {
        (Stand::Running, _) => String::from("running"),
        (Stand::Ready, _) => format!("ready for {since}"),
        (_, Some((wait, Some(at)))) => {
            format!("suspended at {}, waiting for {wait}, for {since}", place(*at))
        }
        (_, Some((wait, None))) => format!("waiting for {wait}, for {since}"),
        (_, None) => format!("suspended for {since}"),
    };
    let mut text = format!("{}: {stand}", task_name(id, world));
    if let Some(frames) = task.frames.as_ref().filter(|frames| frames.places().len() > 1) {
        text.push_str(&format!(", through {frames}"));
    }
    if task.cancelled {
        text.push_str(", cancelled");
    }
    if task.handle == Handle::Dropped {
        text.push_str(", its handle dropped");
    }
    let times = [("busy", task.busy), ("queued", task.queued), ("waiting", task.waited)];
    let times = times.into_iter().filter(|(_, time)| !time.is_zero());
    let times: String = times.map(|(how, time)| format!(", {how} {}", span(time))).collect();
    text.push_str(&format!("; {}{times}", count(task.polls as usize, "poll")));
    if let Some(at) = task.spawned_at {
        text.push_str(&format!("; spawned at {}", place(at)));
    }
    text
}

pub fn timer(id: TimerId, timer: &Timer, world: &World) -> String {
    let left = timer.at.saturating_sub(world.time);
    let due = if left.is_zero() { "due now".into() } else { format!("due in {}", span(left)) };
    let target = match timer.callback {
        Some(callback) => format!("for {callback}"),
        None => format!("armed by {}", who(&timer.by, world)),
    };
    format!("{id}, {due} (at {}), {target}", span(timer.at))
}

pub fn source(id: SourceId, source: &Source, world: &World) -> String {
    let mut text = format!("{id} ({})", source.what);
    match source.waits.as_slice() {
        [] => text.push_str(": nobody waits for it"),
        waits => {
            let waits = waits.iter().map(|(wait, by)| format!("{} waits for {wait}", who(by, world)));
            text.push_str(&format!(": {}", waits.collect::<Vec<_>>().join("; ")));
        }
    }
    if let Some((op, result)) = &source.last {
        let gave = match result {
            IoResult::Bytes(bytes) => count(*bytes, "byte"),
            IoResult::Eof => "the end".into(),
            IoResult::WouldBlock => "not now".into(),
            IoResult::Error(error) => error.to_string(),
            _ => "something".into(),
        };
        text.push_str(&format!("; last {op:?}: {gave}").to_lowercase());
    }
    if source.closed {
        text.push_str("; its other side has closed, or it failed");
    }
    if let Some(at) = source.site {
        text.push_str(&format!("; opened at {}", place(at)));
    }
    text
}

pub fn job(id: JobId, job: &Job, world: &World) -> String {
    let since = span(world.time.saturating_sub(job.since));
    let stand = match &job.stand {
        JobStand::Queued => format!("in the pool's queue for {since}"),
        JobStand::Running(Some(thread)) => format!("on thread {} for {since}", plain(thread)),
        JobStand::Running(None) => format!("running for {since}"),
        _ => format!("ended {since} ago, and its result not taken yet"),
    };
    let nobody = if job.abandoned { "; nobody waits for it any more" } else { "" };
    format!("{id}: {stand}, from {} at {}{nobody}", who(&job.by, world), place(job.site))
}

/// What sort of thing is held or waited for.
pub fn sort(line: &Line) -> &'static str {
    match line.what {
        Some(Wait::Lock) => "a mutex",
        Some(Wait::Acquire) => "a semaphore",
        Some(Wait::Get) => "a queue, for its items",
        Some(Wait::Put) => "a queue, for room in it",
        Some(Wait::QueueJoin) => "a queue, for its end",
        Some(Wait::Condition) => "a condition",
        Some(Wait::Barrier) => "a barrier",
        Some(Wait::Event) => "an event",
        Some(_) => "something to wait for",
        None => "a mutex or semaphore",
    }
}

/// Something that is held or waited for.
pub fn line(id: LineId, line: &Line, world: &World) -> String {
    let what = sort(line);
    let holders: Vec<String> = line.holders.iter().map(|by| who(by, world)).collect();
    match holders.as_slice() {
        [] => format!("{id} ({what})"),
        holders => format!("{id} ({what}): held by {}", holders.join(", ")),
    }
}

/// Who waits for it.
pub fn waiter(waiter: &Waiter, world: &World) -> String {
    let (who, at) = (who(&waiter.by, world), place(waiter.site));
    match waiter.granted {
        Some(seq) => format!("{who} was granted {} in event {seq}, at {at}", waiter.wait),
        None => {
            let since = span(world.time.saturating_sub(waiter.since));
            format!("{who} waits for {} at {at}, for {since}", waiter.wait)
        }
    }
}
