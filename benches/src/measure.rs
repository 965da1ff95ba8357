//! What is read before and after the work: the wall clock, the process's CPU time, its memory.

use std::fs;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// Wall time since it was started.
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Nanoseconds for one of so many operations.
    pub fn nanos_each(&self, ops: u64) -> f64 {
        self.0.elapsed().as_nanos() as f64 / ops as f64
    }
}

/// CPU time of all the process's threads, user and system, since it was started.
pub struct CpuStopwatch(Duration);

impl CpuStopwatch {
    pub fn start() -> CpuStopwatch {
        CpuStopwatch(process_time())
    }

    /// Nanoseconds for one of so many operations.
    pub fn nanos_each(&self, ops: u64) -> f64 {
        (process_time() - self.0).as_nanos() as f64 / ops as f64
    }
}

/// CPU time of this thread, user and system, since it was started.
pub struct ThreadStopwatch(Duration);

impl ThreadStopwatch {
    pub fn start() -> ThreadStopwatch {
        ThreadStopwatch(thread_time())
    }

    /// Nanoseconds for one of so many operations.
    pub fn nanos_each(&self, ops: u64) -> f64 {
        (thread_time() - self.0).as_nanos() as f64 / ops as f64
    }
}

/// CPU time of all the process's threads, user and system.
fn process_time() -> Duration {
    cpu_time(ClockId::ProcessCPUTime)
}

/// CPU time of this thread, user and system.
pub fn thread_time() -> Duration {
    cpu_time(ClockId::ThreadCPUTime)
}

fn cpu_time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Bytes of memory that this process holds (VmRSS).
pub fn resident_bytes() -> u64 {
    resident_bytes_of("self").expect("Linux has /proc/self/statm")
}

/// Bytes of memory that the process of this number holds.
pub fn resident_bytes_of(process: &str) -> Result<u64, String> {
    let file = format!("/proc/{process}/statm");
    let statm = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let pages = statm.split(' ').nth(1).and_then(|field| field.parse::<u64>().ok());
    let pages = pages.ok_or_else(|| format!("{file}: {statm:?} has no second field"))?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// The one in the middle of some figures; of an even number, the mean of both.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// Measures with this thread, and every thread that it starts from now on, pinned to one core. A runtime has to be started
/// inside: some have a thread from the start.
pub fn pinned(measure: impl FnOnce() -> f64) -> f64 {
    pin_to_one_core();
    measure()
}

/// Pins this thread, and every thread that it starts from now on, to one core.
pub fn pin_to_one_core() {
    let allowed = sched_getaffinity(None).expect("the kernel tells the allowed cores");
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core)).expect("some core is allowed");
    let mut one = CpuSet::new();
    one.set(last);
    sched_setaffinity(None, &one).expect("an allowed core may be chosen");
}
