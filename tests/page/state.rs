//! The state of a loop as JSON, to be compared with what the page's script makes of the same events (`state.js` writes
//! the same form).

use std::time::Duration;

use oneloop::trace::fold::{Handle, JobStand, Stand, World};
use oneloop::trace::{Actor, IoResult, Place, Ready, Wait};
use serde_json::{Value, json};

pub fn state(world: &World) -> Value {
    let waiting = world.waiting.map(|(timeout, why)| json!([timeout.map(ns), snake(&why)]));
    json!({
        "seq": world.seq, "time": ns(world.time), "turn": world.turn, "step": snake(&world.step), "waiting": waiting,
        "looked": ns(world.looked), "held_up": world.held_up.map(ns), "spawned": world.spawned, "ended": world.ended, "end": world.end.map(|end| snake(&end)),
        "ready": world.ready.iter().map(ready).collect::<Vec<_>>(), "running": world.running.map(ready),
        "tasks": tasks(world), "callbacks": callbacks(world), "timers": timers(world), "sources": sources(world),
        "jobs": jobs(world), "lines": lines(world), "threads": world.threads.iter().map(|(name, job)| json!([&**name, job.map(|job| job.0)])).collect::<Vec<_>>(),
    })
}

fn tasks(world: &World) -> Vec<Value> {
    let tasks = world.tasks.iter().map(|(id, task)| {
        let stand = match task.stand {
            Stand::Ready => "ready",
            Stand::Running => "running",
            Stand::Suspended => "suspended",
            _ => "?",
        };
        let suspended = task.suspended.map(|(wait, at)| json!([word(wait), at.map(place)]));
        json!({
            "id": id.0, "name": &*task.name, "by": actor(&task.by), "site": task.spawned_at.map(place), "stand": stand,
            "since": ns(task.since), "suspended": suspended, "wakers": task.wakers, "polls": task.polls,
            "woken": task.woken.as_ref().map(|(seq, by)| json!([seq, actor(by)])), "cancelled": task.cancelled,
            "handle": if task.handle == Handle::Held { "held" } else { "dropped" },
            "busy": ns(task.busy), "queued": ns(task.queued), "waited": ns(task.waited),
            "awaits": task.awaits.iter().map(|id| id.0).collect::<Vec<_>>(), "lost": task.lost,
            "frames": task.frames.as_ref().map(|frames| frames.places().iter().copied().map(place).collect::<Vec<_>>()),
        })
    });
    tasks.collect()
}

fn callbacks(world: &World) -> Vec<Value> {
    let callbacks = world.callbacks.iter().map(|(id, callback)| {
        json!({"id": id.0, "by": actor(&callback.by), "site": place(callback.site), "at": callback.at.map(ns)})
    });
    callbacks.collect()
}

fn timers(world: &World) -> Vec<Value> {
    let timers = world.timers.iter().map(|(id, timer)| {
        let slot = oneloop::trace::fold::slot(timer.at, world.looked);
        let callback = timer.callback.map(|callback| callback.0);
        json!({"id": id.0, "by": actor(&timer.by), "callback": callback, "at": ns(timer.at), "armed": timer.armed, "slot": slot})
    });
    timers.collect()
}

fn sources(world: &World) -> Vec<Value> {
    let sources = world.sources.iter().map(|(id, source)| {
        let waits: Vec<_> = source.waits.iter().map(|(wait, by)| json!([word(*wait), actor(by)])).collect();
        let last = source.last.map(|(op, result)| json!([snake(&op), io_result(result)]));
        json!({"id": id.0, "what": source.what, "by": actor(&source.by), "site": source.site.map(place), "waits": waits, "last": last, "closed": source.closed})
    });
    sources.collect()
}

fn lines(world: &World) -> Vec<Value> {
    let lines = world.lines.iter().map(|(id, line)| {
        let waiters = line.waiters.iter().map(|(ticket, waiter)| {
            json!([ticket, word(waiter.wait), actor(&waiter.by), place(waiter.site), waiter.seq, waiter.granted])
        });
        let holders: Vec<_> = line.holders.iter().map(actor).collect();
        json!({"id": id.0, "what": line.what.map(word), "holders": holders, "waiters": waiters.collect::<Vec<_>>()})
    });
    lines.collect()
}

fn jobs(world: &World) -> Vec<Value> {
    let jobs = world.jobs.iter().map(|(id, job)| {
        let (stand, thread) = match &job.stand {
            JobStand::Queued => ("queued", None),
            JobStand::Running(thread) => ("running", thread.clone()),
            JobStand::Ended => ("ended", None),
            _ => ("?", None),
        };
        json!({"id": id.0, "by": actor(&job.by), "site": place(job.site), "stand": stand, "thread": thread.as_deref(), "since": ns(job.since), "abandoned": job.abandoned})
    });
    jobs.collect()
}

fn ready(ready: Ready) -> String {
    match ready {
        Ready::Task(task) => task.to_string(),
        Ready::Callback(callback) => callback.to_string(),
        _ => "end".into(),
    }
}

fn actor(by: &Actor) -> String {
    match by {
        Actor::Loop => "loop".into(),
        Actor::Task(id) => id.to_string(),
        Actor::Callback(id) => id.to_string(),
        Actor::Timer(id) => id.to_string(),
        Actor::Source(id) => id.to_string(),
        Actor::Job(id) => id.to_string(),
        Actor::Thread(name) => format!("thread {name}"),
        _ => "observer".into(),
    }
}

fn io_result(result: IoResult) -> String {
    match result {
        IoResult::Bytes(bytes) => bytes.to_string(),
        IoResult::Eof => "eof".into(),
        IoResult::WouldBlock => "would_block".into(),
        IoResult::Error(kind) => snake(&kind),
        _ => "?".into(),
    }
}

fn place(place: Place) -> String {
    place.to_string()
}

fn word(wait: Wait) -> String {
    snake(&wait)
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The name of a variant as the trace format has it.
fn snake(variant: &impl std::fmt::Debug) -> String {
    let (name, mut snake) = (format!("{variant:?}"), String::new());
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
