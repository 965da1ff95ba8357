//! Chapter 35, part 16: rules about the blocking pool.
//!
//! Before: `trace/findings/lives.rs`. Next: `trace/findings/why.rs`.

use std::time::Duration;

use super::{Finding, Level, Limits, Rule, Story, finding};
use crate::trace::event::{Event, EventKind as E};
use crate::trace::narrate::{count, place, span};

pub(super) fn rules(limits: Limits) -> Vec<Box<dyn Rule>> {
    vec![Box::new(PoolSaturated { slow: limits.slow, threads: 0 })]
}

/// `pool_saturated`: a job waited long for a thread, since all were busy.
struct PoolSaturated {
    slow: Duration,
    /// Threads of the pool.
    threads: usize,
}

impl Rule for PoolSaturated {
    fn event(&mut self, event: &Event, story: &Story, found: &mut Vec<Finding>) {
        match &event.kind {
            E::ThreadStart { .. } => self.threads += 1,
            E::ThreadExit { .. } => self.threads = self.threads.saturating_sub(1),
            E::JobStart { job, waited } if *waited >= self.slow => {
                let site = story.jobs.get(job).map(|job| job.site);
                let from = site.map(|site| format!(", handed over at {},", place(site))).unwrap_or_default();
                let busy = story.jobs.values().filter(|job| job.started.is_some() && !job.ended);
                let oldest = busy.min_by_key(|job| job.started).map(|job| job.site);
                let oldest_at = oldest
                    .map(|site| format!("; the oldest of their jobs was handed over at {}", place(site)));
                let text = format!(
                    "{job}{from} waited {} for a thread: {} of the pool {} busy{}",
                    span(*waited),
                    count(self.threads, "thread"),
                    if self.threads == 1 { "was" } else { "were" },
                    oldest_at.unwrap_or_default()
                );
                const ADVICE: &str = "limit how many jobs are handed over at once, allow more threads \
                    (`Builder::pool_threads`), or give long jobs a `BlockingPool` of their own";
                let saturated = finding(
                    "pool_saturated",
                    Level::Warning,
                    story.jobs.get(job).and_then(|job| job.task),
                    text,
                    ADVICE,
                );
                found.push(saturated.at(site).shown_by(event.cause.into_iter().chain([event.seq])));
            }
            _ => {}
        }
    }
}
