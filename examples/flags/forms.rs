//! The same work in three forms.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use indicatif::ProgressBar;
use oneloop::gather;
use oneloop::http::{Client, Error, StatusCode};

use crate::tally::{Outcome, Tally};

async fn get_flag(client: &Client, url: &str) -> Result<Outcome, Error> {
    let response = client.get(url).send().await?;
    let status = response.status();
    response.bytes().await?;
    Ok(match status {
        StatusCode::OK => Outcome::Flag,
        StatusCode::NOT_FOUND => Outcome::NotFound,
        other => Outcome::Other(other),
    })
}

/// Blocks its thread until the flag is there: a loop of its own, with nothing else to do.
fn get_flag_blocking(url: &str) -> Result<Outcome, Error> {
    oneloop::run(async { get_flag(&Client::new(), url).await })
}

/// One after the other.
pub fn sequential(urls: &[String], bar: &ProgressBar) -> Tally {
    let mut tally = Tally::default();
    for url in urls {
        tally.add(get_flag_blocking(url));
        bar.inc(1);
    }
    tally
}

/// So many threads, each of which takes the next URL until there are none.
pub fn threaded(urls: &[String], bar: &ProgressBar, threads: usize) -> Tally {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut tally = Tally::default();
        while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
            tally.add(get_flag_blocking(url));
            bar.inc(1);
        }
        tally
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut tally = Tally::default();
        workers.into_iter().for_each(|worker| tally.merge(worker.join().expect("fetching does not panic")));
        tally
    })
}

/// All at once, on this thread: a task for each URL. The client lets so many at a time through, in order.
pub fn asynchronous(urls: &[String], bar: &ProgressBar, limit: usize) -> Tally {
    oneloop::run(async {
        let client = Client::builder().max_connections_per_host(limit).build();
        let flags = gather(urls.iter().cloned().map(|url| {
            let (client, bar) = (client.clone(), bar.clone());
            async move {
                let flag = get_flag(&client, &url).await;
                bar.inc(1);
                flag
            }
        }));
        let mut tally = Tally::default();
        flags.await.into_iter().for_each(|flag| tally.add(flag.expect("fetching does not panic")));
        tally
    })
}
