//! Row `crawl`: the crawler of the examples and one made of tokio, reqwest and image, on the same embedded site of
//! 99 pages and 481 photographs, which answers at once. What is made is a grey thumbnail of each picture, 120 × 120, in
//! a file.
//!
//! The site runs in the process that measures, on a thread of its own. The example is a process beside it, and its
//! start counts; the other crawler runs on this thread. Both have 100 requests under way; the other has two threads for
//! the pictures, and the example one for each core.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use crate::embedded::Embedded;
use crate::row::{Peer, Row, Target, Unit};
use crate::site;

pub const ROW: Row = Row {
    name: "crawl",
    operation: "99 pages and 481 JPEGs of 1024 × 768 from the embedded site, a grey thumbnail of each",
    unit: Unit::WallMillis,
    ops: 1,
    quick_ops: 1,
    target: Target::None,
    peers: &[
        (Peer::Oneloop, |_| match example() {
            Some(program) => measure(|site, folder| crawl(&program, &site.url(), folder)),
            None => f64::NAN,
        }),
        #[cfg(feature = "crawl")]
        (Peer::Tokio, |_| {
            measure(|site, folder| on_tokio::crawl(site.url(), folder.to_owned()).expect("the site answers"))
        }),
    ],
};

const PICTURES: usize = site::photos::COUNT;
const CONSUMERS: usize = 100;

/// The crawler as cargo has built it, beside this program or in the folder of its own workspace.
fn example() -> Option<PathBuf> {
    let beside = env::current_exe().ok()?.with_file_name("examples/crawler");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/examples/crawler");
    let found = [beside, own].into_iter().find(|program| program.exists());
    if found.is_none() {
        eprintln!("crawl on oneloop: there is no crawler; build it: cargo build --release --example crawler");
    }
    found
}

/// Wall milliseconds of one crawl, into a new folder.
fn measure(crawl: impl FnOnce(&Embedded, &Path)) -> f64 {
    let site = site::start(Duration::ZERO).expect("loopback works");
    let folder = env::temp_dir().join(format!("oneloop-benches-{}", process::id()));
    let began = Instant::now();
    crawl(&site, &folder);
    let took = began.elapsed();
    let files = fs::read_dir(&folder).expect("the crawl has made it").flatten();
    let thumbnails =
        files.filter(|file| file.path().extension().is_some_and(|ending| ending == "jpg")).count();
    assert_eq!(thumbnails, PICTURES, "every picture has its thumbnail");
    fs::remove_dir_all(&folder).expect("what was made can be removed");
    took.as_secs_f64() * 1e3
}

fn crawl(program: &Path, url: &str, folder: &Path) {
    let mut command = Command::new(program);
    command.args([url, "--pages", "1..99", "--consumers", &CONSUMERS.to_string(), "--out"]).arg(folder);
    let output = command.env_remove("ONELOOP").output().expect("the crawler starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(feature = "crawl")]
mod on_tokio {
    use std::collections::HashSet;
    use std::error::Error;
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Arc;

    use image::ImageFormat;
    use image::imageops::{FilterType, resize};
    use reqwest::Client;
    use tokio::runtime::Builder;
    use tokio::sync::Semaphore;
    use tokio::task::{JoinSet, spawn_blocking};

    use super::CONSUMERS;

    type Failure = Box<dyn Error + Send + Sync>;

    const POOL_THREADS: usize = 2;
    const SIDE: u32 = 120;

    pub fn crawl(url: String, folder: PathBuf) -> Result<(), Failure> {
        fs::create_dir_all(&folder)?;
        let runtime =
            Builder::new_current_thread().enable_all().max_blocking_threads(POOL_THREADS).build()?;
        runtime.block_on(async {
            // A proxy, if the environment names one, is for others.
            let client = Client::builder().no_proxy().build()?;
            let places = Arc::new(Semaphore::new(CONSUMERS));
            let (mut pages, mut pictures, mut seen) = (JoinSet::new(), JoinSet::new(), HashSet::new());
            for number in 1..=crate::site::pages::COUNT {
                pages.spawn(page(client.clone(), Arc::clone(&places), format!("{url}/page{number}")));
            }
            while let Some(text) = pages.join_next().await {
                for name in names(&text??) {
                    if seen.insert(name.clone()) {
                        let (client, places) = (client.clone(), Arc::clone(&places));
                        pictures.spawn(picture(client, places, format!("{url}/{name}"), folder.join(name)));
                    }
                }
            }
            while let Some(made) = pictures.join_next().await {
                made??;
            }
            Ok(())
        })
    }

    async fn page(client: Client, places: Arc<Semaphore>, url: String) -> Result<String, Failure> {
        let _place = places.acquire().await?;
        Ok(client.get(url).send().await?.error_for_status()?.text().await?)
    }

    /// The place is kept until the file is there, so that no more than so many pictures are in memory.
    async fn picture(
        client: Client,
        places: Arc<Semaphore>,
        url: String,
        file: PathBuf,
    ) -> Result<(), Failure> {
        let _place = places.acquire().await?;
        let bytes = client.get(url).send().await?.error_for_status()?.bytes().await?;
        spawn_blocking(move || {
            let picture = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg)?;
            resize(&picture.to_luma8(), SIDE, SIDE, FilterType::CatmullRom).save(file)
        })
        .await??;
        Ok(())
    }

    /// The pictures that a page shows, as file names: in the attribute `src` of an `<img>`, and as the background of a
    /// card.
    fn names(page: &str) -> impl Iterator<Item = String> {
        let images = page.split("<img ").skip(1).filter_map(|rest| rest.split('>').next());
        let sources = images.filter_map(|image| image.split_once("src=\"")?.1.split('"').next());
        let cards = page.split("background-image: url(").skip(1).filter_map(|rest| rest.split(')').next());
        let pictures = sources.chain(cards).filter(|source| source.ends_with(".jpg"));
        pictures.filter_map(|source| source.rsplit('/').next()).map(str::to_owned)
    }
}
