//! Chapter 35, part 43: the state of a loop, read back from the lines of a snapshot.
//!
//! Before: `trace/read/kinds.rs`. Next: `trace/read/decode.rs`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::actors::{actor, io_op, io_result, loop_end, reason, wait};
use super::fields::{Fault, Fields};
use super::kinds::{frames, suspended};
use super::names::{lasting, name};
use super::sites::Sites;
use crate::trace::event::{Actor, CallbackId, JobId, LineId, Place, SourceId, TaskId, TimerId};
use crate::trace::fold::{
    Callback, Handle, Job, JobStand, Line, MOST_AWAITS, MOST_HOLDERS, Source, Stand, Step, Task, Timer,
    Waiter, World,
};
use crate::trace::observer::Ready;

/// A snapshot, as far as its lines have come.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    world: World,
    /// What is ready, in order: it is put in the queue when all tasks and callbacks are known.
    ready: Vec<Ready>,
}

/// The most items of one list in one line.
const MOST: usize = 1 << 20;
/// The most waits that are kept of one source.
const MOST_WAITS: usize = 64;

impl Snapshot {
    /// The first line.
    pub(super) fn begin(fields: &Fields<'_>) -> Result<Snapshot, Fault> {
        let mut world = World::new();
        world.seq = fields.maybe_number("n")?;
        world.time = fields.time("t")?;
        world.turn = fields.maybe_number("turn")?;
        world.step = fields.word("step", step)?;
        world.looked = fields.time("looked")?;
        if fields.maybe("why").is_some() {
            world.waiting = Some((fields.maybe_time("timeout")?, fields.word("why", reason)?));
        }
        world.running = fields.maybe("running").and_then(ready);
        world.held_up = fields.maybe_time("held_up")?;
        (world.spawned, world.ended) = (fields.number("spawned")?, fields.number("ended")?);
        world.end = fields.maybe("end").map(|_| fields.word("end", loop_end)).transpose()?;
        Ok(Snapshot { world, ready: list(fields, "ready").filter_map(ready).collect() })
    }

    /// One of the lines after it; whether its kind is known.
    pub(super) fn add(&mut self, kind: &str, fields: &Fields<'_>, sites: &Sites) -> Result<bool, Fault> {
        let world = &mut self.world;
        let number = |name| fields.number(name);
        let site = || fields.number("site").map(|site| sites.place(site));
        match kind {
            "snapshot_task" => {
                world.tasks.insert(TaskId(number("task")?), Arc::new(task(fields, sites)?));
            }
            "snapshot_callback" => {
                let made = Callback::new(by(fields, "by")?, site()?, fields.maybe_time("at")?);
                world.callbacks.insert(CallbackId(number("callback")?), made);
            }
            "snapshot_timer" => {
                let callback = fields.maybe_number("callback")?.map(CallbackId);
                let (by, at, armed) = (by(fields, "by")?, fields.time("at")?, number("armed")?);
                world.timers.insert(TimerId(number("timer")?), Timer { by, callback, at, armed });
            }
            "snapshot_source" => {
                world.sources.insert(SourceId(number("source")?), source(fields, sites)?);
            }
            "snapshot_job" => {
                world.jobs.insert(JobId(number("job")?), job(fields, site()?)?);
            }
            "snapshot_thread" => {
                let job = fields.maybe_number("job")?.map(JobId);
                world.threads.insert(name(fields.text("thread")?), job);
            }
            "snapshot_line" => {
                world.lines.insert(LineId(number("line")?), line(fields, sites)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The state.
    pub(super) fn end(self) -> World {
        let Snapshot { mut world, ready } = self;
        world.line_up(ready);
        world
    }
}

fn task(fields: &Fields<'_>, sites: &Sites) -> Result<Task, Fault> {
    let stand = fields.word("stand", |word| match word {
        "ready" => Some(Stand::Ready),
        "running" => Some(Stand::Running),
        "suspended" => Some(Stand::Suspended),
        _ => None,
    })?;
    let time = |name| fields.maybe_time(name).map(|time| time.unwrap_or(Duration::ZERO));
    let mut task = Task::found(TaskId(fields.number("task")?), stand, fields.time("since")?);
    task.name = name(fields.maybe_text("name"));
    task.by = by(fields, "by")?;
    task.spawned_at = fields.maybe_number("site")?.map(|site| sites.place(site));
    task.future = lasting(fields.maybe_text("future"));
    task.size = fields.size("size")?;
    task.suspended = suspended(fields, sites)?;
    task.wakers = fields.size("wakers")?;
    task.polls = u32::try_from(fields.number("polls")?).unwrap_or(u32::MAX);
    if let Some(seq) = fields.maybe_number("woken")? {
        task.woken = Some((seq, by(fields, "woken_by")?));
    }
    task.cancelled = fields.flag("cancelled")?;
    task.handle = if fields.flag("dropped")? { Handle::Dropped } else { Handle::Held };
    task.lost = fields.flag("lost")?;
    task.frames = fields.maybe("frames").map(|_| frames(fields, sites)).transpose()?;
    task.awaits = list(fields, "awaits").filter_map(Value::as_u64).map(TaskId).take(MOST_AWAITS).collect();
    (task.busy, task.queued, task.waited) = (time("busy")?, time("queued")?, time("waited")?);
    Ok(task)
}

fn source(fields: &Fields<'_>, sites: &Sites) -> Result<Source, Fault> {
    let waits = list(fields, "waits").filter_map(|pair| match pair.as_array()?.as_slice() {
        [word, by] => Some((wait(word.as_str()?), actor(by)?)),
        _ => None,
    });
    let mut last = None;
    if fields.maybe("op").is_some() {
        let result = io_result(fields.value("result")?);
        let result = result.ok_or_else(|| String::from("its field \"result\" is not what it should be"))?;
        last = Some((fields.word("op", io_op)?, result));
    }
    Ok(Source {
        what: lasting(fields.maybe_text("what")),
        by: by(fields, "by")?,
        site: fields.maybe_number("site")?.map(|site| sites.place(site)),
        waits: waits.take(MOST_WAITS).collect(),
        last,
        closed: fields.flag("closed")?,
    })
}

fn job(fields: &Fields<'_>, site: Place) -> Result<Job, Fault> {
    let thread = || fields.maybe("thread").and_then(Value::as_str).map(name);
    let stand = fields.word("stand", |word| match word {
        "queued" => Some(JobStand::Queued),
        "running" => Some(JobStand::Running(thread())),
        "ended" => Some(JobStand::Ended),
        _ => None,
    })?;
    let (by, since, abandoned) = (by(fields, "by")?, fields.time("since")?, fields.flag("abandoned")?);
    Ok(Job { by, site, stand, since, abandoned })
}

fn line(fields: &Fields<'_>, sites: &Sites) -> Result<Line, Fault> {
    let what = fields.maybe("wait").and_then(Value::as_str).map(wait);
    let holders = list(fields, "holders").filter_map(actor).take(MOST_HOLDERS).collect();
    let mut line = Line { what, holders, ..Line::default() };
    for fields in list(fields, "waiters").filter_map(Value::as_object) {
        let (ticket, waiter) = waiter(fields, sites)?;
        line.waiters.insert(ticket, waiter);
    }
    Ok(line)
}

fn waiter(fields: &Map<String, Value>, sites: &Sites) -> Result<(usize, Waiter), Fault> {
    let fields = Fields(fields);
    let (wait, site) = (wait(fields.text("wait")?), sites.place(fields.number("site")?));
    let (seq, since) = (fields.number("n")?, fields.time("since")?);
    let waiter = Waiter::new(wait, by(&fields, "by")?, site, seq, since);
    Ok((fields.size("ticket")?, Waiter { granted: fields.maybe_number("granted")?, ..waiter }))
}

fn by(fields: &Fields<'_>, name: &str) -> Result<Actor, Fault> {
    actor(fields.value(name)?).ok_or_else(|| format!("its field {name:?} names nobody"))
}

/// The items of a list; none if it is left out.
fn list<'a>(fields: &Fields<'a>, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let items = fields.maybe(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().take(MOST)
}

fn ready(value: &Value) -> Option<Ready> {
    match actor(value) {
        Some(Actor::Task(task)) => Some(Ready::Task(task)),
        Some(Actor::Callback(callback)) => Some(Ready::Callback(callback)),
        _ => value.as_str().filter(|word| *word == "end").map(|_| Ready::RunEnd),
    }
}

fn step(word: &str) -> Option<Step> {
    Some(match word {
        "outside" => Step::Outside,
        "plan" => Step::Plan,
        "wait" => Step::Wait,
        "wake" => Step::Wake,
        "fire" => Step::Fire,
        "run" => Step::Run,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::sync::{Mutex, Queue, Semaphore};
    use crate::trace::fold::History;
    use crate::trace::read::{Decoder, Item, Recording};
    use crate::trace::record::{Lines, samples};
    use crate::trace::{Event, Observer};
    use crate::{EventLoop, call_later, call_soon, sleep, spawn, spawn_blocking, spawn_named, yield_now};

    #[derive(Clone, Default)]
    struct All(Rc<RefCell<Vec<Event>>>);

    impl Observer for All {
        fn event(&self, event: &Event) {
            self.0.borrow_mut().push(event.clone());
        }
    }

    /// The events of a run in which tasks wait for each other in every way.
    fn run() -> Vec<Event> {
        let all = All::default();
        let event_loop = EventLoop::builder().virtual_time().observer(all.clone()).build().unwrap();
        event_loop.run_until_complete(async {
            let (mutex, permits) = (Mutex::new(()), Semaphore::new(2));
            let queue = Queue::new(1);
            let tasks: Vec<_> = (0..5)
                .map(|number| {
                    let (mutex, permits, queue) = (mutex.clone(), permits.clone(), queue.clone());
                    spawn_named(&format!("worker {number}"), async move {
                        let _permit = permits.acquire().await;
                        let _guard = mutex.lock().await;
                        sleep(Duration::from_millis(number)).await;
                        queue.put(number).await.unwrap();
                    })
                })
                .collect();
            call_later(Duration::from_millis(3), || {});
            call_soon(|| drop(spawn(yield_now())));
            let lost = spawn(std::future::pending::<()>());
            for _ in 0..5 {
                queue.get().await.unwrap();
            }
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(spawn_blocking(|| 42).await.unwrap(), 42);
            lost.cancel();
            _ = lost.await;
        });
        drop(event_loop);
        all.0.take()
    }

    /// A recording that begins after the first so many of these events.
    fn cut(events: &[Event], at: usize) -> Recording {
        let (mut world, mut lines) = (World::new(), Lines::new());
        events[..at].iter().for_each(|event| world.apply(event));
        let mut file = b"{\"k\":\"oneloop\",\"v\":1}\n".to_vec();
        lines.world(&world, &mut file);
        events[at..].iter().for_each(|event| lines.event(event, &mut file));
        Recording::read(&file[..]).unwrap()
    }

    #[test]
    fn a_snapshot_and_the_rest_are_the_whole() {
        for events in [run(), samples::events()] {
            let (mut before, mut whole) = (World::new(), World::new());
            events.iter().for_each(|event| whole.apply(event));
            for at in 0..events.len() {
                let recording = cut(&events, at);
                assert!(recording.warnings().is_empty(), "{:?}", recording.warnings());
                assert_eq!(recording.begin.as_ref(), Some(&before), "after {at} events");
                assert_eq!(recording.events.len(), events.len() - at);
                let mut history = History::beginning_with(recording.begin, recording.events);
                history.go(usize::MAX);
                assert_eq!(history.world(), &whole, "from event {at} on");
                history.go(0);
                assert_eq!(history.world(), &before);
                before.apply(&events[at]);
            }
        }
    }

    #[test]
    fn a_task_from_before_is_called_by_its_name() {
        let events = run();
        let at = events.iter().rposition(|event| format!("{event:?}").contains("PollBegin")).unwrap() - 40;
        let mut history = {
            let recording = cut(&events, at);
            History::beginning_with(recording.begin, recording.events)
        };
        let mut sentences = String::new();
        while let Some(sentence) = history.forward() {
            sentences.push_str(&sentence);
        }
        assert!(sentences.contains("task 0 (main)"), "{sentences}");
    }

    #[test]
    fn lines_of_a_snapshot_that_make_no_sense_are_faults() {
        let mut decoder = Decoder::new();
        let lost = br#"{"k":"snapshot_task","task":1}"#;
        assert!(decoder.decode(lost).is_err(), "there is no snapshot it belongs to");
        let begin =
            br#"{"k":"snapshot","t":1,"step":"run","looked":0,"spawned":1,"ended":0,"ready":[7,{"task":1}]}"#;
        assert!(matches!(decoder.decode(begin), Ok(Item::Table)));
        for line in [
            r#"{"k":"snapshot_task","task":1}"#,
            r#"{"k":"snapshot_source","source":1,"by":"nobody"}"#,
            r#"{"k":"snapshot_line","line":1,"waiters":[{}]}"#,
        ] {
            assert!(decoder.decode(line.as_bytes()).is_err(), "{line}");
        }
        assert!(matches!(decoder.decode(br#"{"k":"snapshot_tide"}"#), Ok(Item::Unknown)));
        assert_eq!(decoder.take_snapshot().map(|world| world.ready.len()), Some(1));
        assert!(decoder.take_snapshot().is_none());
    }
}
