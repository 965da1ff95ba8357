//! One crawl: fetching pages and pictures, and what is remembered on the way.
//!
//! The loop's thread does nothing but move bytes. A picture's life:
//!
//! ```text
//!   find ──▶ named ──▶ (there already: done)
//!                └──▶ fetch, one of N lanes ──▶ job on the blocking pool ──▶ done
//!                          │                        decode, resize, write
//!                          └── failed: one line in the report, and the crawl goes on
//! ```
//!
//! How many of these go on at a time, and in which order, is up to `modes.rs`.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use oneloop::http::{Client, HeaderValue, Limits, Timeouts};
use oneloop::sync::{Event, Semaphore};
use oneloop::{Either, race, spawn_blocking};
use url::Url;

use crate::args::Args;
use crate::failure::Failure;
use crate::job::Job;
use crate::links;
use crate::save::Name;
use crate::tally::Tally;

/// A picture to be made a thumbnail of.
#[derive(Clone, Debug)]
pub struct Picture {
    pub url: Url,
    pub name: Name,
}

/// Everything the tasks of one crawl share.
pub struct Crawl {
    args: Args,
    client: Client,
    /// One permit for each request that may be in flight.
    lanes: Semaphore,
    /// Set when the crawl is to end early: no request is begun any more, those in flight are dropped.
    stopping: Event,
    pub tally: RefCell<Tally>,
    /// Every picture found so far, by name; the URL it was first found at.
    names: RefCell<HashMap<Name, Url>>,
    /// Thumbnails in the folder: those of earlier runs, and those made since.
    there: RefCell<HashSet<String>>,
    bar: ProgressBar,
    /// Requests in flight now.
    flying: Cell<usize>,
}

impl Crawl {
    /// Prepares a crawl with `consumers` requests in flight at most; `there` are the thumbnails it need
    /// not make again.
    pub fn new(args: Args, consumers: usize, there: HashSet<String>) -> Crawl {
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} images, {elapsed}");
        let bar = ProgressBar::new(0).with_style(style.expect("the template is well formed"));
        Crawl {
            client: client(&args, consumers),
            args,
            lanes: Semaphore::new(consumers),
            stopping: Event::new(),
            tally: RefCell::default(),
            names: RefCell::default(),
            there: RefCell::new(there),
            bar,
            flying: Cell::new(0),
        }
    }

    /// Ends the crawl early. Jobs on the pool go on to their end, so that no work is thrown away.
    pub fn stop(&self) {
        self.stopping.set();
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.is_set()
    }

    /// The thumbnails in the folder.
    pub fn there(&self) -> HashSet<String> {
        self.there.borrow().clone()
    }

    /// Says that no more pictures will be found.
    pub fn say_found(&self) {
        self.bar.suspend(|| println!("[+] Found {} images.", self.tally.borrow().found));
    }

    /// Clears the progress bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Fetches a listing page and returns the pictures that no page showed before.
    pub async fn find(&self, page: Url) -> Vec<Picture> {
        if self.is_full() {
            return Vec::new();
        }
        match self.fetch(&page).await {
            Ok(Some(html)) => {
                self.tally.borrow_mut().pages += 1;
                let pictures = links::pictures(&html, &page).into_iter();
                let new: Vec<Picture> = pictures.filter_map(|url| self.admit(url)).collect();
                self.bar.inc_length(new.len() as u64);
                new
            }
            Ok(None) => Vec::new(),
            Err(failure) => {
                self.fail(failure);
                Vec::new()
            }
        }
    }

    /// Fetches a picture and has its thumbnail made, unless it is there already.
    pub async fn process(&self, picture: Picture) {
        let made = self.make(&picture).await;
        match made {
            Ok(true) => self.bar.inc(1),
            Ok(false) => {}
            Err(failure) => self.fail(failure),
        }
    }

    /// Says whether the thumbnail is there now; it is not if the crawl was stopped before.
    async fn make(&self, picture: &Picture) -> Result<bool, Failure> {
        let job = Job::new(&self.args, picture.name.clone());
        let thumbnail = picture.name.thumbnail();
        let known = self.there.borrow().contains(&thumbnail);
        if known && job.has_original() {
            self.tally.borrow_mut().there += 1;
            return Ok(true);
        }
        let Some(bytes) = self.fetch(&picture.url).await? else { return Ok(false) };
        let outcome = spawn_blocking(move || job.run(&bytes)).await;
        let outcome = outcome.map_err(|error| Failure::panic(&picture.url, &error))?;
        let mut tally = self.tally.borrow_mut();
        tally.image_time += outcome.cpu_time;
        tally.written += outcome.result.map_err(|error| error.of(&picture.url))?;
        tally.made += 1;
        self.there.borrow_mut().insert(thumbnail);
        Ok(true)
    }

    /// Gives a new picture its name; `None` if it was found before, or if there are enough.
    ///
    /// The name comes from the path alone, so two addresses with the same path are taken for the same
    /// picture: most often one that is served by several hosts, or with another token each time.
    fn admit(&self, url: Url) -> Option<Picture> {
        if self.is_full() {
            return None;
        }
        let name = Name::of(&url);
        let mut names = self.names.borrow_mut();
        if let Some(first) = names.get(&name) {
            if *first != url {
                self.tally.borrow_mut().same_path += 1;
            }
            return None;
        }
        names.insert(name.clone(), url.clone());
        self.tally.borrow_mut().found += 1;
        Some(Picture { url, name })
    }

    fn is_full(&self) -> bool {
        let found = self.tally.borrow().found;
        self.is_stopping() || self.args.limit.is_some_and(|limit| found >= limit.get())
    }

    /// The body at `url`, as soon as a lane is free; `None` if the crawl was stopped meanwhile.
    async fn fetch(&self, url: &Url) -> Result<Option<Vec<u8>>, Failure> {
        let Either::Right(_lane) = race(self.stopping.wait(), self.lanes.acquire()).await else {
            return Ok(None);
        };
        let start = Instant::now();
        self.flying.set(self.flying.get() + 1);
        let got = race(self.stopping.wait(), self.get(url)).await;
        let mut tally = self.tally.borrow_mut();
        tally.most_in_flight = tally.most_in_flight.max(self.flying.get());
        tally.waiting += start.elapsed();
        self.flying.set(self.flying.get() - 1);
        match got {
            Either::Left(()) => Ok(None),
            Either::Right(Err(failure)) => Err(failure),
            Either::Right(Ok(bytes)) => {
                tally.received += bytes.len() as u64;
                Ok(Some(bytes))
            }
        }
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, Failure> {
        let response = self.client.get(url.as_str()).send().await?;
        if !response.status().is_success() {
            return Err(Failure::status(url, response.status()));
        }
        Ok(response.bytes().await?)
    }

    fn fail(&self, failure: Failure) {
        self.bar.suspend(|| eprintln!("[-] {}", failure.text));
        self.tally.borrow_mut().fail(failure.kind);
    }
}

fn client(args: &Args, consumers: usize) -> Client {
    let mut limits = Limits::default();
    limits.body_bytes = args.max_bytes;
    let mut timeouts = Timeouts::default();
    timeouts.total = Some(args.timeout);
    Client::builder()
        .limits(limits)
        .timeouts(timeouts)
        .max_connections_per_host(consumers)
        .max_idle_per_host(consumers)
        .user_agent(HeaderValue::from_static(concat!("oneloop-crawler/", env!("CARGO_PKG_VERSION"))))
        .build()
}
