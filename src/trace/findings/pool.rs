//! Chapter 35, part 58: rules about the blocking pool.
//!
//! Before: `trace/findings/lives.rs`. Next: `trace/findings/why.rs`.

use std::time::Duration;

use super::story::JobStory;
use super::{Finding, Level, Limits, Rule, Story, finding};
use crate::trace::event::{Event, EventKind as E, JobId};
use crate::trace::fold::World;
use crate::trace::narrate::{count, place, span};

pub(super) fn rules(limits: Limits) -> Vec<Box<dyn Rule>> {
    vec![Box::new(PoolSaturated { slow: limits.slow, threads: 0, latest: None })]
}

/// `pool_saturated`: a job waited long for a thread, since all were busy.
struct PoolSaturated {
    slow: Duration,
    /// Threads of the pool.
    threads: usize,
    /// The job that ended last, whose thread is free, since when it was on it, and when it ended.
    latest: Option<(Duration, (Duration, JobStory))>,
}

impl PoolSaturated {
    /// Jobs of one line that wait for each other are a backlog, in which the pool does what it is for. A job that waits for
    /// those of other lines only has a reason to complain.
    fn waited(&self, event: &Event, story: &Story, job: JobId, waited: Duration) -> Option<Finding> {
        let known = story.jobs.get(&job)?;
        let latest =
            self.latest.as_ref().filter(|(ended, _)| *ended + waited >= event.time).map(|(_, job)| job);
        let busy = || story.running.values().chain(latest);
        let (_, oldest) = busy()
            .min_by_key(|(started, _)| *started)
            .filter(|_| busy().all(|(_, other)| other.site != known.site))?;
        let text = format!(
            "{job}, handed over at {}, waited {} for a thread: {} of the pool {} busy with other jobs, such as that of {}",
            place(known.site),
            span(waited),
            count(self.threads, "thread"),
            if self.threads == 1 { "was" } else { "were" },
            place(oldest.site)
        );
        const ADVICE: &str = "give long jobs a `BlockingPool` of their own, hand over fewer at once, or allow more threads \
            (`Builder::pool_threads`)";
        let saturated = finding("pool_saturated", Level::Warning, known.task, text, ADVICE);
        Some(saturated.at([known.site, oldest.site]).shown_by(event.cause.into_iter().chain([event.seq])))
    }
}

impl Rule for PoolSaturated {
    fn begin(&mut self, world: &World) {
        self.threads = world.threads.len();
    }

    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::JobEnd { job, .. } => {
                self.latest = story.running.get(job).map(|known| (event.time, *known));
            }
            E::ThreadStart { .. } => self.threads += 1,
            E::ThreadExit { .. } => self.threads = self.threads.saturating_sub(1),
            E::JobStart { job, waited } if *waited >= self.slow => {
                found.extend(self.waited(event, story, *job, *waited));
            }
            _ => {}
        }
    }
}
