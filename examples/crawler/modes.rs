//! Three ways to spread the same work over tasks.
//!
//! ```text
//!   queue       pages   ════╗ queue ╔═▶ consumer 1        pictures are processed while
//!               (tasks) ════╩═▶▢▢▢▢═╬═▶ consumer 2        other pages are still on their way
//!                                   ╚═▶ consumer N
//!   gather      pages   ════▶ all ──▶ pictures ════▶ all
//!   sequential  page ─ page ─ page ─ picture ─ picture ─ picture
//! ```

use std::rc::Rc;

use oneloop::sync::Queue;
use oneloop::{JoinHandle, gather, spawn};
use url::Url;

use crate::crawl::{Crawl, Picture};

/// Pictures that wait in the queue at most; producers that find it full wait too.
const QUEUE_ROOM: usize = 1000;

/// A producer for each page puts pictures into a queue, `consumers` tasks take them out.
pub async fn queue(crawl: &Rc<Crawl>, pages: Vec<Url>, consumers: usize) {
    let queue = Queue::new(QUEUE_ROOM);
    let consumers: Vec<JoinHandle<()>> =
        (0..consumers).map(|_| spawn(consume(Rc::clone(crawl), queue.clone()))).collect();
    gather(pages.into_iter().map(|page| produce(Rc::clone(crawl), page, queue.clone()))).await;
    crawl.say_found();
    // Every picture that was put has been processed when this returns …
    queue.join().await;
    // … so that all consumers wait for one that will never come.
    for consumer in consumers {
        consumer.cancel();
    }
}

async fn produce(crawl: Rc<Crawl>, page: Url, queue: Queue<Picture>) {
    for picture in crawl.find(page).await {
        if queue.put(picture).await.is_err() {
            return;
        }
    }
}

async fn consume(crawl: Rc<Crawl>, queue: Queue<Picture>) {
    while let Ok(picture) = queue.get().await {
        crawl.process(picture).await;
        queue.task_done();
    }
}

/// All pages at once, and when the last is there, all pictures at once; the lanes hold them back.
pub async fn all_at_once(crawl: &Rc<Crawl>, pages: Vec<Url>) {
    let find = |page| {
        let crawl = Rc::clone(crawl);
        async move { crawl.find(page).await }
    };
    let pictures = gather(pages.into_iter().map(find)).await;
    crawl.say_found();
    let process = |picture| {
        let crawl = Rc::clone(crawl);
        async move { crawl.process(picture).await }
    };
    gather(pictures.into_iter().flatten().flatten().map(process)).await;
}

/// One request after the other.
pub async fn sequential(crawl: &Crawl, pages: Vec<Url>) {
    let mut pictures = Vec::new();
    for page in pages {
        pictures.extend(crawl.find(page).await);
    }
    crawl.say_found();
    for picture in pictures {
        crawl.process(picture).await;
    }
}
