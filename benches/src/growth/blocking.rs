//! The curve over the number of jobs for the blocking pool, all at once: one thread does them, on the core on which the
//! loop runs too.

use tokio::task::spawn_local;

use super::curve::{Curve, DECADES, Unit};
use crate::measure::pinned;
use crate::rows::blocking::{at_once, jobs_on_oneloop, jobs_on_smol, jobs_on_tokio};
use crate::start;

pub const JOBS: Curve = Curve {
    name: "blocking",
    title: "a job on the blocking pool",
    counted: "jobs at once",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [
        |size| pinned(|| start::on_oneloop(at_once(size, each(size), jobs_on_oneloop, oneloop::spawn))),
        |size| pinned(|| start::on_tokio_set(at_once(size, each(size), jobs_on_tokio, spawn_local))),
        |size| {
            pinned(|| start::on_smol(|smol| at_once(size, each(size), jobs_on_smol, |task| smol.spawn(task))))
        },
    ],
};

/// Jobs in one measurement, at least; and how many each task has, at least.
const JOBS_IN_ALL: u64 = 300_000;
const JOBS_EACH: u64 = 2;

fn each(size: u64) -> u64 {
    (JOBS_IN_ALL / size).max(JOBS_EACH)
}
