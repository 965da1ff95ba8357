//! Chapter 35, part 16: the state of a loop as lines, for a recording that begins in the middle.
//!
//! What a flight recorder keeps are the last events; whoever reads them must know what the loop was like before the first.
//! So a snapshot stands there: the [`World`] that the events before it fold to, one line for each thing in it.
//!
//! ```text
//!   {"k":"snapshot","n":41,"t":7416,"turn":3,"step":"run","ready":[{"task":2}],"spawned":3,"ended":1}
//!   {"k":"snapshot_task","task":2,"name":"fetch","stand":"ready",…}
//!   {"k":"snapshot_timer","timer":4,"at":500000000,…}
//!   {"k":"poll_begin","n":42,…}                                      the first event that is kept
//! ```
//!
//! Before: `trace/record/line.rs`. Next: `trace/record/level.rs`.

use std::time::Duration;

use super::json;
use super::line::{Line, Lines};
use super::words;
use crate::trace::event::{Actor, LineId, TaskId};
use crate::trace::fold::{
    Callback, Handle, Job, JobStand, Line as Waits, Source, Stand, Step, Task, Timer, World,
};
use crate::trace::observer::Ready;

impl Lines {
    /// Appends what there is after the events before, ahead of those that follow. The places it is the first to name are
    /// defined before it.
    pub(crate) fn world(&mut self, world: &World, out: &mut Vec<u8>) {
        self.line(out, |line| line.snapshot(world));
        for (id, task) in &world.tasks {
            self.line(out, |line| line.task(*id, task));
        }
        for (id, callback) in &world.callbacks {
            self.line(out, |line| {
                let Callback { by, site, at, .. } = callback;
                line.begin("snapshot_callback").number("callback", id.0);
                line.by(by).site("site", *site).maybe_time("at", *at);
            });
        }
        for (id, timer) in &world.timers {
            self.line(out, |line| {
                let Timer { by, callback, at, armed } = timer;
                line.begin("snapshot_timer").number("timer", id.0);
                line.by(by).callback(*callback).time("at", *at).number("armed", *armed);
            });
        }
        for (id, source) in &world.sources {
            self.line(out, |line| {
                line.begin("snapshot_source").number("source", id.0).source(source);
            });
        }
        for (id, job) in &world.jobs {
            self.line(out, |line| {
                line.begin("snapshot_job").number("job", id.0).job(job);
            });
        }
        for (thread, job) in &world.threads {
            self.line(out, |line| {
                line.begin("snapshot_thread").text("thread", thread);
                if let Some(job) = job {
                    line.number("job", job.0);
                }
            });
        }
        for (id, waits) in &world.lines {
            self.line(out, |line| line.waits(*id, waits));
        }
    }
}

impl Line<'_> {
    fn snapshot(&mut self, world: &World) {
        self.begin("snapshot");
        if let Some(seq) = world.seq {
            self.number("n", seq);
        }
        self.time("t", world.time);
        if let Some(turn) = world.turn {
            self.number("turn", turn);
        }
        self.word("step", step(world.step)).time("looked", world.looked);
        if let Some((timeout, why)) = world.waiting {
            self.maybe_time("timeout", timeout).word("why", words::reason(why));
        }
        if let Some(running) = world.running {
            self.key("running").ready(running);
        }
        self.maybe_time("held_up", world.held_up);
        self.list("ready", world.ready.iter(), |line, ready| _ = line.ready(ready));
        self.number("spawned", world.spawned).number("ended", world.ended);
        if let Some(end) = world.end {
            self.word("end", words::loop_end(end));
        }
    }

    fn task(&mut self, id: TaskId, task: &Task) {
        self.begin("snapshot_task").number("task", id.0).text("name", &task.name).by(&task.by);
        self.maybe_site("site", task.spawned_at).text("future", task.future).count("size", task.size);
        let stand = match task.stand {
            Stand::Ready => "ready",
            Stand::Running => "running",
            Stand::Suspended => "suspended",
        };
        self.word("stand", stand).time("since", task.since).suspended(task.suspended);
        self.count("wakers", task.wakers).number("polls", u64::from(task.polls));
        if let Some((seq, by)) = &task.woken {
            self.number("woken", *seq).actor("woken_by", by);
        }
        self.flag("cancelled", task.cancelled).flag("dropped", task.handle == Handle::Dropped);
        self.flag("lost", task.lost);
        if let Some(frames) = &task.frames {
            self.frames(frames);
        }
        self.list("awaits", task.awaits.iter(), |line, task| json::number(&mut line.line, task.0));
        for (name, time) in [("busy", task.busy), ("queued", task.queued), ("waited", task.waited)] {
            self.maybe_time(name, Some(time).filter(|time| *time > Duration::ZERO));
        }
    }

    fn source(&mut self, source: &Source) {
        let Source { what, by, site, waits, last, closed } = source;
        self.text("what", what).by(by).maybe_site("site", *site);
        self.list("waits", waits.iter(), |line, (wait, by)| {
            line.line.push(b'[');
            line.quoted(words::wait(*wait)).line.push(b',');
            line.whom(by).line.push(b']');
        });
        if let Some((op, result)) = last {
            self.word("op", words::io_op(*op)).result(*result);
        }
        self.flag("closed", *closed);
    }

    fn job(&mut self, job: &Job) {
        let Job { by, site, stand, since, abandoned } = job;
        self.by(by).site("site", *site).time("since", *since).flag("abandoned", *abandoned);
        match stand {
            JobStand::Queued => self.word("stand", "queued"),
            JobStand::Running(None) => self.word("stand", "running"),
            JobStand::Running(Some(thread)) => self.word("stand", "running").text("thread", thread),
            JobStand::Ended => self.word("stand", "ended"),
        };
    }

    fn waits(&mut self, id: LineId, waits: &Waits) {
        self.begin("snapshot_line").number("line", id.0);
        if let Some(what) = waits.what {
            self.word("wait", words::wait(what));
        }
        self.list("holders", waits.holders.iter(), |line, by| _ = line.whom(by));
        let mut waiters = Vec::new();
        for (ticket, waiter) in &waits.waiters {
            waiters.push((*ticket, waiter, self.site_id(waiter.site)));
        }
        self.list("waiters", waiters.into_iter(), |line, (ticket, waiter, site)| {
            line.line.push(b'{');
            line.line.extend_from_slice(format!("\"ticket\":{ticket}").as_bytes());
            line.word("wait", words::wait(waiter.wait)).by(&waiter.by).number("site", site);
            line.number("n", waiter.seq).time("since", waiter.since);
            if let Some(granted) = waiter.granted {
                line.number("granted", granted);
            }
            line.line.push(b'}');
        });
    }

    /// Something in the ready queue: `{"task":2}`, `{"callback":7}`, `"end"`.
    fn ready(&mut self, ready: Ready) -> &mut Self {
        match ready {
            Ready::Task(task) => self.whom(&Actor::Task(task)),
            Ready::Callback(callback) => self.whom(&Actor::Callback(callback)),
            Ready::RunEnd => self.quoted("end"),
        }
    }

    /// A list; left out where it is empty.
    fn list<T>(&mut self, name: &str, items: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        self.key(name).line.push(b'[');
        while let Some(item) = items.next() {
            write(self, item);
            if items.peek().is_some() {
                self.line.push(b',');
            }
        }
        self.line.push(b']');
    }
}

fn step(step: Step) -> &'static str {
    match step {
        Step::Outside => "outside",
        Step::Plan => "plan",
        Step::Wait => "wait",
        Step::Wake => "wake",
        Step::Fire => "fire",
        Step::Run => "run",
    }
}
