//! Several tasks at once against a model of them.
//!
//! A case is a list of random jobs: each sleeps for a while, then returns, fails or panics. What comes of waiting for
//! them can be worked out on paper: by time, and at the same time by the order in which they were started.

use std::panic::resume_unwind;
use std::time::Duration;

use oneloop::{
    EventLoop, JoinHandle, ReturnWhen, TaskGroup, all_tasks, as_completed, gather, sleep, spawn, time, wait,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases in every run, and no files written.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 500,
        rng_seed: RngSeed::Fixed(0x7a5c_5000),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Runs a program; no task is to be left over.
fn virtually<T>(program: impl Future<Output = T>) -> T {
    EventLoop::builder().virtual_time().build().unwrap().run_until_complete(async {
        let output = program.await;
        assert_eq!(all_tasks().len(), 1, "{:?}", all_tasks());
        output
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Returns,
    Fails,
    Panics,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    /// In milliseconds.
    delay: u64,
    end: End,
}

impl Job {
    async fn run(self, number: usize) -> Result<usize, usize> {
        sleep(ms(self.delay)).await;
        match self.end {
            End::Returns => Ok(number),
            End::Fails => Err(number),
            // As a panic does, but without a word on standard error.
            End::Panics => resume_unwind(Box::new(number.to_string())),
        }
    }
}

fn job() -> impl Strategy<Value = Job> {
    let end = prop_oneof![4 => Just(End::Returns), 1 => Just(End::Fails), 1 => Just(End::Panics)];
    (0u64..8, end).prop_map(|(delay, end)| Job { delay, end })
}

fn jobs() -> impl Strategy<Value = Vec<Job>> {
    prop::collection::vec(job(), 0..10)
}

fn start(jobs: &[Job]) -> Vec<JoinHandle<Result<usize, usize>>> {
    jobs.iter().enumerate().map(|(number, job)| spawn(job.run(number))).collect()
}

/// The numbers of those that end until `until`, in the order of their ends.
fn ended(jobs: &[Job], until: impl Fn(u64) -> bool) -> Vec<usize> {
    let mut ended: Vec<usize> = (0..jobs.len()).filter(|number| until(jobs[*number].delay)).collect();
    ended.sort_by_key(|number| jobs[*number].delay);
    ended
}

/// The longest delay.
fn longest(jobs: &[Job]) -> u64 {
    jobs.iter().map(|job| job.delay).max().unwrap_or(0)
}

/// When a group ends, and what has failed by then. The body's failure has no number.
fn model_of_group(jobs: &[Job], body: Job) -> (u64, Vec<Option<usize>>) {
    let failing = |job: &Job| job.end != End::Returns;
    let first = jobs.iter().filter(|job| failing(job)).map(|job| job.delay).min();
    // The body is polled before its tasks, and shuts the group down itself.
    if failing(&body) && first.is_none_or(|first| body.delay <= first) {
        return (body.delay, vec![None]);
    }
    let Some(first) = first else { return (longest(jobs).max(body.delay), Vec::new()) };
    let failed = (0..jobs.len()).filter(|number| failing(&jobs[*number]) && jobs[*number].delay == first);
    (first, failed.map(Some).collect())
}

/// When a wait ends, and who has ended by then.
fn model_of_wait(jobs: &[Job], return_when: ReturnWhen, limit: Option<u64>) -> (u64, Vec<usize>) {
    let counts = |job: &&Job| match return_when {
        ReturnWhen::FirstCompleted => true,
        ReturnWhen::FirstException => job.end == End::Panics,
        ReturnWhen::AllCompleted => false,
    };
    let enough = jobs.iter().filter(counts).map(|job| job.delay).min().unwrap_or(longest(jobs));
    match limit {
        // Of timers that are due together, that of the limit was armed first. With no time at all, what is ready has its
        // turn.
        Some(limit) if limit <= enough && (limit, enough) != (0, 0) && !jobs.is_empty() => {
            (limit, ended(jobs, |delay| delay < limit || delay == 0))
        }
        _ => (enough, ended(jobs, |delay| delay <= enough)),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_group_ends_when_the_model_says_and_with_all_failures_in_order(jobs in jobs(), body in job()) {
        let (took, failed) = virtually(async {
            let begin = time();
            let result = TaskGroup::scope(async |group| {
                for (number, job) in jobs.iter().enumerate() {
                    group.spawn(job.run(number));
                }
                body.run(usize::MAX).await
            })
            .await;
            let failures = result.err().map_or(Vec::new(), |error| error.into_failures());
            let texts = failures.iter().map(|failure| failure.to_string().replace("panicked: ", ""));
            (time() - begin, texts.collect::<Vec<_>>())
        });
        let (until, expected) = model_of_group(&jobs, body);
        let expected: Vec<_> = expected.iter().map(|number| number.unwrap_or(usize::MAX).to_string()).collect();
        prop_assert_eq!((took, failed), (ms(until), expected));
    }

    #[test]
    fn a_wait_ends_when_the_model_says_and_with_those_that_have_ended_in_order(
        jobs in jobs(),
        return_when in prop_oneof![
            Just(ReturnWhen::FirstCompleted), Just(ReturnWhen::FirstException), Just(ReturnWhen::AllCompleted)
        ],
        limit in prop::option::of(0u64..9),
    ) {
        let (until, expected) = model_of_wait(&jobs, return_when, limit);
        let (took, done, left) = virtually(async {
            let (begin, tasks) = (time(), start(&jobs));
            let first = tasks.first().map_or(0, |task| task.id().0);
            let mut wait = wait(tasks).return_when(return_when);
            if let Some(limit) = limit {
                wait = wait.timeout(ms(limit));
            }
            let waited = wait.await;
            let took = time() - begin;
            let numbers = |tasks: &[JoinHandle<_>]| {
                tasks.iter().map(|task| (task.id().0 - first) as usize).collect::<Vec<_>>()
            };
            let found = (took, numbers(&waited.done), numbers(&waited.pending));
            for task in waited.done.into_iter().chain(waited.pending) {
                let _ = task.await; // a panic is taken here
            }
            found
        });
        let pending: Vec<_> = (0..jobs.len()).filter(|number| !expected.contains(number)).collect();
        prop_assert_eq!((took, done, left), (ms(until), expected, pending));
    }

    #[test]
    fn results_are_completed_in_the_order_of_the_model_and_gathered_in_that_of_the_futures(jobs in jobs()) {
        let number = |result: Result<Result<usize, usize>, oneloop::JoinError>| match result {
            Ok(Ok(number) | Err(number)) => number,
            Err(error) => error.to_string().replace("panicked: ", "").parse().unwrap(),
        };
        let (completed, gathered) = virtually(async {
            let begin = time();
            let mut completed = as_completed(start(&jobs));
            let mut order = Vec::new();
            while let Some(result) = completed.next().await {
                let number = number(result);
                assert_eq!(time() - begin, ms(jobs[number].delay));
                order.push(number);
            }
            let gathered = gather(jobs.iter().enumerate().map(|(number, job)| job.run(number))).await;
            (order, gathered.into_iter().map(number).collect::<Vec<_>>())
        });
        prop_assert_eq!(completed, ended(&jobs, |_| true));
        prop_assert_eq!(gathered, (0..jobs.len()).collect::<Vec<_>>());
    }
}
