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
        CpuStopwatch(cpu_time(ClockId::ProcessCPUTime))
    }

    /// Nanoseconds for one of so many operations.
    pub fn nanos_each(&self, ops: u64) -> f64 {
        (cpu_time(ClockId::ProcessCPUTime) - self.0).as_nanos() as f64 / ops as f64
    }
}

/// CPU time of this thread, user and system, since it was started.
pub struct ThreadStopwatch(Duration);

impl ThreadStopwatch {
    pub fn start() -> ThreadStopwatch {
        ThreadStopwatch(cpu_time(ClockId::ThreadCPUTime))
    }

    /// Nanoseconds for one of so many operations.
    pub fn nanos_each(&self, ops: u64) -> f64 {
        (cpu_time(ClockId::ThreadCPUTime) - self.0).as_nanos() as f64 / ops as f64
    }
}

fn cpu_time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Bytes of memory that the process holds (VmRSS).
pub fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux has /proc/self/statm");
    let pages = statm.split(' ').nth(1).and_then(|field| field.parse::<u64>().ok());
    pages.expect("the second field of statm is the resident pages") * rustix::param::page_size() as u64
}

/// Pins this thread, and every thread that it starts from now on, to one core.
pub fn pin_to_one_core() {
    let allowed = sched_getaffinity(None).expect("the kernel tells the allowed cores");
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core)).expect("some core is allowed");
    let mut one = CpuSet::new();
    one.set(last);
    sched_setaffinity(None, &one).expect("an allowed core may be chosen");
}
