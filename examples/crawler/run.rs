//! A whole run: the site, the loop, the crawl, the report.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use oneloop::{EventLoop, signal, spawn, spawn_blocking};
use url::Url;

use crate::args::{Args, Mode, Pages};
use crate::crawl::Crawl;
use crate::embedded::Embedded;
use crate::site::{self, pages};
use crate::{modes, save, sheet};

/// Requests in flight against the embedded site, which is built for it, and against a real one, which is somebody's.
const EMBEDDED_CONSUMERS: u16 = 100;
const POLITE_CONSUMERS: u16 = 10;

/// The contact sheet's file name. No thumbnail can have it: those end in `.jpg`, `.jpeg` or `.png`.
const SHEET: &str = "index.html";

/// Exit statuses, as the help says; 130 is what a shell gives a program that Ctrl-C has ended.
const SOME_FAILED: u8 = 1;
const CANNOT_START: u8 = 2;
const STOPPED: u8 = 130;

/// Runs the crawler to its end and says how it went.
pub fn run(args: Args) -> ExitCode {
    match crawl(args) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("[!] The crawler cannot start: {error}");
            ExitCode::from(CANNOT_START)
        }
    }
}

fn crawl(args: Args) -> io::Result<u8> {
    for folder in [Some(&args.out), args.originals.as_ref()].into_iter().flatten() {
        fs::create_dir_all(folder).map_err(|error| named(folder.display(), &error))?;
    }
    // Image work is all the pool gets, and more threads than cores would only take turns.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let event_loop = EventLoop::builder().pool_threads(cores).build()?;
    let site = match args.url {
        Some(_) => None,
        None => Some(embedded(args.delay)?),
    };
    let start = start_url(&args, site.as_ref());
    event_loop.run_until_complete(crawl_pages(args, start))
}

fn named(what: impl std::fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

fn embedded(delay: Duration) -> io::Result<Embedded> {
    let start = Instant::now();
    let site = site::start(delay)?;
    eprintln!(
        "[ ] Embedded site at {}, made in {:.2} s; each response takes {delay:?}.",
        site.url(),
        start.elapsed().as_secs_f64()
    );
    Ok(site)
}

fn start_url(args: &Args, site: Option<&Embedded>) -> Url {
    let embedded = site.map(|site| format!("{}/", site.url()));
    let embedded = embedded.map(|text| Url::parse(&text).expect("an address and a port make a URL"));
    args.url.clone().or(embedded).expect("without a URL there is an embedded site")
}

/// The listing pages: `URL/pageN` for those asked for, or the URL itself.
fn listing_pages(start: &Url, pages: Option<Pages>) -> Vec<Url> {
    let Some(Pages { first, last }) = pages else { return vec![start.clone()] };
    (first..=last)
        .map(|number| {
            let mut page = start.clone();
            if let Ok(mut segments) = page.path_segments_mut() {
                segments.pop_if_empty().push(&format!("page{number}"));
            }
            page
        })
        .collect()
}

async fn crawl_pages(args: Args, start: Url) -> io::Result<u8> {
    let embedded = args.url.is_none();
    let all = Pages { first: 1, last: pages::COUNT as u32 };
    let pages = listing_pages(&start, args.pages.or(embedded.then_some(all)));
    let usual = if embedded { EMBEDDED_CONSUMERS } else { POLITE_CONSUMERS };
    let consumers = match args.mode {
        Mode::Sequential => 1,
        Mode::Queue | Mode::Gather => usize::from(args.consumers.unwrap_or(usual)),
    };
    let there = find_there(&args).await?;
    let crawl = Rc::new(Crawl::new(args.clone(), consumers, there));
    let interrupt = spawn(stop_at_ctrl_c(Rc::clone(&crawl)));

    let begin = Instant::now();
    match args.mode {
        Mode::Queue => modes::queue(&crawl, pages, consumers).await,
        Mode::Gather => modes::all_at_once(&crawl, pages).await,
        Mode::Sequential => modes::sequential(&crawl, pages).await,
    }
    let took = begin.elapsed();

    interrupt.cancel();
    crawl.finish();
    let source = if embedded { "the embedded site" } else { start.as_str() };
    let sheet = write_sheet(&args, crawl.there(), source).await;
    if let Err(error) = &sheet {
        eprintln!("[-] The contact sheet could not be written: {error}");
    }
    report(&crawl, &args, took);
    Ok(status(&crawl, sheet.is_ok()))
}

/// The thumbnails that earlier runs have left.
async fn find_there(args: &Args) -> io::Result<HashSet<String>> {
    let (folder, size) = (args.out.clone(), args.size);
    let found = on_the_pool(move || save::thumbnails(&folder, size)).await;
    found.map_err(|error| named(args.out.display(), &error))
}

/// The first Ctrl-C lets what is being made come to its end, the second does not.
async fn stop_at_ctrl_c(crawl: Rc<Crawl>) {
    if signal::ctrl_c().await.is_ok() {
        eprintln!("[!] Stopping; once more to stop at once.");
        crawl.stop();
    }
    if signal::ctrl_c().await.is_ok() {
        std::process::exit(i32::from(STOPPED));
    }
}

async fn write_sheet(args: &Args, there: HashSet<String>, source: &str) -> io::Result<()> {
    let mut names: Vec<String> = there.into_iter().collect();
    names.sort();
    let (folder, html) = (args.out.clone(), sheet::page(&names, args.size, source));
    on_the_pool(move || save::write(&folder, SHEET, html.as_bytes())).await
}

/// The outcome of work with files; a panic in it becomes an error with its message.
async fn on_the_pool<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error.to_string())))
}

fn report(crawl: &Crawl, args: &Args, took: Duration) {
    let tally = crawl.tally.borrow();
    println!("{}", tally.processed());
    if crawl.is_stopping() {
        println!("[!] Stopped by Ctrl-C. The same command goes on from here.");
    }
    println!("\n[!] Crawled in {:.2} seconds.\n", took.as_secs_f64());
    print!("{}", tally.table(took));
    println!("    {:<26} {}", "contact sheet", args.out.join(SHEET).display());
}

fn status(crawl: &Crawl, sheet: bool) -> u8 {
    if crawl.is_stopping() {
        STOPPED
    } else if crawl.tally.borrow().failed() > 0 || !sheet {
        SOME_FAILED
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(start: &str, pages: Option<Pages>) -> Vec<String> {
        listing_pages(&Url::parse(start).unwrap(), pages).into_iter().map(Into::into).collect()
    }

    #[test]
    fn pages_are_numbered_below_the_url_or_are_the_url_itself() {
        let two = Some(Pages { first: 2, last: 3 });
        assert_eq!(
            listed("http://h/photos/confoo", two),
            ["http://h/photos/confoo/page2", "http://h/photos/confoo/page3"]
        );
        assert_eq!(listed("http://h/", two), ["http://h/page2", "http://h/page3"]);
        assert_eq!(listed("http://h/list?a=1", None), ["http://h/list?a=1"]);
    }
}
