//! The curve over the number of jobs for the blocking pool, all at once: one thread does them, on the core on which the
//! loop runs too.

use std::future::Future;

use super::curve::{Curve, DECADES, Unit};
use crate::measure::{Stopwatch, pin_to_one_core};
use crate::rows::blocking::{jobs_on_oneloop, jobs_on_smol, jobs_on_tokio};
use crate::start;

pub const JOBS: Curve = Curve {
    name: "blocking",
    title: "a job on the blocking pool",
    counted: "jobs at once",
    unit: Unit::Nanos,
    sizes: DECADES,
    measures: [
        |size| start::on_oneloop(all_at_once(size, jobs_on_oneloop, oneloop::spawn)),
        |size| start::on_tokio(all_at_once(size, jobs_on_tokio, tokio::spawn)),
        |size| start::on_smol(|smol| all_at_once(size, jobs_on_smol, |task| smol.spawn(task))),
    ],
};

/// Jobs in one measurement, at least; and how many each task has.
const JOBS_IN_ALL: u64 = 300_000;
const JOBS_EACH: u64 = 2;

async fn all_at_once<F, H: Future>(size: u64, jobs: impl Fn(u64) -> F, spawn: impl Fn(F) -> H) -> f64 {
    pin_to_one_core();
    let each = (JOBS_IN_ALL / size).max(JOBS_EACH);
    let watch = Stopwatch::start();
    let tasks: Vec<H> = (0..size).map(|_| spawn(jobs(each))).collect();
    for task in tasks {
        task.await;
    }
    watch.nanos_each(each * size)
}
