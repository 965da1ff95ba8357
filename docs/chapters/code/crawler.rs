use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use oneloop::http::{Client, Error, Reply, Request, Server};
use oneloop::sync::Queue;
use oneloop::{spawn, spawn_blocking, spawn_named};

/// A site of four pages; each line of a page is a link.
async fn site(request: Request) -> Reply {
    match request.path() {
        "/" => Reply::text("/a\n/b"),
        "/a" | "/b" => Reply::text("/\n/c"),
        "/c" => Reply::text("/a"),
        _ => Reply::not_found(),
    }
}

/// Work for a thread: it may take as long as it likes.
fn links(page: &str) -> Vec<String> {
    page.lines().map(str::to_owned).collect()
}

struct Crawl {
    client: Client,
    base: String,
    queue: Queue<String>,
    /// By path: what the page links to, once that is known.
    seen: RefCell<BTreeMap<String, Vec<String>>>,
}

impl Crawl {
    async fn admit(&self, path: &str) {
        // No `.await` between the question and the answer: no other task can come between.
        if self.seen.borrow().contains_key(path) {
            return;
        }
        self.seen.borrow_mut().insert(path.to_owned(), Vec::new());
        self.queue.put(path.to_owned()).await.expect("the queue is open");
    }

    async fn visit(&self, path: String) -> Result<(), Error> {
        let response = self.client.get(format!("{}{path}", self.base)).send().await?;
        let page = response.text().await?;
        let found = spawn_blocking(move || links(&page)).await.expect("it does not panic");
        for link in &found {
            self.admit(link).await;
        }
        self.seen.borrow_mut().insert(path, found);
        Ok(())
    }

    async fn consume(self: Rc<Self>) {
        while let Ok(path) = self.queue.get().await {
            if let Err(error) = self.visit(path).await {
                eprintln!("{error}");
            }
            self.queue.task_done();
        }
    }
}

pub fn main() {
    oneloop::run(async {
        let server = Server::bind("127.0.0.1:0").expect("the loopback has ports");
        let base = format!("http://{}", server.local_addr().expect("it is bound"));
        let serving = spawn_named("server", server.serve(site));
        let (queue, seen) = (Queue::new(100), RefCell::default());
        let crawl = Rc::new(Crawl { client: Client::new(), base, queue, seen });
        crawl.admit("/").await;
        let consumers: Vec<_> = (0..2).map(|_| spawn(Rc::clone(&crawl).consume())).collect();
        crawl.queue.join().await;
        consumers.iter().for_each(|consumer| _ = consumer.cancel());
        serving.cancel();
        for (path, links) in &*crawl.seen.borrow() {
            println!("{path} links to {}", links.join(" and "));
        }
    });
}
